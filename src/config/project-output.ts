import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { isInside } from '../model/paths.js';
import type { Config } from './schema.js';

const maxDirectories = 200;

type Output = Pick<Config['output'], 'dir' | 'language'>;

/**
 * Where a project has its tests, and in which language, as far as the text of its Playwright configuration says so: a
 * server that is not configured writes there, or in what contains those of its projects. Undefined if `testDir` is
 * computed, or is the workspace.
 */
export async function projectOutput(workspace: string, configText: string): Promise<Output | undefined> {
  const text = configText.replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, '');
  const names = text.match(/\btestDir\b/g) ?? [];
  const literals = [...text.matchAll(/\btestDir["']?\s*:\s*(["'])(.*?)\1/g)].map(([, , value = '']) => value);
  const directories = [...new Set(literals.map((each) => path.resolve(workspace, each)))];
  // One that only projects have may be that of a setup project.
  const isOfAll = !text.slice(0, text.search(/\btestDir\b/)).includes('projects:') || directories.length > 1;
  if (!isOfAll || names.length !== literals.length) return undefined;
  const directory = directories.reduce(common, directories[0] ?? workspace);
  const dir = path.relative(workspace, directory).split(path.sep).join('/');
  const isHidden = dir.split('/').some((name) => name.startsWith('.') || name === 'node_modules');
  if (dir === '' || isHidden || !isInside(workspace, directory)) return undefined;
  return { dir, language: await languageOf(directory) };
}

/** The innermost directory that contains both. */
function common(one: string, other: string): string {
  return isInside(one, other) ? one : common(path.dirname(one), other);
}

/** JavaScript if all specs in a directory are. */
async function languageOf(directory: string): Promise<Output['language']> {
  const directories = [directory];
  let hasScripts = false;
  for (const each of directories) {
    const entries = await readdir(each, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      if (entry.isDirectory() && !/^(?:\.|node_modules$)/.test(entry.name))
        directories.push(path.join(each, entry.name));
      if (/\.(?:spec|test)\.[cm]?tsx?$/.test(entry.name)) return 'typescript';
      hasScripts ||= /\.(?:spec|test)\.[cm]?jsx?$/.test(entry.name);
    }
    if (directories.length > maxDirectories) break;
  }
  return hasScripts ? 'javascript' : 'typescript';
}
