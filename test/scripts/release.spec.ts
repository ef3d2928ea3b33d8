import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { notesOf, released } from '../../scripts/changelog.js';
import { expect, test } from '../fixtures.js';

const changelog =
  '# Changelog\n\n## Unreleased\n\n### Added\n\n- This.\n\n## 0.1.0 - 2026-01-01\n\n- That.\n';

test('a release takes what is unreleased, and its notes are that part', () => {
  const next = released(changelog, '0.2.0', '2026-12-01');
  expect(next).toContain('## Unreleased\n\n## 0.2.0 - 2026-12-01\n\n### Added\n\n- This.\n\n## 0.1.0');
  expect(notesOf(next, '0.2.0')).toBe('### Added\n\n- This.');
  expect(notesOf(next, '0.1.0')).toBe('- That.');
  expect(() => released(next, '0.3.0', '2026-12-02')).toThrow('nothing under "## Unreleased"');
  expect(() => notesOf(next, '0.2')).toThrow('nothing');
});

test('`npm run release` sets the version everywhere, commits and tags', async () => {
  const directory = test.info().outputPath('repository');
  await mkdir(directory);
  const names = [
    'package.json',
    'package-lock.json',
    'CHANGELOG.md',
    'tsconfig.json',
    '.prettierrc.json',
    '.gitignore',
    'server.json',
    'gemini-extension.json',
  ];
  for (const name of [...names, 'docs', 'scripts', 'src', 'schema', '.claude-plugin', '.cursor-plugin'])
    await cp(name, path.join(directory, name), { recursive: true });
  await symlink(path.resolve('node_modules'), path.join(directory, 'node_modules'), 'junction');
  const run = (command: string, ...args: string[]): Promise<{ stdout: string }> =>
    promisify(execFile)(command, args, { cwd: directory });
  const git = (...args: string[]): Promise<{ stdout: string }> =>
    run('git', '-c', 'user.name=Test', '-c', 'user.email=test@example.com', ...args);
  await git('init', '--quiet');
  await git('config', 'user.name', 'Test');
  await git('config', 'user.email', 'test@example.com');
  await git('config', 'core.excludesFile', '');
  await writeFile(path.join(directory, '.git/info/exclude'), 'node_modules\n');
  await git('add', '--all');
  await git('commit', '--quiet', '--message', 'start');
  const release = (argument: string): Promise<{ stdout: string }> =>
    run(process.execPath, '--import', 'tsx', 'scripts/release.ts', argument);

  await expect(release('sometime')).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Usage'),
  });
  await expect(release('minor')).rejects.toMatchObject({
    stderr: expect.stringContaining('no `repository`'),
  });
  const manifestFile = path.join(directory, 'package.json');
  const manifest = z
    .looseObject({ version: z.string() })
    .parse(JSON.parse(await readFile(manifestFile, 'utf8')));
  await writeFile(manifestFile, `${JSON.stringify({ ...manifest, repository: 'github:a/b' }, null, 2)}\n`);
  await expect(release('minor')).rejects.toMatchObject({ stderr: expect.stringContaining('has changes') });
  await git('commit', '--quiet', '--all', '--message', 'repository');

  const [major, minor] = manifest.version.split('.');
  const next = `${major}.${Number(minor) + 1}.0`;
  expect((await release('minor')).stdout).toContain(`Tagged v${next}`);
  for (const file of ['package.json', 'server.json', 'gemini-extension.json', '.claude-plugin/plugin.json'])
    expect(JSON.parse(await readFile(path.join(directory, file), 'utf8')), file).toMatchObject({
      version: next,
    });
  expect((await git('tag', '--list')).stdout.trim()).toBe(`v${next}`);
  expect((await git('status', '--porcelain')).stdout).toBe('');
  expect(await readFile(path.join(directory, 'CHANGELOG.md'), 'utf8')).toContain(`\n## ${next} - 20`);
  expect((await run(process.execPath, '--import', 'tsx', 'scripts/release.ts', '--notes')).stdout).toContain(
    '### Added',
  );
});
