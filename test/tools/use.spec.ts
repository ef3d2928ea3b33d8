import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { devices } from '@playwright/test';
import { toJson } from '../../src/model/json.js';
import { testUse } from '../../src/tools/test-use.js';
import { expect, test } from '../fixtures.js';

const phone = toJson(devices['Pixel 7']);

for (const [what, use, project, said] of [
  ['what Playwright does anyway', { viewport: { width: 1280, height: 720 }, locale: 'en-US' }, {}, {}],
  ['whether a window is shown', { headless: false }, {}, {}],
  ['the browser of the project', { browserName: 'firefox' }, { defaultBrowserType: 'firefox' }, {}],
  ['a device that the project is for', { device: 'Pixel 7' }, phone, {}],
  [
    'what differs from the project',
    { locale: 'it-IT', offline: false, viewport: null, baseURL: 'http://a.example' },
    { locale: 'it-IT', offline: true, baseURL: 'http://b.example' },
    { offline: false, viewport: null, baseURL: 'http://a.example' },
  ],
  [
    'another browser than the project has',
    { browserName: 'chromium' },
    { browserName: 'webkit' },
    { browserName: 'chromium' },
  ],
  [
    'a device, what differs from it, and the browser where it would bring its own',
    { device: 'iPhone 15', isMobile: true, locale: 'it-IT', hasTouch: false },
    { locale: 'it-IT' },
    { device: 'iPhone 15', browserName: 'chromium', hasTouch: false },
  ],
] as const) {
  const verb = Object.keys(said).length === 0 ? 'leaves out' : 'says';
  test(`test.use ${verb} ${what}`, async () => {
    const { browserName } = { browserName: 'chromium' as const, ...use };
    expect(await testUse({ ...use }, browserName, project)).toEqual(said);
  });
}

test("a test has only what its project's configuration does not say, as get shows it and as end writes it", async ({
  server,
  pages,
  workspace,
}) => {
  await writeFile(
    path.join(workspace, 'playwright.config.ts'),
    `import { defineConfig, devices } from '@playwright/test';
const baseURL: string = ${JSON.stringify(pages.url)};
export default defineConfig({
  use: { baseURL },
  projects: [
    { name: 'others', testDir: 'e2e', use: { locale: 'fr-FR' } },
    { name: 'phones', testDir: 'generated-tests', use: { ...devices['Pixel 7'], colorScheme: 'dark' } },
  ],
});
`,
  );
  test.slow();
  const record = async (args: object): Promise<{ sessionId: string; code: string }> => {
    const { sessionId } = await server.start({ title: 'opens', ...args });
    await server.record(sessionId, {
      action: 'expect',
      matcher: 'toHaveURL',
      expected: `${pages.url}/landing.html`,
    });
    const { code } = await server.call('get_codegen_session', { sessionId, include: ['code'] });
    return { sessionId, code };
  };
  const absolute = `${pages.url}/landing.html`;
  const same = await record({ url: absolute, use: { device: 'Pixel 7', colorScheme: 'dark' } });
  const { testCode } = await server.call('end_codegen_session', { sessionId: same.sessionId });
  expect(testCode).toBe(same.code);
  expect(testCode).toContain(`import { test, expect } from "@playwright/test";

test("opens", async ({ page }) => {
  await page.goto("/landing.html");
  await expect(page).toHaveURL("/landing.html");
});
`);
  const { code: other } = await record({
    url: '/landing.html',
    use: { baseURL: pages.url, device: 'iPhone 15', locale: 'it-IT' },
  });
  expect(other).toContain(`import { test, expect, devices } from "@playwright/test";

test.use({ ...devices["iPhone 15"], browserName: "chromium", locale: "it-IT" });
`);
  expect(other).toContain('page.goto("/landing.html")');
});
