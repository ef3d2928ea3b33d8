import { execFile } from 'node:child_process';
import { z } from 'zod';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { audit, type AuditFilter } from '../src/cli/audit.js';
import { openState } from '../src/guard/state.js';
import { binary, configure, connect, expect, refOf, replaceFile, test } from './fixtures.js';

/** The status and the output of `audit verify`. */
async function verify(workspace: string): Promise<{ code: number; stdout: string }> {
  return new Promise((resolve) =>
    execFile(process.execPath, [binary, 'audit', 'verify'], { cwd: workspace }, (error, stdout) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout });
    }),
  );
}

async function printed(workspace: string, filter: Partial<AuditFilter>): Promise<string[]> {
  const lines: string[] = [];
  await audit({ workspace }, filter, (line) => lines.push(line));
  return lines;
}

const logOf = (workspace: string): string => path.join(workspace, '.codegen', 'audit.jsonl');
const linesOf = (workspace: string): Record<string, unknown>[] =>
  readFileSync(logOf(workspace), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => z.record(z.string(), z.unknown()).parse(JSON.parse(line)));

test('every call is one line of the log, also of a server that was killed; verify and filters', async ({
  workspace,
  pages,
}) => {
  const tools = {
    run_generated_test: { action: 'deny', reason: 'frozen' },
    clear_codegen_session: { rate_limit: { max: 0, window: 'hour' } },
  };
  const policy = { version: '1', default: 'allow', tools };
  await configure(workspace, { policy });
  const server = await connect(workspace, { args: ['--grant', 'tester'] });
  const { sessionId, snapshot } = await server.start({ url: `${pages.url}/todo.html`, title: 'adds' });
  const target = refOf(snapshot, 'textbox');
  const value = 'hunter2-typed-into-the-page';
  await server.record(sessionId, { action: 'fill', target, value });
  const ended = await server.call('end_codegen_session', { sessionId });
  expect(ended.error).toBeUndefined();
  await server.call('get_codegen_session', { sessionId: value });
  await server.call('get_codegen_session', { surprise: value });
  await server.call('run_generated_test');
  await server.call('clear_codegen_session', { sessionId });
  await expect(server.client.callTool({ name: value, arguments: {} })).rejects.toThrow('Unknown tool');
  await replaceFile(path.join(workspace, 'codegen.config.json'), '{ broken');
  await server.call('get_codegen_session');
  await configure(workspace, { policy, autoAssert: true });
  const shown = await server.call('get_codegen_session', { sessionId });
  expect(ended['resets']).toEqual({ writes: expect.any(Number) });
  expect(shown).toMatchObject({ remaining: { writes: 29 }, resets: { writes: expect.any(Number) } });
  expect(shown.text).toMatch(/^remaining\.writes: 29\nresets\.writes: \d+$/m);

  const call = { event: 'call', grant: 'tester', decision: 'allowed', rule: 'default' };
  const [file] = ended.files;
  expect(linesOf(workspace)).toMatchObject([
    { event: 'start', line: 1, prev: '' },
    { ...call, tool: 'start_codegen_session', session: sessionId, durationMs: expect.any(Number) },
    { ...call, tool: 'record_codegen_session', session: sessionId },
    {
      ...call,
      tool: 'end_codegen_session',
      session: sessionId,
      files: [{ path: file?.path, change: 'created', after: file?.sha256 }],
    },
    { ...call, tool: 'get_codegen_session', error: 'SESSION_NOT_FOUND' },
    { ...call, tool: 'get_codegen_session', error: 'INVALID_INPUT' },
    {
      event: 'call',
      tool: 'run_generated_test',
      decision: 'denied',
      rule: 'tools.run_generated_test.action',
      error: 'POLICY_DENIED',
    },
    {
      event: 'call',
      tool: 'clear_codegen_session',
      decision: 'limited',
      rule: 'tools.clear_codegen_session.rate_limit',
      error: 'RATE_LIMITED',
    },
    { event: 'call', tool: 'unknown', error: 'INVALID_INPUT' },
    { event: 'reload-refused', error: 'CONFIG_INVALID' },
    { ...call, tool: 'get_codegen_session' },
    { event: 'reload' },
    { ...call, tool: 'get_codegen_session' },
  ]);
  const text = readFileSync(logOf(workspace), 'utf8');
  for (const secret of [value, 'Buy milk', 'frozen', 'broken']) expect(text).not.toContain(secret);

  const { audit: store } = openState({ directory: path.join(workspace, '.codegen') });
  const second = await server.start({ url: `${pages.url}/todo.html` });
  const waiting = server
    .record(second.sessionId, { action: 'click', target: 'getByText("never there")' })
    .catch(() => undefined);
  await expect
    .poll(async () => Object.values((await store.read()).open).map(({ begun }) => begun['tool']))
    .toEqual(['record_codegen_session']);
  process.kill(server.pid, 'SIGKILL');
  await waiting;
  const next = await connect(workspace);
  await next.call('get_codegen_session');
  expect(linesOf(workspace).slice(14)).toMatchObject([
    { ...call, tool: 'record_codegen_session', session: second.sessionId, interrupted: true },
    { event: 'recovery', calls: 1, grant: 'local' },
    { event: 'start' },
    { event: 'call', tool: 'get_codegen_session' },
  ]);
  await next.close();
  await expect.poll(() => linesOf(workspace).at(-1)).toMatchObject({ event: 'stop', line: 19 });

  expect(await verify(workspace)).toEqual({
    code: 0,
    stdout: 'ok       19 lines, none altered.\n',
  });
  expect(await printed(workspace, { session: sessionId, json: true })).toEqual(
    [1, 2, 3, 7, 12].map((index) => text.split('\n')[index]),
  );
  expect(await printed(workspace, { decision: 'denied', since: '1h' })).toEqual([
    expect.stringMatching(
      /^\S+Z {2}tester {2}run_generated_test {2}denied by tools\.run_generated_test\.action {2}POLICY_DENIED {2}\d+ ms$/,
    ),
  ]);
  expect(await printed(workspace, { tool: 'end_codegen_session', since: '2999-01-01' })).toEqual([]);
  await expect(printed(workspace, { since: 'soon' })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  const lines = readFileSync(logOf(workspace), 'utf8').split('\n');
  writeFileSync(logOf(workspace), lines.toSpliced(6, 1).join('\n'));
  expect(await verify(workspace)).toEqual({ code: 1, stdout: 'problem  Line 7 is missing.\n' });
});

test('a cancelled call has its line; a call that cannot be recorded is refused', async ({
  workspace,
  pages,
}) => {
  await configure(workspace, { state: { dir: 'elsewhere' }, browser: { actionTimeoutMs: 2_000 } });
  const server = await connect(workspace);
  const { sessionId } = await server.start({ url: `${pages.url}/todo.html` });
  const directory = path.join(workspace, 'elsewhere');
  const log = path.join(directory, 'audit.jsonl');
  const { audit: store } = openState({ directory });
  const controller = new AbortController();
  const cancelled = server.client.callTool(
    {
      name: 'record_codegen_session',
      arguments: { sessionId, actions: [{ action: 'click', target: 'getByText("never there")' }] },
    },
    undefined,
    { signal: controller.signal },
  );
  await expect.poll(async () => Object.keys((await store.read()).open)).toHaveLength(1);
  controller.abort('enough');
  await expect(cancelled).rejects.toThrow();
  await expect.poll(() => readFileSync(log, 'utf8'), { timeout: 20_000 }).toContain('"cancelled":true');

  const kept = readFileSync(log);
  rmSync(log);
  mkdirSync(log);
  for (const tool of ['get_codegen_session', 'start_codegen_session'])
    expect((await server.call(tool)).error).toMatchObject({ code: 'WRITE_FAILED', hint: expect.any(String) });
  rmSync(log, { recursive: true });
  expect((await server.call('get_codegen_session', { sessionId })).error).toBeUndefined();
  expect(readFileSync(log).subarray(0, kept.length)).toEqual(kept);
  expect(readFileSync(log, 'utf8')).toMatch(/"tool":"start_codegen_session".*"error":"WRITE_FAILED"/);
  expect(existsSync(path.join(workspace, '.codegen'))).toBe(false);
  await server.close();
});
