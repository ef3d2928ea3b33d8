import { realpath } from 'node:fs/promises';
import path from 'node:path';
import type { OwnFixture, OwnStart } from '../codegen/own-fixtures.js';
import type { OwnPage } from '../codegen/own-pages.js';
import type { TestModule } from '../model/emission.js';
import { isInside } from '../model/paths.js';
import { cachedText } from '../verify/cached-text.js';
import { importedFile, moduleLoader } from './own-modules.js';

/** Maximum number of modules that are read. */
const maxModules = 20;

/**
 * The page objects, each with the fixtures of the project's test function that give it to a test, and those that only
 * fixtures name; and what fixtures do to the page of every test.
 */
export async function withFixtures(
  workspace: string,
  pages: readonly OwnPage[],
  { file, test }: Pick<TestModule, 'file' | 'test'>,
): Promise<{ pages: OwnPage[]; starts: OwnStart[] }> {
  const { readFixtures } = await import('../codegen/own-fixtures.js');
  const { readOwnPages } = await import('../codegen/own-pages.js');
  const root = await realpath(workspace);
  const fixtures = new Map<string, OwnFixture[]>();
  const starts: string[][] = [];
  const options: [string, string][] = [];
  const seen = new Set<string>();
  const modules = [{ file: await realpath(file).catch(() => file), name: test }];
  for (const module of modules) {
    const text = await cachedText(module.file);
    if (text === undefined) continue;
    const found = readFixtures({ ...module, text }, seen);
    for (const { made, ...fixture } of found.fixtures) {
      const of = made.from === undefined ? module.file : await importedFile(made.from, module.file);
      if (of === undefined || !isInside(root, of)) continue;
      const key = `${path.relative(root, of).split(path.sep).join('/')}#${made.name}`;
      fixtures.set(key, [...(fixtures.get(key) ?? []), fixture]);
    }
    starts.push(...found.starts);
    options.push(...found.options);
    for (const base of found.bases) {
      const next = await importedFile(base.from, module.file);
      if (next !== undefined && isInside(root, next) && modules.length < maxModules)
        modules.push({ file: next, name: base.name });
    }
  }
  const known = new Set(pages.map((page) => page.file));
  const others = [...new Set([...fixtures.keys()].map((key) => key.slice(0, key.lastIndexOf('#'))))].filter(
    (each) => !known.has(each),
  );
  const load = moduleLoader(root);
  const named = others.map(async (each) => {
    const { pages: found } = await readOwnPages(each, (await cachedText(path.join(root, each))) ?? '', load);
    return found.filter((page) => fixtures.has(keyOf(page)));
  });
  return {
    pages: [...pages, ...(await Promise.all(named)).flat()].map((page) => {
      const own = fixtures.get(keyOf(page));
      return own === undefined ? page : { ...page, fixtures: own };
    }),
    starts: starts.map((setup) => ({ setup, options: Object.fromEntries(options) })),
  };
}

function keyOf({ file, className, isDefault }: OwnPage): string {
  return `${file}#${isDefault ? 'default' : className}`;
}
