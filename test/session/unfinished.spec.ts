import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { findBrowser } from '../../src/browser/find-browser.js';
import { isRunning } from '../../src/state/files.js';
import { configure, connect, descendants, expect, test, type Result } from '../fixtures.js';

const click = { action: 'click', target: 'getByRole("heading")' };

/** The browsers that a server has started, and processes that they have just forked. */
async function browsersOf(server: { pid: number }): Promise<number[]> {
  const all = await descendants(server.pid);
  return all.filter(({ command }) => !command.includes('--type=')).map(({ pid }) => pid);
}

/** The saved unfinished sessions of a workspace. */
async function unfinished(workspace: string): Promise<string[]> {
  return (await readdir(path.join(workspace, '.codegen', 'unfinished')).catch(() => [])).sort();
}

test('a browser that dies fails its own sessions alone, and each can be resumed', async ({
  workspace,
  pages,
}) => {
  const server = await connect(workspace);
  const url = `${pages.url}/landing.html`;
  const get = (sessionId: string): Promise<Result> =>
    server.call('get_codegen_session', { sessionId, include: ['steps', 'code', 'snapshot'] });
  const busy = await server.start({ title: 'busy', url });
  const quiet = await server.start({ title: 'quiet', url });
  const browsers = await browsersOf(server);
  const executablePath = (await findBrowser())?.executablePath;
  await configure(workspace, { browser: { executablePath } });
  const other = await server.start({ title: 'other', url });

  expect((await server.record(busy.sessionId, click)).error).toBeUndefined();
  const waiting = server.record(busy.sessionId, { action: 'waitForURL', url: 'http://never.test/' });
  expect((await get(quiet.sessionId)).error).toBeUndefined();
  // Those that were just forked may be gone already.
  for (const pid of browsers) if (isRunning(pid)) process.kill(pid, 'SIGKILL');
  expect((await waiting).error?.code).toBe('BROWSER_FAILED');
  for (const { sessionId } of [busy, quiet, quiet]) {
    const { error } = await server.record(sessionId, click);
    expect(error?.code).toBe('BROWSER_FAILED');
    expect(error?.hint).toContain('`resume`');
    const shown = await get(sessionId);
    expect(shown).toMatchObject({ isError: false, status: 'failed', url });
    expect(shown.code).toContain('landing.html');
  }
  expect((await get(busy.sessionId)).codes).toHaveLength(2);
  expect((await server.record(other.sessionId, click)).error).toBeUndefined();

  const resumed = await server.start({ resume: busy.file });
  expect(resumed).toMatchObject({ file: busy.file, resumed: 2 });
  const ended = await server.call('end_codegen_session', { sessionId: resumed.sessionId });
  expect(ended.files).toMatchObject([{ path: busy.file, change: 'created' }]);
  expect((await unfinished(workspace)).join()).not.toContain(busy.sessionId);
  const again = await server.start({ resume: quiet.sessionId });
  expect(again).toMatchObject({ file: quiet.file, resumed: 1 });
  await server.call('clear_codegen_session', { sessionId: again.sessionId });
  await server.call('clear_codegen_session', { sessionId: quiet.sessionId });
  const { error } = await server.start({ resume: quiet.sessionId });
  expect(error?.message).toBe(`No session ${quiet.sessionId} is saved.`);
  await server.call('clear_codegen_session', { sessionId: other.sessionId });
  expect(await unfinished(workspace)).toEqual([]);
  await server.close();
});

test('recorded steps survive the end of their server, however it ends', async ({ workspace, pages }) => {
  await configure(workspace, { browser: { idleTimeoutMs: 60_000 } });
  let server = await connect(workspace);
  const first = await server.start({ title: 'outlives', url: `${pages.url}/landing.html` });
  let sessionId = first.sessionId;
  for (const [index, signal] of (['SIGTERM', 'SIGKILL'] as const).entries()) {
    expect((await server.record(sessionId, click)).error).toBeUndefined();
    process.kill(server.pid, signal);
    await server.close();
    server = await connect(workspace);
    const resumed = await server.start({ resume: index === 0 ? first.file : sessionId });
    expect(resumed).toMatchObject({ file: first.file, resumed: index + 2 });
    ({ sessionId } = resumed);
    // One that is open is not gone on from.
    expect((await server.start({ resume: sessionId })).error?.code).toBe('INVALID_INPUT');
  }
  const { files, testCode } = await server.call('end_codegen_session', { sessionId });
  expect(files).toMatchObject([{ change: 'created' }]);
  expect(testCode.match(/\.click\(/g)).toHaveLength(2);
  await server.close();
});

test('calls of one session run in order, and so many wait and no more', async ({ shared: server, pages }) => {
  const { sessionId } = await server.start({ url: `${pages.url}/form.html` });
  const { sessionId: other } = await server.start({ url: `${pages.url}/landing.html` });
  const first = server.record(sessionId, { action: 'waitFor', target: '#never', state: 'hidden' }, click);
  const values = Array.from({ length: 24 }, (_, index) => `value ${index}`);
  const calls = values.map((url) => server.record(sessionId, { action: 'waitForURL', url: '**', note: url }));
  expect((await server.record(other, click)).error).toBeUndefined();
  const results = await Promise.all(calls);
  await first;
  expect(results.filter(({ error }) => error === undefined)).toHaveLength(20);
  for (const { error } of results.slice(20)) {
    expect(error).toMatchObject({ code: 'SESSION_LIMIT' });
    expect(error?.retryAfterMs).toBeGreaterThan(0);
  }
  const { code } = await server.call('get_codegen_session', { sessionId, include: ['code'] });
  expect(code.match(/value \d+/g)).toEqual(values.slice(0, 20));
});

test('a stopping server lets a call finish, with the test that it runs', async ({ workspace, pages }) => {
  await configure(workspace, { verify: { mode: 'require', sensitivity: 'off' } });
  const server = await connect(workspace);
  const { sessionId } = await server.start({ title: 'one', url: `${pages.url}/landing.html` });
  const heard: string[] = [];
  const call = server.client.callTool({ name: 'end_codegen_session', arguments: { sessionId } }, undefined, {
    onprogress: ({ message = '' }) => heard.push(message),
    timeout: 60_000,
  });
  await expect.poll(() => heard, { timeout: 30_000 }).toContain('Running the test');
  process.kill(server.pid, 'SIGTERM');
  await expect
    .poll(async () => (await server.start({ url: `${pages.url}/landing.html` })).error?.code)
    .toBe('SESSION_LIMIT');
  expect((await call).structuredContent).toMatchObject({ verification: { status: 'passed' } });
  await server.close();
});

test('a client that exits leaves neither a server nor a running test', async ({ workspace, pages }) => {
  await configure(workspace, { verify: { mode: 'require' } });
  const server = await connect(workspace);
  const { sessionId } = await server.start({ title: 'one', url: `${pages.url}/landing.html` });
  const heard: string[] = [];
  const call = server.client.callTool({ name: 'end_codegen_session', arguments: { sessionId } }, undefined, {
    onprogress: ({ message = '' }) => heard.push(message),
  });
  call.catch(() => undefined);
  await expect.poll(() => heard, { timeout: 30_000 }).toContain('Running the test');
  const running = (await descendants(server.pid)).map(({ pid }) => pid);
  await server.close();
  await expect.poll(() => running.filter(isRunning), { timeout: 20_000 }).toEqual([]);
});
