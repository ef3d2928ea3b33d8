import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, mkdir, open, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { CodegenError, messageOf } from '../model/errors.js';
import { createDurably, ensureStateDirectory, errnoOf, isRunning, syncDirectory } from '../state/files.js';
import { inspect, type Origin } from './header.js';
import type { CheckedPath } from './paths.js';
import type { Hold } from './quota.js';

export type OnConflict = 'fail' | 'rename' | 'overwrite';

export interface OutputFile {
  target: CheckedPath;
  /** Makes the whole text, whose header depends on the path, relative to the workspace. */
  content: (relativePath: string) => string;
}

export interface WriteOptions {
  stateDirectory: string;
  onConflict: OnConflict;
  /** The most that any call may do to a file that is there: configuration, not the call's own. */
  overwrite: 'never' | 'generated' | 'always';
  maxFileBytes: number;
  maxFilesPerSession: number;
  /** Checks the path that `rename` wants to use instead. */
  check: (relativePath: string) => Promise<CheckedPath>;
  /** Called once with the number of files about to change, before the first of them does. */
  reserve: (changes: number) => Promise<Hold>;
  /** Checks everything, changes nothing. */
  dryRun: boolean;
}

export interface WrittenFile {
  /** Relative to the workspace, with forward slashes. */
  path: string;
  absolutePath: string;
  bytes: number;
  sha256: string;
  change: 'created' | 'replaced' | 'unchanged';
}

/** One file that a call is about to write; `before` is what it replaces. */
interface Plan {
  target: CheckedPath;
  data: Buffer;
  before: { data: Buffer; mode: number } | undefined;
  change: WrittenFile['change'];
}

/** Thrown where a file came, went or changed between looking at it and writing it. */
class Overtaken extends Error {
  constructor(readonly target: CheckedPath) {
    super(`${target.relative} changed`);
  }
}

const attemptsAtMost = 100;

/**
 * Writes all files, or none where one can't be written. A file becomes visible only when it is complete: to create, a
 * temporary file is linked to its name, which fails where the name is taken; to replace, the old file is moved aside
 * into the backups, compared with what was inspected, and the new one linked in. Whoever saves in between wins.
 * Throws FILE_EXISTS, FILE_CHANGED, FILE_TOO_LARGE, QUOTA_EXCEEDED, WRITE_FAILED, and what `reserve` throws.
 */
export async function writeFiles(
  files: readonly OutputFile[],
  options: WriteOptions,
): Promise<WrittenFile[]> {
  if (files.length > options.maxFilesPerSession) {
    throw new CodegenError(
      'QUOTA_EXCEEDED',
      `A session may write ${options.maxFilesPerSession} files; this one has ${files.length}.`,
      { hint: 'Record less in one session; writes.maxFilesPerSession in the configuration sets the limit.' },
    );
  }
  // One reservation holds while names are looked for, so that a race for a name costs nobody a place.
  let hold: Hold | undefined;
  try {
    for (let attempt = 1; ; attempt++) {
      const plans: Plan[] = [];
      for (const file of files) plans.push(await plan(file, options));
      const changing = plans.filter((one) => one.change !== 'unchanged');
      if (options.dryRun) return plans.map(written);
      if (changing.length === 0) {
        await hold?.release();
        return plans.map(written);
      }
      hold ??= await options.reserve(changing.length);
      try {
        await commit(changing, options.stateDirectory);
        return plans.map(written);
      } catch (error) {
        // Planned anew, a name taken meanwhile is refused, or gives way to the next free one.
        const again = options.onConflict !== 'overwrite' && attempt < attemptsAtMost;
        if (!(error instanceof Overtaken && again)) throw error;
      }
    }
  } catch (error) {
    await hold?.release().catch(() => undefined);
    throw error instanceof Overtaken ? overtaken(error.target) : writeFailure(error);
  }
}

function overtaken({ relative }: CheckedPath): CodegenError {
  return new CodegenError('FILE_CHANGED', `${relative} changed while it was being written.`, {
    hint: 'What was saved there is kept. Look at it, then try again or use onConflict "rename".',
  });
}

function written({ target, data, change }: Plan): WrittenFile {
  return {
    path: target.relative,
    absolutePath: target.absolute,
    bytes: data.length,
    sha256: createHash('sha256').update(data).digest('hex'),
    change,
  };
}

/** What to tell of a failed file operation; any other error is returned as it is. */
export function writeFailure(error: unknown): unknown {
  const code = errnoOf(error);
  if (code === undefined) return error;
  const [why, hint] = reasons[code] ?? [messageOf(error), 'Look at the disk and the output directory.'];
  return new CodegenError('WRITE_FAILED', `The output can't be written: ${why}.`, { hint, cause: error });
}

const isFile = [
  'a file is where a directory should be',
  'Move that file, or set another output directory.',
] as const;
const isFull = ['the disk is full', 'Free some space, then try again.'] as const;
const isClosed = ['permission is denied', 'Make the output directory writable.'] as const;
const reasons: Record<string, readonly [why: string, hint: string]> = {
  EACCES: isClosed,
  EPERM: isClosed,
  EROFS: ['the file system is read-only', 'Set an output directory that can be written.'],
  ENOSPC: isFull,
  EDQUOT: isFull,
  EFBIG: ['the file is larger than the system allows', 'Raise the file size limit of the process.'],
  ENOTDIR: isFile,
  EEXIST: isFile,
  EISDIR: ['a directory is where the file should be', 'Give another file name.'],
  ENAMETOOLONG: ['the path is too long for this system', 'Give a shorter file name.'],
};

/** Looks at what stands at a file's name and decides what will be done, or throws why nothing may be. */
async function plan(file: OutputFile, options: WriteOptions): Promise<Plan> {
  for (let number = 1; ; number++) {
    const target = number === 1 ? file.target : await options.check(numbered(file.target.relative, number));
    const data = Buffer.from(file.content(target.relative));
    if (data.length > options.maxFileBytes) {
      throw new CodegenError(
        'FILE_TOO_LARGE',
        `${target.relative} would have ${data.length} bytes; ${options.maxFileBytes} are allowed.`,
        { hint: 'Record less in one session; writes.maxFileBytes in the configuration sets the limit.' },
      );
    }
    const before = await contentOf(target.absolute);
    if (!before) return { target, data, before, change: 'created' };
    if (before.data.equals(data)) return { target, data, before, change: 'unchanged' };
    if (options.onConflict === 'rename') continue;
    const origin = inspect(target.relative, before.data.toString());
    const mayReplace =
      options.overwrite === 'always' || (options.overwrite === 'generated' && origin === 'untouched');
    if (options.onConflict === 'overwrite' && mayReplace) return { target, data, before, change: 'replaced' };
    throw inTheWay(target.relative, origin, mayReplace);
  }
}

function inTheWay(file: string, origin: Origin, mayReplace: boolean): CodegenError {
  const hint = mayReplace
    ? 'Use onConflict "overwrite" to replace it, "rename" to keep both, or another file name.'
    : 'Use onConflict "rename" or another file name; the configuration does not let a call replace it.';
  return origin === 'edited'
    ? new CodegenError('FILE_CHANGED', `${file} was emitted by this tool and edited since.`, { hint })
    : new CodegenError('FILE_EXISTS', `${file} exists already.`, { hint });
}

/** `login.spec.ts` becomes `login-2.spec.ts`. */
function numbered(relativePath: string, number: number): string {
  return relativePath.replace(/(\.spec)?\.[^./]+$/, (extension) => `-${number}${extension}`);
}

async function contentOf(file: string): Promise<Plan['before']> {
  try {
    const handle = await open(file, 'r');
    try {
      return { data: await handle.readFile(), mode: (await handle.stat()).mode & 0o777 };
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** What is left to do once a commit has succeeded, or to take back, last things first, where it has not. */
interface Commit {
  finish: (() => Promise<unknown>)[];
  undo: (() => Promise<unknown>)[];
}

async function commit(plans: readonly Plan[], stateDirectory: string): Promise<void> {
  const work: Commit = { finish: [], undo: [] };
  try {
    const staged: { plan: Plan; temporary: string }[] = [];
    for (const plan of plans) staged.push({ plan, temporary: await stage(plan, work) });
    for (const { plan, temporary } of staged) {
      if (plan.before) await replace(plan, plan.before.data, temporary, stateDirectory, work);
      else await create(plan, temporary, work);
      await syncDirectory(path.dirname(plan.target.absolute));
    }
  } catch (error) {
    for (const step of work.undo.reverse()) await step().catch(() => undefined);
    throw error;
  }
  for (const step of work.finish) await step().catch(() => undefined);
}

/** Puts the whole new content on the disk, under a temporary name beside its final one. */
async function stage(plan: Plan, work: Commit): Promise<string> {
  const directory = path.dirname(plan.target.absolute);
  const made = await mkdir(directory, { recursive: true });
  if (made !== undefined) work.undo.push(() => removeEmpty(directory, made));
  await sweep(directory);
  const temporary = besides(plan.target.absolute, 'tmp');
  const remove = (): Promise<void> => rm(temporary, { force: true });
  work.undo.push(remove);
  work.finish.push(remove);
  await createDurably(temporary, plan.data, plan.before?.mode);
  return temporary;
}

async function create(plan: Plan, temporary: string, work: Commit): Promise<void> {
  if (!(await place(temporary, plan.target.absolute))) throw new Overtaken(plan.target);
  work.undo.push(() => withdraw(plan));
}

async function replace(
  plan: Plan,
  before: Buffer,
  temporary: string,
  stateDirectory: string,
  work: Commit,
): Promise<void> {
  const file = plan.target.absolute;
  const aside = await moveAside(file, stateDirectory, work).catch((error: unknown) => {
    throw errnoOf(error) === 'ENOENT' ? new Overtaken(plan.target) : error;
  });
  work.undo.push(async () => {
    if (await place(aside, file)) await rm(aside, { force: true });
  });
  if (!(await readFile(aside)).equals(before)) throw new Overtaken(plan.target);
  await create(plan, temporary, work);
}

/** Moves the old file into the backups; where those are on another disk, beside itself, with a copy in the backups. */
async function moveAside(file: string, stateDirectory: string, work: Commit): Promise<string> {
  const backups = path.join(stateDirectory, 'backups');
  await ensureStateDirectory(stateDirectory);
  await mkdir(backups, { recursive: true, mode: 0o700 });
  const backup = path.join(backups, `${Date.now()}-${unique()}-${path.basename(file).slice(-60)}`);
  try {
    await rename(file, backup);
    return backup;
  } catch (error) {
    if (errnoOf(error) !== 'EXDEV') throw error;
  }
  const aside = besides(file, 'old');
  work.undo.push(() => rm(backup, { force: true }));
  await copyFile(file, backup, constants.COPYFILE_EXCL);
  await rename(file, aside);
  work.finish.push(() => rm(aside));
  return aside;
}

/** Takes back a file that was put in place, unless somebody has saved over it. */
async function withdraw({ target, data }: Plan): Promise<void> {
  const aside = besides(target.absolute, 'old');
  await rename(target.absolute, aside);
  const isOurs = (await readFile(aside)).equals(data);
  if (isOurs || (await place(aside, target.absolute))) await rm(aside, { force: true });
}

/** Gives a complete file its final name; false where that name is taken. */
async function place(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    const code = errnoOf(error) ?? '';
    if (code === 'EEXIST') return false;
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(code)) throw error;
  }
  return claim(from, to);
}

/** `place` without hard links: the name is taken by an empty file, which the complete one then replaces. */
async function claim(from: string, to: string): Promise<boolean> {
  try {
    await createDurably(to, '');
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
  try {
    await rename(from, to);
  } catch (error) {
    await rm(to, { force: true });
    throw error;
  }
  return true;
}

const temporaryName = /^\.codegen-(\d+)-[0-9a-f]+\.tmp$/;

function besides(file: string, suffix: 'tmp' | 'old'): string {
  return path.join(path.dirname(file), `.codegen-${process.pid}-${unique()}.${suffix}`);
}

function unique(): string {
  return randomBytes(6).toString('hex');
}

/** Removes what killed processes left in a directory. */
async function sweep(directory: string): Promise<void> {
  const left = (await readdir(directory)).filter((name) => {
    const pid = temporaryName.exec(name)?.[1];
    return pid !== undefined && !isRunning(Number(pid));
  });
  await Promise.all(left.map((name) => rm(path.join(directory, name), { force: true })));
}

/** Removes a directory and those above it, up to `top`, as far as they are empty. */
async function removeEmpty(directory: string, top: string): Promise<void> {
  await rmdir(directory);
  if (directory !== top) await removeEmpty(path.dirname(directory), top);
}
