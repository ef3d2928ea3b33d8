import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from '../fixtures.js';
import { allKindsOfPage } from './flows.js';
import { recordAndRun } from './recorded.js';

test('every kind of page, recorded and run in both languages', async ({ shared, pages }) => {
  test.slow();
  const { workspace } = shared;
  await shared.configure({ verify: { mode: 'off', sensitivity: 'off' } });
  await mkdir(path.join(workspace, 'uploads'));
  await writeFile(path.join(workspace, 'uploads', 'one.txt'), 'first');
  await writeFile(path.join(workspace, 'uploads', 'two.txt'), 'second');
  await writeFile(path.join(workspace, 'uploads', 'calm.css'), 'h1 { visibility: hidden; }');
  await recordAndRun(shared, allKindsOfPage(pages.url), 'typescript');

  const artifacts = path.join(workspace, '.codegen', 'artifacts');
  expect((await readdir(artifacts)).sort()).toEqual([
    ...['button.jpg', 'invoice.pdf', 'late', 'page.png', 'print', 'report.csv'],
  ]);
  expect(await readFile(path.join(artifacts, 'report.csv'), 'utf8')).toBe('a,b\n1,2');
  expect(await readFile(path.join(artifacts, 'late', 'late.txt'), 'utf8')).toBe('late');
  expect(await readFile(path.join(artifacts, 'print', 'page.pdf'), 'latin1')).toMatch(/^%PDF/);
  expect((await stat(path.join(artifacts, 'page.png'))).size).toBeGreaterThan(1000);
});
