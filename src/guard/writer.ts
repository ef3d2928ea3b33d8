import type { Consent } from './approvals.js';
import { CodegenError, messageOf } from '../model/errors.js';
import { errorCode } from '../state/files.js';
import { pruneBackups, type BackupLimits } from './backups.js';
import { leaveToRecovery, type JournalEntry } from './journal.js';
import type { CheckedPath, Territory } from './paths.js';
import {
  toWrittenFile,
  planFiles,
  planStateFile,
  type OutputFile,
  type FilePlan,
  type PlanOptions,
  type StateFile,
  type WrittenFile,
} from './plan.js';
import type { Hold } from './quota.js';
import { carryOut, Overtaken, writeDown } from './transaction.js';

export interface WriteOptions extends PlanOptions {
  territory: Territory;
  backups: BackupLimits;
  /** Called with what is about to change; throws if there is no room for it. */
  allow: (plans: readonly FilePlan[]) => Promise<void>;
  /** Called with every plan before anything is reserved or written; the approval that it returns is used by the write. */
  confirm?: ((plans: readonly FilePlan[]) => Promise<Consent>) | undefined;
  /** Called once with what is about to change, before anything does; takes quota under the transaction's id. */
  reserve: (plans: readonly FilePlan[], id: string) => Promise<Hold>;
  /** Makes a file of the state directory from the path of the first file; both are written together. */
  beside?: ((path: string) => StateFile) | undefined;
  /** Names of the secrets that are in what is to be written. */
  secretsIn?: ((data: Buffer | string) => string[]) | undefined;
  /** Checks everything, changes nothing. */
  dryRun: boolean;
}

const maxAttempts = 100;

/**
 * Writes all files, or none if one can't be written; a save by someone else in between wins. Throws FILE_EXISTS,
 * FILE_CHANGED, FILE_TOO_LARGE, PATH_NOT_ALLOWED, WRITE_FAILED, and what `allow`, `confirm` and `reserve` throw.
 */
export async function writeFiles(
  files: readonly OutputFile[],
  options: WriteOptions,
): Promise<WrittenFile[]> {
  const { territory, dryRun, onConflict } = options;
  let entry: JournalEntry | undefined;
  // One reservation is kept while names are tried, so that losing a race for a name does not lose the quota.
  let hold: Hold | undefined;
  try {
    for (let attempt = 1; ; attempt++) {
      const plans = await planFiles(files, options);
      const changing = plans.filter(({ change }) => change !== 'unchanged');
      await options.allow(changing);
      const work = dryRun ? [] : [...changing, ...(await besides(plans, options))];
      for (const plan of [...changing, ...work]) requireNoSecret(plan, options);
      if (work.length === 0) {
        await finish(entry, hold);
        return plans.map(toWrittenFile);
      }
      const consent = changing.length > 0 ? await options.confirm?.(changing) : undefined;
      entry = await writeDown(work, territory, entry);
      if (changing.length > 0) hold ??= await options.reserve(changing, entry.id);
      try {
        await consent?.use();
        await carryOut(entry, work, territory);
        await finish(entry);
        await pruneBackups(territory.stateDirectory, options.backups).catch(() => undefined);
        return plans.map(toWrittenFile);
      } catch (error) {
        await consent?.giveBack().catch(() => undefined);
        // Planned again, a name taken meanwhile is refused or replaced by the next free one.
        const again = onConflict !== 'overwrite' && entry.phase === 'undone' && attempt < maxAttempts;
        if (!(error instanceof Overtaken && again)) throw error;
      }
    }
  } catch (error) {
    await finish(entry, hold);
    throw error instanceof Overtaken ? overtaken(error.target) : writeFailure(error);
  }
}

function requireNoSecret({ data, target }: FilePlan, { secretsIn }: WriteOptions): void {
  const names = [...new Set([target.relative, data].flatMap((part) => secretsIn?.(part) ?? []))];
  if (names.length > 0)
    throw new CodegenError('WRITE_FAILED', `The output contains the value of ${names.join(', ')}.`, {
      hint: 'Nothing was written. Write {{secret:NAME}} instead of the value, and undo the step that took it from the page.',
    });
}

/** The file of the state directory that is written with the plans. */
async function besides(
  [first]: readonly FilePlan[],
  { beside, territory }: Pick<WriteOptions, 'beside' | 'territory'>,
): Promise<FilePlan[]> {
  if (first === undefined || beside === undefined) return [];
  const plan = await planStateFile(beside(first.target.relative), territory.stateDirectory);
  return plan.change === 'unchanged' ? [] : [plan];
}

/** Returns reserved quota and closes the transaction; failures are left to recovery. */
async function finish(entry: JournalEntry | undefined, hold?: Hold): Promise<void> {
  try {
    await hold?.release();
    await entry?.remove();
  } catch {
    if (entry) leaveToRecovery(entry);
  }
}

function overtaken({ relative }: CheckedPath): CodegenError {
  return new CodegenError('FILE_CHANGED', `${relative} changed while it was being written.`, {
    hint: 'The existing content was kept. Check it, then try again or use onConflict "rename".',
  });
}

/** The error for a failed file operation; any other error is returned unchanged. */
export function writeFailure(error: unknown): unknown {
  const code = errorCode(error);
  if (code === undefined) return error;
  const [why, hint] = reasons[code] ?? [messageOf(error), 'Check the disk and the output directory.'];
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
  ELOOP: ['a link is where the file should be', 'Remove that link, or give another file name.'],
  EISDIR: ['the path is a directory', 'Use another file name.'],
  ENAMETOOLONG: ['the path is too long for this system', 'Use a shorter file name.'],
};
