import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { OwnStart } from '../codegen/own-fixtures.js';
import type { OwnPage, readOwnPages } from '../codegen/own-pages.js';
import type { ExistingPage } from '../codegen/page-shelf.js';
import { parsePage } from '../codegen/page-object.js';
import { warningOf } from '../model/errors.js';
import { inspect } from '../model/header.js';
import { cachedText } from '../verify/cached-text.js';
import { moduleLoader } from './own-modules.js';
import type { SpecModule } from './spec-imports.js';

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

/** Maximum number of files that are read. */
const maxFiles = 200;

/** The page objects of each file, for the latest texts of it and of the modules with its superclasses. */
const parsed = new Map<
  string,
  { texts: ReadonlyMap<string, string>; pages: Awaited<ReturnType<typeof readOwnPages>> }
>();

/** The page objects that a person wrote, what fixtures do to the page of every test, and what can't be read. */
export interface OwnPages {
  pages: OwnPage[];
  starts?: OwnStart[];
  warnings: string[];
}

/** The page objects that a person wrote in a directory of the workspace, or in modules that specs import, and what can't be read. */
export async function readOwnPageFiles(
  workspace: string,
  directory: string | undefined,
  modules: readonly SpecModule[] = [],
): Promise<OwnPages> {
  const aliases = new Map(modules.map(({ file, alias }) => [path.resolve(workspace, file), alias]));
  const root = path.resolve(workspace, directory ?? '');
  const entries =
    directory === undefined
      ? []
      : await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
  const inDirectory = entries
    .filter((entry) => entry.isFile() && /(?<!\.(?:spec|test|setup|d))\.[cm]?[jt]s$/.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => !file.includes('node_modules'));
  const files = [...new Set([...inDirectory, ...aliases.keys()])].sort().slice(0, maxFiles);
  const found: OwnPages = { pages: [], warnings: [] };
  for (const file of files) {
    const text = await cachedText(file);
    // A page object that this tool emitted belongs to the template.
    const relative = path.relative(workspace, file).split(path.sep).join('/');
    if (text === undefined || inspect(relative, text) === 'untouched') continue;
    const read = await readOwnPageFile(workspace, { file, relative, text });
    const alias = aliases.get(file);
    found.pages.push(...read.pages.map((page) => ({ ...page, ...(alias !== undefined && { alias }) })));
    if (read.problem !== undefined)
      found.warnings.push(
        warningOf(
          'INVALID_INPUT',
          `${relative} does not compile, so the test uses none of its page objects: ${read.problem}`,
          'Correct the file; nothing has to be recorded again.',
        ),
      );
  }
  return found;
}

async function readOwnPageFile(
  workspace: string,
  { file, relative, text }: { file: string; relative: string; text: string },
): ReturnType<typeof readOwnPages> {
  const { readOwnPages: read } = await import('../codegen/own-pages.js');
  const known = parsed.get(file);
  const changes = [...(known?.texts ?? [])].map(async ([each, old]) => (await cachedText(each)) !== old);
  if (known !== undefined && !(await Promise.all(changes)).includes(true)) return known.pages;
  const texts = new Map([[file, text]]);
  const load = moduleLoader(workspace);
  const pages = await read(relative, text, async (...module) => {
    const found = await load(...module);
    if (found !== undefined) texts.set(found.file, found.text);
    return found;
  });
  if (parsed.size >= maxFiles) parsed.clear();
  parsed.set(file, { texts, pages });
  return pages;
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
