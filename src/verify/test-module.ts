import { readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { createPathsMatcher, getTsconfig } from 'get-tsconfig';
import type { TestModule } from '../model/emission.js';
import { CodegenError } from '../model/errors.js';
import { isInside } from '../model/paths.js';
import { escapeRegExp } from '../model/text.js';

/** The extensions that Playwright Test tries for an import without one. */
const endings = ['', '.ts', '.js', '.mts', '.mjs', '.cts', '.cjs', '/index.ts', '/index.js'];

/**
 * Resolves `importTestFrom` for the test at the absolute path `spec`: a code file of the workspace or a tsconfig alias of one,
 * optionally followed by `#name` for an export other than `test`. Throws INVALID_INPUT if the file or the export does not
 * exist; a module without that export is never run.
 */
export async function resolveTestModule(workspace: string, spec: string, given: string): Promise<TestModule> {
  const hash = given.indexOf('#', 1);
  const module = hash === -1 ? given : given.slice(0, hash);
  const test = hash === -1 ? 'test' : given.slice(hash + 1);
  const inWorkspace = await existing(path.resolve(workspace, module));
  const file = inWorkspace ?? (await aliased(path.dirname(spec), module));
  const root = await realpath(workspace);
  const names = file === undefined ? [] : path.relative(root, file).split(path.sep);
  // Node runs files without such an ending as code too, and pages decide what downloads contain.
  const isCode = file !== undefined && /\.[cm]?[jt]sx?$/.test(file);
  const isOwn = !names.some((name) => name === 'node_modules' || name.startsWith('.'));
  if (!isCode || !isOwn || !isInside(root, file))
    throw new CodegenError(
      'INVALID_INPUT',
      `importTestFrom: there is no module ${JSON.stringify(module)} in the workspace.`,
      {
        hint: 'Name the file that exports `test`, relative to the workspace, such as tests/fixtures.ts, or a path alias of tsconfig.json.',
      },
    );
  const text = await readFile(file, 'utf8');
  if (!/^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(test) || !exportsName(text, test))
    throw new CodegenError(
      'INVALID_INPUT',
      `importTestFrom: ${module} does not export ${JSON.stringify(test)}.`,
      {
        hint: 'Export the result of `test.extend` from it, or name the export after "#", such as tests/fixtures.ts#shopTest.',
      },
    );
  const from = inWorkspace === undefined ? module : relativeModule(path.dirname(spec), inWorkspace);
  return { from, file, test, hasExpect: exportsName(text, 'expect') };
}

/** The real path of a file, tried with each extension. */
export async function existing(base: string): Promise<string | undefined> {
  // TypeScript's ES modules are imported under their compiled names.
  const source = base.replace(/\.([mc]?)js$/, '.$1ts');
  for (const file of [...endings.map((ending) => base + ending), source]) {
    const found = await stat(file).catch(() => undefined);
    if (found?.isFile() === true) return realpath(file);
  }
  return undefined;
}

/** The file to which an alias in the nearest tsconfig resolves; undefined if there is none. */
export async function aliased(directory: string, module: string): Promise<string | undefined> {
  const tsconfig = getTsconfig(directory);
  const matches = tsconfig === null ? null : createPathsMatcher(tsconfig);
  for (const base of matches?.(module) ?? []) {
    const file = await existing(base);
    if (file !== undefined) return file;
  }
  return undefined;
}

/** A file as it is seen from `directory`. */
function relativeModule(directory: string, file: string): string {
  const relative = path.relative(directory, file).split(path.sep).join('/');
  return relative.startsWith('.') ? relative : `./${relative}`;
}

/** Whether a module exports a name, in any syntax of ES modules or CommonJS. */
function exportsName(text: string, name: string): boolean {
  const word = `(?<![\\p{L}\\p{N}_$.])${escapeRegExp(name)}(?![\\p{L}\\p{N}_$])`;
  const forms = [
    `export\\s+(?:const|let|var|function|async\\s+function)\\s+${word}`,
    `export\\s*\\{[^{}]*${word}\\s*[,}]`,
    `module\\.exports\\s*=\\s*\\{[^{}]*${word}\\s*[,:}]`,
    `exports\\.${escapeRegExp(name)}\\s*=`,
  ];
  return forms.some((form) => new RegExp(form, 'u').test(text));
}
