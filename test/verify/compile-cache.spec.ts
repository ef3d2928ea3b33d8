import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import { outputFile } from 'fs-extra/esm';
import { expect, test } from '../fixtures.js';

const hook = path.resolve('dist/verify/compile-cache.cjs');
/** As long as a bundle of Playwright. */
const padding = `// ${'x'.repeat(250_000)}`;

/** Loads a module in a process of Node that caches what it compiles. */
function load(file: string, temporary: string): string {
  const print = ['-p', `require(${JSON.stringify(file)})()`];
  const env = { ...process.env, TMPDIR: temporary, TEMP: temporary, TMP: temporary };
  return execFileSync(process.execPath, ['--require', hook, ...print], { env, encoding: 'utf8' }).trim();
}

/** The cached modules, with when they were written. */
async function cachedIn(temporary: string): Promise<string[]> {
  const [directory = ''] = await readdir(temporary);
  const names = await readdir(path.join(temporary, directory));
  return Promise.all(
    names.map(async (name) => `${name} ${(await stat(path.join(temporary, directory, name))).mtimeMs}`),
  );
}

test('a process takes bundles from the cache, unless they have changed', async () => {
  const temporary = test.info().outputPath('tmp');
  await mkdir(temporary);
  const bundle = test.info().outputPath('node_modules/playwright-core/lib/bundle.js');
  await outputFile(path.join(path.dirname(bundle), 'small.js'), 'exports.word = "one";');
  await outputFile(path.join(path.dirname(bundle), 'other.js'), 'exports.word = "two";');
  await outputFile(bundle, `module.exports = () => require('./small').word;\n${padding}`);
  expect(load(bundle, temporary)).toBe('one');
  const cached = await cachedIn(temporary);
  expect(cached).toHaveLength(1);
  expect(load(bundle, temporary)).toBe('one');
  // One that V8 rejects would be written again.
  expect(await cachedIn(temporary)).toEqual(cached);
  const [directory = ''] = (await readdir(temporary)).map((name) => path.join(temporary, name));
  for (const each of await readdir(directory)) await utimes(path.join(directory, each), 0, 0);
  await outputFile(bundle, `module.exports = () => require('./other').word;\n${padding}`);
  expect(load(bundle, temporary)).toBe('two');
  // That of the former bundle is too old.
  const [changed, ...others] = await cachedIn(temporary);
  expect(others).toEqual([]);
  expect(changed).not.toContain(cached[0]?.slice(0, 40));
});

test('stacks show the file that is run, not one with the same text', async () => {
  const temporary = test.info().outputPath('tmp');
  await mkdir(temporary);
  for (const project of ['one', 'other']) {
    const bundle = test.info().outputPath(project, 'node_modules/playwright-core/lib/bundle.js');
    await outputFile(bundle, `module.exports = () => new Error().stack;\n${padding}`);
    expect(load(bundle, temporary)).toContain(bundle);
  }
});

test('the server caches what it compiles too', async () => {
  const temporary = test.info().outputPath('tmp');
  await mkdir(temporary);
  const env = { ...process.env, TMPDIR: temporary, TEMP: temporary, TMP: temporary };
  execFileSync(process.execPath, [path.resolve('dist/cli.js'), 'doctor'], { cwd: temporary, env });
  expect(await readdir(temporary)).toHaveLength(1);
  expect(await cachedIn(temporary)).not.toEqual([]);
});

test('a directory to which others may write is no cache', async () => {
  const temporary = test.info().outputPath('tmp');
  const directory = path.join(temporary, `codegen-session-mcp-${process.getuid?.() ?? 'cache'}`);
  await mkdir(directory, { recursive: true });
  await chmod(directory, 0o777);
  const bundle = test.info().outputPath('node_modules/@ts-morph/common/dist/typescript.js');
  await outputFile(bundle, `module.exports = () => 'one';\n${padding}`);
  expect(load(bundle, temporary)).toBe('one');
  // On Windows, directories for temporary files belong to one user.
  expect(await cachedIn(temporary)).toHaveLength(process.platform === 'win32' ? 1 : 0);
  await chmod(directory, 0o700);
  expect(load(bundle, temporary)).toBe('one');
  expect(await cachedIn(temporary)).toHaveLength(1);
});
