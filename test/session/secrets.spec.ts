import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { checkEmitted } from '../codegen/emitted.js';
import { serve } from '../fixtures/serve.js';
import { configure, connect, expect, runTests, test } from '../fixtures.js';

const password = 'Pa"ss/w0rd+ü&x y';
const token = 'tok+en==/<12>';
const env = { SHOP_PASSWORD: password, ADMIN_TOKEN: token, SHORT: 'abc' };

/** The forms in which a value may be anywhere. */
function formsOf(value: string): string[] {
  return [
    value,
    encodeURIComponent(value),
    Buffer.from(value).toString('base64'),
    JSON.stringify(value).slice(1, -1),
  ];
}

/** Names and contents of all files below a directory. */
async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const texts = await Promise.all(
    files.map((file) => readFile(path.join(file.parentPath, file.name), 'latin1')),
  );
  const names = entries.map(({ name }) => name);
  return [...names, ...texts, ...texts.map((text) => Buffer.from(text, 'latin1').toString())];
}

test('a secret is typed, sent and asserted, and appears nowhere', async ({ workspace, pages }) => {
  test.slow();
  await configure(workspace, {
    autoAssert: true,
    browser: { actionTimeoutMs: 2000 },
    verify: { mode: 'require', sensitivity: 'off' },
    secrets: ['SHOP_PASSWORD', { name: 'ADMIN_TOKEN', origins: [pages.url] }],
  });
  // Playwright's own log is the most talkative.
  const server = await connect(workspace, { env: { ...env, DEBUG: 'pw:api' } });
  const raw: unknown[] = [];
  const call = async (name: string, args: object): Promise<Awaited<ReturnType<typeof server.call>>> => {
    const result = await server.call(name, { ...args });
    raw.push(result);
    return result;
  };
  const { sessionId } = await call('start_codegen_session', {
    title: 'signs in',
    use: { baseURL: pages.url, extraHTTPHeaders: { 'x-key': 'Key {{secret:SHOP_PASSWORD}}' } },
    url: `${pages.url}/login.html?t={{secret:ADMIN_TOKEN}}`,
  });
  const record = (...actions: object[]): ReturnType<typeof call> =>
    call('record_codegen_session', { sessionId, actions });
  const typed = await record(
    { action: 'fill', target: 'getByLabel("User")', value: 'ann' },
    { action: 'fill', target: 'getByLabel("Password")', value: '{{secret:SHOP_PASSWORD}}' },
    { action: 'pressSequentially', target: 'getByLabel("Token")', value: '{{secret:ADMIN_TOKEN}}' },
    { action: 'addCookies', cookies: [{ name: 'key', value: 'k-{{secret:ADMIN_TOKEN}}', url: pages.url }] },
    { action: 'setStorage', local: { token: '{{secret:ADMIN_TOKEN}}' } },
    { action: 'click', target: 'getByRole("button", { name: "Copy the token" })' },
    { action: 'clipboard.readText' },
    {
      action: 'waitForResponse',
      url: '/api/echo?password={{secret:SHOP_PASSWORD}}',
      method: 'POST',
      body: { query: { password: '{{secret:SHOP_PASSWORD}}' } },
    },
    { action: 'click', target: 'getByRole("button", { name: "Sign in" })' },
  );
  expect(typed.failed).toBeUndefined();
  expect(typed.snapshot).toContain('{{secret:SHOP_PASSWORD}}');
  expect(typed.assertions.slice(1, 3)).toEqual([[], []]);
  // The name of this one contains a secret, and its position is brittle.
  const shown = await record(
    { action: 'click', target: 'getByRole("button", { name: /Account of/ }).first()' },
    { action: 'expect', matcher: 'toHaveTitle', expected: 'Signed in with {{secret:SHOP_PASSWORD}}' },
    {
      action: 'request',
      method: 'POST',
      url: '/api/echo',
      headers: { authorization: 'Bearer {{secret:ADMIN_TOKEN}}' },
      data: { password: '{{secret:SHOP_PASSWORD}}' },
      expect: { body: { headers: { authorization: 'Bearer {{secret:ADMIN_TOKEN}}' } } },
    },
  );
  expect(shown.codes[0]).toBe('await page.getByTestId("account").click();');
  const failed = await record({
    action: 'expect',
    target: `getByText(${JSON.stringify(token)})`,
    matcher: 'toBeVisible',
  });
  expect(failed.failed?.message).toContain('The test would contain the value of a secret');
  for (const name of ['{{secret:SHOP_PASSWORD}}', password]) {
    const { error } = await record({ action: 'screenshot', path: `${name}.png` });
    expect(error?.code).toBe('INVALID_INPUT');
  }
  const pictured = await record({ action: 'screenshot', path: 'signed-in.png' });
  expect(pictured.failed).toBeUndefined();
  const missed = await record({ action: 'fill', target: '#none', value: '{{secret:SHOP_PASSWORD}}' });
  expect(missed.failed?.code).toBe('TARGET_NOT_FOUND');
  const include = ['steps', 'code', 'snapshot', 'console', 'network'];
  const state = await call('get_codegen_session', { sessionId, include });
  expect(state.text).toContain('password {{secret:SHOP_PASSWORD}}');

  const ended = await call('end_codegen_session', { sessionId });
  expect(ended.error).toBeUndefined();
  expect(ended).toMatchObject({ verification: { status: 'passed' } });
  expect(ended.testCode).toContain('.fill(process.env.SHOP_PASSWORD ?? "")');
  expect(ended.testCode).toContain('value: `k-${process.env.ADMIN_TOKEN}`');
  expect(ended.testCode).toContain('/\\/api\\/echo\\?password=.*$/.test(response.url())');
  expect(ended.testCode).toContain('"x-key": `Key ${process.env.SHOP_PASSWORD}`');
  await checkEmitted([{ name: 'signs-in.spec.ts', content: ended.testCode }]);
  const file = ended.files[0]?.path;
  const ran = await server.client.callTool({ name: 'run_generated_test', arguments: { file } });
  raw.push(ran);
  expect(ran.structuredContent).toMatchObject({ passed: 1, failed: 0 });
  const resumed = await call('start_codegen_session', { resume: file });
  expect(resumed).toMatchObject({ resumed: 14 });
  expect(resumed.failed).toBeUndefined();
  await server.close();

  expect(server.stderr()).toContain('{{secret:ADMIN_TOKEN}}');
  const left = await filesBelow(workspace);
  expect(left).toEqual(
    expect.arrayContaining(['signs-in.spec.ts', 'audit.jsonl', 'sessions', 'signed-in.png']),
  );
  const texts = [JSON.stringify(raw), server.stderr(), ...left];
  for (const value of [password, token])
    for (const form of formsOf(value)) expect(texts.filter((text) => text.includes(form))).toEqual([]);

  const run = await runTests(workspace);
  expect(run.output).toContain('SHOP_PASSWORD is set');
  expect(run.exitCode).toBe(1);
});

test('secrets that are not listed, not set, too short or bound elsewhere are never typed', async ({
  workspace,
  pages,
}) => {
  await configure(workspace, {
    secrets: ['SHORT', 'UNSET', 'LONGER', { name: 'ADMIN_TOKEN', origins: ['https://shop.example'] }],
  });
  const server = await connect(workspace, { env: { ...env, LONGER: 'long-enough' } });
  const { sessionId } = await server.start({ url: `${pages.url}/login.html` });
  const fill = (value: string): Record<string, unknown> => ({
    action: 'fill',
    target: 'getByLabel("User")',
    value,
  });
  const request = { action: 'request', url: `${pages.url}/api/echo?t={{secret:ADMIN_TOKEN}}` };
  for (const [action, code, words] of [
    [fill('{{secret:ADMIN_TOKN}}'), 'INVALID_INPUT', 'no secret "ADMIN_TOKN"; did you mean "ADMIN_TOKEN"'],
    [fill('{{secret:SHOP_PASSWORD}}'), 'INVALID_INPUT', 'lists SHORT, UNSET, LONGER, ADMIN_TOKEN'],
    [fill('{{secret:UNSET}}'), 'INVALID_INPUT', 'UNSET is not set'],
    [fill('x{{secret:SHORT}}'), 'INVALID_INPUT', 'too short'],
    [fill('{{secret: ADMIN_TOKEN}}'), 'INVALID_INPUT', 'must have the form'],
    [fill('{{secret:ADMIN_TOKEN}}'), 'POLICY_DENIED', `not allowed on ${pages.url}`],
    [request, 'POLICY_DENIED', `not allowed on ${pages.url}`],
    [fill(token), 'INVALID_INPUT', '{{secret:NAME}}'],
  ] as const) {
    const { error, failed = error } = await server.record(sessionId, action);
    expect(failed?.code).toBe(code);
    expect([failed?.message, failed?.hint].join(' ')).toContain(words);
  }
  const { snapshot } = await server.call('get_codegen_session', { sessionId, include: ['snapshot'] });
  expect(snapshot).toMatch(/textbox "User".*\[ref=\w+\]$/m);
  const started = await server.start({ use: { extraHTTPHeaders: { 'x-key': '{{secret:ADMIN_TOKEN}}' } } });
  expect(started.error).toMatchObject({ code: 'POLICY_DENIED' });
  const warned = await server.start({ use: { extraHTTPHeaders: { 'x-key': '{{secret:LONGER}}' } } });
  expect(warned['warnings']).toContainEqual(expect.stringContaining('sends LONGER to every host'));
  const titled = await server.start({ title: `with ${token}` });
  expect(titled.error).toMatchObject({ code: 'INVALID_INPUT' });
  await server.close();
});

test('HTTP authentication takes its password from a secret, for one origin, and a literal one is warned of', async ({
  workspace,
}) => {
  const authorization = `Basic ${Buffer.from(`ann:${password}`).toString('base64')}`;
  const sent: string[] = [];
  const other = await serve(async ({ headers }, response) => {
    sent.push(headers.authorization ?? 'none');
    response.writeHead(401, { 'www-authenticate': 'Basic' }).end();
    await Promise.resolve();
  }, 0);
  const site = await serve(async (request, response) => {
    const isKnown = request.headers.authorization === authorization;
    response.writeHead(isKnown ? 200 : 401, { 'www-authenticate': 'Basic', 'content-type': 'text/html' });
    response.end(`<h1>${isKnown ? 'Welcome' : 'Who are you?'}</h1><img src="${other.url}/a.png">`);
    await Promise.resolve();
  }, 0);
  const secrets = ['SHOP_PASSWORD', { name: 'ADMIN_TOKEN', origins: [site.url] }];
  await configure(workspace, { verify: { mode: 'require', sensitivity: 'off' }, secrets });
  const server = await connect(workspace, { env });
  const record = async (secret: string): Promise<Awaited<ReturnType<typeof server.call>>> => {
    const { sessionId, snapshot } = await server.start({
      title: 'is let in',
      url: site.url,
      use: { httpCredentials: { username: 'ann', password: secret } },
    });
    expect(snapshot).toContain('Welcome');
    return server.call('end_codegen_session', { sessionId, onConflict: 'overwrite' });
  };
  const ended = await record('{{secret:SHOP_PASSWORD}}');
  expect(ended.error).toBeUndefined();
  const code = await readFile(ended.filePath, 'utf8');
  expect(code).toContain('password: process.env.SHOP_PASSWORD ?? ""');
  expect(code).toContain(`origin: "${site.url}"`);
  expect(new Set(sent)).toEqual(new Set(['none']));
  const bound = { username: 'ann', password: '{{secret:ADMIN_TOKEN}}' };
  const allowed = await server.start({ url: site.url, use: { httpCredentials: bound } });
  expect(allowed.error).toBeUndefined();
  for (const [given, expected] of [
    [{ url: other.url, use: { httpCredentials: bound } }, 'POLICY_DENIED'],
    [{ use: { httpCredentials: bound } }, 'POLICY_DENIED'],
    [{ use: { httpCredentials: { username: 'ann', password: 'plain' } } }, 'INVALID_INPUT'],
  ] as const)
    expect((await server.start(given)).error?.code).toBe(expected);
  const context = { action: 'newContext', name: 'Bob', use: { httpCredentials: bound } };
  expect((await server.record(allowed.sessionId, context)).error?.message).toContain('origin');
  expect(ended['warnings']).not.toContainEqual(expect.stringContaining('httpCredentials'));
  const refused = await server.start({ use: { httpCredentials: { username: 'ann', password } } });
  expect(refused.error).toMatchObject({ code: 'INVALID_INPUT' });
  await server.close();
  const ignorant = await connect(workspace);
  const { sessionId } = await ignorant.start({
    title: 'tries',
    url: site.url,
    use: { httpCredentials: { username: 'ann', password: 'wrong one' } },
  });
  const dry = await ignorant.call('end_codegen_session', { sessionId, dryRun: true, verify: 'off' });
  expect(dry['warnings']).toContainEqual(expect.stringContaining('use.httpCredentials contains a password'));
  await ignorant.close();
  await site.close();
  await other.close();
});
