import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from '../fixtures.js';
import { expectOn, link } from './flows.js';
import { recordAndRun } from './recorded.js';

const to = (page: string) => ({ action: 'switchPage', page });
const body = (expected: string, more: object = {}) =>
  expectOn('body', 'toContainText', { expected, ...more });

test('two people in one test, recorded and run in both languages', async ({ shared, pages }) => {
  test.slow();
  const { url } = pages;
  await writeFile(
    path.join(shared.workspace, 'ann.json'),
    JSON.stringify({
      cookies: [
        {
          ...{ name: 'who', value: 'ann', domain: '127.0.0.1', path: '/', expires: -1 },
          ...{ httpOnly: false, secure: false, sameSite: 'Lax' },
        },
      ],
      origins: [],
    }),
  );
  const visits = [
    { action: 'goto', url: `${url}/api/echo` },
    body('who=ann'),
    { action: 'newContext', name: 'Bob B.', use: { locale: 'fr-FR', extraHTTPHeaders: { 'x-who': 'bob' } } },
    { action: 'newContext', name: '2nd', use: { device: 'iPhone 15', storageState: 'ann.json' } },
    body('de-DE'),
    to('p2'),
    { action: 'goto', url: `${url}/api/echo` },
    body('who=ann', { not: true }),
    body('fr-FR'),
    body('"x-who":"bob"'),
    { action: 'addCookies', cookies: [{ name: 'seat', value: '7', url }] },
    { action: 'newPage', url: `${url}/api/echo` },
    to('p1'),
    { action: 'reload' },
    body('seat', { not: true }),
    to('p4'),
    body('seat=7'),
    to('p3'),
    { action: 'goto', url: `${url}/api/echo` },
    body('who=ann'),
    body('iPhone'),
    body('de-DE'),
    to('p2'),
    { action: 'goto', url: `${url}/files.html` },
    { action: 'click', target: link('Download the report') },
    { action: 'saveDownload', path: 'report.csv' },
    { action: 'goto', url: `${url}/popup.html` },
    { action: 'click', target: link('Open a new tab') },
    to('p5'),
    { action: 'expect', matcher: 'toHaveURL', expected: `${url}/landing.html?from=tab` },
  ];
  const use = { locale: 'de-DE', storageState: 'ann.json' };
  await recordAndRun(
    shared,
    [{ title: 'Two people', use, verify: 'require', actions: visits }],
    'typescript',
  );
  const { sessions } = await shared.call('get_codegen_session');
  const { code } = await shared.call('get_codegen_session', {
    sessionId: sessions[0]?.sessionId,
    include: ['code'],
  });
  expect(code).toMatch(
    /const bobBContext = await browser\.newContext\(\{\n\s+locale: "fr-FR",\n\s+storageState: undefined,/,
  );
  expect(code).toMatch(/\.\.\.devices\["iPhone 15"\],\s+storageState: "ann\.json"/);
  expect(code).toMatch(/await bobBContext\.close\(\);\n\s+await other2ndContext\.close\(\);\n\}\);/);
});

test('another context obeys the limits and rules of its session', async ({ shared, pages, club }) => {
  await shared.configure({
    browser: { maxPagesPerSession: 2 },
    network: { blockedOrigins: [club.url] },
  });
  const { sessionId, error } = await shared.start({ url: `${pages.url}/landing.html` });
  expect(error).toBeUndefined();
  const record = async (action: object) => (await shared.record(sessionId, { ...action })).failed?.code;
  expect(await record({ action: 'newContext', name: 'Bob' })).toBeUndefined();
  expect(await record({ action: 'newContext', name: 'Eve' })).toBe('SESSION_LIMIT');
  expect(await record(to('p2'))).toBeUndefined();
  expect(await record({ action: 'goto', url: club.url })).toBe('NAVIGATION_BLOCKED');
  expect(await record({ action: 'closePage' })).toBeUndefined();
  expect(await record({ action: 'newContext', name: 'Eve' })).toBe('SESSION_LIMIT');
});

test('a context that later steps use is not removed without them', async ({ open, pages }) => {
  const { land, record, code } = await open('landing.html', { autoAssert: true });
  await land(
    { action: 'newContext', name: 'Bob' },
    to('p2'),
    { action: 'goto', url: `${pages.url}/landing.html` },
    to('p1'),
  );
  expect(await code()).not.toContain('about:blank');
  const { failed } = await record({ action: 'remove', steps: [1] });
  expect(failed).toMatchObject({ code: 'INVALID_INPUT', message: expect.stringContaining('step 1 opens') });
  await land({ action: 'remove', steps: [1, 2, 3, 4] });
  expect(await code()).not.toContain('newContext');
});

test('a secret that is bound to origins is not given to a whole context', async ({
  shared: server,
  pages,
}) => {
  await server.configure({ secrets: [{ name: 'TOKEN', origins: ['https://shop.example'] }] });
  const { sessionId } = await server.start({ url: `${pages.url}/landing.html` });
  const { failed } = await server.record(sessionId, {
    action: 'newContext',
    name: 'Bob',
    use: { extraHTTPHeaders: { authorization: '{{secret:TOKEN}}' } },
  });
  expect(failed?.code).toBe('POLICY_DENIED');
  const { error } = await server.record(sessionId, {
    action: 'newContext',
    name: 'x',
    use: { headless: true },
  });
  expect(error?.code).toBe('INVALID_INPUT');
});

test('a session with another context resumes', async ({ shared, pages }) => {
  const { sessionId } = await shared.start({ title: 'Resumed pair', url: `${pages.url}/landing.html` });
  await shared.record(
    sessionId,
    { action: 'newContext', name: 'Bob' },
    to('p2'),
    { action: 'goto', url: `${pages.url}/dialogs.html` },
    to('p1'),
  );
  const { filePath, testCode } = await shared.call('end_codegen_session', { sessionId });
  const resumed = await shared.start({ resume: path.relative(shared.workspace, filePath) });
  expect(resumed.failed).toBeUndefined();
  const { failed } = await shared.record(resumed.sessionId, to('p2'), {
    action: 'expect',
    matcher: 'toHaveTitle',
    expected: 'Dialogs',
  });
  expect(failed).toBeUndefined();
  const { code } = await shared.call('get_codegen_session', {
    sessionId: resumed.sessionId,
    include: ['code'],
  });
  expect(code).toContain('await expect(bobPage).toHaveTitle("Dialogs");');
  expect(testCode).toContain('const bobPage = await bobContext.newPage();');
});
