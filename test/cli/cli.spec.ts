import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from '@playwright/test';
import { checkPolicy, testPolicy, writeScaffold } from '../../src/cli/policy.js';
import { loadConfig } from '../../src/config/load.js';
import { tools } from '../../src/tools/registry.js';
import { listBackups } from '../../src/guard/backups.js';
import { binary } from '../fixtures.js';
import { emitted, openGuard } from '../guard/workspace.js';

interface Outcome {
  status: number | null;
  stdout: string;
  stderr: string;
}

async function workspace(): Promise<string> {
  const directory = test.info().outputPath('workspace');
  await mkdir(directory, { recursive: true });
  return directory;
}

/** Runs the command line in a directory, with nothing on stdin. */
function run(cwd: string, ...args: string[]): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [binary, ...args], {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const outcome = { stdout: '', stderr: '' };
    child.stdout.on('data', (data: Buffer) => (outcome.stdout += data.toString()));
    child.stderr.on('data', (data: Buffer) => (outcome.stderr += data.toString()));
    child.on('error', reject);
    child.on('close', (status) => {
      resolve({ ...outcome, status });
    });
  });
}

test('--help and --version answer on stdout', async () => {
  const cwd = await workspace();
  const help = await run(cwd, '--help');
  expect(help).toMatchObject({ status: 0, stderr: '' });
  for (const word of [
    'init',
    'doctor',
    'policy',
    'approvals',
    'restore',
    '--config',
    '--grant',
    '--help',
    '--version',
  ])
    expect(help.stdout).toContain(word);
  const packageFile = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  const { stdout } = await run(cwd, '--version');
  expect(packageFile).toContain(`"version": "${stdout.trim()}"`);
});

for (const [args, message] of [
  [['--confg', 'x.json'], 'unknown option "--confg"; did you mean --config?'],
  [['docter'], 'unknown command "docter"; did you mean doctor?'],
  [['serve-it'], 'unknown command "serve-it"; known: init, doctor, policy, approvals, audit, restore'],
  [['init', 'here'], 'unexpected argument "here"'],
  [['--config'], "Option '--config <value>' argument missing"],
  [['--grant', ''], '--grant needs a name'],
  [['--name', 'a_b'], '--name takes up to 32 letters, digits and dashes'],
  [['policy', 'tset'], 'unknown policy command "tset"; did you mean test?'],
] as const)
  test(`refuses ${args.join(' ')}`, async () => {
    expect(await run(await workspace(), ...args)).toEqual({
      status: 2,
      stdout: '',
      stderr: `codegen-session-mcp: ${message}\n`,
    });
  });

test('init writes a commented configuration that holds the defaults', async () => {
  const cwd = await workspace();
  const defaults = await loadConfig({ workspace: cwd });
  expect(await run(cwd, 'init')).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('codegen.config.json'),
  });
  const file = path.join(cwd, 'codegen.config.json');
  expect(await loadConfig({ workspace: cwd })).toEqual({ ...defaults, configFile: file });
  const text = await readFile(file, 'utf8');
  expect(text).toContain('"$schema": "./node_modules/codegen-session-mcp/schema/codegen.config.schema.json"');
  const lines = text.split('\n').map((line) => line.trim());
  const keys = lines.flatMap((line, index) => (line.startsWith('"') ? [index] : []));
  expect(keys.length).toBeGreaterThan(20);
  for (const index of keys) expect(lines[index - 1], lines[index]).toMatch(/^\/\/ \S/);
});

test('init never writes over a configuration', async () => {
  const cwd = await workspace();
  const file = path.join(cwd, 'codegen.config.json');
  await writeFile(file, '{ "mine": true }');
  expect(await run(cwd, 'init')).toEqual({
    status: 1,
    stdout: '',
    stderr: `codegen-session-mcp: ${file} is there already; it was left as it is.\n`,
  });
  expect(await readFile(file, 'utf8')).toBe('{ "mine": true }');
  expect(await readdir(cwd)).toEqual(['codegen.config.json']);
});

test('doctor finds all well, and leaves nothing behind', async () => {
  const cwd = await workspace();
  const { status, stdout, stderr } = await run(cwd, 'doctor');
  expect(stderr).toBe('');
  expect(stdout.trim().split('\n')).toEqual([
    expect.stringMatching(/^ok +Node \d+/),
    expect.stringMatching(/^ok +Configuration: no codegen\.config\.json/),
    'ok       Policy: allow by default, rules for 0 tools',
    `ok       Workspace: ${cwd}`,
    `ok       Output directory: ${path.join(cwd, 'generated-tests')}`,
    `ok       State directory: ${path.join(cwd, '.codegen')}`,
    expect.stringMatching(/^ok +Browser: .+, started and closed in \d+ ms$/),
  ]);
  expect(status).toBe(0);
  expect(await readdir(cwd)).toEqual([]);
});

test('doctor says what is wrong and what to do about it', async () => {
  const cwd = await workspace();
  await writeFile(path.join(cwd, 'taken'), '');
  await writeFile(
    path.join(cwd, 'codegen.config.json'),
    '{ "output": { "dir": "taken/tests" }, "browser": { "executablePath": "/no/browser" } }',
  );
  const { status, stdout } = await run(cwd, 'doctor');
  expect(stdout).toMatch(/\nproblem {2}Output directory: .*taken.*\n {9}.*output\.dir/);
  expect(stdout).toMatch(/\nproblem {2}Browser: none found at \/no\/browser\n {9}.*browser\.executablePath/);
  expect(stdout).toMatch(/\nok +State directory/);
  expect(status).toBe(1);
});

test('doctor names the mistake in a configuration', async () => {
  const cwd = await workspace();
  await writeFile(path.join(cwd, 'my.json'), '{ "browser": { "headles": true } }');
  const { status, stdout } = await run(cwd, 'doctor', '--config', 'my.json');
  expect(stdout).toContain('browser.headles is true: unknown key. Did you mean "headless"?');
  expect(status).toBe(1);
});

test('restore brings back what was replaced, and keeps what it replaces', async () => {
  const cwd = await workspace();
  const file = path.join(cwd, 'generated-tests', 'a.spec.ts');
  const guard = openGuard(cwd);
  expect(await run(cwd, 'restore')).toMatchObject({ status: 0, stdout: 'Nothing was replaced so far.\n' });
  for (const body of ['one', 'two'])
    await guard.write({ files: [{ file: 'a.spec.ts', content: emitted(body) }], onConflict: 'overwrite' });
  await writeFile(file, 'edited');

  const { stdout } = await run(cwd, 'restore', 'list');
  const [id = ''] = stdout.split(' ');
  expect(stdout).toMatch(/^\S+ {2}.+ {2}generated-tests\/a\.spec\.ts\n$/);
  const restored = await run(cwd, 'restore', id);
  expect(restored.stdout).toMatch(
    /^generated-tests\/a\.spec\.ts is as it was on .+\. What stood there is a backup now\.\n$/,
  );
  expect(await readFile(file, 'utf8')).toBe(emitted('one')('generated-tests/a.spec.ts'));
  const kept = await listBackups(path.join(cwd, '.codegen'));
  expect(kept.map(({ absolutePath }) => readFileSync(absolutePath, 'utf8')).sort()).toEqual(
    [emitted('one')('generated-tests/a.spec.ts'), 'edited'].sort(),
  );
  expect(await run(cwd, 'restore', 'b.spec.ts')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('There is no backup "b.spec.ts".'),
  });
});

test('a broken configuration is not served', async () => {
  const cwd = await workspace();
  await writeFile(path.join(cwd, 'codegen.config.json'), '{ "writes": { "overwrite": "yes" } }');
  const { status, stdout, stderr } = await run(cwd);
  expect(stdout).toBe('');
  expect(stderr).toContain('writes.overwrite is "yes": expected one of "never"|"generated"|"always"');
  expect(stderr).toContain('codegen-session-mcp doctor');
  expect(status).toBe(1);
});

test('policy scaffolds what loads, explains it, and says what it decides', async () => {
  test.slow();
  const cwd = await workspace();
  const inCwd = (name: string) => path.join(cwd, name);
  const location = { workspace: cwd };
  const explain = async (file?: string) => {
    const lines: string[] = [];
    await checkPolicy(location, file, (line) => lines.push(line));
    return lines.join('\n');
  };
  expect(await run(cwd, 'policy', 'scaffold', 'policy.yaml')).toMatchObject({ status: 0, stderr: '' });
  await expect(writeScaffold(inCwd('policy.yaml'))).rejects.toMatchObject({ code: 'WRITE_FAILED' });
  const scaffolded = await readFile(inCwd('policy.yaml'), 'utf8');
  for (const { name, title } of tools)
    expect(scaffolded).toMatch(new RegExp(`# ${title}: \\w+\\.\n  ${name}:`));
  const explained = await explain(inCwd('policy.yaml'));
  expect(explained).toContain('Tools that are not listed are denied.');
  expect(explained).toMatch(/end_codegen_session: allowed, limited\n {2}limited to 30 calls per minute/);
  expect(explained).toContain('get_codegen_session: allowed\n');

  const rules = {
    end_codegen_session: {
      deny_if: [{ path: 'args.onConflict', op: 'eq', value: 'overwrite', message: 'never' }],
      approve_if: [{ path: 'args.verify', op: 'eq', value: 'off' }],
    },
    run_generated_test: { limits: [{ counter: 'runs', window: 60, max: 0 }] },
  };
  const policy = { version: '1', default: 'allow', hide: ['clear_*'], tools: rules };
  await writeFile(inCwd('codegen.config.json'), JSON.stringify({ policy }));
  for (const line of [
    'clear_codegen_session: hidden',
    'denied if args.onConflict is "overwrite" ("never")',
    'needs approval if args.verify is "off"',
    'limited to 0 calls per 60 seconds for each grant, counted as "runs"',
    'allowed actions: all others but evaluate',
  ])
    expect(await explain()).toContain(line);

  await writeFile(inCwd('args.json'), '{ "onConflict": "overwrite" }');
  expect(await run(cwd, 'policy', 'test', 'end_codegen_session', 'args.json')).toMatchObject({
    status: 3,
    stdout: 'denied by tools.end_codegen_session.deny_if[0]: never\n',
  });
  const said: string[] = [];
  const decide = (tool: string, file?: string) => testPolicy(location, tool, file, (line) => said.push(line));
  await writeFile(inCwd('args.json'), '{ "verify": "off" }');
  expect([
    await decide('get'),
    await decide('clear_x'),
    await decide('end_codegen_session', inCwd('args.json')),
    await decide('run_generated_test'),
  ]).toEqual([0, 3, 4, 5]);
  expect(said).toContain('approval by tools.end_codegen_session.approve_if[0]: args.verify is "off"');
});
