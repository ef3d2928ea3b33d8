import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { ExistingPage } from '../codegen/page-shelf.js';
import { parsePage } from '../codegen/page-object.js';
import { inspect } from '../model/header.js';

/** A page object on the disk, with its whole text. */
export interface PageFile extends ExistingPage {
  text: string;
}

/** The path of a spec. */
export interface SpecPath {
  absolute: string;
  /** Relative to the workspace, with forward slashes. */
  relative: string;
}

/** The directory of page objects, beside the specs that use them. */
export const pagesDirectory = 'pages';

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
