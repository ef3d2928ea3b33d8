import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { inspect } from '../model/header.js';
import { cachedText } from './cached-text.js';
import { resolveTestModule } from './test-module.js';

const maxSpecs = 50;
const maxDirectories = 200;

const imports =
  /(?:import\s*\{([^{}]*)\}\s*from\s*|(?:const|let|var)\s*\{([^{}]*)\}\s*=\s*require\(\s*)(["'])([^"'\n]+)\3/g;
const importedTest = /^\s*(?:([\w$]+)(?:\s+as\s+|\s*:\s*))?test\s*$/;

/**
 * The module from which most specs in a directory import `test`, in the form of `importTestFrom`, and the first such
 * spec. Undefined for `@playwright/test`, a tie, or a module outside the workspace. Emitted specs don't count.
 */
export async function commonTestModule(
  workspace: string,
  testDir: string,
): Promise<{ module: string; spec: string } | undefined> {
  const counts = new Map<string, { module: string | undefined; spec: string; specs: number }>();
  for (const spec of await specsIn(testDir)) {
    const text = (await cachedText(spec)) ?? '';
    const given = inspect('', text) === 'foreign' ? moduleOfTest(text) : undefined;
    if (given === undefined) continue;
    const { key, module } = await resolved(workspace, spec, given);
    const count = counts.get(key) ?? { module, spec, specs: 0 };
    counts.set(key, { ...count, specs: count.specs + 1 });
  }
  const [first, second] = [...counts.values()].sort((one, other) => other.specs - one.specs);
  if (first?.module === undefined || first.specs === second?.specs) return undefined;
  return { module: first.module, spec: first.spec };
}

/** The specs in a directory and its subdirectories, sorted by name. */
export async function specsIn(testDir: string): Promise<string[]> {
  const specs: string[] = [];
  const directories = [testDir];
  for (const directory of directories) {
    const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
    for (const entry of entries.sort((one, other) => (one.name < other.name ? -1 : 1))) {
      const place = path.join(directory, entry.name);
      if (entry.isFile() && /\.(?:spec|test)\.[cm]?[jt]sx?$/.test(entry.name)) specs.push(place);
      if (entry.isDirectory() && !/^(?:\.|node_modules$)/.test(entry.name)) directories.push(place);
    }
    if (specs.length >= maxSpecs || directories.length > maxDirectories) break;
  }
  return specs.slice(0, maxSpecs);
}

/** The module from which a spec imports `test`, and the name of the export. */
function moduleOfTest(text: string): { module: string; name: string } | undefined {
  for (const [, esm, commonJs, , module = ''] of text.matchAll(imports))
    for (const binding of (esm ?? commonJs ?? '').split(',')) {
      const match = importedTest.exec(binding);
      if (match !== null) return { module, name: match[1] ?? 'test' };
    }
  return undefined;
}

/** A spec's import in the form of `importTestFrom`, and a key that is equal for all spellings of it. */
async function resolved(
  workspace: string,
  spec: string,
  { module, name }: { module: string; name: string },
): Promise<{ key: string; module: string | undefined }> {
  const isRelative = module.startsWith('.');
  const inWorkspace = path.relative(workspace, path.resolve(path.dirname(spec), module));
  const given = isRelative ? inWorkspace.split(path.sep).join('/') : module;
  const option = name === 'test' ? given : `${given}#${name}`;
  const found = await resolveTestModule(workspace, spec, option).catch(() => undefined);
  return found === undefined
    ? { key: module, module: undefined }
    : { key: `${found.file}#${found.test}`, module: option };
}
