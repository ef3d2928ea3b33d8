import { createHash } from 'node:crypto';
import { readdir, realpath, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { cachedText } from './cached-text.js';
import { aliased, existing } from './test-module.js';

/** Maximum number of files that are tracked; a configuration that depends on more is loaded each time. */
const maxFiles = 100;

/** Files that configurations and Playwright Test read implicitly. */
const unnamed = /^(?:\.env|(?:package|[jt]sconfig[^/]*)\.json$)/;

/** String literals, and whether each one names an imported module. */
const literals = /((?:\bfrom|\bimport|\brequire)\s*\(?\s*)?(["'`])([^"'`\n]{1,300})\2/g;

/**
 * A fingerprint of the files on which a configuration depends: those that it and its imports name, and those that it may
 * read implicitly. Undefined if there are too many.
 */
export async function configState(workspace: string, configFile: string): Promise<string | undefined> {
  const names = await readdir(workspace);
  const beside = names.filter((name) => unnamed.test(name)).map((name) => path.join(workspace, name));
  const files = new Set([configFile, ...beside]);
  const states: unknown[] = [];
  for (const file of files) {
    if (files.size > maxFiles) return undefined;
    const text = await cachedText(file).catch(() => undefined);
    states.push([
      file,
      text === undefined ? await timeOf(file) : createHash('sha1').update(text).digest('hex'),
    ]);
    if (text === undefined || !/\.[cm]?[jt]sx?$/.test(file)) continue;
    for (const [, isImport, , name = ''] of text.matchAll(literals))
      for (const each of await namedFiles(name, isImport !== undefined, { file, workspace })) files.add(each);
  }
  return JSON.stringify(states);
}

/** When a file that is too large to read was changed; undefined if there is none. */
async function timeOf(file: string): Promise<number | undefined> {
  return (await stat(file).catch(() => undefined))?.mtimeMs;
}

/** The files that a string literal in `file` may refer to. */
async function namedFiles(
  name: string,
  isImport: boolean,
  { file, workspace }: { file: string; workspace: string },
): Promise<string[]> {
  const directory = path.dirname(file);
  const isPath = /[./]/.test(name);
  const found = await Promise.all([
    isPath && existing(path.resolve(directory, name)),
    isPath && directory !== workspace && existing(path.resolve(workspace, name)),
    isImport && !name.startsWith('.') && imported(file, name),
  ]);
  return found.filter((each) => typeof each === 'string');
}

/** The project file that an alias or a package name resolves to; undefined for installed packages. */
async function imported(file: string, name: string): Promise<string | undefined> {
  const found = await aliased(path.dirname(file), name);
  if (found !== undefined) return found;
  try {
    const resolved = await realpath(createRequire(file).resolve(name));
    return resolved.split(path.sep).includes('node_modules') ? undefined : resolved;
  } catch {
    return undefined;
  }
}
