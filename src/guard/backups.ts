import { link, mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import {
  createDurably,
  ensureStateDirectory,
  isSameFile,
  exists,
  ignoreMissing,
  readWhole,
  syncDirectory,
} from '../state/files.js';
import { unfinishedTransactions } from './journal.js';

/** A file that was replaced; its name says when, by which transaction, and from which path. */
export interface Backup {
  /** What `restore` takes: the beginning of its name. */
  id: string;
  time: Date;
  transaction: string;
  /** Relative to the workspace, with forward slashes. */
  path: string;
  absolutePath: string;
}

export interface BackupLimits {
  maxFiles: number;
  maxAgeDays: number;
}

const backupName = /^((\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z-([0-9a-f]+)-\d+)-([^+]+)\.bak$/;

const folderOf = (stateDirectory: string): string => path.join(stateDirectory, 'backups');

/**
 * The name of a backup, which no test runner takes for a test. A name that is too long for one file is split into
 * directories.
 */
export function nameOfBackup(time: Date, transaction: string, index: number, file: string): string {
  const stamp = time.toISOString().replace(/[-:.]/g, '');
  const whole = `${stamp}-${transaction}-${index}-${encodeURIComponent(file)}.bak`;
  return (whole.match(/.{1,200}/g) ?? []).join('/');
}

/** All backups, the newest first. */
export async function listBackups(stateDirectory: string): Promise<Backup[]> {
  const folder = folderOf(stateDirectory);
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(ignoreMissing);
  return (found ?? [])
    .filter((each) => each.isFile())
    .map((each) => path.join(each.parentPath, each.name))
    .flatMap((absolutePath) => {
      const name = path.relative(folder, absolutePath).split(path.sep).join('');
      const [, id, year, month, day, hour, minute, second, thousandth, transaction, encoded] =
        backupName.exec(name) ?? [];
      if (id === undefined || transaction === undefined || encoded === undefined) return [];
      const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}.${thousandth}Z`);
      return [{ id, time, transaction, path: decodeURIComponent(encoded), absolutePath }];
    })
    .sort((a, b) => (a.id < b.id ? 1 : -1));
}

/** Removes what is beyond the limits, except for what an unfinished transaction may still need. */
export async function pruneBackups(stateDirectory: string, limits: BackupLimits): Promise<void> {
  const needed = await unfinishedTransactions(stateDirectory);
  const oldest = Date.now() - limits.maxAgeDays * 86_400_000;
  const settled = (await listBackups(stateDirectory)).filter(({ transaction }) => !needed.has(transaction));
  const removable = settled.filter(({ time }, index) => index >= limits.maxFiles || time.getTime() < oldest);
  for (const { absolutePath } of removable) {
    await rm(absolutePath, { force: true });
    await removeEmpty(path.dirname(absolutePath), folderOf(stateDirectory)).catch(() => undefined);
  }
}

async function removeEmpty(directory: string, top: string): Promise<void> {
  if (directory === top) return;
  await rmdir(directory);
  await removeEmpty(path.dirname(directory), top);
}

/**
 * Links a file that is about to lose its name into the backups, or copies it if those are on another file system. Repeat
 * it just before the name is lost: a copy misses what has been written since.
 */
export async function keep(stateDirectory: string, file: string, name: string): Promise<void> {
  const backup = path.join(folderOf(stateDirectory), name);
  await ensureStateDirectory(stateDirectory);
  await mkdir(path.dirname(backup), { recursive: true, mode: 0o700 });
  await link(file, backup).catch(() => copyUnlessKept(file, backup));
  await syncDirectory(path.dirname(backup));
}

/** Removes the backup of a file that was restored. */
export async function discard(stateDirectory: string, name: string): Promise<void> {
  const backup = path.join(folderOf(stateDirectory), name);
  for (const file of [backup, partOf(backup)]) await rm(file, { force: true });
}

async function copyUnlessKept(file: string, backup: string): Promise<void> {
  if (await isSameFile(file, backup)) return;
  const { data, mode } = await readWhole(file);
  if ((await exists(backup)) && (await readWhole(backup)).data.equals(data)) return;
  await rm(partOf(backup), { force: true });
  await createDurably(partOf(backup), data, mode);
  await rename(partOf(backup), backup);
}

/** A temporary name: no backup's name contains a plus sign. */
function partOf(backup: string): string {
  return path.join(path.dirname(backup), `+${path.basename(backup)}`);
}
