import { readdir } from 'node:fs/promises';
import path from 'node:path';
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
 * most of the specs. Undefined if neither says anything. Emitted specs don't count.
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
  if (configured !== undefined)
    return { options: configured.options, commonJs, source: nameOf(configured.file) };
  if (first === undefined) return undefined;
  return { options: optionsOf(text), commonJs, source: nameOf(first.file) };
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
