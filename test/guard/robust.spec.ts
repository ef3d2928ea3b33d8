import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, renameSync, symlinkSync } from 'node:fs';
import promises, { link, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import { withHeader } from '../../src/model/header.js';
import { emitted, openGuard, outcomeOf } from './workspace.js';
import { expect, test } from '../fixtures.js';

const relative = 'generated-tests/a.spec.ts';

function open() {
  const root = test.info().outputPath('workspace');
  const guard = openGuard(root);
  const output = path.join(root, 'generated-tests');
  const write = (body: string, ...others: string[]) =>
    guard.write({
      files: ['a.spec.ts', ...others].map((file) => ({ file, content: emitted(body) })),
      onConflict: 'overwrite',
    });
  return { root, output, file: path.join(output, 'a.spec.ts'), write };
}

const original = { ...promises };

/** Changes file-system functions while `task` runs. */
async function withPatch<Result>(patch: object, task: () => Promise<Result>): Promise<Result> {
  Object.assign(promises, patch);
  syncBuiltinESMExports();
  try {
    return await task();
  } finally {
    Object.assign(promises, original);
    syncBuiltinESMExports();
  }
}

const withoutDescriptors = { access: () => Promise.reject(new Error('there is no /proc here')) };

test('another name of a replaced file keeps its content', async () => {
  const { write, file, root } = open();
  await write('old');
  const other = path.join(root, 'other.ts');
  await link(file, other);
  await write('new');
  expect(await readFile(other, 'utf8')).toBe(withHeader(relative, 'old'));
  expect(await readFile(file, 'utf8')).toBe(withHeader(relative, 'new'));
});

for (const [name, patch] of [
  ['through descriptors', {}],
  ['without descriptors', withoutDescriptors],
] as const) {
  test(`what stands outside is safe from directories directorySwapped for links, ${name}`, async () => {
    const { write, file, root, output } = open();
    const outside = test.info().outputPath('outside');
    const moved = path.join(root, 'moved');
    await mkdir(outside);
    await write('old');
    let links = 0;
    // When the second file is about to be put in place, the directory of both is moved and a link put there.
    const swapping = {
      ...patch,
      async link(from: string, to: string) {
        if (!to.includes('backups') && ++links === 2) {
          renameSync(output, moved);
          symlinkSync(outside, output);
        }
        await original.link(from, to);
      },
    };
    const outcome = await withPatch(swapping, () => outcomeOf(write('new', 'b.spec.ts')));
    expect(['PATH_NOT_ALLOWED', 'WRITE_FAILED', 'FILE_CHANGED']).toContain(outcome);
    expect(await readdir(outside)).toEqual([]);
    if (name === 'without descriptors') return;
    expect(outcome).toBe('PATH_NOT_ALLOWED');
    expect(await readdir(moved)).toEqual(['a.spec.ts']);
    expect(await readFile(path.join(moved, path.basename(file)), 'utf8')).toBe(withHeader(relative, 'old'));
  });

  test(`a link that is put in place after the path was checked is not followed, ${name}`, async () => {
    const { write, output, root } = open();
    const outside = test.info().outputPath('outside');
    await mkdir(outside);
    await mkdir(root, { recursive: true });
    let directorySwapped = false;
    const swapping = {
      ...patch,
      async mkdir(...args: Parameters<typeof mkdir>) {
        if (!directorySwapped && String(args[0]).endsWith('journal')) {
          directorySwapped = true;
          await symlink(outside, output);
        }
        return original.mkdir(...args);
      },
    };
    expect(await withPatch(swapping, () => outcomeOf(write('new')))).toBe('PATH_NOT_ALLOWED');
    expect(await readdir(outside)).toEqual([]);
  });

  test(`several files in several directories are written, ${name}`, async () => {
    const { write, output } = open();
    await withPatch(patch, () => write('one', 'x/b.spec.ts', 'x/y/c.spec.ts'));
    await withPatch(patch, () => write('two', 'x/b.spec.ts', 'x/y/c.spec.ts'));
    for (const file of ['a.spec.ts', 'x/b.spec.ts', 'x/y/c.spec.ts'])
      expect(await readFile(path.join(output, file), 'utf8')).toContain('two');
  });
}

test('an unwritable directory is reported plainly, and stays unchanged', async () => {
  const { write, output, file } = open();
  mkdirSync(output, { recursive: true });
  const isMounted = spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', output]).status === 0;
  try {
    await write('old');
    if (isMounted) spawnSync('mount', ['-o', 'remount,ro', output]);
    else chmodSync(output, 0o555);
    await expect(write('new', 'b.spec.ts')).rejects.toMatchObject({
      code: 'WRITE_FAILED',
      message: expect.stringMatching(/read-only|permission is denied/),
    });
    expect(await readdir(output)).toEqual(['a.spec.ts']);
    expect(await readFile(file, 'utf8')).toBe(withHeader(relative, 'old'));
    if (isMounted) spawnSync('mount', ['-o', 'remount,rw', output]);
    else chmodSync(output, 0o755);
    // The backups are on another disk now, if it could be mounted.
    expect(await write('new')).toMatchObject([{ change: 'replaced' }]);
    expect(await readdir(output)).toEqual(['a.spec.ts']);
  } finally {
    if (isMounted) spawnSync('umount', [output]);
  }
});

test('a delayed rollback happens before the next write', async () => {
  const { root, write, output, file } = open();
  await write('old');
  // The disk fails once the old file is moved aside, and does not even let it be put back.
  const failing = {
    link: () => Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO', errno: -5 })),
  };
  expect(await withPatch(failing, () => outcomeOf(write('new')))).toBe('WRITE_FAILED');
  expect(await readdir(output)).not.toContain('a.spec.ts');
  await openGuard(root).recover();
  expect(await readdir(output)).toEqual(['a.spec.ts']);
  expect(await readFile(file, 'utf8')).toBe(withHeader(relative, 'old'));
  await writeFile(file, 'mine');
  expect(await outcomeOf(write('new'))).toBe('FILE_EXISTS');
});
