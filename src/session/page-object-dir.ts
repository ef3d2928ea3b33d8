import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { inspect } from '../model/header.js';
import { isInside } from '../model/paths.js';
import { cachedText } from '../verify/cached-text.js';

/** Common names of page object directories. */
const usual = /^(?:pages?|page[-_]?objects?|page[-_]?models?|poms?)$/i;
/** Maximum numbers of files and directories that are read. */
const maxFiles = 50;
const maxDirectories = 100;

const pageClass = /\bclass\s+\w+\s*(?:extends\s+\w+\s*)?\{/;
const pageConstructor =
  /\bconstructor\s*\(\s*(?:(?:public|private|protected|readonly)\s+)*(?:\w+\s*:\s*Page\b|page\b)/;
const pageFunction =
  /\b(?:function\s+\w+\s*|const\s+\w+\s*=\s*)\(\s*(?:\w+\s*:\s*Page|page)\s*\)[^]{0,2000}?(?:\breturn\s*\{|=>\s*\(\{)/;

/** Whether a text has a class whose constructor takes a page, or a function that takes one and returns an object. */
function hasPageObject(text: string): boolean {
  const start = text.search(pageClass);
  return (start !== -1 && pageConstructor.test(text.slice(start))) || pageFunction.test(text);
}

/**
 * The directory of the page objects that the project's people wrote, relative to the workspace, and one of its files: one
 * with a usual name in the directory of tests or beside it, else any in the directory of tests.
 */
export async function findPageObjects(
  workspace: string,
  testDir: string,
): Promise<{ directory: string; file: string } | undefined> {
  const roots = [testDir, path.dirname(testDir), workspace].filter((root) => isInside(workspace, root));
  const nameOf = (place: string): string => path.relative(workspace, place).split(path.sep).join('/');
  const find = async (directory: string): Promise<string | undefined> => {
    for (const file of await filesIn(directory)) {
      const text = (await cachedText(file)) ?? '';
      if (hasPageObject(text) && inspect(nameOf(file), text) === 'foreign') return file;
    }
    return undefined;
  };
  for (const directory of await directoriesIn(roots)) {
    const file = await find(directory);
    if (file !== undefined) return { directory: nameOf(directory), file: nameOf(file) };
  }
  const file = isInside(workspace, testDir) ? await find(testDir) : undefined;
  return file === undefined ? undefined : { directory: nameOf(path.dirname(file)), file: nameOf(file) };
}

/** Directories with a usual name in these, or in what the directory of tests contains. */
async function directoriesIn([testDir = '', ...around]: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  const directories = [testDir];
  for (const directory of directories) {
    for (const name of await subdirectories(directory))
      (usual.test(name) ? found : directories).push(path.join(directory, name));
    if (directories.length > maxDirectories) break;
  }
  for (const directory of around)
    for (const name of await subdirectories(directory)) {
      const place = path.join(directory, name);
      if (usual.test(name)) found.push(place);
      // As `src/pages`; most directories of an application have no page objects.
      else
        for (const inner of await subdirectories(place))
          if (usual.test(inner)) found.push(path.join(place, inner));
    }
  return [...new Set(found)];
}

async function subdirectories(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && !/^(?:\.|node_modules$)/.test(entry.name))
    .map(({ name }) => name)
    .sort();
}

async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile() && /(?<!\.(?:spec|test|setup|d))\.[cm]?[jt]s$/.test(entry.name))
    .filter((entry) => !entry.parentPath.includes('node_modules'))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort()
    .slice(0, maxFiles);
}
