import { realpath } from 'node:fs/promises';
import path from 'node:path';
import type { LoadModule } from '../codegen/own-pages.js';
import { isInside } from '../model/paths.js';
import { cachedText } from '../verify/cached-text.js';
import { aliased, existing } from '../verify/test-module.js';

/** The file that a module imports; undefined for a package. */
export async function importedFile(from: string, importer: string): Promise<string | undefined> {
  const directory = path.dirname(importer);
  return from.startsWith('.') ? existing(path.resolve(directory, from)) : aliased(directory, from);
}

/** Reads what modules of a workspace import from one another. */
export function moduleLoader(workspace: string): LoadModule {
  return async (from, importer) => {
    const file = await importedFile(from, path.resolve(workspace, importer));
    const isOwn = file !== undefined && isInside(await realpath(workspace), file);
    const text = isOwn ? await cachedText(file) : undefined;
    return file === undefined || text === undefined ? undefined : { file, text };
  };
}
