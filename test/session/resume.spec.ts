import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { expect, refOf, runTests, test as base, type Connection, type Shared } from '../fixtures.js';
import { serve, type Site } from '../fixtures/serve.js';

/** A form whose button can be renamed, as when an application changes after its test was recorded. */
interface Shop extends Site {
  button: string;
  thanks: string;
}

const test = base.extend<{ shop: Shop }>({
  shop: async ({}, use) => {
    const words = { button: 'Save', thanks: 'Thank you' };
    const site = await serve((_, response) => {
      response.setHeader('content-type', 'text/html').end(`<!doctype html>
        <title>Shop</title>
        <h1>Shop</h1>
        <label>Name <input name="name" /></label>
        <button>${words.button}</button>
        <p role="status"></p>
        <a href="#basket">Basket</a>
        <script>
          document.querySelector('button').onclick = () => {
            document.querySelector('[role=status]').textContent =
              '${words.thanks}, ' + document.querySelector('input').value;
          };
        </script>`);
      return Promise.resolve();
    }, 0);
    await use(Object.assign(words, site));
    await site.close();
  },
});

const order = [
  { action: 'step', title: 'orders' },
  { action: 'fill', target: 'getByLabel("Name")', value: 'Ann', note: 'Any name will do.' },
  { action: 'click', target: 'getByRole("button", { name: "Save" })' },
  { action: 'expect', target: 'getByRole("status")', matcher: 'toContainText', expected: 'Ann' },
  { action: 'click', target: 'getByRole("link", { name: "Basket" })' },
  { action: 'expect', matcher: 'toHaveURL', expected: { regex: '#basket$' } },
];
const spec = 'generated-tests/orders.spec.ts';

/** Records an order and writes its test. */
async function recorded(server: Connection, url: string, args: object = {}): Promise<string> {
  const { sessionId } = await server.start({ title: 'orders', url, ...args });
  expect((await server.record(sessionId, ...order)).error).toBeUndefined();
  const ended = await server.call('end_codegen_session', { sessionId });
  expect(ended.error).toBeUndefined();
  return ended.testCode;
}

const savedSchema = z.looseObject({ version: z.number(), steps: z.array(z.record(z.string(), z.unknown())) });
type Saved = z.infer<typeof savedSchema>;

/** Makes what fails fail soon. */
function quick(server: Shared): Promise<void> {
  return server.configure({ browser: { actionTimeoutMs: 500, navigationTimeoutMs: 1000 } });
}

/** Changes the only session that a test has saved. */
async function changeSaved({ workspace }: Shared, change: (saved: Saved) => unknown): Promise<void> {
  const folder = path.join(workspace, '.codegen', 'sessions');
  const [name = ''] = await readdir(folder);
  const file = path.join(folder, name);
  const saved = savedSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  await writeFile(file, JSON.stringify(change(saved) ?? saved));
}

async function openSessions(server: Connection): Promise<number> {
  const { sessions } = await server.call('get_codegen_session');
  return sessions.filter(({ status }) => status === 'open').length;
}

test('a resumed session continues where it ended, and replaces its file', async ({
  shared: server,
  shop,
}) => {
  const code = await recorded(server, shop.url);
  const heard: string[] = [];
  const raw = await server.client.callTool(
    { name: 'start_codegen_session', arguments: { resume: spec } },
    undefined,
    { onprogress: ({ message }) => heard.push(message ?? '') },
  );
  expect(heard).toContain('Replaying step 3 of 7');
  const { structuredContent: resumed } = z
    .object({ structuredContent: z.looseObject({ sessionId: z.string(), snapshot: z.string() }) })
    .parse(raw);
  expect(resumed).toMatchObject({ file: spec, resumed: 7, dropped: [], url: `${shop.url}/#basket` });
  expect(resumed).not.toHaveProperty('failed');
  expect(resumed.snapshot).toContain('Thank you, Ann');
  const { sessionId } = resumed;
  const shown = await server.call('get_codegen_session', { sessionId, include: ['code'] });
  expect(shown.code).toBe(code);

  const link = refOf(resumed.snapshot, 'link "Basket"');
  await server.record(sessionId, { action: 'hover', target: link });
  const ended = await server.call('end_codegen_session', { sessionId });
  expect(ended.files).toMatchObject([{ path: spec, change: 'replaced' }]);
  expect(ended.testCode).toContain('hover()');

  const again = await server.start({ resume: 'orders.spec.ts' });
  expect(again.resumed).toBe(8);
  const same = await server.call('end_codegen_session', { sessionId: again.sessionId });
  expect(same.files).toMatchObject([{ path: spec, change: 'unchanged' }]);
});

test('a step that no longer works ends the replay; what is recorded from there heals the test', async ({
  shared: server,
  shop,
}) => {
  await quick(server);
  await recorded(server, shop.url);
  shop.button = 'Store';
  const resumed = await server.start({ resume: spec });
  expect(resumed.isError).toBe(false);
  expect(resumed.resumed).toBe(3);
  expect(resumed.failed).toMatchObject({ step: 3, code: 'TARGET_NOT_FOUND' });
  const ref = refOf(resumed.snapshot, 'button "Store"');
  expect(resumed.failed?.hint).toContain(`Nearest: ${ref} button "Store"`);
  expect(resumed.notReplayed).toEqual([
    'await page.getByRole("button", { name: "Save" }).click();',
    'await expect(page.getByRole("status")).toContainText("Ann");',
    'await page.getByRole("link", { name: "Basket" }).click();',
    'await expect(page).toHaveURL(/#basket$/);',
  ]);
  expect(resumed.text).toContain('await expect(page).toHaveURL(/#basket$/);');

  const { sessionId } = resumed;
  await server.record(sessionId, { action: 'click', target: ref }, ...order.slice(3));
  const { files } = await server.call('end_codegen_session', { sessionId });
  expect(files).toMatchObject([{ path: spec, change: 'replaced' }]);
  const { exitCode, output } = await runTests(server.workspace, 'generated-tests');
  expect(exitCode, output).toBe(0);
});

test('unperformed steps are not performed in a replay either', async ({ shared: server, shop }) => {
  await recorded(server, shop.url);
  const untrue = { action: 'expect', args: { matcher: 'toHaveTitle', expected: 'Elsewhere' } };
  const inTest = { matcher: 'toMatchAriaSnapshot', expected: '- heading "Elsewhere"' };
  await changeSaved(server, ({ steps }) => void steps.push({ ...untrue, args: inTest, unchecked: true }));
  const { sessionId, resumed } = await server.start({ resume: spec });
  expect(resumed).toBe(8);
  const { steps, code } = await server.call('get_codegen_session', { sessionId, include: ['steps', 'code'] });
  expect(steps).toMatchObject({
    7: { action: 'expect', code: expect.stringContaining('toMatchAriaSnapshot('), unchecked: true },
  });
  expect(code).toContain('test.step("orders"');
  expect(code).toContain('// Any name will do.');

  await quick(server);
  await changeSaved(server, ({ steps }) => void steps.splice(1, 0, untrue));
  const failed = await server.start({ resume: spec });
  expect(failed).toMatchObject({ resumed: 1, failed: { step: 1, code: 'ACTION_FAILED' } });
  expect(failed.failed?.message).toContain('Elsewhere');
  expect(failed.notReplayed).toContain('test.step("orders")');
});

test('automatic assertions that no longer hold are dropped and reported', async ({
  shared: server,
  shop,
}) => {
  await quick(server);
  await recorded(server, shop.url, { autoAssert: true });
  const status = [{ method: 'getByRole', args: ['status'] }];
  const asserted = (expected: string): object => ({
    locator: status,
    args: { matcher: 'toHaveText', expected },
  });
  // Only a run of the test can check it, so it is not dropped.
  const snapshot = { locator: status, args: { matcher: 'toMatchAriaSnapshot', expected: '- status' } };
  await changeSaved(server, ({ steps }) => {
    // What the agent expects of the same element would replace the automatic assertions.
    steps.splice(4, 1);
    Object.assign(steps[3] ?? {}, {
      changedPage: true,
      assertions: [asserted('Thank you, Ann'), asserted('Thank you, Ann!'), snapshot],
    });
  });
  const code = (expected: string): string =>
    `await expect(page.getByRole("status")).toHaveText(${JSON.stringify(expected)});`;
  const resumed = await server.start({ resume: spec });
  expect(resumed.dropped).toEqual([
    { step: 3, index: 1, code: code('Thank you, Ann!'), reason: 'no longer holds' },
  ]);
  expect(resumed.text).toContain(code('Thank you, Ann!'));
  const { sessionId } = resumed;
  const { steps } = await server.call('get_codegen_session', { sessionId, include: ['steps'] });
  expect(steps).toMatchObject({
    3: { changedPage: true, assertions: [{ code: code('Thank you, Ann') }] },
  });

  const without = await server.start({ resume: spec, autoAssert: false });
  expect(without.dropped).toEqual([]);
  const shown = await server.call('get_codegen_session', {
    sessionId: without.sessionId,
    include: ['code'],
  });
  expect(shown.code).not.toContain('toHaveText("Thank you');
});

test('if the first page does not open, no session stays open', async ({ shared: server, shop }) => {
  await recorded(server, shop.url);
  await shop.close();
  const { error, sessionId } = await server.start({ resume: spec });
  expect(error).toMatchObject({ code: 'ACTION_FAILED' });
  expect(error?.message).toContain('ERR_CONNECTION_REFUSED');
  expect(error?.hint).toContain('its server runs');
  expect(sessionId).toBe('');
  expect(await openSessions(server)).toBe(0);
});

test('a call that is cancelled leaves no session open', async ({ shared: server, shop }) => {
  await recorded(server, shop.url);
  await changeSaved(server, ({ steps }) => {
    steps.splice(1, 0, { action: 'waitForURL', args: { url: 'http://never.example/' } });
  });
  await quick(server);
  const abort = new AbortController();
  const call = server.client.callTool(
    { name: 'start_codegen_session', arguments: { resume: spec } },
    undefined,
    {
      signal: abort.signal,
      onprogress: ({ message }) => {
        if (message === 'Replaying step 2 of 8') abort.abort();
      },
    },
  );
  await expect(call).rejects.toThrow();
  await expect.poll(() => openSessions(server)).toBe(0);
});

test('a session keeps its own options, also after the configuration changed', async ({
  shared: server,
  shop,
}) => {
  const { sessionId } = await server.start({
    title: 'orders',
    url: '/',
    options: { outputPath: 'e2e', language: 'javascript', testNamePrefix: 'smoke: ' },
    use: { baseURL: shop.url, viewport: { width: 400, height: 300 } },
  });
  const ended = await server.call('end_codegen_session', { sessionId });
  const { sessionId: other } = await server.start({ title: 'orders', url: shop.url });
  await server.call('end_codegen_session', { sessionId: other });
  await server.configure({ output: { dir: 'elsewhere', includeComments: false } });

  const resumed = await server.start({ resume: 'e2e/orders.spec.js' });
  expect(resumed).toMatchObject({ file: 'e2e/orders.spec.js', resumed: 1, url: `${shop.url}/` });
  const shown = await server.call('get_codegen_session', {
    sessionId: resumed.sessionId,
    include: ['code'],
  });
  expect(shown.code).toBe(ended.testCode);
  expect(shown.code).toContain('test("smoke: orders"');
  const moved = await server.start({ resume: spec });
  const again = await server.call('end_codegen_session', { sessionId: moved.sessionId });
  expect(again.files).toMatchObject([{ path: spec, change: 'unchanged' }]);
});

test('a resumed test replaces only its own file, and only if nobody edited it', async ({
  shared: server,
  shop,
}) => {
  await recorded(server, shop.url);
  const { sessionId: other } = await server.start({ title: 'other', url: shop.url });
  await server.call('end_codegen_session', { sessionId: other });
  const { sessionId } = await server.start({ resume: spec });
  await server.record(sessionId, { action: 'reload' });
  const taken = await server.call('end_codegen_session', { sessionId, file: 'other.spec.ts' });
  expect(taken.error).toMatchObject({ code: 'FILE_EXISTS' });
  await writeFile(
    path.join(server.workspace, spec),
    `${await readFile(path.join(server.workspace, spec), 'utf8')}// Mine.\n`,
  );
  const edited = await server.call('end_codegen_session', { sessionId });
  expect(edited.error).toMatchObject({ code: 'FILE_CHANGED' });
  const beside = await server.call('end_codegen_session', { sessionId, onConflict: 'rename' });
  expect(beside.files).toMatchObject([{ path: 'generated-tests/orders-2.spec.ts', change: 'created' }]);
  expect((await server.start({ resume: 'orders-2.spec.ts' })).resumed).toBe(8);
});

test("a session that can't be resumed is reported with a hint", async ({ shared: server, shop }) => {
  await recorded(server, shop.url);
  const dry = await server.start({ title: 'dry', url: shop.url });
  await server.call('end_codegen_session', { sessionId: dry.sessionId, dryRun: true });
  await server.call('clear_codegen_session', { sessionId: dry.sessionId });
  for (const [args, code, message] of [
    [{ resume: 'dry.spec.ts' }, 'INVALID_INPUT', 'No session of generated-tests/dry.spec.ts is saved.'],
    [{ resume: spec, title: 'new' }, 'INVALID_INPUT', 'title cannot be combined with resume.'],
    [{ resume: spec, use: {} }, 'INVALID_INPUT', 'use cannot be combined with resume.'],
    [{ resume: '../orders.spec.ts' }, 'PATH_NOT_ALLOWED', 'contains ".."'],
    [{ resume: '.codegen/orders.spec.ts' }, 'PATH_NOT_ALLOWED', 'hidden'],
    [{ resume: 'orders.txt' }, 'PATH_NOT_ALLOWED', 'does not end in .spec.ts'],
  ] as const) {
    const { error } = await server.start(args);
    expect(error?.code, message).toBe(code);
    expect(error?.message).toContain(message);
    expect(error?.hint, message).toBeTruthy();
  }
  await changeSaved(server, (saved) => ({ ...saved, version: 3 }));
  const { error } = await server.start({ resume: spec });
  expect(error).toMatchObject({ code: 'INVALID_INPUT' });
  expect(error?.message).toContain('saved by a newer version');
  expect(await openSessions(server)).toBe(0);
});

test('a test is written together with its session, or not at all', async ({ shared: server, shop }) => {
  const { workspace } = server;
  const { sessionId } = await server.start({ title: 'orders', url: shop.url });
  const folder = path.join(workspace, '.codegen', 'sessions');
  await mkdir(path.dirname(folder), { recursive: true });
  await writeFile(folder, '');
  const refused = await server.call('end_codegen_session', { sessionId });
  expect(refused.error).toMatchObject({ code: 'WRITE_FAILED' });
  expect(await readdir(path.join(workspace, 'generated-tests')).catch(() => [])).toEqual([]);
  await rm(folder);
  const ended = await server.call('end_codegen_session', { sessionId });
  expect(ended.files).toMatchObject([{ path: spec, change: 'created' }]);
  const [saved = ''] = await readdir(folder);
  const { mode } = await stat(path.join(folder, saved));
  // Windows knows only whether a file can be written.
  expect(mode & 0o777).toBe(process.platform === 'win32' ? 0o666 : 0o600);
});
