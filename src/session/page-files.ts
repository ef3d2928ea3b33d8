import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { OwnPage } from '../codegen/own-pages.js';
import type { ExistingPage } from '../codegen/page-shelf.js';
import { parsePage } from '../codegen/page-object.js';
import { inspect } from '../model/header.js';

/** A page object on the disk, with its whole text. */
export interface PageFile extends ExistingPage {
  text: string;
}

export interface SpecPath {
  absolute: string;
  /** Relative to the workspace, with forward slashes. */
  relative: string;
}

/** The directory of page objects, beside the specs that use them. */
export const pagesDirectory = 'pages';

/** Files and bytes of page objects that are read. */
const maxFiles = 200;
const maxBytes = 262_144;

/** The page objects that a person wrote in a directory of the workspace, and what can't be read. */
export async function readOwnPageFiles(
  workspace: string,
  directory: string,
): Promise<{ pages: OwnPage[]; warnings: string[] }> {
  const { readOwnPages } = await import('../codegen/own-pages.js');
  const root = path.resolve(workspace, directory);
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries
    .filter((entry) => entry.isFile() && /(?<!\.(?:spec|test|setup|d))\.[cm]?[jt]s$/.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => !file.includes('node_modules'))
    .sort()
    .slice(0, maxFiles);
  const found: { pages: OwnPage[]; warnings: string[] } = { pages: [], warnings: [] };
  for (const file of files) {
    const text = await readFile(file, 'utf8');
    // A page object that this tool emitted belongs to the template.
    const relative = path.relative(workspace, file).split(path.sep).join('/');
    if (text.length > maxBytes || inspect(relative, text) === 'untouched') continue;
    const { pages, problem } = readOwnPages(relative, text);
    found.pages.push(...pages);
    if (problem !== undefined)
      found.warnings.push(
        `${relative} does not compile, so the test does not use it: ${problem} Correct the file to use its page objects.`,
      );
  }
  return found;
}

/** The page objects beside a spec, by their names without extension. */
export async function readPageFiles(spec: SpecPath): Promise<Map<string, PageFile>> {
  const directory = path.join(path.dirname(spec.absolute), pagesDirectory);
  const extension = path.extname(spec.absolute);
  const files = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const pages = files
    .filter((file) => file.isFile() && /-page\.[jt]sx?$/i.test(file.name))
    .map(async ({ name }) => {
      const text = await readFile(path.join(directory, name), 'utf8');
      const relative = path.posix.join(path.posix.dirname(spec.relative), pagesDirectory, name);
      const origin = inspect(relative, text);
      const isOurs = path.extname(name) === extension && origin !== 'foreign';
      const page = isOurs ? await parsePage(text.replace(/^.*\n/, '')) : undefined;
      const file: PageFile = { text, page, isUntouched: origin === 'untouched' };
      return [path.parse(name).name.toLowerCase(), file] as const;
    });
  return new Map(await Promise.all(pages));
}
