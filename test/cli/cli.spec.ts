import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { runCommand } from '../../src/cli/program.js';
import { checkPolicy, testPolicy, writeScaffold } from '../../src/cli/policy.js';
import { loadConfig } from '../../src/config/load.js';
import { tools } from '../../src/tools/registry.js';
import { listBackups } from '../../src/guard/backups.js';
import { expect, test, binary } from '../fixtures.js';
import { Rows } from '../rows.js';
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

/** Runs the command line in this process. A process of its own takes a fifth of a second of CPU time. */
async function runHere(...args: string[]): Promise<Outcome> {
  const outcome = { stdout: '', stderr: '' };
  const restore = (['stdout', 'stderr'] as const).map((name) => {
    const write = Object.getOwnPropertyDescriptor(process[name], 'write');
    const value = (text: string): boolean => (outcome[name] += text) !== '';
    Object.defineProperty(process[name], 'write', { configurable: true, writable: true, value });
    return () =>
      write === undefined
        ? Reflect.deleteProperty(process[name], 'write')
        : Object.defineProperty(process[name], 'write', write);
  });
  try {
    await runCommand(args);
    return { ...outcome, status: Number(process.exitCode ?? 0) };
  } finally {
    restore.forEach((each) => each());
    process.exitCode = undefined;
  }
}

test('a wrong option ends the process with status 2', async () => {
  const { status, stdout, stderr } = await run(await workspace(), '--confg', 'x.json');
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toContain("codegen-session-mcp: unknown option '--confg'");
});

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

const refused = new Rows();
for (const [args, message, command = ''] of [
  [['--confg', 'x.json'], "unknown option '--confg' (Did you mean --config?)"],
  [['docter'], "unknown command 'docter' (Did you mean doctor?)"],
  [
    ['serve-it'],
    "unknown command 'serve-it' (Commands: init, install, doctor, ui, restore, policy, approvals, audit, session)",
  ],
  [['init', 'here'], "too many arguments for 'init'. Expected 0 arguments but got 1.", ' init'],
  [['--config'], "option '--config <path>' argument missing"],
  [['--grant', ''], "option '--grant <name>' argument '' is invalid. The name must not be empty."],
  [
    ['--name', 'a_b'],
    "option '--name <name>' argument 'a_b' is invalid. Use up to 32 letters, digits and dashes.",
  ],
  [['policy', 'tset'], "unknown command 'tset' (Did you mean test?)", ' policy'],
  [['approvals', 'shwo'], "unknown command 'shwo' (Did you mean show?)", ' approvals'],
  [['approvals', 'show'], "missing required argument 'id'", ' approvals show'],
  [
    ['policy', 'scaffold', '--since', '2h', '--port', '99999'],
    "unknown option '--since'",
    ' policy scaffold',
  ],
  [['doctor', '--port', '8931'], "unknown option '--port'", ' doctor'],
  [['--port', '8931', 'doctor'], "option '--port <port>' does not apply to the command 'doctor'"],
  [['audit', 'verify', '--tool', 'x'], "unknown option '--tool'", ' audit verify'],
  [
    ['audit', '--tool', 'x', 'verify'],
    "option '--tool <name>' does not apply to the command 'verify'",
    ' audit',
  ],
  [['audit', 'today'], "unknown command 'today' (Commands: verify)", ' audit'],
  [
    ['policy', 'check', 'a', 'b'],
    "too many arguments for 'check'. Expected 1 argument but got 2.",
    ' policy check',
  ],
  [['--host', 'localhost'], "option '--host <host>' needs '--port <port>'"],
  ...['65536', '-1', '80x', ''].map(
    (port) =>
      [
        ['--port', port],
        `option '--port <port>' argument '${port}' is invalid. Use a number from 1 to 65535, or 0 for any free port.`,
      ] as const,
  ),
] as const)
  refused.add(`refuses ${args.join(' ')}`, async () => {
    expect(await runHere(...args)).toEqual({
      status: 2,
      stdout: '',
      stderr: `codegen-session-mcp: ${message}\n\`codegen-session-mcp${command} --help\` shows the usage.\n`,
    });
  });
test('unknown commands and options are refused, with the nearest one and how to see the usage', () =>
  refused.check());

const helpTexts = new Rows();
for (const [command, own, foreign] of [
  ['init', '--config <path>', '--port'],
  ['doctor', '--config <path>', '--port'],
  ['restore', '[backup]', '--tool'],
  ['policy', 'scaffold', '--since'],
  ['policy test', '<tool>', '--since'],
  ['approvals', 'decline', '--grant'],
  ['approvals decline', '--reason <text>', '--tool'],
  ['audit', '--since <time>', '--reason'],
  ['audit verify', '--config <path>', '--since'],
] as const)
  helpTexts.add(`${command} --help shows its own arguments and options only`, async () => {
    const { status, stdout, stderr } = await runHere(...command.split(' '), '--help');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain(`Usage: codegen-session-mcp ${command}`);
    expect(stdout).toContain(own);
    expect(stdout).not.toContain(foreign);
  });
test('the help of a command shows its own arguments and options only', () => helpTexts.check());

test('--config is an option before and after the command', async () => {
  const cwd = await workspace();
  for (const args of [
    ['--config', 'no.json', 'policy', 'check'],
    ['policy', '--config', 'no.json', 'check'],
    ['policy', 'check', '--config=no.json'],
  ])
    expect(await run(cwd, ...args)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(`${path.join(cwd, 'no.json')}: there is no such file`),
    });
});

test('an older Node.js is rejected in one line', async () => {
  const older = `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'18.20.4'}});Object.defineProperty(process,'version',{value:'v18.20.4'})`;
  const child = spawn(process.execPath, ['--import', older, binary], { stdio: ['ignore', 'ignore', 'pipe'] });
  const stderr = await text(child.stderr);
  expect(stderr).toBe('codegen-session-mcp: Node.js 20 or later is required; this is v18.20.4.\n');
  await expect.poll(() => child.exitCode).toBe(1);
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

test('init never overwrites a configuration', async () => {
  const cwd = await workspace();
  const file = path.join(cwd, 'codegen.config.json');
  await writeFile(file, '{ "mine": true }');
  expect(await run(cwd, 'init')).toEqual({
    status: 1,
    stdout: '',
    stderr: `codegen-session-mcp: ${file} already exists; it was not changed.\n`,
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

test('doctor reports problems with their remedies', async () => {
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

test('restore brings back a replaced file, and backs up the one it replaces', async () => {
  const cwd = await workspace();
  const file = path.join(cwd, 'generated-tests', 'a.spec.ts');
  const guard = openGuard(cwd);
  expect(await run(cwd, 'restore')).toMatchObject({ status: 0, stdout: 'No files have been replaced.\n' });
  for (const body of ['one', 'two'])
    await guard.write({ files: [{ file: 'a.spec.ts', content: emitted(body) }], onConflict: 'overwrite' });
  await writeFile(file, 'edited');

  const { stdout } = await run(cwd, 'restore', 'list');
  const [id = ''] = stdout.split(' ');
  expect(stdout).toMatch(/^\S+ {2}.+ {2}generated-tests\/a\.spec\.ts\n$/);
  const restored = await run(cwd, 'restore', id);
  expect(restored.stdout).toMatch(
    /^Restored generated-tests\/a\.spec\.ts as of .+\. The replaced file was backed up\.\n$/,
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

test('policy scaffolds a valid document, explains it, and reports its decisions', async () => {
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
    'allowed actions: all except evaluate and attach',
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

test('--workspace names the directory to work in, and --config stays relative to the current one', async () => {
  const cwd = await workspace();
  await mkdir(path.join(cwd, 'shop'));
  expect(await run(cwd, 'init', '--workspace', 'shop')).toMatchObject({ status: 0, stderr: '' });
  expect(await readdir(path.join(cwd, 'shop'))).toEqual(['codegen.config.json']);
  await writeFile(path.join(cwd, 'own.json'), '{ "nonsense": 1 }');
  const { stdout } = await run(cwd, 'doctor', '--workspace', 'shop', '--config', 'own.json');
  expect(stdout).toContain('nonsense');
  expect(await run(cwd, 'init', '--workspace', 'missing')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('there is no directory missing'),
  });
});
