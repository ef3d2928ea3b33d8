import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { configure, expect, test } from '../fixtures.js';
import { allKindsOfPage } from './flows.js';
import { recordAndRun } from './recorded.js';

test('every kind of page, recorded and run in both languages', async ({ server, pages, workspace }) => {
  test.setTimeout(300_000);
  await configure(workspace, { verify: { mode: 'off', sensitivity: 'off' } });
  await mkdir(path.join(workspace, 'uploads'));
  await writeFile(path.join(workspace, 'uploads', 'one.txt'), 'first');
  await writeFile(path.join(workspace, 'uploads', 'two.txt'), 'second');
  await recordAndRun(server, workspace, allKindsOfPage(pages.url), ['typescript', 'javascript']);

  const artifacts = path.join(workspace, '.codegen', 'artifacts');
  expect((await readdir(artifacts)).sort()).toEqual([
    ...['button.jpg', 'invoice.pdf', 'late', 'page.png', 'print', 'report.csv'],
  ]);
  expect(await readFile(path.join(artifacts, 'report.csv'), 'utf8')).toBe('a,b\n1,2');
  expect(await readFile(path.join(artifacts, 'late', 'late.txt'), 'utf8')).toBe('late');
  expect(await readFile(path.join(artifacts, 'print', 'page.pdf'), 'latin1')).toMatch(/^%PDF/);
  expect((await stat(path.join(artifacts, 'page.png'))).size).toBeGreaterThan(1000);
});
