import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { checkEmitted } from '../codegen/emitted.js';
import { hostileString } from '../codegen/hostile.js';
import { configure, connect, expect, runTests, test, type Connection } from '../fixtures.js';

/** A session with one step in it, ready to be ended. */
async function recorded(server: Connection, url: string, args: object = {}): Promise<string> {
  const { sessionId, error } = await server.start({ title: 'greets', url: `${url}/landing.html`, ...args });
  expect(error).toBeUndefined();
  return sessionId;
}

test('end writes exactly what get showed', async ({ shared: server, pages }) => {
  const { workspace } = server;
  const counter = `writes-${Date.now()}`;
  await server.configure({
    writes: { limits: [{ counter, window: 'minute', max: 30, scope: 'grant' }] },
  });
  const sessionId = await recorded(server, pages.url, { options: { testNamePrefix: 'smoke: ' } });
  await server.record(sessionId, {
    action: 'expect',
    target: 'getByRole("heading")',
    matcher: 'toBeVisible',
  });
  const shown = await server.call('get_codegen_session', { sessionId, include: ['code', 'steps'] });
  const dry = await server.call('end_codegen_session', { sessionId, dryRun: true });
  expect(dry.files).toMatchObject([{ path: 'generated-tests/greets.spec.ts', change: 'created' }]);
  expect(await readdir(workspace)).not.toContain('generated-tests');
  const ended = await server.call('end_codegen_session', { sessionId });
  expect(ended.filePath).toBe(path.join(workspace, 'generated-tests', 'greets.spec.ts'));
  expect(ended.files[0]).toMatchObject({ change: 'created', bytes: Buffer.byteLength(ended.testCode) });
  expect(ended.testCode).toBe(shown.code);
  expect(await readFile(ended.filePath, 'utf8')).toBe(shown.code);
  expect(shown.code).toContain('test("smoke: greets"');
  expect(ended.remaining).toEqual({ [counter]: 29 });
  await checkEmitted([{ name: 'greets.spec.ts', content: shown.code }]);
});

test("a session without steps can't be ended, and stays open", async ({ shared: server }) => {
  const { sessionId } = await server.start();
  const result = await server.call('end_codegen_session', { sessionId });
  expect(result.error).toMatchObject({ code: 'INVALID_INPUT' });
  expect(result.error?.hint).toContain('clear_codegen_session');
  expect((await server.call('clear_codegen_session', { sessionId })).error).toBeUndefined();
});

test('an existing file is kept, replaced, or gets a new name beside it, as far as allowed', async ({
  shared: server,
  pages,
}) => {
  const file = path.join(server.workspace, 'generated-tests', 'greets.spec.ts');
  const end = async (args: object = {}): Promise<Awaited<ReturnType<Connection['call']>>> => {
    const sessionId = await recorded(server, pages.url);
    if ('note' in args) await server.record(sessionId, { action: 'reload', note: String(args.note) });
    const { note, ...rest } = { note: '', ...args };
    return server.call('end_codegen_session', { sessionId, ...rest });
  };
  const first = await end();
  expect((await end()).files).toMatchObject([{ change: 'unchanged' }]);
  expect((await end({ note: 'b' })).error).toMatchObject({ code: 'FILE_EXISTS' });
  expect((await end({ note: 'b', onConflict: 'rename' })).files).toMatchObject([
    { path: 'generated-tests/greets-2.spec.ts', change: 'created' },
  ]);
  expect((await end({ note: 'c', onConflict: 'overwrite' })).files).toMatchObject([{ change: 'replaced' }]);
  const replaced = await readFile(file, 'utf8');
  expect(replaced).not.toBe(first.testCode);
  await writeFile(file, `${replaced}// by hand\n`);
  for (const onConflict of ['fail', 'overwrite']) {
    const refused = await end({ note: 'd', onConflict });
    expect(refused.error).toMatchObject({ code: 'FILE_CHANGED' });
    expect(refused.error?.hint).toBeTruthy();
  }
  expect(await readFile(file, 'utf8')).toBe(`${replaced}// by hand\n`);
  await writeFile(file, 'mine\n');
  expect((await end({ onConflict: 'overwrite' })).error).toMatchObject({ code: 'FILE_EXISTS' });
  expect(await readFile(file, 'utf8')).toBe('mine\n');
});

test('no path from a call leads to a write outside the output directory', async ({
  shared: server,
  pages,
}) => {
  const { workspace } = server;
  await mkdir(path.join(workspace, 'generated-tests'));
  await symlink('/tmp', path.join(workspace, 'generated-tests', 'out'));
  const sessionId = await recorded(server, pages.url);
  for (const file of [
    '../escape.spec.ts',
    'a/../../escape.spec.ts',
    '/tmp/escape.spec.ts',
    'C:\\escape.spec.ts',
    '..\\escape.spec.ts',
    'out/escape.spec.ts',
    '.hidden.spec.ts',
    '.codegen/x.spec.ts',
    'node_modules/x.spec.ts',
    'con.spec.ts',
    'x\u0000.spec.ts',
    'playwright.config.ts',
    'x.spec.js',
    `${'x'.repeat(300)}.spec.ts`,
  ]) {
    const result = await server.call('end_codegen_session', { sessionId, file });
    expect(result.error, file).toMatchObject({ code: 'PATH_NOT_ALLOWED' });
    expect(result.error?.hint, file).toBeTruthy();
    expect((await server.start({ file })).error, file).toMatchObject({ code: 'PATH_NOT_ALLOWED' });
  }
  for (const outputPath of ['../elsewhere', '/tmp', '.git', '.codegen'])
    expect((await server.start({ options: { outputPath } })).error, outputPath).toMatchObject({
      code: 'PATH_NOT_ALLOWED',
    });
  expect(await readdir(path.join(workspace, 'generated-tests'))).toEqual(['out']);
  const ended = await server.call('end_codegen_session', {
    sessionId,
    file: 'generated-tests/sub/fine.spec.ts',
  });
  expect(ended.files).toMatchObject([{ path: 'generated-tests/sub/fine.spec.ts' }]);
});

test('too large a file, an output directory that is a file: nothing is lost', async ({
  shared: server,
  pages,
}) => {
  const { workspace } = server;
  await server.configure({ writes: { maxFileBytes: 200 } });
  const sessionId = await recorded(server, pages.url);
  expect((await server.call('end_codegen_session', { sessionId })).error).toMatchObject({
    code: 'FILE_TOO_LARGE',
  });
  await server.configure({ output: { dir: 'occupied' } });
  await writeFile(path.join(workspace, 'occupied'), 'a file');
  const blocked = await server.call('end_codegen_session', { sessionId });
  expect(blocked.error?.code).toMatch(/WRITE_FAILED|PATH_NOT_ALLOWED/);
  expect(blocked.error?.hint).toBeTruthy();
  expect(await readFile(path.join(workspace, 'occupied'), 'utf8')).toBe('a file');
  await server.configure({});
  expect((await server.call('end_codegen_session', { sessionId })).files).toMatchObject([
    { change: 'created' },
  ]);
});

test('the policy of the issue: only ending, thirty times a minute', async ({ shared: server }) => {
  const limits = [{ counter: 'end_codegen_session_rate', window: 'minute', max: 30, scope: 'grant' }];
  const policy = { version: '1', default: 'deny', tools: { end_codegen_session: { limits } } };
  await server.configure({ policy });
  for (const tool of ['start_codegen_session', 'get_codegen_session', 'clear_codegen_session']) {
    const denied = await server.call(tool, {});
    expect(denied.error, tool).toMatchObject({ code: 'POLICY_DENIED' });
    expect(denied.error?.hint, tool).toBeTruthy();
  }
  // Nothing took effect, so the quota comes back.
  for (let call = 0; call < 32; call++)
    expect((await server.call('end_codegen_session', { sessionId: 'none' })).error?.code).toBe(
      'SESSION_NOT_FOUND',
    );
});

test('a limit refuses the next call and says when it can succeed', async ({ workspace, pages }) => {
  const limits = [{ counter: 'starts', window: 'hour', max: 2, scope: 'grant' }];
  await configure(workspace, {
    policy: { version: '1', default: 'allow', tools: { start_codegen_session: { limits } } },
  });
  const server = await connect(workspace);
  const url = `${pages.url}/landing.html`;
  await server.start({ url });
  await server.start({ url });
  const refused = await server.start({ url });
  expect(refused.error).toMatchObject({ code: 'RATE_LIMITED' });
  expect(refused.error?.retryAfterMs).toBeGreaterThan(3_500_000);
  expect(refused.error?.retryAfterMs).toBeLessThanOrEqual(3_600_000);
  await server.close();
});

test('writes are limited across servers that share a workspace', async ({ workspace, pages }) => {
  await configure(workspace, {
    writes: { limits: [{ counter: 'writes', window: 'hour', max: 3, scope: 'grant' }] },
  });
  const servers = await Promise.all([connect(workspace), connect(workspace)]);
  const results = await Promise.all(
    servers.flatMap((server, index) =>
      [1, 2, 3].map(async (number) => {
        const sessionId = await recorded(server, pages.url, { title: `flow ${index} ${number}` });
        return server.call('end_codegen_session', { sessionId });
      }),
    ),
  );
  expect(results.filter(({ files }) => files.length > 0)).toHaveLength(3);
  expect(results.filter(({ error }) => error?.code === 'RATE_LIMITED')).toHaveLength(3);
  expect(await readdir(path.join(workspace, 'generated-tests'))).toHaveLength(3);
  await Promise.all(servers.map((server) => server.close()));
});

test('a hidden tool is not listed and denied when called', async ({ shared: server }) => {
  const policy = { version: '1', default: 'allow', hide: ['clear_*'], tools: {} };
  await server.configure({ policy });
  const { tools } = await server.client.listTools();
  expect(tools.map(({ name }) => name)).not.toContain('clear_codegen_session');
  const denied = await server.call('clear_codegen_session', { sessionId: 'x' });
  expect(denied.error).toMatchObject({ code: 'POLICY_DENIED' });
});

test('the server does not start on a broken configuration', async ({ workspace }) => {
  await writeFile(path.join(workspace, 'codegen.config.json'), '{ "output": { "dri": "x" } }');
  await expect(connect(workspace)).rejects.toThrow();
});

test('baseURL makes addresses relative, and the rest of use is in the test', async ({
  shared: server,
  pages,
}) => {
  const use = {
    baseURL: pages.url,
    locale: 'de-DE',
    viewport: { width: 500, height: 400 },
    testIdAttribute: 'data-qa',
  };
  const { sessionId } = await server.start({ title: 'relative', url: '/navigation.html', use });
  const { codes, failed } = await server.record(
    sessionId,
    { action: 'click', target: 'getByRole("link", { name: "Link", exact: true })' },
    { action: 'expect', matcher: 'toHaveURL', expected: `${pages.url}/landing.html?from=link` },
  );
  expect(failed).toBeUndefined();
  expect(codes[1]).toBe('await expect(page).toHaveURL("/landing.html?from=link");');
  const { testCode } = await server.call('end_codegen_session', { sessionId });
  expect(testCode).toContain('page.goto("/navigation.html")');
  for (const part of ['baseURL:', 'locale: "de-DE"', 'width: 500', 'testIdAttribute: "data-qa"'])
    expect(testCode).toContain(part);
  expect((await runTests(server.workspace)).output).toContain('1 passed');
});

test('a device is spread from the list; an unknown one is reported with the nearest name', async ({
  shared: server,
  pages,
}) => {
  const url = `${pages.url}/landing.html`;
  const { sessionId } = await server.start({ url, use: { device: 'iPhone 15' } });
  const { code } = await server.call('get_codegen_session', { sessionId, include: ['code'] });
  expect(code).toContain('...devices["iPhone 15"]');
  const wrong = await server.start({ url, use: { device: 'iPhon 15' } });
  expect(wrong.error).toMatchObject({ code: 'INVALID_INPUT' });
  expect(wrong.error?.hint).toContain('iPhone 15');
});

test('texts from page and agent arrive in the test as the same string', async ({ shared: server, pages }) => {
  test.slow();
  const values = fc.sample(hostileString, { numRuns: 24, seed: 7 });
  const { sessionId } = await server.start({
    title: `It's "hostile" \`\${process.exit(1)}\` */ \u2028 </script>`,
    url: `${pages.url}/form.html`,
  });
  const area = 'getByLabel("Comments")';
  const actions = values.flatMap((value) => {
    // A textarea's own line ends; and no lone surrogate gets through the browser's protocol.
    const expected = value.replace(/\r\n?/g, '\n').replace(/\p{Surrogate}/gu, '\uFFFD');
    return [
      { action: 'fill', target: area, value, note: value },
      { action: 'expect', target: area, matcher: 'toHaveJSProperty', name: 'value', expected },
    ];
  });
  const landed = await server.record(sessionId, ...actions);
  expect(landed.failed).toBeUndefined();
  const page = await server.record(sessionId, { action: 'goto', url: `${pages.url}/hostile.html` });
  for (const [, ref] of page.snapshot.matchAll(/button[^\n]*\[ref=(\w+)\]/g)) {
    const clicked = await server.record(sessionId, { action: 'click', target: ref });
    expect(clicked.failed).toBeUndefined();
  }
  const { testCode, error } = await server.call('end_codegen_session', {
    sessionId,
    file: 'hostile.spec.ts',
  });
  expect(error).toBeUndefined();
  await checkEmitted([{ name: 'hostile.spec.ts', content: testCode }]);
  expect((await runTests(server.workspace)).output).toContain('1 passed');
});

test('a killed server leaves no half file', async ({ workspace, pages }) => {
  const server = await connect(workspace);
  const sessionId = await recorded(server, pages.url);
  const folder = path.join(workspace, 'generated-tests');
  const written = (): Promise<string[]> => readdir(folder).catch(() => []);
  const ending = server.call('end_codegen_session', { sessionId }).catch(() => undefined);
  while ((await written()).length === 0) await setImmediate();
  process.kill(server.pid, 'SIGKILL');
  await ending;
  for (const name of await written())
    if (!name.startsWith('.')) expect(await readFile(path.join(folder, name), 'utf8')).toMatch(/\}\);\n$/);
});

test('a shown assertion that a later step made superfluous is reported', async ({ shared, pages }) => {
  await shared.configure({ autoAssert: true });
  const { sessionId } = await shared.start({ title: 'adds a todo', url: `${pages.url}/todo.html` });
  const field = 'getByPlaceholder("What needs to be done?")';
  const filled = await shared.record(sessionId, { action: 'fill', target: field, value: 'Read' });
  const code = `await expect(page.${field}).toHaveValue("Read");`;
  expect(filled.assertions).toEqual([[code]]);
  await shared.record(sessionId, { action: 'press', target: field, key: 'Enter' });
  const ended = await shared.call('end_codegen_session', { sessionId, verify: 'off', include: ['code'] });
  expect(ended.testCode).not.toContain(code);
  expect(ended['verification']).toMatchObject({
    dropped: [{ step: 1, index: 0, code, reason: 'superseded, or dropped by an earlier run' }],
  });
});
