import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { artifactBytes } from '../../src/model/artifact.js';
import { emitted, openGuard, outcomeOf } from './workspace.js';
import { expect, test } from '../fixtures.js';

const data = Buffer.from('data');

function workspaceOf(): string {
  return test.info().outputPath('workspace');
}

test('artifacts land in their own directory, with either path, and replace earlier ones', async () => {
  const workspace = workspaceOf();
  const guard = openGuard(workspace);
  for (const [file, change] of [
    ['page.png', 'created'],
    ['.codegen/artifacts/page.png', 'unchanged'],
    ['deep/er/REPORT.CSV', 'created'],
  ] as const) {
    const [written] = await guard.writeArtifact(file, data, {});
    const relative = `.codegen/artifacts/${file.replace('.codegen/artifacts/', '')}`;
    expect(written).toMatchObject({
      path: relative,
      absolutePath: path.join(workspace, relative),
      change,
    });
  }
  const [replaced] = await guard.writeArtifact('page.png', Buffer.from('new'), {});
  expect(replaced?.change).toBe('replaced');
  expect(await readFile(path.join(workspace, '.codegen/artifacts/page.png'), 'utf8')).toBe('new');
});

test('artifacts are rejected outside their directory, with other extensions, and above the size limit', async () => {
  const workspace = workspaceOf();
  const outside = test.info().outputPath('outside');
  const guard = openGuard(workspace);
  await guard.writeArtifact('a.png', data, {});
  await mkdir(outside);
  await symlink(outside, path.join(workspace, '.codegen/artifacts/link'));
  await symlink(path.join(outside, 'b.png'), path.join(workspace, '.codegen/artifacts/b.png'));
  for (const file of [
    ...['../a.png', '../state/a.json', '.codegen/artifacts/../a.json', '.codegen/audit.jsonl', '/tmp/a.png'],
    ...[
      '.hidden.png',
      'link/a.png',
      'b.png',
      'A.png',
      'a',
      'a.html',
      'a.js',
      'a.png.exe',
      'a.svg',
      'con.png',
    ],
  ])
    expect(await outcomeOf(guard.writeArtifact(file, data, {})), file).toBe('PATH_NOT_ALLOWED');
  const tooLarge = Buffer.alloc(artifactBytes + 1);
  expect(await outcomeOf(guard.writeArtifact('large.png', tooLarge, {}))).toBe('FILE_TOO_LARGE');
});

test('a directory of artifacts that is a link is not written to', async () => {
  const workspace = workspaceOf();
  const outside = test.info().outputPath('outside');
  const guard = openGuard(workspace);
  await mkdir(path.join(workspace, '.codegen'), { recursive: true });
  await mkdir(outside);
  await symlink(outside, path.join(workspace, '.codegen/artifacts'));
  expect(await outcomeOf(guard.writeArtifact('a.png', data, {}))).toBe('PATH_NOT_ALLOWED');
});

test('an artifact counts as a write', async () => {
  const limit = { counter: 'writes', window: 'minute', max: 1, scope: 'grant' } as const;
  const guard = openGuard(workspaceOf(), { limits: [limit] });
  await guard.writeArtifact('a.png', data, {});
  expect(await outcomeOf(guard.writeArtifact('b.png', data, {}))).toBe('RATE_LIMITED');
});

test('a page gets only existing files in the workspace that are not hidden', async () => {
  const workspace = workspaceOf();
  const guard = openGuard(workspace);
  await mkdir(path.join(workspace, 'uploads/inner'), { recursive: true });
  await writeFile(path.join(workspace, 'uploads/a.txt'), 'a');
  await writeFile(path.join(workspace, '.env'), 'secret');
  await writeFile(test.info().outputPath('outside.txt'), 'outside');
  await symlink(test.info().outputPath('outside.txt'), path.join(workspace, 'uploads/link.txt'));
  await symlink(path.join(workspace, '.env'), path.join(workspace, 'uploads/env.txt'));
  expect((await guard.checkReadable('uploads/a.txt')).absolute).toBe(path.join(workspace, 'uploads/a.txt'));
  for (const file of ['../outside.txt', 'uploads/link.txt', 'uploads/env.txt', '.env', '/etc/passwd'])
    expect(await outcomeOf(guard.checkReadable(file)), file).toBe('PATH_NOT_ALLOWED');
  for (const file of ['uploads/none.txt', 'uploads/inner', 'uploads/a.txt/b'])
    expect(await outcomeOf(guard.checkReadable(file)), file).toBe('INVALID_INPUT');
});

test('pictures are written with the test that compares with them, and never over others', async () => {
  const workspace = workspaceOf();
  const guard = openGuard(workspace);
  const picture = 'generated-tests/a.spec.ts-snapshots/a-linux.png';
  const write = (file: string, bytes: Buffer) =>
    guard.write({
      files: [{ file: 'a.spec.ts', content: emitted('x') }],
      attachments: [{ path: file, data: bytes }],
      onConflict: 'overwrite',
    });
  const large = Buffer.alloc(300_000);
  expect((await write(picture, large)).map((each) => each.path)).toEqual([
    'generated-tests/a.spec.ts',
    picture,
  ]);
  expect(await outcomeOf(write(picture, data))).toBe('FILE_EXISTS');
  for (const file of ['../a.png', '.codegen/a.png', 'src/a.ts'])
    expect(await outcomeOf(write(file, data)), file).toBe('PATH_NOT_ALLOWED');
  expect((await readFile(path.join(workspace, picture))).equals(large)).toBe(true);
});
