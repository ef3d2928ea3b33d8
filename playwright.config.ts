import { defineConfig } from '@playwright/test';
import { findBrowser, launchOptions } from './src/browser/find-browser.js';

const browser = await findBrowser();

export default defineConfig({
  fullyParallel: true,
  // Tests wait for browsers and other processes more than they work.
  workers: '150%',
  forbidOnly: true,
  // Tests start browsers and run Playwright Test themselves: what takes seconds here may take a minute elsewhere.
  timeout: 90_000,
  expect: { timeout: 15_000 },
  retries: process.env['CI'] === undefined ? 0 : 2,
  use: browser === undefined ? {} : { launchOptions: launchOptions(browser) },
  projects: [
    { name: 'server', testDir: 'test', testIgnore: 'fixtures/projects/**' },
    { name: 'generated', testDir: 'generated-tests' },
  ],
  webServer: {
    command: 'node --import tsx test/fixtures/petstore.ts --port 8642',
    url: 'http://127.0.0.1:8642',
    reuseExistingServer: true,
  },
});
