import { lstat, readdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import { CodegenError } from '../model/errors.js';
import { errnoOf } from '../state/files.js';

/** Where output may go. */
export interface Territory {
  /** Absolute path of the workspace. */
  workspace: string;
  /** Absolute path of the state directory, which is never the target of a call. */
  stateDirectory: string;
}

export type Language = 'typescript' | 'javascript';

/** A checked path. */
export interface CheckedPath {
  absolute: string;
  /** Relative to the workspace, with forward slashes. */
  relative: string;
  /** What the real directory lies in, and its names from there down: no links are followed when it is written in. */
  root: 'workspace' | 'state';
  directory: string[];
}

const extensions = { typescript: '.spec.ts', javascript: '.spec.js' };

/** The files of page objects, and no other code. */
const pageObjectNames = { typescript: /^[a-z0-9-]+-page\.ts$/, javascript: /^[a-z0-9-]+-page\.js$/ };

/** Names that Windows gives to devices, with any extension. */
const deviceName = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])\s*(\.|$)/i;

/** Control characters, halves of a surrogate pair, and marks that make a name read otherwise than it is. */
const unprintable = /[\p{Cc}\p{Cs}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Resolves the `file` of a call: relative to the output directory, whose own path in front of it is accepted and means
 * the same file. The output directory, relative to the workspace, follows the same rules. Throws PATH_NOT_ALLOWED where it could lead out of the workspace, to a hidden place, to something
 * other than a spec, or to a name that not every system can hold.
 */
export async function checkSpecPath(
  territory: Territory,
  outputDirectory: string,
  language: Language,
  file: string,
): Promise<CheckedPath> {
  const extension = extensions[language];
  if (!file.endsWith(extension)) {
    throw refusal(file, `does not end in ${extension}`, `Name it like "login${extension}".`);
  }
  return checkOutputPath(territory, outputDirectory, file);
}

/** Resolves the file of a page object, as `checkSpecPath` does: one in a directory `pages`, named like `login-page.ts`. */
export async function checkPagePath(
  territory: Territory,
  outputDirectory: string,
  language: Language,
  file: string,
): Promise<CheckedPath> {
  const [directory, name = ''] = file.split('/').slice(-2);
  if (directory !== 'pages' || !pageObjectNames[language].test(name)) {
    throw refusal(file, 'is not that of a page object', 'Page objects are files like "pages/login-page.ts".');
  }
  return checkOutputPath(territory, outputDirectory, file);
}

/** Resolves any file of the output directory, as `checkSpecPath` does. */
export async function checkOutputPath(
  territory: Territory,
  outputDirectory: string,
  file: string,
): Promise<CheckedPath> {
  const base = namesOf(outputDirectory.replace(/\/$/, ''));
  const names = namesOf(file);
  const inside = base.length > 0 && base.every((name, index) => name === names[index]);
  const checked = await walk(territory, file, inside ? names : [...base, ...names]);
  const found = await lstat(checked.absolute).catch(missing);
  if (found && !found.isFile()) throw refusal(file, 'is there already, and a link or not a file');
  return checked;
}

/** The names a path consists of, each one that every system can hold and that is not hidden. */
function namesOf(file: string): string[] {
  if (file.trim() === '') throw refusal(file, 'is empty');
  if (Buffer.byteLength(file) > 1_000) throw refusal(`${file.slice(0, 40)}…`, 'is longer than 1000 bytes');
  if (file.search(unprintable) >= 0) throw refusal(file, 'holds a character that can not be printed');
  if (file.includes('\\')) throw refusal(file, 'holds a backslash', 'Separate directories by "/".');
  if (file.startsWith('/') || /^[a-z]:/i.test(file)) throw refusal(file, 'is absolute');
  const names = file.split('/').filter((name) => name !== '.');
  for (const name of names) {
    if (name === '') throw refusal(file, 'has an empty name in it');
    if (name === '..') throw refusal(file, 'leads upwards');
    if (name.startsWith('.')) throw refusal(file, `has the hidden name "${name}" in it`);
    if (name.toLowerCase() === 'node_modules') throw refusal(file, 'leads into node_modules');
    if (deviceName.test(name)) throw refusal(file, `has "${name}" in it, a device on Windows`);
    if (/[<>:"|?*]/.test(name)) throw refusal(file, `has "${name}" in it, which Windows can't hold`);
    if (/[. ]$/.test(name)) throw refusal(file, `has a name in it that ends in a dot or a space`);
    if (Buffer.byteLength(name) > 255) throw refusal(file, 'has a name in it of more than 255 bytes');
  }
  return names;
}

/** Follows the names through the disk, as far as they exist, and refuses where a link or a look-alike is met. */
async function walk(territory: Territory, file: string, names: readonly string[]): Promise<CheckedPath> {
  const root = await realpath(territory.workspace);
  const state = await realpath(territory.stateDirectory).catch(() => path.resolve(territory.stateDirectory));
  let directory = territory.workspace;
  let parent: string[] = [];
  for (const [index, name] of names.entries()) {
    const next = path.join(directory, name);
    const twin = (await namesIn(directory)).find((other) => other !== name && fold(other) === fold(name));
    if (twin) {
      throw refusal(file, `differs only in case from "${twin}", which is there already`, `Write "${twin}".`);
    }
    const found = await lstat(next).catch(missing);
    const above = names.slice(index, -1);
    if (!found) {
      parent = [...parent, ...above];
      break;
    }
    const real = await realpath(next).catch(() => undefined);
    if (real === undefined) throw refusal(file, 'follows a symbolic link that leads nowhere');
    const within = path.relative(root, real);
    if (isOutside(within)) throw refusal(file, 'follows a symbolic link out of the workspace');
    if (!isOutside(path.relative(state, real))) throw refusal(file, 'leads into the state directory');
    if (within.split(path.sep).some((part) => part.startsWith('.') || part === 'node_modules')) {
      throw refusal(file, 'follows a symbolic link to a hidden place');
    }
    directory = next;
    if (above.length > 0) parent = within.split(path.sep);
  }
  const absolute = path.join(territory.workspace, ...names);
  if (!isOutside(path.relative(territory.stateDirectory, absolute))) {
    throw refusal(file, 'leads into the state directory');
  }
  return { absolute, relative: names.join('/'), root: 'workspace', directory: parent };
}

function isOutside(relative: string): boolean {
  return relative === '..' || relative.startsWith(`..${path.sep}`) || path.isAbsolute(relative);
}

/** What a name looks like to a file system that ignores case and kinds of composition. */
function fold(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

async function namesIn(directory: string): Promise<string[]> {
  return (await readdir(directory).catch(missing)) ?? [];
}

function missing(error: unknown): undefined {
  const code = errnoOf(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
  throw error;
}

function refusal(
  file: string,
  why: string,
  hint = 'Give a plain path inside the output directory, such as "login.spec.ts".',
): CodegenError {
  const printable = JSON.stringify(file).replace(
    unprintable,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return new CodegenError('PATH_NOT_ALLOWED', `The path ${printable} ${why}.`, { hint });
}
