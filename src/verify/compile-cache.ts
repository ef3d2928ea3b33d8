import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import Module from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cachedDataVersionTag } from 'node:v8';
import { constants, Script } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

/*
 * Every server and every process of Playwright Test compiles the same bundles of several megabytes, of Playwright and
 * TypeScript. This module, which is loaded before them, shares the result in a directory.
 */

/** Bundles, which are files of at least so many characters. */
const isBundle = /[\\/]node_modules[\\/](?:playwright|playwright-core|@ts-morph[\\/]common)[\\/].+\.js$/;
const minLength = 250_000;

/** Milliseconds for which the result is kept. */
const maxAgeMs = 30 * 24 * 3600 * 1000;

const directory = path.join(tmpdir(), `codegen-session-mcp-${process.getuid?.() ?? 'cache'}`);
const entry = path.basename(process.argv[1] ?? '', '.js');
const compile: unknown = Reflect.get(Module.prototype, '_compile');
const unsaved: { file: string; script: Script }[] = [];

if (isMainThread && typeof compile === 'function' && isOurs()) {
  Reflect.set(
    Module.prototype,
    '_compile',
    function (this: NodeJS.Module, content: string, file: string, ...rest: unknown[]): unknown {
      if (content.length < minLength || !isBundle.test(file))
        return call(compile, this, [content, file, ...rest]);
      const require = Object.assign((id: string) => requireFrom(this, id), Module.createRequire(file));
      const values = [this.exports, require, this, file, path.dirname(file)];
      return call(compileCached(content, file), this.exports, values);
    },
  );
  process.on('exit', save);
}

function requireFrom(module: NodeJS.Module, id: string): unknown {
  const required: unknown = module.require(id);
  return required;
}

function call(of: unknown, self: unknown, values: readonly unknown[]): unknown {
  return typeof of === 'function' ? Reflect.apply(of, self, values) : undefined;
}

/** Whether nobody else can write to the directory: V8 runs what it finds there. */
function isOurs(): boolean {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const { uid, mode } = lstatSync(directory);
    return process.getuid === undefined || (uid === process.getuid() && (mode & 0o170_022) === 0o040_000);
  } catch {
    return false;
  }
}

function compileCached(content: string, filename: string): unknown {
  // V8 itself only compares the length of the source. The main process and workers call different functions, and stacks
  // show the name of the file from which the cached functions were compiled.
  const hash = createHash('sha1')
    .update(content)
    .update(`${cachedDataVersionTag()} ${entry} ${filename}`)
    .digest('hex');
  const file = path.join(directory, `${hash}.v8`);
  const script = new Script(Module.wrap(content), {
    filename,
    cachedData: read(file),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  if (script.cachedDataRejected !== false) unsaved.push({ file, script });
  return script.runInThisContext();
}

function read(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

/** Saves the functions that were called too, which V8 compiles late. */
function save(): void {
  try {
    for (const { file, script } of unsaved) {
      const own = `${file}.${process.pid}`;
      writeFileSync(own, script.createCachedData(), { mode: 0o600 });
      renameSync(own, file);
    }
    if (unsaved.length > 0) removeOld();
  } catch {
    // Without them, the next process compiles again.
  }
}

/** Removes what may belong to versions of Playwright, TypeScript and Node.js that are not used any more. */
function removeOld(): void {
  for (const name of readdirSync(directory)) {
    const file = path.join(directory, name);
    if (lstatSync(file).mtimeMs < Date.now() - maxAgeMs) rmSync(file);
  }
}
