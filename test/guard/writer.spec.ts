import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import promises, { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import { listBackups } from '../../src/guard/backups.js';
import type { CheckedPath } from '../../src/guard/paths.js';
import type { OnConflict } from '../../src/guard/plan.js';
import { writeFiles } from '../../src/guard/writer.js';
import { withHeader } from '../../src/model/header.js';
import { emitted, openGuard, outcomeOf, type Settings } from './workspace.js';
import { bundleWorker } from './bundled.js';
import { expect, test } from '../fixtures.js';

const relative = 'generated-tests/a.spec.ts';
const writes = [{ counter: 'writes', window: 'minute', max: 5, scope: 'grant' }] as const;

function open(settings: Settings = {}) {
  const root = test.info().outputPath('workspace');
  const guard = openGuard(root, settings);
  const output = path.join(root, 'generated-tests');
  return {
    root,
    guard,
    output,
    file: path.join(output, 'a.spec.ts'),
    write: (body: string, onConflict: OnConflict = 'fail', dryRun = false) =>
      guard.write({ files: [{ file: 'a.spec.ts', content: emitted(body) }], onConflict, dryRun }),
  };
}

test('creates a file with its header, and reports it', async () => {
  const { write, file, output } = open();
  const [result] = await write('body\n');
  const text = withHeader(relative, 'body\n');
  expect(await readFile(file, 'utf8')).toBe(text);
  expect(result).toEqual({
    path: relative,
    absolutePath: file,
    bytes: Buffer.byteLength(text),
    sha256: sha256(text),
    sha256Before: undefined,
    change: 'created',
  });
  expect(await readdir(output)).toEqual(['a.spec.ts']);
});

test('identical bytes are left alone and cost no quota', async () => {
  const { write, file, guard } = open({ limits: [...writes] });
  await write('body');
  const before = await stat(file);
  for (const onConflict of ['fail', 'rename', 'overwrite'] as const) {
    expect(await write('body', onConflict)).toMatchObject([{ path: relative, change: 'unchanged' }]);
  }
  expect((await stat(file)).mtimeMs).toBe(before.mtimeMs);
  expect((await guard.left('end')).remaining).toEqual({ writes: 4 });
});

const untouched = withHeader(relative, 'old');
const standing = {
  foreign: '// mine\n',
  empty: '',
  untouched,
  'untouched with CRLF': untouched.replaceAll('\n', '\r\n'),
  edited: `${untouched}edited`,
};
for (const [overwrite, kind, onConflict, outcome] of [
  ['generated', 'foreign', 'fail', 'FILE_EXISTS'],
  ['generated', 'untouched', 'fail', 'FILE_EXISTS'],
  ['generated', 'edited', 'fail', 'FILE_CHANGED'],
  ['never', 'untouched', 'overwrite', 'FILE_EXISTS'],
  ['never', 'foreign', 'overwrite', 'FILE_EXISTS'],
  ['never', 'edited', 'overwrite', 'FILE_CHANGED'],
  ['generated', 'untouched', 'overwrite', 'replaced'],
  ['generated', 'untouched with CRLF', 'overwrite', 'replaced'],
  ['generated', 'foreign', 'overwrite', 'FILE_EXISTS'],
  ['generated', 'edited', 'overwrite', 'FILE_CHANGED'],
  ['generated', 'empty', 'overwrite', 'FILE_EXISTS'],
  ['always', 'foreign', 'overwrite', 'replaced'],
  ['always', 'edited', 'overwrite', 'replaced'],
  ['always', 'edited', 'fail', 'FILE_CHANGED'],
  ['always', 'foreign', 'fail', 'FILE_EXISTS'],
] as const) {
  test(`${onConflict} over a file that is ${kind}, configured ${overwrite}: ${outcome}`, async () => {
    const { write, file, output, root } = open({ overwrite });
    await mkdir(output, { recursive: true });
    await writeFile(file, standing[kind]);
    const backups = path.join(root, '.codegen', 'backups');
    if (outcome === 'replaced') {
      expect(await write('new', onConflict)).toMatchObject([
        { change: 'replaced', sha256Before: sha256(standing[kind]) },
      ]);
      expect(await readFile(file, 'utf8')).toBe(withHeader(relative, 'new'));
      const kept = (await readdir(backups)).map((name) => readFileSync(path.join(backups, name), 'utf8'));
      expect(kept).toEqual([standing[kind]]);
    } else {
      expect(await outcomeOf(write('new', onConflict))).toBe(outcome);
      expect(await readFile(file, 'utf8')).toBe(standing[kind]);
    }
    expect(await readdir(output)).toEqual(['a.spec.ts']);
  });
}

test('the hint names an onConflict only if it would work', async () => {
  const { write, file } = open();
  await write('one');
  await expect(write('two')).rejects.toMatchObject({ hint: expect.stringContaining('"overwrite"') });
  await writeFile(file, standing.foreign);
  await expect(write('two')).rejects.toMatchObject({ hint: expect.not.stringContaining('"overwrite"') });
});

test('rename takes the next free name, and the header follows it', async () => {
  const { write, output, guard } = open();
  await write('one');
  await write('two', 'rename');
  const [third] = await write('three', 'rename');
  expect(third).toMatchObject({ path: 'generated-tests/a-3.spec.ts', change: 'created' });
  expect(await readFile(path.join(output, 'a-3.spec.ts'), 'utf8')).toBe(
    withHeader('generated-tests/a-3.spec.ts', 'three'),
  );
  await guard.write({
    files: [{ file: 'a-3.spec.ts', content: emitted('four') }],
    onConflict: 'overwrite',
  });
});

test('a dry run checks everything and changes nothing', async () => {
  const { write, root, file, guard } = open({ limits: [...writes] });
  expect(await write('body', 'fail', true)).toMatchObject([{ path: relative, change: 'created' }]);
  expect(await readdir(root)).toEqual([]);
  await write('body');
  expect(await outcomeOf(write('other', 'fail', true))).toBe('FILE_EXISTS');
  expect(await write('other', 'overwrite', true)).toMatchObject([{ change: 'replaced' }]);
  expect(await readFile(file, 'utf8')).toBe(withHeader(relative, 'body'));
  expect((await guard.left('end')).remaining).toEqual({ writes: 4 });
});

test('sizes and numbers are bounded', async () => {
  const { guard, write, root } = open({ maxFileBytes: 200 });
  expect(await outcomeOf(write('é'.repeat(100)))).toBe('FILE_TOO_LARGE');
  const files = ['a', 'b', 'c', 'd'].map((name) => ({ file: `${name}.spec.ts`, content: emitted('') }));
  expect(await outcomeOf(guard.write({ files, onConflict: 'fail' }))).toBe('QUOTA_EXCEEDED');
  expect(await readdir(root)).toEqual([]);
});

test('write limits count changed files, and return if a write fails', async () => {
  const { guard, write, output } = open({ limits: [{ ...writes[0], max: 2 }] });
  const both = ['a', 'b'].map((name) => ({ file: `${name}.spec.ts`, content: emitted('') }));
  const three = [...both, { file: 'c.spec.ts', content: emitted('') }];
  await expect(guard.write({ files: three, onConflict: 'fail' })).rejects.toMatchObject({
    code: 'RATE_LIMITED',
    retryAfterMs: undefined,
  });
  await writeFile(output, 'a file');
  expect(await outcomeOf(write(''))).toBe('WRITE_FAILED');
  await rm(output);
  await guard.write({ files: both, onConflict: 'fail' });
  await expect(write('new', 'overwrite')).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  expect((await guard.left('end')).remaining).toEqual({ writes: 0 });
});

test('an output directory that is a file is reported plainly, and stays', async () => {
  const { write, output } = open();
  await writeFile(output, 'mine');
  await expect(write('body')).rejects.toMatchObject({
    code: 'WRITE_FAILED',
    message: "The output can't be written: a file is where a directory should be.",
    hint: 'Move that file, or set another output directory.',
  });
  expect(await readFile(output, 'utf8')).toBe('mine');
});

test('of several files all are written, or none', async () => {
  const { root, output, guard, file, write } = open();
  await write('old');
  await writeFile(path.join(output, 'blocked'), 'a file');
  const before = await readdir(output);
  const failing = guard.write({
    files: [
      { file: 'a.spec.ts', content: emitted('new') },
      { file: 'deep/er/b.spec.ts', content: emitted('b') },
      { file: 'blocked/c.spec.ts', content: emitted('c') },
    ],
    onConflict: 'overwrite',
  });
  await expect(failing).rejects.toMatchObject({ code: 'WRITE_FAILED' });
  expect(await readdir(output)).toEqual(before);
  expect(await readFile(file, 'utf8')).toBe(withHeader(relative, 'old'));
  expect(existsSync(path.join(root, '.codegen', 'backups'))).toBe(false);
});

test('replaced and created files are rolled back if a later file fails', async () => {
  const { output, file, write, root } = open();
  await write('old');
  const intruder = path.join(output, 'z.spec.ts');
  const writing = writeWith(root, {
    files: ['a.spec.ts', 'new/b.spec.ts', 'z.spec.ts'].map((name) => ({
      target: target(name),
      content: emitted('new'),
    })),
    onConflict: 'overwrite',
    between: () => {
      writeFileSync(intruder, 'editor');
    },
  });
  await expect(writing).rejects.toMatchObject({ code: 'FILE_CHANGED' });
  expect(await readFile(file, 'utf8')).toBe(withHeader(relative, 'old'));
  expect((await readdir(output)).sort()).toEqual(['a.spec.ts', 'z.spec.ts']);
  expect(await readFile(intruder, 'utf8')).toBe('editor');
  expect(await listBackups(path.join(root, '.codegen'))).toEqual([]);
});

for (const { name, before, onConflict, code } of [
  { name: 'over the file to replace', before: 'old', onConflict: 'overwrite', code: 'FILE_CHANGED' },
  {
    name: 'under the name to create, with overwrite',
    before: undefined,
    onConflict: 'overwrite',
    code: 'FILE_CHANGED',
  },
  {
    name: 'under the name to create, with fail',
    before: undefined,
    onConflict: 'fail',
    code: 'FILE_EXISTS',
  },
] as const) {
  test(`an editor that saves in between ${name} wins`, async () => {
    const { output, file, write, root } = open();
    await mkdir(output, { recursive: true });
    if (before) await write(before);
    const writing = writeWith(root, {
      files: [{ target: target('a.spec.ts'), content: emitted('new') }],
      onConflict,
      between: () => {
        writeFileSync(file, 'editor');
      },
    });
    await expect(writing).rejects.toMatchObject({ code });
    expect(await readFile(file, 'utf8')).toBe('editor');
    expect(await readdir(output)).toEqual(['a.spec.ts']);
  });
}

test('a plan shows what would change, and is carried out only when it is confirmed', async () => {
  const { file, write, root } = open();
  await write('old');
  const seen: string[] = [];
  const writing = writeWith(root, {
    files: [{ target: target('a.spec.ts'), content: emitted('new') }],
    onConflict: 'overwrite',
    confirm: ([plan]) => {
      seen.push(String(plan?.before?.data), String(plan?.data));
      return Promise.reject(new Error('declined'));
    },
  });
  await expect(writing).rejects.toThrow('declined');
  expect(seen).toEqual(['old', 'new'].map((body) => withHeader(relative, body)));
  expect(await readFile(file, 'utf8')).toBe(seen[0]);
});

test('a file that was removed meanwhile is not created again', async () => {
  const { file, write, root, output } = open();
  await write('old');
  const writing = writeWith(root, {
    files: [{ target: target('a.spec.ts'), content: emitted('new') }],
    onConflict: 'overwrite',
    between: () => rm(file),
  });
  await expect(writing).rejects.toMatchObject({ code: 'FILE_CHANGED' });
  expect(await readdir(output)).toEqual([]);
});

test('a replaced file keeps its permissions', async () => {
  const { write, file, output } = open();
  await mkdir(output);
  await writeFile(file, untouched, { mode: 0o600 });
  await write('new', 'overwrite');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

for (const { name, patch } of [
  { name: 'without hard links', patch: { link: () => failure('EPERM') } },
  { name: 'where backups are on another disk', patch: { rename: acrossDisks } },
]) {
  test(`a file system ${name} makes no difference`, async () => {
    const { write, file, output, root } = open();
    const original = { ...promises };
    Object.assign(promises, patch);
    syncBuiltinESMExports();
    try {
      await write('one');
      expect(await outcomeOf(write('two'))).toBe('FILE_EXISTS');
      await write('two', 'overwrite');
      await write('three', 'rename');
    } finally {
      Object.assign(promises, original);
      syncBuiltinESMExports();
    }
    expect(await readFile(file, 'utf8')).toBe(withHeader(relative, 'two'));
    expect((await readdir(output)).sort()).toEqual(['a-2.spec.ts', 'a.spec.ts']);
    const backups = path.join(root, '.codegen', 'backups');
    const kept = (await readdir(backups)).map((backup) => readFileSync(path.join(backups, backup), 'utf8'));
    expect(kept).toEqual([withHeader(relative, 'one')]);
  });
}

test('a full disk leaves everything as it was', async () => {
  const script = await bundleWorker(test.info().outputPath());
  const root = test.info().outputPath('disk');
  mkdirSync(root);
  const small = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'tmpfs', root]).status === 0;
  try {
    // Who may not mount a small disk limits the size of files, which fails a write half-way just the same.
    const worker = `${small ? '' : 'ulimit -f 64;'} exec "$0" "$1"`;
    const input = [
      { file: 'small.spec.ts', body: 'small' },
      { file: 'new/large.spec.ts', body: 'x'.repeat(200_000) },
      { file: 'after.spec.ts', body: 'small' },
    ].map((request) => JSON.stringify({ workspace: root, limits: writes, ...request }));
    const { stdout } = spawnSync('bash', ['-c', worker, process.execPath, script], {
      input: input.join('\n'),
      encoding: 'utf8',
    });
    expect(stdout.trim().split('\n')).toEqual(['ready', 'created 4', 'WRITE_FAILED 4', 'created 3']);
    expect(readdirSync(path.join(root, 'generated-tests')).sort()).toEqual([
      'after.spec.ts',
      'small.spec.ts',
    ]);
  } finally {
    if (small) spawnSync('umount', [root]);
  }
});

/** A checked path in the output directory of a test's workspace. */
function target(name: string): CheckedPath {
  const relative = path.posix.join('generated-tests', name);
  return {
    absolute: test.info().outputPath('workspace', relative),
    relative,
    directory: path.posix.dirname(relative).split('/'),
  };
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

function failure(code: string): Promise<never> {
  return Promise.reject(Object.assign(new Error(code), { code, errno: -1 }));
}

/** `rename` that fails between directories, as it does between disks. */
const { rename } = promises;
function acrossDisks(from: string, to: string): Promise<void> {
  return path.dirname(from) === path.dirname(to) ? rename(from, to) : failure('EXDEV');
}

/** Writes past the guard, with `between` happening after everything was inspected and before anything is written. */
function writeWith(
  root: string,
  request: Pick<Parameters<typeof writeFiles>[1], 'onConflict' | 'confirm'> & {
    files: Parameters<typeof writeFiles>[0];
    between?: () => Promise<void> | void;
  },
) {
  return writeFiles(request.files, {
    territory: { workspace: root, stateDirectory: path.join(root, '.codegen') },
    backups: { maxFiles: 10, maxAgeDays: 1 },
    allow: () => Promise.resolve(),
    ...request,
    overwrite: 'always',
    maxFileBytes: 1_000,
    dryRun: false,
    check: () => Promise.reject(new Error('nothing is renamed here')),
    reserve: async () => {
      await request.between?.();
      return { release: () => Promise.resolve() };
    },
  });
}
