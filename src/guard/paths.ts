import { lstat, mkdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { artifactExtensions, loginDirectory } from '../model/artifact.js';
import { extensions, type Language } from '../model/emission.js';
import { CodegenError } from '../model/errors.js';
import { escapeInvisible, invisible } from '../model/text.js';
import { isInside } from '../model/paths.js';
import { ensureStateDirectory, ignoreMissing, namesIn } from '../state/files.js';

/** Where output may go. */
export interface Territory {
  /** Absolute path of the workspace. */
  workspace: string;
  /** Absolute path of the state directory, which is never the target of a call. */
  stateDirectory: string;
}

export interface CheckedPath {
  absolute: string;
  /** Relative to the workspace, with forward slashes. */
  relative: string;
  /** The names of the real directory, from the workspace down: no link is followed when it is written in. */
  directory: string[];
}

/** The one hidden directory that files are read from. */
const loginName = path.posix.basename(loginDirectory);

/** The files of page objects, and no other code. */
const pageObjectName = /^[a-z0-9-]+-page\.[jt]s$/;

/** Names that Windows gives to devices, with any extension. */
const deviceName = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])\s*(\.|$)/i;

/**
 * Resolves the `file` of a call: relative to the output directory, or starting with that directory's path. The output
 * directory, relative to the workspace, follows the same rules. Throws PATH_NOT_ALLOWED if it could lead out of the
 * workspace, to a hidden place, to something other than a spec, or to a name that not every system can hold.
 */
export async function checkSpecPath(
  territory: Territory,
  outputDirectory: string,
  language: Language,
  file: string,
): Promise<CheckedPath> {
  const extension = `.spec.${extensions[language]}`;
  if (!['spec', 'test', 'setup'].some((kind) => file.endsWith(`.${kind}.${extensions[language]}`))) {
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
  if (directory !== 'pages' || !pageObjectName.test(name) || !name.endsWith(`.${extensions[language]}`)) {
    const hint = 'Page objects are files like "pages/login-page.ts".';
    throw refusal(file, 'is not the path of a page object', hint);
  }
  return checkOutputPath(territory, outputDirectory, file);
}

/** Resolves the path of a file that was written before, relative to the workspace. Throws PATH_NOT_ALLOWED. */
export function checkWrittenPath(territory: Territory, file: string): Promise<CheckedPath> {
  if (file.startsWith(`${artifactsDirectory}/`)) return checkArtifactPath(territory, file);
  if (file.startsWith(`${loginDirectory}/`)) return checkLoginPath(territory, file);
  return checkOutputPath(territory, '.', file);
}

/** Resolves any file of the output directory, as `checkSpecPath` does. */
async function checkOutputPath(
  territory: Territory,
  outputDirectory: string,
  file: string,
): Promise<CheckedPath> {
  const base = namesOf(outputDirectory.replace(/\/$/, ''));
  const names = namesOf(file);
  const inside = base.length > 0 && base.every((name, index) => name === names[index]);
  const checked = await walk(territory, file, { names: inside ? names : [...base, ...names] });
  await requireFileOrNothing(checked, file);
  return checked;
}

/** Where artifacts go, from the workspace down: the one hidden place that calls may write to. */
export const artifactsDirectory = '.codegen/artifacts';

/** The file below `base` for a path that a grant gives: in the grant's directory, if it has one. */
export function ownFile(base: string, file: string, grant: string | undefined): string {
  const own = [`${base}/`, ...(grant === undefined ? [] : [`${grant}/`])].reduce(
    (rest, prefix) => (rest.startsWith(prefix) ? rest.slice(prefix.length) : rest),
    file,
  );
  return [base, ...(grant === undefined ? [] : [grant]), own].join('/');
}

/** Throws PATH_NOT_ALLOWED if a directory is neither a grant's own nor below it. */
export function requireInside(own: string, directory: string): void {
  const names = namesOf(directory.replace(/\/$/, ''));
  if (namesOf(own.replace(/\/$/, '')).every((name, index) => name === names[index])) return;
  throw refusal(directory, 'is outside the output directory', `Leave it out, or name one in ${own}.`);
}

/** Throws PATH_NOT_ALLOWED if a file is one of these or in one of them. They are absolute, or relative to the workspace. */
export async function requireElsewhere(
  { workspace }: Territory,
  others: readonly string[],
  { absolute }: CheckedPath,
  [file, why]: [file: string, why: string],
): Promise<void> {
  const real = await realpath(absolute);
  for (const other of others) {
    const places = await placesOf(path.resolve(workspace, other));
    if (places.some((place) => isInside(place, real))) throw refusal(file, why, 'Use another path.');
  }
}

/**
 * Resolves the path of an artifact: relative to the directory of artifacts, or starting with that directory's path. The
 * directory is created if it is missing. Throws PATH_NOT_ALLOWED as `checkSpecPath` does, and for other extensions.
 */
export async function checkArtifactPath({ workspace }: Territory, file: string): Promise<CheckedPath> {
  const own = file.startsWith(`${artifactsDirectory}/`) ? file.slice(artifactsDirectory.length + 1) : file;
  const names = namesOf(own);
  if (!artifactExtensions.includes(path.extname(own).toLowerCase())) {
    const hint = `Use one of ${artifactExtensions.join(' ')}.`;
    throw refusal(file, 'does not have the extension of an artifact', hint);
  }
  return walkArtifacts(workspace, file, names);
}

/** Resolves the path of a report. Its name is ours, so only links in its way are refused. Throws PATH_NOT_ALLOWED. */
export async function checkReportPath({ workspace }: Territory, file: string): Promise<CheckedPath> {
  return walkArtifacts(workspace, file, namesOf(file.slice(artifactsDirectory.length + 1)));
}

async function walkArtifacts(workspace: string, file: string, names: string[]): Promise<CheckedPath> {
  await ensureStateDirectory(path.join(workspace, path.dirname(artifactsDirectory)));
  return walkBelow(workspace, artifactsDirectory, file, names);
}

/**
 * Resolves the path of a saved login: a JSON file in the directory that Playwright's documentation uses. The directory
 * is created if it is missing. Throws PATH_NOT_ALLOWED.
 */
export async function checkLoginPath({ workspace }: Territory, file: string): Promise<CheckedPath> {
  if (!file.startsWith(`${loginDirectory}/`) || !file.endsWith('.json'))
    throw refusal(file, 'is not the path of a saved login', `Use a path like "${loginDirectory}/user.json".`);
  return walkBelow(workspace, loginDirectory, file, namesOf(file.slice(loginDirectory.length + 1)));
}

/** Resolves names in a hidden directory, `base` in the workspace, which is created if it is missing and may not be a link. */
async function walkBelow(
  workspace: string,
  base: string,
  file: string,
  names: readonly string[],
): Promise<CheckedPath> {
  const directory = path.join(workspace, base);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if ((await realpath(directory)) !== path.join(await realpath(workspace), base))
    throw refusal(file, 'follows a symbolic link', `Make ${base} a directory of the workspace.`);
  const checked = await walk({ workspace: directory }, file, { names });
  await requireFileOrNothing(checked, file);
  return {
    ...checked,
    relative: `${base}/${checked.relative}`,
    directory: [...base.split('/'), ...checked.directory],
  };
}

/** Resolves the path of a picture that a test compares with, or of a HAR that it replays. Throws PATH_NOT_ALLOWED. */
export async function checkAttachmentPath(territory: Territory, file: string): Promise<CheckedPath> {
  if (!/\.(?:png|har)$/.test(file)) throw refusal(file, 'is not an image or a HAR');
  const checked = await walk(territory, file, { names: namesOf(file) });
  await requireFileOrNothing(checked, file);
  return checked;
}

/**
 * Resolves the path of a file that a page may be given. Throws PATH_NOT_ALLOWED if it leads out of the workspace or
 * to a hidden place, INVALID_INPUT if there is no such file. A login may be in `.auth`, where Playwright's guide keeps it.
 */
export async function checkReadablePath(
  territory: Territory,
  file: string,
  { mayBeLogin = false }: { mayBeLogin?: boolean } = {},
): Promise<CheckedPath> {
  const visible = mayBeLogin ? loginName : undefined;
  const checked = await walk(territory, file, { names: namesOf(file, visible), visible });
  if ((await stat(checked.absolute).catch(ignoreMissing))?.isFile() === true) return checked;
  throw new CodegenError('INVALID_INPUT', `There is no file ${JSON.stringify(file)} in the workspace.`, {
    hint: 'Use the path of an existing file, relative to the workspace.',
  });
}

async function requireFileOrNothing({ absolute }: CheckedPath, file: string): Promise<void> {
  const found = await lstat(absolute).catch(ignoreMissing);
  if (found && !found.isFile()) throw refusal(file, 'already exists, and is a link or not a file');
}

/** The names a path consists of, each one that every system can hold and that is not hidden. */
function namesOf(file: string, visible?: string): string[] {
  if (file.trim() === '') throw refusal(file, 'is empty');
  if (Buffer.byteLength(file) > 1_000) throw refusal(`${file.slice(0, 40)}…`, 'is longer than 1000 bytes');
  if (file.search(invisible) >= 0) throw refusal(file, 'contains an invisible character');
  if (file.includes('\\')) throw refusal(file, 'contains a backslash', 'Separate directories by "/".');
  if (file.startsWith('/') || /^[a-z]:/i.test(file)) throw refusal(file, 'is absolute');
  const names = file.split('/').filter((name) => name !== '.');
  for (const name of names) {
    if (name === '') throw refusal(file, 'contains an empty name');
    if (name === '..') throw refusal(file, 'contains ".."');
    if (name.startsWith('.') && name !== visible) throw refusal(file, `contains the hidden name "${name}"`);
    if (name.toLowerCase() === 'node_modules') throw refusal(file, 'leads into node_modules');
    if (deviceName.test(name)) throw refusal(file, `contains "${name}", a device name on Windows`);
    if (/[<>:"|?*]/.test(name)) throw refusal(file, `contains "${name}", which Windows does not allow`);
    if (/[. ]$/.test(name)) throw refusal(file, `contains a name that ends with a dot or a space`);
    if (Buffer.byteLength(name) > 255) throw refusal(file, 'contains a name of more than 255 bytes');
  }
  return names;
}

/** Walks the existing part of a path. Throws at a link or a look-alike name. */
async function walk(
  { workspace, stateDirectory }: Pick<Territory, 'workspace'> & Partial<Territory>,
  file: string,
  { names, visible }: { names: readonly string[]; visible?: string | undefined },
): Promise<CheckedPath> {
  const root = await realpath(workspace);
  const states = stateDirectory === undefined ? [] : await placesOf(stateDirectory);
  const inState = (place: string): boolean => states.some((state) => isInside(state, place));
  let directory = workspace;
  let parent: string[] = [];
  for (const [index, name] of names.entries()) {
    const next = path.join(directory, name);
    const twin = (await namesIn(directory)).find((other) => other !== name && fold(other) === fold(name));
    if (twin) {
      throw refusal(file, `differs only in case from "${twin}", which already exists`, `Write "${twin}".`);
    }
    const found = await lstat(next).catch(ignoreMissing);
    const above = names.slice(index, -1);
    if (!found) {
      parent = [...parent, ...above];
      break;
    }
    const real = await realpath(next).catch(() => undefined);
    if (real === undefined) throw refusal(file, 'follows a broken symbolic link');
    const within = path.relative(root, real);
    if (!isInside(root, real)) throw refusal(file, 'follows a symbolic link out of the workspace');
    if (inState(real)) throw refusal(file, 'is in the state directory');
    if (
      within
        .split(path.sep)
        .some((part) => (part.startsWith('.') && part !== visible) || part === 'node_modules')
    ) {
      throw refusal(file, 'follows a symbolic link to a hidden place');
    }
    directory = next;
    if (above.length > 0) parent = within.split(path.sep);
  }
  const absolute = path.join(workspace, ...names);
  if (inState(absolute)) throw refusal(file, 'is in the state directory');
  return { absolute, relative: names.join('/'), directory: parent };
}

/** Where a directory is, by its name and really. */
async function placesOf(directory: string): Promise<string[]> {
  return [path.resolve(directory), await realpath(directory).catch(() => path.resolve(directory))];
}

/** What a name looks like to a file system that ignores case and kinds of composition. */
function fold(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

function refusal(
  file: string,
  why: string,
  hint = 'Use a plain path inside the output directory, such as "login.spec.ts".',
): CodegenError {
  return new CodegenError('PATH_NOT_ALLOWED', `The path ${escapeInvisible(JSON.stringify(file))} ${why}.`, {
    hint,
  });
}
