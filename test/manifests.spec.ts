import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';
import { z } from 'zod';
import { bundleManifest, manifests, registryName } from '../docs/manifests.js';
import { npm } from '../scripts/npm.js';
import { startCommand } from '../src/cli/clients.js';
import { configure, connect, expect, test } from './fixtures.js';

const json = async (file: string): Promise<unknown> =>
  z.json().parse(JSON.parse(await readFile(file, 'utf8')));

test("server.json is valid by the registry's schema, and names the package as package.json does", async () => {
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats.default(ajv);
  const schema = z
    .record(z.string(), z.unknown())
    .parse(await json('test/fixtures/schemas/server.schema.json'));
  const validate = ajv.compile(schema);
  const server = await json('server.json');
  validate(server);
  expect(validate.errors).toBe(null);
  expect(server).toMatchObject({ $schema: schema['$id'], name: registryName });
  validate({ ...z.record(z.string(), z.unknown()).parse(server), name: 'no slash' });
  expect(validate.errors).not.toBe(null);
  expect(await json('package.json')).toMatchObject({
    mcpName: registryName,
    version: bundleManifest.version,
  });
});

test('the plugins of all clients start the same command and have the skill', async () => {
  for (const file of ['.claude-plugin/plugin.json', '.cursor-plugin/plugin.json', 'gemini-extension.json'])
    expect(manifests[file], file).toMatchObject({
      name: expect.stringMatching(/^[a-z\d]+(?:-[a-z\d]+)*$/),
      version: bundleManifest.version,
      mcpServers: { codegen: startCommand('linux') },
    });
  const skill = await readFile('skills/codegen-session/SKILL.md', 'utf8');
  expect(Buffer.byteLength(skill)).toBeLessThan(5000);
  const [, front = ''] = /^---\n([^]*?)\n---\n/.exec(skill) ?? [];
  // The name is that of the directory.
  expect(parse(front)).toEqual({
    name: 'codegen-session',
    description: expect.stringMatching(/^.{50,1024}$/),
  });
  const commands = [...skill.matchAll(/`cs (\w+)/g)].map(([, command]) => command);
  expect(new Set(commands)).toEqual(new Set(['start', 'record', 'end', 'get', 'stop', 'run']));
});

test('the bundle is valid, and the server in it starts in the chosen directory', async ({ pages }) => {
  test.setTimeout(400_000);
  const file = test.info().outputPath('codegen.mcpb');
  npm('.', 'exec', '--', 'tsx', 'scripts/bundle.ts', file);
  const directory = test.info().outputPath('unpacked');
  const { unpackExtension, validateManifest } = await import('@anthropic-ai/mcpb');
  expect(await unpackExtension({ mcpbPath: file, outputDir: directory, silent: true })).toBe(true);
  expect(validateManifest(path.join(directory, 'manifest.json'))).toBe(true);
  expect(await json(path.join(directory, 'manifest.json'))).toEqual(bundleManifest);
  expect((await readFile(path.join(directory, bundleManifest.icon))).subarray(1, 4).toString()).toBe('PNG');

  const workspace = test.info().outputPath('workspace');
  await mkdir(workspace);
  await configure(workspace);
  const { command, args } = bundleManifest.server.mcp_config;
  const expand = (arg: string): string =>
    arg.replace('${__dirname}', directory).replace('${user_config.workspace}', workspace);
  const server = await connect(directory, { command: [command, ...args.map(expand)] });
  try {
    const { sessionId } = await server.start({ title: 'bundled', url: `${pages.url}/todo.html` });
    const ended = await server.call('end_codegen_session', { sessionId });
    expect(ended.filePath).toBe(path.join(workspace, 'generated-tests', 'bundled.spec.ts'));
  } finally {
    await server.close();
  }
});
