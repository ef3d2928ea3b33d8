import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { devices } from '@playwright/test';
import { toJson } from '../../src/model/json.js';
import { testUse } from '../../src/codegen/test-use.js';
import { expect, runTests, test } from '../fixtures.js';
import { serve } from '../fixtures/serve.js';

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
  ['that a project for another browser is recorded in ours', {}, { browserName: 'webkit' }, {}],
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

test('a device has one of the names of Playwright', async ({ shared }) => {
  for (const device of ['constructor', '__proto__', 'iPhone 1500'])
    expect((await shared.start({ use: { device } })).error?.code, device).toBe('INVALID_INPUT');
});

test("a test has only what its project's configuration does not say, as get shows it and as end writes it", async ({
  shared: server,
  pages,
}) => {
  await writeFile(
    path.join(server.workspace, 'playwright.config.ts'),
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

const shown = (id: string, expected: string): Record<string, unknown> => ({
  action: 'expect',
  target: `getByTestId("${id}")`,
  matcher: 'toHaveText',
  expected,
});

test('a session starts from a saved state, and so do its verification and its test', async ({
  shared: server,
  pages,
}) => {
  test.slow();
  const { workspace } = server;
  await server.configure({ verify: { mode: 'require', sensitivity: 'off' } });
  const { hostname } = new URL(pages.url);
  const cookie = { name: 'user', value: 'ann', domain: hostname, path: '/', expires: -1 };
  const options = { httpOnly: false, secure: false, sameSite: 'Lax' };
  const state = {
    cookies: [{ ...cookie, ...options }],
    origins: [{ origin: pages.url, localStorage: [{ name: 'theme', value: 'dark' }] }],
  };
  await mkdir(path.join(workspace, 'playwright/.auth'), { recursive: true });
  await writeFile(path.join(workspace, 'playwright/.auth/ann.json'), JSON.stringify(state));
  for (const [language, verify, status] of [
    ['typescript', 'require', 'passed'],
    ['javascript', 'off', 'off'],
  ]) {
    const { sessionId } = await server.start({
      title: 'is signed in',
      url: '/network.html',
      use: { baseURL: pages.url, storageState: 'playwright/.auth/ann.json' },
      options: { language },
    });
    const { failed } = await server.record(
      sessionId,
      shown('cookies', 'user=ann'),
      shown('storage', 'dark null'),
    );
    expect(failed).toBeUndefined();
    const ended = await server.call('end_codegen_session', { sessionId, verify });
    expect(ended).toMatchObject({ verification: { status } });
    expect(ended.testCode).toContain('storageState: "playwright/.auth/ann.json",');
    expect(ended.testCode).not.toContain('user: ');
  }
  const run = await runTests(workspace);
  expect(run.output).toContain('2 passed');
});

test('a missing, foreign or damaged saved state is reported without its content', async ({
  shared: server,
}) => {
  const { workspace } = server;
  const write = (name: string, text: string): Promise<void> => writeFile(path.join(workspace, name), text);
  await write('.env', 'TOKEN=abc');
  await write('list.json', '["TOKEN=abc"]');
  await write('cookie.json', '{"cookies":[{"name":"TOKEN=abc","value":5}]}');
  await write(
    'same-site.json',
    '{"cookies":[{"name":"a","value":"b","domain":"c","path":"/","sameSite":"TOKEN=abc"}]}',
  );
  const origins = Array.from({ length: 101 }, (_, index) => ({ origin: `http://h${index}.example` }));
  await write('origins.json', JSON.stringify({ origins }));
  await symlink('/etc/hostname', path.join(workspace, 'link.json'));
  for (const [storageState, code, message] of [
    ['none.json', 'INVALID_INPUT', 'There is no file "none.json"'],
    ['.', 'INVALID_INPUT', 'There is no file "."'],
    ['.env', 'PATH_NOT_ALLOWED', 'contains the hidden name ".env"'],
    ['.codegen/artifacts/a.json', 'PATH_NOT_ALLOWED', 'contains the hidden name ".codegen"'],
    ['list.json', 'INVALID_INPUT', 'is not a storage state (the whole: '],
    ['cookie.json', 'INVALID_INPUT', 'is not a storage state (cookies.0.value: '],
    ['same-site.json', 'INVALID_INPUT', 'sameSite'],
    ['origins.json', 'INVALID_INPUT', 'is not a storage state (origins: '],
    ['../none.json', 'PATH_NOT_ALLOWED', 'contains ".."'],
    ['/etc/hostname', 'PATH_NOT_ALLOWED', 'is absolute'],
    ['link.json', 'PATH_NOT_ALLOWED', 'follows a symbolic link out of the workspace'],
  ] as const) {
    const { error, text } = await server.start({ use: { storageState } });
    expect(error).toMatchObject({ code, message: expect.stringContaining(message) });
    expect(text).not.toContain('TOKEN');
  }
  const { sessions } = await server.call('get_codegen_session');
  expect(sessions.filter(({ status }) => status === 'open')).toEqual([]);
});

test('a page that writes to the clipboard may do so in its test', async ({ shared: server, pages }) => {
  test.slow();
  await server.configure({ verify: { mode: 'require', sensitivity: 'off' } });
  const copy = { action: 'click', target: 'getByRole("button", { name: "Copy" })' };
  const status = (expected: string): object => ({
    action: 'expect',
    target: 'getByRole("status")',
    matcher: 'toHaveText',
    expected,
  });
  const { sessionId } = await server.start({ title: 'copies', url: `${pages.url}/network.html` });
  await server.record(sessionId, { ...copy, record: false });
  const { code: before } = await server.call('get_codegen_session', { sessionId, include: ['code'] });
  expect(before).not.toContain('permissions');
  const grant = { action: 'grantPermissions', permissions: ['geolocation'], origin: pages.url };
  expect(
    (await server.record(sessionId, grant, { ...copy }, { ...status('copied') })).failed,
  ).toBeUndefined();
  const { testCode, verification } = await server.call('end_codegen_session', { sessionId });
  expect(verification).toMatchObject({ status: 'passed' });
  expect(testCode).toContain('test.use({ permissions: ["clipboard-write"] });');
  expect(testCode).toContain('grantPermissions(["geolocation", "clipboard-write"], {');
});

test('sessions with different test id attributes run at the same time', async ({ shared }) => {
  const site = await serve(async (_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(
      '<main>' +
        [1, 2].map((id) => `<div data-testid="one ${id}" data-qa='a "qa" ${id}>>'><i>+</i></div>`).join('') +
        '</main><script>document.onclick = (event) => (document.title = event.target.closest("div")?.dataset.qa)</script>',
    );
    return Promise.resolve();
  }, 0);
  const first = await shared.start({ url: site.url, use: { testIdAttribute: 'data-qa' } });
  const second = await shared.start({ url: site.url });
  expect(second.error).toBeUndefined();
  const clicked = await shared.record(
    first.sessionId,
    { action: 'click', target: "locator('div').nth(1)" },
    { action: 'click', target: `getByTestId('a "qa" 1>>')` },
    { action: 'click', target: 'getByTestId(/QA" 2>>$/i)' },
  );
  expect(clicked.failed).toBeUndefined();
  expect(clicked.codes[0]).toBe(`await page.getByTestId('a "qa" 2>>').click();`);
  expect(clicked.pageTitle).toBe('a "qa" 2>>');
  const { codes } = await shared.record(second.sessionId, {
    action: 'click',
    target: "locator('div').nth(1)",
  });
  expect(codes[0]).toBe('await page.getByTestId("one 2").click();');
  await site.close();
});

test("the project's configuration is loaded once, and again after a change of what it imports", async ({
  shared: server,
}) => {
  const inWorkspace = (name: string): string => path.join(server.workspace, name);
  await writeFile(
    inWorkspace('playwright.config.mjs'),
    `import { appendFileSync } from 'node:fs';
import { use } from './use.mjs';
appendFileSync(['loads', 'txt'].join('.'), 'x');
export default { use };`,
  );
  await writeFile(inWorkspace('use.mjs'), `export const use = { locale: 'it-IT' };`);
  const { sessionId } = await server.start({ title: 'speaks', use: { locale: 'it-IT' } });
  await server.record(sessionId, { action: 'step', title: 'Speak' });
  const code = async (): Promise<string> =>
    (await server.call('get_codegen_session', { sessionId, include: ['code'] })).code;
  expect(await code()).not.toContain('it-IT');
  expect(await code()).not.toContain('it-IT');
  expect(await readFile(inWorkspace('loads.txt'), 'utf8')).toBe('x');
  await writeFile(inWorkspace('use.mjs'), `export const use = { locale: 'fr-FR' };`);
  expect(await code()).toContain('it-IT');
});
