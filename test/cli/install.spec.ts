import { randomUUID } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { mkdir, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse as parseToml } from 'smol-toml';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { clients, startCommand, type ClientEnvironment, type Scope } from '../../src/cli/clients.js';
import { installServer } from '../../src/cli/install.js';
import { expect, test, binary } from '../fixtures.js';
import { Rows } from '../rows.js';

function machineOf(platform: NodeJS.Platform = 'linux'): ClientEnvironment {
  const root = path.join(test.info().outputPath('machines'), randomUUID());
  return {
    platform,
    home: path.join(root, 'home'),
    project: path.join(root, 'project'),
    appData: platform === 'win32' ? path.join(root, 'appdata') : undefined,
  };
}

const read: Record<string, (text: string) => unknown> = {
  '.json': (text) => z.json().parse(JSON.parse(text)),
  '.toml': (text) => parseToml(text),
  '.yaml': (text) => z.json().parse(parseYaml(text)),
};

/** Installs without a question; gives what was printed. */
async function installed(client: string, machine = machineOf(), scope?: Scope): Promise<string> {
  const lines: string[] = [];
  await installServer({ client, scope, yes: true }, machine, undefined, (line) => lines.push(line));
  return lines.join('\n');
}

const npx = { command: 'npx', args: ['-y', 'codegen-session-mcp'] };
const mcpServers = { mcpServers: { codegen: npx } };
const withType = { codegen: { type: 'stdio', ...npx } };

/** The file and its content as the documentation of each client shows them. */
const documented: [client: string, scope: Scope, file: string, content: object][] = [
  ['claude-code', 'project', 'project/.mcp.json', { mcpServers: withType }],
  ['claude-code', 'user', 'home/.claude.json', { mcpServers: withType }],
  ['claude-desktop', 'user', 'home/.config/Claude/claude_desktop_config.json', mcpServers],
  ['cursor', 'project', 'project/.cursor/mcp.json', mcpServers],
  ['cursor', 'user', 'home/.cursor/mcp.json', mcpServers],
  ['vscode', 'project', 'project/.vscode/mcp.json', { servers: withType }],
  ['vscode', 'user', 'home/.config/Code/User/mcp.json', { servers: withType }],
  ['windsurf', 'user', 'home/.codeium/windsurf/mcp_config.json', mcpServers],
  ['codex', 'project', 'project/.codex/config.toml', { mcp_servers: { codegen: npx } }],
  ['codex', 'user', 'home/.codex/config.toml', { mcp_servers: { codegen: npx } }],
  ['gemini', 'project', 'project/.gemini/settings.json', mcpServers],
  ['gemini', 'user', 'home/.gemini/settings.json', mcpServers],
  ['kiro', 'project', 'project/.kiro/settings/mcp.json', mcpServers],
  ['kiro', 'user', 'home/.kiro/settings/mcp.json', mcpServers],
  [
    'goose',
    'user',
    'home/.config/goose/config.yaml',
    {
      extensions: {
        codegen: { name: 'codegen', type: 'stdio', cmd: 'npx', args: npx.args, enabled: true, timeout: 300 },
      },
    },
  ],
  ['lm-studio', 'user', 'home/.lmstudio/mcp.json', mcpServers],
  [
    'opencode',
    'project',
    'project/opencode.json',
    { mcp: { codegen: { type: 'local', command: ['npx', ...npx.args], enabled: true } } },
  ],
  [
    'opencode',
    'user',
    'home/.config/opencode/opencode.json',
    { mcp: { codegen: { type: 'local', command: ['npx', ...npx.args], enabled: true } } },
  ],
  ['zed', 'project', 'project/.zed/settings.json', { context_servers: { codegen: npx } }],
  ['zed', 'user', 'home/.config/zed/settings.json', { context_servers: { codegen: npx } }],
];

const written = new Rows();
for (const [client, scope, file, content] of documented)
  written.add(`the ${scope} settings of ${client} are written as documented`, async () => {
    const machine = machineOf();
    expect(await installed(client, machine, scope)).toContain('Wrote ');
    const text = await readFile(path.join(machine.home, '..', file), 'utf8');
    expect(read[path.extname(file)]?.(text)).toEqual(content);
    expect(await installed(client, machine, scope)).toContain('already has this server');
  });
test('the settings of every client are written as it documents them', () => written.check());

test('every client and scope is checked against its documentation', () => {
  const known = Object.entries(clients).flatMap(([name, { files }]) =>
    Object.keys(files).map((scope) => `${name} ${scope}`),
  );
  expect(documented.map(([client, scope]) => `${client} ${scope}`).sort()).toEqual(known.sort());
});

test('on Windows, npx is started by cmd', async () => {
  expect(startCommand('win32')).toEqual({ command: 'cmd', args: ['/c', 'npx', ...npx.args] });
  const machine = machineOf('win32');
  await installed('claude-desktop', machine);
  const file = path.join(machine.appData ?? '', 'Claude', 'claude_desktop_config.json');
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
    mcpServers: { codegen: { command: 'cmd', args: ['/c', 'npx', ...npx.args] } },
  });
});

test('links carry the same definition', () => {
  const links = Object.fromEntries(
    Object.entries(clients).flatMap(([name, { link }]) =>
      link === undefined ? [] : [[name, new URL(link(npx))]],
    ),
  );
  expect(Object.keys(links)).toEqual(['cursor', 'vscode', 'goose', 'lm-studio']);
  for (const name of ['cursor', 'lm-studio']) {
    const config = links[name]?.searchParams.get('config') ?? '';
    expect(JSON.parse(Buffer.from(config, 'base64').toString())).toEqual(npx);
  }
  const query = links['vscode']?.search.slice(1) ?? '';
  expect(JSON.parse(decodeURIComponent(query))).toEqual({ name: 'codegen', ...npx });
  expect(links['goose']?.searchParams.getAll('arg')).toEqual(npx.args);
});

const keptRows = new Rows();
for (const [client, file, text, kept] of [
  [
    'cursor',
    'project/.cursor/mcp.json',
    '{\n  // ours\n  "mcpServers": { "other": { "command": "x" } },\n}\n',
    '// ours',
  ],
  ['zed', 'project/.zed/settings.json', '{\r\n\t"theme": "One" // dark\r\n}\r\n', '"theme": "One" // dark'],
  [
    'codex',
    'project/.codex/config.toml',
    '# ours\nmodel = "x"\n\n[mcp_servers.other]\ncommand = "y"\n',
    '# ours\nmodel = "x"\n\n[mcp_servers.other]',
  ],
  [
    'goose',
    'home/.config/goose/config.yaml',
    '# ours\nextensions:\n  other:\n    cmd: x # why\n',
    '    cmd: x # why',
  ],
] as const)
  keptRows.add(`other settings in a file of ${client} are kept`, async () => {
    const machine = machineOf();
    const place = path.join(machine.home, '..', file);
    await mkdir(path.dirname(place), { recursive: true });
    await writeFile(place, text);
    const printed = await installed(client, machine);
    const after = await readFile(place, 'utf8');
    expect(after).toContain(kept);
    expect(after).toContain('codegen-session-mcp');
    expect(printed).toMatch(/^\+.*codegen-session-mcp/m);
    expect(await readdir(path.dirname(place))).toEqual([path.basename(place)]);
  });
test('other settings in the file of a client are kept', () => keptRows.check());

const untouched = new Rows();
for (const [client, file, text, problem] of [
  ['cursor', 'project/.cursor/mcp.json', '{ "mcpServers": ', "can't be parsed"],
  ['cursor', 'project/.cursor/mcp.json', '[]', 'not a table of settings'],
  ['cursor', 'project/.cursor/mcp.json', '{ "mcpServers": [] }', 'mcpServers is not a table of servers'],
  [
    'cursor',
    'project/.cursor/mcp.json',
    '{ "mcpServers": { "codegen": { "command": "x" } } }',
    'another server',
  ],
  ['codex', 'project/.codex/config.toml', 'model = ', "can't be parsed"],
  ['goose', 'home/.config/goose/config.yaml', 'a: [', "can't be parsed"],
] as const)
  untouched.add(`a file of ${client} with ${text} is not touched`, async () => {
    const machine = machineOf();
    const place = path.join(machine.home, '..', file);
    await mkdir(path.dirname(place), { recursive: true });
    await writeFile(place, text);
    await expect(installed(client, machine)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await expect(installed(client, machine)).rejects.toThrow(problem);
    expect(await readFile(place, 'utf8')).toBe(text);
  });
test('a file of a client that is not as expected is not touched', () => untouched.check());

test('settings that can not be read as text, or that change during the question, are not lost', async () => {
  const machine = machineOf();
  const file = path.join(machine.project, '.cursor', 'mcp.json');
  await mkdir(file, { recursive: true });
  await expect(installed('cursor', machine)).rejects.toThrow("can't be read, so it was not changed: EISDIR");
  await rm(file, { recursive: true });
  const latin1 = Buffer.from('{ "name": "M\u00fcller" }', 'latin1');
  await writeFile(file, latin1);
  await expect(installed('cursor', machine)).rejects.toThrow("can't be read, so it was not changed");
  expect(await readFile(file)).toEqual(latin1);
  await writeFile(file, '{}');
  const ask = async (): Promise<string> => {
    await writeFile(file, '{ "new": 1 }');
    return 'y';
  };
  const installing = installServer({ client: 'cursor' }, machine, { ask }, () => undefined);
  await expect(installing).rejects.toThrow('has changed in the meantime');
  expect(await readFile(file, 'utf8')).toBe('{ "new": 1 }');
});

test('a settings file that is a link is written at its target', async () => {
  const machine = machineOf();
  const real = path.join(machine.home, 'dotfiles.json');
  await mkdir(path.join(machine.home, '.cursor'), { recursive: true });
  await writeFile(real, '{}');
  await symlink(real, path.join(machine.home, '.cursor', 'mcp.json'));
  await installed('cursor', machine, 'user');
  expect(await readFile(real, 'utf8')).toContain('codegen-session-mcp');
});

test('a link in the project leads to no file outside it', async () => {
  const machine = machineOf();
  const outside = path.join(machine.home, 'settings.json');
  await mkdir(path.join(machine.project, '.agents/skills'), { recursive: true });
  await mkdir(machine.home, { recursive: true });
  await writeFile(outside, '{}');
  await mkdir(path.join(machine.project, '.cursor'));
  await symlink(outside, path.join(machine.project, '.cursor/mcp.json'));
  await symlink(machine.home, path.join(machine.project, '.agents/skills/codegen-session'));
  const skill = installServer({ skill: true, yes: true }, machine, undefined, () => undefined);
  for (const refused of [installed('cursor', machine, 'project'), skill])
    await expect(refused).rejects.toThrow('is outside the project, through a symbolic link');
  expect(await readFile(outside, 'utf8')).toBe('{}');
  expect(await readdir(machine.home)).toEqual(['settings.json']);
});

test('a person is asked, and only yes writes', async () => {
  const machine = machineOf();
  const ask = (answer: string) => ({ ask: () => Promise.resolve(answer) });
  const lines: string[] = [];
  const print = (line: string): void => void lines.push(line);
  await installServer({ client: 'cursor' }, machine, ask('no'), print);
  await expect(readFile(path.join(machine.project, '.cursor', 'mcp.json'))).rejects.toThrow('ENOENT');
  await installServer({ client: 'cursor' }, machine, ask('y'), print);
  expect(await readFile(path.join(machine.project, '.cursor', 'mcp.json'), 'utf8')).toContain('npx');
  expect(lines.join('\n')).toContain('Nothing was written.');
});

test('the command shows the change, and writes nothing without a terminal', async () => {
  const { project } = machineOf();
  await mkdir(project, { recursive: true });
  const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(process.execPath, [binary, 'install', ...args], { cwd: project, encoding: 'utf8' });
  expect(run('--client', 'cursor')).toMatchObject({ status: 0, stderr: '' });
  expect(run('--client', 'cursor').stdout).toContain('Nothing was written. Add --yes to write it.');
  expect(await readdir(project)).toEqual([]);
  expect(run('--client', 'cursor', '--yes').status).toBe(0);
  expect(await readdir(project)).toEqual(['.cursor']);
  expect(run('--client', 'nothing')).toMatchObject({ status: 1 });
  expect(run('--client', 'nothing').stderr).toContain('Clients: claude-code, claude-desktop, cursor');
  expect(run('--client', 'windsurf', '--scope', 'project').stderr).toContain('Use --scope user');
  expect(run().status).toBe(2);
});

for (const [client, directory] of [
  [undefined, '.agents'],
  ['gemini', '.agents'],
  ['claude-code', '.claude'],
] as const)
  test(`the skill is installed for ${client ?? 'all agents'}, in the project or at home`, async () => {
    const machine = machineOf();
    const lines: string[] = [];
    const skill = await readFile('skills/codegen-session/SKILL.md', 'utf8');
    for (const scope of ['project', 'user'] as const) {
      await installServer({ client, skill: true, scope, yes: true }, machine, undefined, (line) =>
        lines.push(line),
      );
      const base = scope === 'project' ? machine.project : machine.home;
      expect(await readFile(path.join(base, directory, 'skills/codegen-session/SKILL.md'), 'utf8')).toBe(
        skill,
      );
    }
    await installServer({ client, skill: true }, machine, undefined, (line) => lines.push(line));
    expect(lines.at(-1)).toContain('already has this skill');
  });
