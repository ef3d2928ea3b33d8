import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { listBackups, nameOfBackup } from '../../src/guard/backups.js';
import { processName } from '../../src/state/process-name.js';
import { emitted, manualClock, openGuard, outcomeOf, type Settings } from './workspace.js';
import { expect, test } from '../fixtures.js';

function open(budget: Settings['budget'], settings: Settings = {}) {
  const root = test.info().outputPath('workspace');
  const guard = openGuard(root, { budget, ...settings });
  const write = (file: string, body: string, session?: object) =>
    guard.write({
      files: [{ file, content: emitted(body) }],
      onConflict: 'overwrite',
      ...(session ? { session } : {}),
    });
  return { root, guard, write };
}

test("a session's writes are counted over all calls, and only if they were written", async () => {
  const { write, guard } = open({ maxFilesPerSession: 2, maxBytesPerSession: 500 });
  const [session, other] = [{}, {}];
  await write('a.spec.ts', 'a', session);
  await write('a.spec.ts', 'a', session);
  expect(await outcomeOf(write('../b.spec.ts', 'b', session))).toBe('PATH_NOT_ALLOWED');
  await guard.write({
    files: [{ file: 'b.spec.ts', content: emitted('b') }],
    onConflict: 'fail',
    dryRun: true,
    session,
  });
  await write('b.spec.ts', 'b', session);
  await expect(write('c.spec.ts', 'c', session)).rejects.toMatchObject({
    code: 'QUOTA_EXCEEDED',
    message: 'writes.maxFilesPerSession: a session may write 2 files; this would be 3.',
    hint: expect.stringContaining('raise the limit in the configuration'),
  });
  await write('c.spec.ts', 'c', other);
  await expect(guard.writeArtifact('shot.png', Buffer.alloc(400), other)).rejects.toMatchObject({
    code: 'QUOTA_EXCEEDED',
    message: expect.stringContaining('writes.maxBytesPerSession'),
  });
  await guard.writeArtifact('shot.png', Buffer.alloc(4), other);
  await expect(write('d.spec.ts', 'd', other)).rejects.toMatchObject({
    message: expect.stringContaining('writes.maxFilesPerSession'),
  });
  await expect(write('d.spec.ts', 'x'.repeat(600), {})).rejects.toMatchObject({
    code: 'QUOTA_EXCEEDED',
    message: expect.stringContaining('writes.maxBytesPerSession'),
  });
});

test('the daily quota of all writes returns as the day passes', async () => {
  const clock = manualClock();
  const { write } = open({ maxFilesPerDay: 2, maxBytesPerDay: 400 }, { clock });
  await write('a.spec.ts', 'a');
  clock.advance(3_600_000);
  await write('b.spec.ts', 'b');
  await expect(write('c.spec.ts', 'c')).rejects.toMatchObject({
    code: 'QUOTA_EXCEEDED',
    retryAfterMs: 23 * 3_600_000,
  });
  clock.advance(23 * 3_600_000);
  expect(await outcomeOf(write('c.spec.ts', 'x'.repeat(300)))).toBe('QUOTA_EXCEEDED');
  await write('c.spec.ts', 'c');
});

test('the output directory is filled up to its limit', async () => {
  const { root, write } = open({ maxFilesInDirectory: 2, maxBytesInDirectory: 1_000 });
  await write('deep/er/a.spec.ts', 'a');
  for (const hidden of ['.cache', 'node_modules']) {
    await mkdir(path.join(root, 'generated-tests', hidden));
    await writeFile(path.join(root, 'generated-tests', hidden, 'x'), 'x'.repeat(2_000));
  }
  await write('b.spec.ts', 'b');
  expect(await outcomeOf(write('c.spec.ts', 'c'))).toBe('QUOTA_EXCEEDED');
  expect(existsSync(path.join(root, 'generated-tests', 'c.spec.ts'))).toBe(false);
  expect(await write('b.spec.ts', 'x'.repeat(500))).toMatchObject([{ change: 'replaced' }]);
  expect(await outcomeOf(write('b.spec.ts', 'x'.repeat(900)))).toBe('QUOTA_EXCEEDED');
  expect(await write('b.spec.ts', 'smaller')).toMatchObject([{ change: 'replaced' }]);
});

test('backups keep their path, however long, and are bounded in number and age', async () => {
  const { root, write } = open({}, { backups: { maxFiles: 3, maxAgeDays: 7 } });
  const state = path.join(root, '.codegen');
  const long = `${'購入/'.repeat(20)}${'é'.repeat(100)}.spec.ts`;
  for (const body of ['one', 'two']) await write(long, body);
  const [first] = await listBackups(state);
  expect(first?.path).toBe(`generated-tests/${long}`);

  for (const body of ['1', '2', '3', '4', '5']) await write('a.spec.ts', body);
  const kept = await listBackups(state);
  expect(kept.map((each) => each.path)).toEqual(Array(3).fill('generated-tests/a.spec.ts'));
  expect(await readdir(path.join(state, 'backups'))).toHaveLength(3);

  // One grows old; another belongs to a transaction that is not finished.
  const [newest, , oldest] = kept;
  const days = (count: number) => new Date(Date.now() - count * 86_400_000);
  const aged = (time: Date, transaction: string) =>
    path.join(state, 'backups', nameOfBackup(time, transaction, 0, 'generated-tests/a.spec.ts'));
  await rename(oldest?.absolutePath ?? '', aged(days(8), 'ab'));
  await rename(newest?.absolutePath ?? '', aged(days(9), 'cd'));
  const elsewhere = processName().replace(/^\d+_\d+_\d*/, '1_1_elsewhere');
  await writeFile(path.join(state, 'journal', `cd.${elsewhere}.open`), 'being written');
  await writeFile(path.join(root, 'generated-tests', 'a.spec.ts'), emitted('6')('generated-tests/a.spec.ts'));
  await write('a.spec.ts', '7');
  const transactions = (await listBackups(state)).map(({ transaction }) => transaction);
  expect(transactions).toContain('cd');
  expect(transactions).not.toContain('ab');
});
