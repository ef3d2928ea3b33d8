/** Takes the picture of the web UI that the README shows: `npm run docs:picture`. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromium } from '@playwright/test';
import { findBrowser, launchOptions } from '../../src/browser/find-browser.js';
import { configure } from '../fixtures.js';
import { startPages } from '../fixtures/pages-server.js';
import { serve } from '../server/http/serving.js';

const found = await findBrowser();
if (found === undefined) throw new Error('No browser: run `npm run browser`.');
const workspace = await mkdtemp(path.join(tmpdir(), 'picture-'));
await configure(workspace, { autoAssert: true });
const [pages, serving] = await Promise.all([startPages(), serve(workspace)]);
const [agent, browser] = await Promise.all([serving.connect(), chromium.launch(launchOptions(found))]);
try {
  const { sessionId } = await agent.start({
    title: 'Adds a task',
    url: `${pages.url}/todo.html`,
    use: { viewport: { width: 640, height: 480 } },
  });
  const target = "getByRole('textbox')";
  await agent.record(
    sessionId,
    { action: 'fill', target, value: 'Buy tea', note: 'New tasks go to the end.' },
    { action: 'press', target, key: 'Enter' },
  );
  const context = await browser.newContext({
    colorScheme: 'dark',
    viewport: { width: 1100, height: 700 },
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  await page.goto(/works once: (\S+)/.exec(serving.stderr())?.[1] ?? '');
  await page.getByRole('link', { name: 'Adds a task' }).click();
  await page.getByRole('img', { name: 'The live page' }).waitFor();
  await page.screenshot({ path: 'docs/ui.png' });
} finally {
  await Promise.all([browser.close(), agent.close()]);
  await Promise.all([serving.stop(), pages.close()]);
  await rm(workspace, { recursive: true, force: true });
}
