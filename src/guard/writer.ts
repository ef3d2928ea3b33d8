import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, mkdir, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { CodegenError, messageOf } from '../model/errors.js';
import { createDurably, ensureStateDirectory, errnoOf, isRunning, syncDirectory } from '../state/files.js';
import type { CheckedPath } from './paths.js';
import {
  described,
  planFiles,
  type OutputFile,
  type Plan,
  type PlanOptions,
  type WrittenFile,
} from './plan.js';
import type { Hold } from './quota.js';

export interface WriteOptions extends PlanOptions {
  stateDirectory: string;
  maxFilesPerSession: number;
  /** Called with every plan before anything is reserved or written; what it throws stops the call. */
  confirm?: (plans: readonly Plan[]) => Promise<void>;
  /** Called once with the number of files about to change, before the first of them does. */
  reserve: (changes: number) => Promise<Hold>;
  /** Checks everything, changes nothing. */
  dryRun: boolean;
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
      const plans = await planFiles(files, options);
      const changing = plans.filter((one) => one.change !== 'unchanged');
      if (options.dryRun) return plans.map(described);
      if (changing.length === 0) {
        await hold?.release();
        return plans.map(described);
      }
      await options.confirm?.(changing);
      hold ??= await options.reserve(changing.length);
      try {
        await commit(changing, options.stateDirectory);
        return plans.map(described);
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
