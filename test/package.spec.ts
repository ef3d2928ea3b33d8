import { mkdir, readdir, readFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { z } from 'zod';
import { npm } from '../scripts/npm.js';
import { connect, configure, expect, test } from './fixtures.js';

const manifestSchema = z.object({ version: z.string(), dependencies: z.record(z.string(), z.string()) });
const packedSchema = z.tuple([
  z.object({
    filename: z.string(),
    size: z.number(),
    unpackedSize: z.number(),
    files: z.array(z.object({ path: z.string(), mode: z.number() })),
  }),
]);

async function readManifest(file = 'package.json'): Promise<z.infer<typeof manifestSchema>> {
  return manifestSchema.parse(JSON.parse(await readFile(file, 'utf8')));
}

test('the package contains what is needed, works from an empty directory, and imports what it depends on', async ({
  pages,
}) => {
  test.setTimeout(400_000);
  const place = test.info().outputPath('install');
  await mkdir(place);
  const output = npm('.', 'pack', '--json', '--ignore-scripts', '--pack-destination', place);
  const [packed] = packedSchema.parse(JSON.parse(output));
  const files = packed.files.map((file) => file.path);
  const expected =
    /^(?:dist\/(?:cli\.js|write-schemas\.js|verify\/(?:[a-z-]+\.js|compile-cache\.cjs)|session\/verification\/verify-session\.js|ui\/page\/page\.(?:js|css)|chunks\/[\w-]+\.js|THIRD_PARTY_LICENSES\.txt)|docs\/[a-z-]+\.md|schema\/(?:codegen\.config\.schema|tools)\.json|templates\/[a-z.]+\.eta|icons\/icon\.(?:png|svg)|skills\/codegen-session\/SKILL\.md|(?:README|CHANGELOG|SECURITY)\.md|LICENSE|package\.json)$/;
  expect(files.filter((file) => !expected.test(file))).toEqual([]);
  for (const file of [
    'README.md',
    'LICENSE',
    'CHANGELOG.md',
    'SECURITY.md',
    'docs/tools.md',
    'templates/plain.eta',
  ])
    expect(files).toContain(file);
  expect(packed.size).toBeLessThan(1_200_000);
  expect(packed.unpackedSize).toBeLessThan(5_000_000);
  const page = await Promise.all(['page.js', 'page.css'].map((file) => readFile(`dist/ui/page/${file}`)));
  expect(gzipSync(Buffer.concat(page)).length).toBeLessThan(120_000);

  const tarball = path.join(place, packed.filename);
  npm(place, 'install', '--prefer-offline', '--no-audit', '--no-fund', '--prefix', place, tarball);
  const installed = path.join(place, 'node_modules', 'codegen-session-mcp');
  const { dependencies } = await readManifest(path.join(installed, 'package.json'));
  const dist = path.join(installed, 'dist');
  // @redis/client tries to load the first, and does without.
  const known = new Set(['@node-rs/xxhash', ...builtinModules, ...Object.keys(dependencies)]);
  const imported = new Set<string>();
  for (const file of await readdir(dist, { recursive: true })) {
    if (!file.endsWith('.js')) continue;
    const code = await readFile(path.join(dist, file), 'utf8');
    for (const [, name = ''] of code.matchAll(
      /(?:\bfrom|\bimport\(?)\s*"((?:@[\w-]+\/)?[\w-]+)(?:\/[\w/-]+)?"/g,
    ))
      imported.add(name);
  }
  expect([...imported].filter((name) => !known.has(name))).toEqual([]);

  const workspace = test.info().outputPath('workspace');
  await mkdir(workspace);
  await configure(workspace);
  const { client, start, call, close } = await connect(workspace, {
    command: ['npm', 'exec', '--offline', '--prefix', place, '--', 'codegen-session-mcp'],
  });
  try {
    expect((await client.listTools()).tools).toHaveLength(6);
    const { sessionId } = await start({ title: 'installed', url: `${pages.url}/todo.html` });
    expect(sessionId).not.toBe('');
    const ended = await call('end_codegen_session', { sessionId, verify: 'require' });
    expect(ended).toMatchObject({ isError: false, verification: { status: 'passed' } });
    expect(await readdir(path.join(workspace, 'generated-tests'))).toEqual(['installed.spec.ts']);
  } finally {
    await close();
  }
});
