import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { binary, configure, connect, expect, test } from '../fixtures.js';

const limit = { counter: 'looks', window: 'hour', max: 1, scope: 'session' };
const rules = {
  default: 'deny',
  hide: ['clear_codegen_session'],
  tools: {
    start_codegen_session: {},
    record_codegen_session: { actions: { deny: ['reload'] } },
    get_codegen_session: { limits: [limit] },
    end_codegen_session: { action: 'require_approval' },
  },
};

test('a dry run lets all calls run and logs what would have become of them; the report counts them', async ({
  workspace,
  pages,
}) => {
  await configure(workspace, { policy: { version: '1', enforce: false, ...rules } });
  const server = await connect(workspace);
  try {
    expect((await server.client.listTools()).tools).toHaveLength(6);
    const { sessionId } = await server.start({ url: `${pages.url}/landing.html` });
    expect((await server.record(sessionId, { action: 'reload' })).recorded).toBe(1);
    // The policy does not name it, so it stays denied.
    const evaluated = await server.record(sessionId, { action: 'evaluate', expression: '1' });
    expect(evaluated.error).toMatchObject({ code: 'POLICY_DENIED' });
    for (let looks = 0; looks < 3; looks++)
      expect((await server.call('get_codegen_session', { sessionId })).error).toBeUndefined();
    expect((await server.call('end_codegen_session', { sessionId })).files).toHaveLength(1);
    expect((await server.call('clear_codegen_session', { sessionId })).error?.code).toBe('SESSION_NOT_FOUND');
    const { structuredContent } = await server.client.callTool({ name: 'run_generated_test' });
    expect(structuredContent).toMatchObject({ status: 'passed' });
  } finally {
    await server.close();
  }
  const log = await readFile(path.join(workspace, '.codegen', 'audit.jsonl'), 'utf8');
  expect(log).toContain(
    '"decision":"allowed","rule":"enforce","wouldBe":"denied","wouldBeRule":"tools.record_codegen_session.actions.deny[0]"',
  );
  const run = (...args: string[]): Promise<{ stdout: string }> =>
    promisify(execFile)(process.execPath, [binary, ...args], { cwd: workspace });
  const [first, ...lines] = (await run('policy', 'report')).stdout.trimEnd().split('\n');
  expect(first).toBe('6 of 9 calls would have been rejected or would have needed approval.');
  expect(lines.map((line) => line.trim().replace(/; last .*/, '')).toSorted()).toEqual([
    '1  clear_codegen_session  hidden by hide[0]  (local',
    '1  end_codegen_session  approval by tools.end_codegen_session.action  (local',
    '1  record_codegen_session  denied by tools.record_codegen_session.actions.deny[0]  (local',
    '1  run_generated_test  denied by default  (local',
    '2  get_codegen_session  limited by tools.get_codegen_session.limits[0]  (local',
  ]);
  expect((await run('policy', 'report', '--since', '2999-01-01')).stdout).toContain('0 of 0 calls');
  expect((await run('policy', 'check')).stdout).toContain('Dry run: decisions are logged, not applied.');
  expect((await run('audit', 'verify')).stdout).toContain('none altered');
});

test('a dry run of one tool leaves the others as they are', async ({ shared: server }) => {
  const tools = {
    run_generated_test: { action: 'deny', enforce: false },
    get_codegen_session: { action: 'deny' },
  };
  await server.configure({ policy: { version: '1', default: 'allow', tools } });
  expect((await server.call('get_codegen_session')).error?.code).toBe('POLICY_DENIED');
  expect((await server.call('run_generated_test')).error?.code).not.toBe('POLICY_DENIED');
});
