import path from 'node:path';
import { CodegenError } from '../model/errors.js';
import { sha256 } from '../model/text.js';
import { ignoreMissing, readWhole } from '../state/files.js';
import { inspect, type FileState } from '../model/header.js';
import type { CheckedPath } from './paths.js';

export type OnConflict = 'fail' | 'rename' | 'overwrite';

export interface OutputFile {
  target: CheckedPath;
  /** Makes the whole content; a text's header depends on the path, relative to the workspace. */
  content: (relativePath: string) => string | Buffer;
  /** Instead of what is allowed for all. */
  maxFileBytes?: number;
  /**
   * The text that the content was made from, null for none. If the file has another text now, it has changed; otherwise it
   * is replaced if nobody has edited it, whatever `onConflict` says.
   */
  basis?: string | null | undefined;
  /** The text of a person's file that the content extends: a file that has another text now is not replaced. */
  extended?: string | undefined;
}

export interface PlanOptions {
  onConflict: OnConflict;
  /** The most that any call may do to an existing file, as configured. */
  overwrite: 'never' | 'generated' | 'always';
  maxFileBytes: number;
  /** Checks the path that `rename` wants to use instead. */
  check: (relativePath: string) => Promise<CheckedPath>;
}

/** One file that a call is about to write; `before` is what it replaces. */
export interface FilePlan {
  /** What the names of its directory are relative to. */
  root: 'workspace' | 'state';
  target: CheckedPath;
  data: Buffer;
  before: { data: Buffer; mode: number } | undefined;
  change: WrittenFile['change'];
}

export interface WrittenFile {
  /** Relative to the workspace, with forward slashes. */
  path: string;
  absolutePath: string;
  bytes: number;
  sha256: string;
  /** Hash of the earlier content; undefined for a new file. */
  sha256Before: string | undefined;
  change: 'created' | 'replaced' | 'unchanged';
}

/** The result of a plan, as results list it. */
export function toWrittenFile({ target, data, before, change }: FilePlan): WrittenFile {
  return {
    path: target.relative,
    absolutePath: target.absolute,
    bytes: data.length,
    sha256: sha256(data),
    sha256Before: before && sha256(before.data),
    change,
  };
}

/**
 * Looks at what exists at each path and decides what to do. Changes nothing. Throws FILE_EXISTS, FILE_CHANGED,
 * FILE_TOO_LARGE.
 */
export async function planFiles(files: readonly OutputFile[], options: PlanOptions): Promise<FilePlan[]> {
  const plans: FilePlan[] = [];
  for (const file of files) plans.push(await planFile(file, options));
  return plans;
}

/** A file of the state directory that is written together with others. */
export interface StateFile {
  /** Names from the state directory down, the last one that of the file. */
  names: readonly string[];
  text: string;
}

/** Plans a file of the state directory, which replaces an existing one. */
export async function planStateFile({ names, text }: StateFile, stateDirectory: string): Promise<FilePlan> {
  const absolute = path.join(stateDirectory, ...names);
  const target = { absolute, relative: names.join('/'), directory: names.slice(0, -1) };
  const data = Buffer.from(text);
  const before = await readWhole(absolute).catch(ignoreMissing);
  const change = before === undefined ? 'created' : before.data.equals(data) ? 'unchanged' : 'replaced';
  return { root: 'state', target, data, before, change };
}

async function planFile(file: OutputFile, options: PlanOptions): Promise<FilePlan> {
  const root = 'workspace';
  for (let number = 1; ; number++) {
    const target = number === 1 ? file.target : await options.check(numbered(file.target.relative, number));
    const data = Buffer.from(file.content(target.relative));
    const { maxFileBytes = options.maxFileBytes } = file;
    if (data.length > maxFileBytes) throw tooLarge(target.relative, data.length, maxFileBytes);
    const before = await readWhole(target.absolute).catch(ignoreMissing);
    const plan = { root, target, data, before } as const;
    if (!before) return { ...plan, change: 'created' };
    if (before.data.equals(data)) return { ...plan, change: 'unchanged' };
    const origin = inspect(target.relative, before.data.toString());
    if (file.basis !== undefined) {
      const isSame = before.data.toString() === file.basis;
      if (isSame && origin === 'untouched' && options.overwrite !== 'never')
        return { ...plan, change: 'replaced' };
      throw isSame ? inTheWay(target.relative, origin, false) : outdated(target.relative);
    }
    if (file.extended !== undefined && before.data.toString() !== file.extended)
      throw outdated(target.relative);
    if (options.onConflict === 'rename') continue;
    const mayReplace =
      options.overwrite === 'always' || (options.overwrite === 'generated' && origin === 'untouched');
    if (options.onConflict === 'overwrite' && mayReplace) return { ...plan, change: 'replaced' };
    throw inTheWay(target.relative, origin, mayReplace);
  }
}

function tooLarge(file: string, bytes: number, maxBytes: number): CodegenError {
  const message = `${file} would have ${bytes} bytes; ${maxBytes} are allowed.`;
  const hint = 'Record a shorter flow; writes.maxFileBytes in the configuration sets the limit.';
  return new CodegenError('FILE_TOO_LARGE', message, { hint });
}

function inTheWay(file: string, origin: FileState, mayReplace: boolean): CodegenError {
  const hint = mayReplace
    ? 'Use onConflict "overwrite" to replace it, "rename" to keep both, or another file name.'
    : 'Use onConflict "rename" or another file name; the configuration does not let a call replace it.';
  return origin === 'edited'
    ? new CodegenError('FILE_CHANGED', `${file} has been edited since this tool emitted it.`, { hint })
    : new CodegenError('FILE_EXISTS', `${file} already exists.`, { hint });
}

function outdated(file: string): CodegenError {
  return new CodegenError('FILE_CHANGED', `${file} has changed since it was read.`, {
    hint: 'Another session has extended it, or someone edited it. For a page object, end the session again; for a spec that is continued, resume it again.',
  });
}

/** `login.spec.ts` becomes `login-2.spec.ts`. */
function numbered(relativePath: string, number: number): string {
  return relativePath.replace(/(\.spec|\.test|\.setup)?\.[^./]+$/, (extension) => `-${number}${extension}`);
}
