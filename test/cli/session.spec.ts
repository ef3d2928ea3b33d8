import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { DaemonClient } from '../../src/cli/daemon.js';
import { processName } from '../../src/state/process-name.js';
import { isRunning } from '../../src/state/files.js';
import { binary, configure, expect, test } from '../fixtures.js';

const recordSchema = z.object({ pid: z.number(), token: z.string(), session: z.string() });
const resultSchema = z.looseObject({
  sessionId: z.string().default(''),
  snapshot: z.string().default(''),
  screenshot: z.string().default(''),
  code: z.string().default(''),
  error: z.looseObject({ code: z.string(), message: z.string() }).optional(),
});

interface Output {
  status: number | null;
  stdout: string;
  stderr: string;
}

async function execute(cwd: string, args: string[], input = '', entry = binary): Promise<Output> {
  const child = spawn(process.execPath, [entry, 'session', ...args], { cwd });
  child.stdin.end(input);
  const status = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { status: await status, stdout, stderr };
}

/** Runs a command that prints a result. */
async function session(
  cwd: string,
  args: string[],
  input?: string,
): Promise<z.output<typeof resultSchema> & { exit: number | null }> {
  const { status, stdout, stderr } = await execute(cwd, args, input);
  expect(stderr).toBe('');
  expect(stdout.trimEnd()).not.toContain('\n');
  return { exit: status, ...resultSchema.parse(JSON.parse(stdout)) };
}

async function workspace(config: object = {}): Promise<string> {
  const directory = test.info().outputPath('workspace');
  await mkdir(directory);
  await configure(directory, config);
  return directory;
}

/** The daemons of a workspace. */
async function daemons(cwd: string): Promise<z.output<typeof recordSchema>[]> {
  const directory = path.join(cwd, '.codegen', 'daemon');
  const files = (await readdir(directory).catch(() => [])).filter((name) => name.endsWith('.json'));
  return Promise.all(
    files.map(async (name) =>
      recordSchema.parse(JSON.parse(await readFile(path.join(directory, name), 'utf8'))),
    ),
  );
}

test('a test is recorded, written and run by commands', async ({ pages }) => {
  test.setTimeout(240_000);
  const cwd = await workspace({ verify: { mode: 'require', sensitivity: 'off' } });
  try {
    const started = await session(cwd, [
      'start',
      '--title',
      'adds a task',
      '--url',
      `${pages.url}/todo.html`,
    ]);
    expect(started).toMatchObject({ exit: 0, file: 'generated-tests/adds-a-task.spec.ts' });
    expect(started.snapshot).toContain('textbox "What needs to be done?"');
    const { sessionId } = started;

    const actions = [
      { action: 'fill', target: 'getByRole("textbox")', value: 'Buy "tea" & 100% milk' },
      { action: 'press', key: 'Enter' },
    ];
    const recorded = await session(cwd, ['record', '--session', sessionId, '-'], JSON.stringify(actions));
    expect(recorded).toMatchObject({ exit: 0, recorded: 2 });

    const failed = await session(cwd, [
      'record',
      JSON.stringify({
        sessionId,
        actions: [{ action: 'check', target: 'getByLabel("Nothing")', timeout: 1 }],
      }),
    ]);
    expect(failed).toMatchObject({ exit: 1, error: { code: 'TARGET_NOT_FOUND' } });

    const snapshotFile = path.join(cwd, 'page.txt');
    const looked = await session(cwd, [
      ...['get', '--session', sessionId, '--include', 'snapshot,code,screenshot'],
      ...['--snapshot-file', snapshotFile],
    ]);
    expect(looked).toMatchObject({ exit: 0, snapshot: snapshotFile });
    expect(await readFile(snapshotFile, 'utf8')).toContain('Buy "tea" & 100% milk');
    expect(looked.code).toContain('Buy "tea" & 100% milk');
    expect((await readFile(looked.screenshot)).subarray(1, 4).toString()).toBe('PNG');

    const dry = await session(cwd, ['end', '--session', sessionId, '--dry-run', '--verify', 'off']);
    expect(dry).toMatchObject({ exit: 0, testCode: looked.code });
    const ended = await session(cwd, ['end', '--session', sessionId]);
    expect(ended).toMatchObject({ exit: 0, verification: { status: 'passed' } });
    expect(await readFile(path.join(cwd, 'generated-tests/adds-a-task.spec.ts'), 'utf8')).toBe(looked.code);

    const ran = await session(cwd, ['run', '--file', 'generated-tests/adds-a-task.spec.ts', '--repeat', '2']);
    expect(ran).toMatchObject({ exit: 0, status: 'passed', passed: 1 });
    expect(await session(cwd, ['clear', '--session', sessionId])).toMatchObject({
      exit: 1,
      error: { code: 'SESSION_NOT_FOUND' },
    });
    const log = await readFile(path.join(cwd, '.codegen/audit.jsonl'), 'utf8');
    expect(log.match(/"event":"call"/g)).toHaveLength(8);
  } finally {
    const [daemon] = await daemons(cwd);
    expect(await session(cwd, ['stop'])).toMatchObject({ exit: 0, stopped: true });
    expect(isRunning(daemon?.pid ?? 0)).toBe(false);
  }
  expect(await session(cwd, ['stop'])).toMatchObject({ stopped: false });
});

test('commands of a workspace share one server, which only its owner can use', async () => {
  const cwd = await workspace({
    policy: {
      version: '1',
      default: 'allow',
      tools: {
        get_codegen_session: { limits: [{ counter: 'looks', window: 'hour', max: 3, scope: 'session' }] },
      },
    },
  });
  try {
    const results = await Promise.all([1, 2, 3, 4].map(() => session(cwd, ['get'])));
    // A limit of one connection holds for all commands.
    expect(results.map(({ error }) => error?.code).toSorted()).toEqual([
      'RATE_LIMITED',
      undefined,
      undefined,
      undefined,
    ]);
    const [daemon, ...others] = await daemons(cwd);
    expect(others).toEqual([]);
    const [file = ''] = (await readdir(path.join(cwd, '.codegen/daemon'))).filter((name) =>
      name.endsWith('.json'),
    );
    expect(
      process.platform === 'win32' ||
        ((await stat(path.join(cwd, '.codegen/daemon', file))).mode & 0o777) === 0o600,
    ).toBe(true);
    const { url } = z
      .object({ url: z.string() })
      .parse(JSON.parse(await readFile(path.join(cwd, '.codegen/daemon', file), 'utf8')));
    expect(new URL(url).hostname).toBe('127.0.0.1');
    for (const headers of [new Headers(), new Headers({ authorization: 'Bearer local' })])
      expect((await fetch(url, { method: 'POST', headers, body: '{}' })).status).toBe(401);

    // Killed, with its file left behind.
    process.kill(daemon?.pid ?? 0, 'SIGKILL');
    await expect.poll(() => isRunning(daemon?.pid ?? 0)).toBe(false);
    expect((await session(cwd, ['get'])).exit).toBe(0);
    expect((await daemons(cwd)).map(({ pid }) => pid)).not.toEqual([daemon?.pid]);
  } finally {
    await session(cwd, ['stop']);
  }
});

test('the server of commands ends when it is idle', async () => {
  const cwd = await workspace({ browser: { idleTimeoutMs: 300 } });
  expect((await session(cwd, ['get'])).exit).toBe(0);
  const [daemon] = await daemons(cwd);
  await expect.poll(() => isRunning(daemon?.pid ?? 0), { timeout: 30_000 }).toBe(false);
});

test('callers are grants, and each has a server of its own', async () => {
  const grants = [
    {
      name: 'team',
      tokenEnv: 'TEAM_TOKEN',
      policy: { version: '1', default: 'allow', tools: { run_generated_test: { action: 'deny' } } },
    },
  ];
  const cwd = await workspace({ grants });
  try {
    expect(await session(cwd, ['run', '--grant', 'team'])).toMatchObject({
      exit: 1,
      error: { code: 'POLICY_DENIED' },
    });
    expect((await session(cwd, ['get'])).exit).toBe(0);
    expect(await daemons(cwd)).toHaveLength(2);
  } finally {
    await Promise.all([session(cwd, ['stop']), session(cwd, ['stop', '--grant', 'team'])]);
  }
});

test('another build of the same version replaces the server, whose sessions can be resumed', async ({
  pages,
}) => {
  const cwd = await workspace();
  const entry = test.info().outputPath('cli.mjs');
  const build = (number: number): Promise<void> =>
    writeFile(entry, `/* ${number} */ import ${JSON.stringify(pathToFileURL(binary).href)};`);
  try {
    await build(1);
    const start = ['start', '--title', 'looks', '--url', `${pages.url}/todo.html`];
    const { sessionId } = resultSchema.parse(JSON.parse((await execute(cwd, start, '', entry)).stdout));
    const [old] = await daemons(cwd);
    await build(2);
    const { stdout } = await execute(cwd, ['get', '--session', sessionId], '', entry);
    expect(stdout).toContain('"code":"SESSION_NOT_FOUND"');
    expect(stdout).toContain('resume');
    expect(isRunning(old?.pid ?? 0)).toBe(false);
    expect((await execute(cwd, ['start', '--resume', sessionId], '', entry)).status).toBe(0);
    expect(await daemons(cwd)).toHaveLength(1);
  } finally {
    expect(await session(cwd, ['stop'])).toMatchObject({ stopped: true });
  }
});

test('errors are printed as JSON, or as usage', async () => {
  const cwd = await workspace();
  await writeFile(path.join(cwd, 'bad.json'), '{');
  expect(await session(cwd, ['record', 'bad.json'])).toMatchObject({
    exit: 1,
    error: { code: 'INVALID_INPUT', message: expect.stringContaining("bad.json can't be used") },
  });
  await configure(cwd, { nonsense: 1 });
  expect(await session(cwd, ['get'])).toMatchObject({ exit: 1, error: { code: 'CONFIG_INVALID' } });
  expect(await execute(cwd, ['start', '--urll', 'x'])).toMatchObject({ status: 2, stdout: '' });
  expect((await execute(cwd, ['end', '--verify', 'maybe'])).stderr).toContain('require, report, off');
  expect(await daemons(cwd)).toEqual([]);
});

test('the help teaches a whole flow, and that of each command its options and an example', async () => {
  const cwd = await workspace();
  const { stdout, status } = await execute(cwd, ['--help']);
  expect(status).toBe(0);
  for (const part of [
    'session start --title',
    'session record --session ID -',
    'session end',
    '<page-content-…>',
  ])
    expect(stdout).toContain(part);
  expect(stdout).not.toContain('daemon');
  const help = (await execute(cwd, ['end', '--help'])).stdout;
  for (const part of [
    '--on-conflict <text>',
    '"overwrite"',
    '--dry-run',
    '$ codegen-session-mcp session end --session ID',
  ])
    expect(help).toContain(part);
});

test('a file that a repository contains, or an ended daemon left, leads no command to another server', async () => {
  const cwd = await workspace();
  let requests = 0;
  const other = createServer((_, response) => {
    requests++;
    response.end('{}');
  }).listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = z.object({ port: z.number() }).parse(other.address());
  const client = await DaemonClient.open({ workspace: cwd, grant: 'local' });
  const file = z.string().parse(Reflect.get(client, 'file'));
  await mkdir(path.dirname(file), { recursive: true });
  const [name, ownPid] = [processName(), process.pid];
  for (const [url, pid, process] of [
    [`http://localhost:${port}/mcp`, ownPid, name],
    [`http://127.0.0.1.nip.example:${port}/mcp`, ownPid, name],
    // Would stop all processes of the user.
    [`http://127.0.0.1:${port}/mcp`, -1, name],
    // A daemon that has ended: others got its port and its process id.
    [`http://127.0.0.1:${port}/mcp`, ownPid, name.replace(/_\d+_/, '_1_')],
    [`http://127.0.0.1:${port}/mcp`, ownPid, ''],
  ] as const) {
    await writeFile(file, JSON.stringify({ url, token: 't', pid, process, session: 's', build: 'b' }));
    expect(await client.stop()).toBe(false);
  }
  expect(requests).toBe(0);
  other.close();
  await symlink(cwd, path.join(cwd, '.codegen/approvals'));
  await expect(DaemonClient.open({ workspace: cwd, grant: 'local' })).rejects.toThrow('is a symbolic link');
  for (const command of ['approvals', 'restore']) {
    const { status, stderr } = spawnSync(process.execPath, [binary, command], { cwd, encoding: 'utf8' });
    expect([status, stderr]).toEqual([1, expect.stringContaining('is a symbolic link')]);
  }
});
