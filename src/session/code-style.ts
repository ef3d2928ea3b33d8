import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { getTsconfig } from 'get-tsconfig';
import { prettierOptions, type CodeStyle } from '../codegen/format.js';
import { inspect } from '../model/header.js';
import { isInside } from '../model/paths.js';
import { cachedText } from '../verify/cached-text.js';
import { specsIn } from '../verify/common-test-module.js';

/** Maximum number of specs that are read. */
const maxSpecs = 20;
/** Common line widths. */
const widths = [80, 100, 120];

/**
 * How the specs in a directory are written, and the file that says so: the workspace's configuration of Prettier, else
 * most of the specs, else what TypeScript requires. Undefined if none says anything. Emitted specs don't count.
 */
export async function codeStyleOf(
  workspace: string,
  { spec, directory }: { spec: string; directory: string },
): Promise<(CodeStyle & { source: string }) | undefined> {
  const nameOf = (file: string): string => path.relative(workspace, file).split(path.sep).join('/');
  const specs: { file: string; text: string }[] = [];
  for (const file of (await specsIn(directory)).slice(0, maxSpecs)) {
    const text = (await cachedText(file)) ?? '';
    if (inspect(nameOf(file), text) === 'foreign' && text.trim() !== '') specs.push({ file, text });
  }
  const [first] = specs;
  const text = specs.map((each) => each.text).join('\n');
  const commonJs = /\brequire\(/.test(text) && !/^import\b/m.test(text);
  const configured = (await hasPrettier(workspace, spec))
    ? await prettierOptions(spec, workspace)
    : undefined;
  const required = await requiredEnding(workspace, spec);
  const importEnding = endingIn(specs) ?? required?.importEnding;
  const imports = { commonJs, importEnding, ...importOrderIn(specs.map((each) => each.text)) };
  if (configured !== undefined)
    return {
      options: configured.options,
      isConfigured: true,
      ...imports,
      source: nameOf(configured.file),
    };
  if (first !== undefined) return { options: optionsOf(text), ...imports, source: nameOf(first.file) };
  return required && { options: {}, ...imports, source: nameOf(required.file) };
}

/** How most specs of TypeScript name modules beside them; undefined if none does. */
function endingIn(specs: readonly { file: string; text: string }[]): CodeStyle['importEnding'] {
  const endings = specs
    .filter(({ file }) => file.endsWith('.ts'))
    .flatMap(({ text }) => [...text.matchAll(/\bfrom\s+["'](\.[^"'\n]*)["']/g)])
    .flatMap(([, module = '']) => /^\.[jt]s$/.exec(path.posix.extname(module))?.[0] ?? '');
  const count = (ending: string): number => endings.filter((each) => each === ending).length;
  const [most] = (['', '.js', '.ts'] as const).toSorted((one, other) => count(other) - count(one));
  return endings.length === 0 ? undefined : most;
}

/** The order of imports in most specs, as far as it is not that of Playwright's documentation. */
function importOrderIn(specs: readonly string[]): Pick<CodeStyle, 'expectFirst' | 'parentsFirst'> {
  const all = specs.map((text) => {
    const names = /[{,]\s*(expect|test)\b[^{}]*,\s*(?:expect|test)\b[^{}]*\}\s*(?:from|=\s*require)/.exec(
      text,
    )?.[1];
    const modules = [...text.matchAll(/(?:\bfrom|\brequire\()\s*["'](\.[^"'\n]*)["']/g)].map(
      ([, name = '']) => name,
    );
    const [parent, own] = ['..', './'].map((start) => modules.findIndex((name) => name.startsWith(start)));
    return { names, isMixed: parent !== -1 && own !== -1, isParent: (parent ?? 0) < (own ?? 0) };
  });
  const mixed = all.filter(({ isMixed }) => isMixed);
  const isMost = (part: readonly unknown[], of: readonly unknown[]): boolean => part.length > of.length / 2;
  const named = all.filter(({ names }) => names !== undefined);
  return {
    ...(isMost(
      named.filter(({ names }) => names === 'expect'),
      named,
    ) && { expectFirst: true }),
    ...(isMost(
      mixed.filter(({ isParent }) => isParent),
      mixed,
    ) && { parentsFirst: true }),
  };
}

/** The ending that TypeScript requires in ES modules of Node.js, and the file that says so. */
async function requiredEnding(
  workspace: string,
  spec: string,
): Promise<{ importEnding: '.js'; file: string } | undefined> {
  const found = getTsconfig(path.dirname(spec));
  const { module, moduleResolution = module } = found?.config.compilerOptions ?? {};
  if (found === null || !/^node(?:next|16|18|20)$/i.test(moduleResolution ?? '')) return undefined;
  for (let at = path.dirname(spec); isInside(workspace, at); at = path.dirname(at)) {
    const text = await cachedText(path.join(at, 'package.json'));
    if (text === undefined) continue;
    return /"type"\s*:\s*"module"/.test(text) ? { importEnding: '.js', file: found.path } : undefined;
  }
  return undefined;
}

/** Whether a directory from the workspace to a spec may have a configuration of Prettier. */
async function hasPrettier(workspace: string, spec: string): Promise<boolean> {
  for (let at = path.dirname(spec); isInside(workspace, at); at = path.dirname(at)) {
    const names = await readdir(at).catch(() => []);
    if (names.some((name) => /^(?:\.prettierrc|prettier\.config)\b/.test(name))) return true;
    if (((await cachedText(path.join(at, 'package.json'))) ?? '').includes('"prettier"')) return true;
  }
  return false;
}

/** The Prettier options that most lines follow. */
function optionsOf(text: string): CodeStyle['options'] {
  const lines = text.split('\n').filter((line) => !/^\s*(?:\/\/|\/?\*)/.test(line));
  const count = (pattern: RegExp): number => lines.filter((line) => pattern.test(line)).length;
  const indents = lines.flatMap((line) => /^[ \t]+(?=\S)/.exec(line) ?? []);
  const spaces = indents.filter((indent) => !indent.includes('\t')).map((indent) => indent.length);
  const longest = lines.reduce((most, line) => Math.max(most, line.trimEnd().length), 0);
  return {
    singleQuote: count(/[(=:,\s]'[^'"]*'/) > count(/[(=:,\s]"[^'"]*"/),
    semi: count(/[)\w'"`\]}]\s*;$/) >= count(/^(?:\s*(?:import|await|const|let|return)\b.*[)'"`]|\s*\}\))$/),
    useTabs: indents.filter((indent) => indent.startsWith('\t')).length > indents.length / 2,
    tabWidth: spaces.length > 0 && spaces.every((width) => width >= 4) ? 4 : 2,
    printWidth: widths.find((width) => longest <= width) ?? Math.max(...widths),
  };
}
