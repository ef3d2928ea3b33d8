import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { inspect } from '../model/header.js';
import { isInside } from '../model/paths.js';
import { cachedText } from '../verify/cached-text.js';
import { specsIn } from '../verify/common-test-module.js';
import { importedFile } from './own-modules.js';

/** A module of the workspace that specs of the project import. */
export interface SpecModule {
  /** Relative to the workspace, with forward slashes. */
  file: string;
  /** What they call it, if that is a path alias. */
  alias?: string | undefined;
}

/** Maximum number of modules. */
const maxModules = 30;

/** The modules that the specs in a directory import, sorted by how many do. Emitted specs don't count. */
export async function importedBySpecs(workspace: string, testDir: string): Promise<SpecModule[]> {
  const root = await realpath(workspace);
  const nameOf = (file: string): string => path.relative(root, file).split(path.sep).join('/');
  const files = new Map<string, Promise<string | undefined>>();
  const counts = new Map<string, { alias: string | undefined; specs: number }>();
  for (const spec of await specsIn(testDir)) {
    const text = (await cachedText(spec)) ?? '';
    if (inspect('', text) !== 'foreign') continue;
    for (const [, from = ''] of text.matchAll(/(?:\bfrom\s*|\brequire\(\s*)["']([^"'\n]+)["']/g)) {
      const key = JSON.stringify([path.dirname(spec), from]);
      const found = files.get(key) ?? importedFile(from, spec);
      files.set(key, found);
      const file = await found;
      const isOwn = file !== undefined && isInside(root, file) && !/node_modules|[\\/]\./.test(nameOf(file));
      if (!isOwn || !/\.[cm]?[jt]s$/.test(file)) continue;
      const alias = from.startsWith('.') ? undefined : from;
      const { specs } = counts.get(file) ?? { specs: 0 };
      counts.set(file, { alias: counts.get(file)?.alias ?? alias, specs: specs + 1 });
    }
  }
  return [...counts]
    .sort(([, one], [, other]) => other.specs - one.specs)
    .slice(0, maxModules)
    .map(([file, { alias }]) => ({ file: nameOf(file), ...(alias !== undefined && { alias }) }));
}
