import { readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { createPathsMatcher, getTsconfig } from 'get-tsconfig';
import type { TestModule } from '../model/emission.js';
import { CodegenError } from '../model/errors.js';
import { isInside } from '../model/paths.js';
import { escapeRegExp } from '../model/text.js';

/** What a file may be called that is imported without its extension, as Playwright Test resolves it. */
const endings = ['', '.ts', '.js', '.mts', '.mjs', '.cts', '.cjs', '/index.ts', '/index.js'];

/**
 * Resolves the `importTestFrom` of a test, whose own absolute path is `spec`: a file of the workspace, or an alias of
 * its tsconfig that leads to one; `#name` at the end names another export than `test`. Throws INVALID_INPUT if there is
 * no such file, or it has no such export: a module that exports no `test` is never run.
 */
export async function resolveTestModule(workspace: string, spec: string, given: string): Promise<TestModule> {
  const hash = given.indexOf('#', 1);
  const module = hash === -1 ? given : given.slice(0, hash);
  const test = hash === -1 ? 'test' : given.slice(hash + 1);
  const inWorkspace = await existing(path.resolve(workspace, module));
  const file = inWorkspace ?? (await aliased(path.dirname(spec), module));
  const root = await realpath(workspace);
  const names = file === undefined ? [] : path.relative(root, file).split(path.sep);
  if (file === undefined || !isInside(root, file) || names.includes('node_modules'))
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

/** The real path of a file that exists with one of the endings. */
export async function existing(base: string): Promise<string | undefined> {
  // ES modules are imported by the names that they get when they are compiled.
  const source = base.replace(/\.([mc]?)js$/, '.$1ts');
  for (const file of [...endings.map((ending) => base + ending), source]) {
    const found = await stat(file).catch(() => undefined);
    if (found?.isFile() === true) return realpath(file);
  }
  return undefined;
}

/** The file to which an alias of the nearest tsconfig leads; undefined if there is none. */
export async function aliased(directory: string, module: string): Promise<string | undefined> {
  const tsconfig = getTsconfig(directory);
  const matches = tsconfig === null ? null : createPathsMatcher(tsconfig);
  for (const base of matches?.(module) ?? []) {
    const file = await existing(base);
    if (file !== undefined) return file;
  }
  return undefined;
}

/** How a spec in `directory` imports a file: TypeScript without its extension, as Playwright's documentation does. */
function relativeModule(directory: string, file: string): string {
  const relative = path.relative(directory, file).split(path.sep).join('/');
  const short = relative.replace(/(?:\/index)?\.ts$/, '').replace(/\.([mc])ts$/, '.$1js');
  return short.startsWith('.') ? short : `./${short}`;
}

/** Whether a module's text exports a name, in the forms that ES modules and CommonJS have for it. */
function exportsName(text: string, name: string): boolean {
  const word = `(?<![\\p{L}\\p{N}_$.])${escapeRegExp(name)}(?![\\p{L}\\p{N}_$])`;
  const forms = [
    `export\\s+(?:const|let|var|function|async\\s+function)\\s+${word}`,
    `export\\s*\\{[^}]*${word}\\s*[,}]`,
    `module\\.exports\\s*=\\s*\\{[^}]*${word}\\s*[,:}]`,
    `exports\\.${escapeRegExp(name)}\\s*=`,
  ];
  return forms.some((form) => new RegExp(form, 'u').test(text));
}
