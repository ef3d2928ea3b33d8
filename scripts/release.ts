import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { notesOf, released } from './changelog.js';
import { npm } from './npm.js';

// `npm run release -- minor` prepares a release: version, changelog, manifests, commit and tag. It pushes nothing.
// `tsx scripts/release.ts --notes` prints the notes of the current version.
const root = fileURLToPath(new URL('..', import.meta.url));
const changelogFile = `${root}/CHANGELOG.md`;
const [argument = ''] = process.argv.slice(2);

if (argument === '--notes') console.log(notesOf(readFileSync(changelogFile, 'utf8'), manifest().version));
else if (/^(?:patch|minor|major|\d+\.\d+\.\d+(?:-[\w.]+)?)$/.test(argument)) release(argument);
else fail('Usage: npm run release -- <patch | minor | major | version>');

function release(increment: string): void {
  if (git('status', '--porcelain') !== '') fail('The working tree has changes: commit or stash them first.');
  if (manifest().repository === undefined)
    fail('package.json has no `repository`, which npm needs for provenance: set it to this repository.');
  const changelog = readFileSync(changelogFile, 'utf8');
  notesOf(changelog, 'Unreleased');
  npm(root, 'version', '--no-git-tag-version', increment);
  const { version } = manifest();
  writeFileSync(changelogFile, released(changelog, version, new Date().toISOString().slice(0, 10)));
  // The manifests contain the version.
  npm(root, 'run', 'docs');
  git('commit', '--all', '--message', `chore: release ${version}`);
  git('tag', '--annotate', `v${version}`, '--message', `v${version}`);
  console.log(
    `Tagged v${version}. \`git push --follow-tags\` starts the release workflow, which publishes it.`,
  );
}

function manifest(): { version: string; repository?: unknown } {
  const schema = z.object({ version: z.string(), repository: z.unknown().optional() });
  return schema.parse(JSON.parse(readFileSync(`${root}/package.json`, 'utf8')));
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
