import { link, lstat, rename, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { sha256 } from '../model/text.js';
import { createDurably, errorCode, isSameFile, exists, readWhole } from '../state/files.js';
import { discard, keep, nameOfBackup } from './backups.js';
import { pinDirectory, directorySwapped, type PinnedDirectory } from './pinned-directory.js';
import { beginEntry, leaveToRecovery, newEntryId, type JournalEntry, type FileRecord } from './journal.js';
import type { CheckedPath, Territory } from './paths.js';
import { type FilePlan } from './plan.js';

/** Thrown if a file appeared, disappeared or changed between inspection and write. */
export class Overtaken extends Error {
  constructor(readonly target: CheckedPath) {
    super(`${target.relative} changed`);
  }
}

/** Writes a journal entry of what the plans will do, replacing that of an attempt that was rolled back. */
export async function writeDown(
  plans: readonly FilePlan[],
  territory: Territory,
  previous: JournalEntry | undefined,
): Promise<JournalEntry> {
  const id = previous?.id ?? newEntryId();
  const time = new Date();
  const made = new Map<string, string[]>();
  for (const { target } of plans.filter(({ root }) => root === 'workspace'))
    for (const directory of await missingDirectories(target, territory))
      made.set(directory.join('/'), directory);
  const record = {
    made: [...made.values()],
    links: true,
    files: plans.map(({ root, target, data, before }, index) => ({
      root,
      directory: target.directory,
      name: path.basename(target.absolute),
      path: target.relative,
      sha256: sha256(data),
      ...(before ? { sha256Before: sha256(before.data) } : {}),
      ...(root === 'workspace' ? { backup: nameOfBackup(time, id, index, target.relative) } : {}),
    })),
  };
  if (previous === undefined) return beginEntry(territory.stateDirectory, id, record);
  await previous.rewrite(record);
  await previous.turn('open');
  return previous;
}

async function missingDirectories({ directory }: CheckedPath, { workspace }: Territory): Promise<string[][]> {
  const missing: string[][] = [];
  for (const index of directory.keys()) {
    const names = directory.slice(0, index + 1);
    if (!(await exists(path.join(workspace, ...names)))) missing.push(names);
  }
  return missing;
}

/**
 * Writes all files of a transaction, or none. Each is put whole on the disk under a name of its own. To create, it is
 * linked to its final name, which fails if that is taken; to replace, the old file is moved aside first, compared
 * with what was planned, and kept in the backups. Throws Overtaken, and what the file system throws.
 */
export async function carryOut(
  entry: JournalEntry,
  plans: readonly FilePlan[],
  territory: Territory,
): Promise<void> {
  const directories = holdings(territory);
  try {
    await writeAll(entry, plans, territory, directories);
  } catch (error) {
    await rollBack(entry, territory, directories).catch(() => {
      leaveToRecovery(entry);
    });
    throw error;
  } finally {
    // What can't be tidied up now is left to the next recovery.
    await tidyUp(entry, territory, directories).catch(() => {
      leaveToRecovery(entry);
    });
    await directories.close();
  }
}

/** Resolves a transaction of a dead process: one that is not done is rolled back. Safe to repeat. */
export async function settle(entry: JournalEntry, territory: Territory): Promise<void> {
  const directories = holdings(territory);
  try {
    if (entry.phase === 'open') await rollBack(entry, territory, directories);
    await tidyUp(entry, territory, directories);
  } finally {
    await directories.close();
  }
}

async function writeAll(
  entry: JournalEntry,
  plans: readonly FilePlan[],
  territory: Territory,
  directories: Holdings,
): Promise<void> {
  const { files } = entry.record;
  const work = plans.flatMap((plan, index) => {
    const file = files[index];
    return file ? [{ plan, file, names: namesOf(entry, index) }] : [];
  });
  for (const { plan, file, names } of work) {
    try {
      const { at } = await directories.make(file);
      await createDurably(at(names.staged), plan.data, plan.before?.mode ?? modes[plan.root]);
    } catch (error) {
      // Another process, which gave up, has removed a directory that it had made.
      throw errorCode(error) === 'ENOENT' ? new Overtaken(plan.target) : error;
    }
  }
  for (const { plan, file, names } of work) {
    const { at, isInPlace } = await directories.make(file);
    if (!(await isInPlace())) throw directorySwapped();
    if (plan.before) await moveAside(at(file.name), at(names.aside), plan);
    if (!(await place(entry, at(names.staged), at(file.name)))) throw new Overtaken(plan.target);
  }
  for (const { plan, file, names } of work)
    if (plan.before && file.backup !== undefined)
      await keep(territory.stateDirectory, (await directories.make(file)).at(names.aside), file.backup);
  for (const directory of directories.all()) {
    if (!(await directory.isInPlace())) throw directorySwapped();
    await directory.sync();
  }
  await entry.turn('done');
}

async function moveAside(file: string, aside: string, { target, before }: FilePlan): Promise<void> {
  await rename(file, aside).catch((error: unknown) => {
    throw errorCode(error) === 'ENOENT' ? new Overtaken(target) : error;
  });
  const moved = (await lstat(aside)).isFile() ? (await readWhole(aside)).data : undefined;
  if (before === undefined || moved?.equals(before.data) !== true) throw new Overtaken(target);
}

/** Removes what was put in place and restores what was moved aside, unless the file has been saved since. */
async function rollBack(entry: JournalEntry, territory: Territory, directories: Holdings): Promise<void> {
  const failures: unknown[] = [];
  for (const [index, file] of [...entry.record.files.entries()].reverse()) {
    try {
      const directory = await directories.find(file);
      if (directory === undefined) continue;
      await withdraw(entry, { index, file, directory }, territory);
      await putBack(entry, { index, file, directory }, territory);
      await directory.sync();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  await entry.turn('undone');
}

/** A file of a transaction, its index there, and its directory. */
interface Placed {
  index: number;
  file: FileRecord;
  directory: PinnedDirectory;
}

async function withdraw(
  entry: JournalEntry,
  { index, file, directory: { at } }: Placed,
  { stateDirectory }: Territory,
): Promise<void> {
  const { staged, withdrawn } = namesOf(entry, index);
  if (!(await exists(at(withdrawn)))) {
    if (!(await isOurs(entry, file, at(file.name), at(staged)))) return;
    await rename(at(file.name), at(withdrawn));
  }
  const { data } = await readWhole(at(withdrawn));
  const isStill = sha256(data) === file.sha256 || (!entry.record.links && data.length === 0);
  // Someone just wrote into it: their version is restored or, if the name exists, backed up.
  if (!isStill && !(await place(entry, at(withdrawn), at(file.name))) && file.backup !== undefined)
    await keep(
      stateDirectory,
      at(withdrawn),
      nameOfBackup(new Date(), entry.id, index + entry.record.files.length, file.path),
    );
  await rm(at(withdrawn), { force: true });
}

/** Whether a name is that of an unchanged file of this transaction. */
async function isOurs(
  entry: JournalEntry,
  file: FileRecord,
  target: string,
  staged: string,
): Promise<boolean> {
  if (!(await exists(target))) return false;
  if (entry.record.links && !(await isSameFile(target, staged))) return false;
  if (!(await lstat(target)).isFile()) return false;
  const { data } = await readWhole(target);
  if (sha256(data) === file.sha256) return entry.record.links || !(await exists(staged));
  // Without links a name is taken by an empty file first.
  return !entry.record.links && data.length === 0;
}

async function putBack(
  entry: JournalEntry,
  { index, file, directory: { at } }: Placed,
  { stateDirectory }: Territory,
): Promise<void> {
  const aside = at(namesOf(entry, index).aside);
  if (!(await exists(aside))) return;
  if (file.backup !== undefined) await discard(stateDirectory, file.backup);
  const isBack = (await isSameFile(aside, at(file.name))) || (await place(entry, aside, at(file.name)));
  if (!isBack && file.backup !== undefined) await keep(stateDirectory, aside, file.backup);
  await rm(aside, { force: true });
}

/** Removes temporary files of a resolved transaction. */
async function tidyUp(
  entry: JournalEntry,
  { stateDirectory }: Territory,
  directories: Holdings,
): Promise<void> {
  if (entry.phase === 'open') return;
  const { files, made } = entry.record;
  for (const [index, file] of files.entries()) {
    const directory = await directories.find(file);
    if (directory === undefined) continue;
    const { staged, aside } = namesOf(entry, index);
    if (entry.phase === 'done' && (await exists(directory.at(aside)))) {
      if (file.backup !== undefined) await keep(stateDirectory, directory.at(aside), file.backup);
      await rm(directory.at(aside), { force: true });
    }
    await rm(directory.at(staged), { force: true });
  }
  if (entry.phase === 'done') return;
  for (const directory of [...made].reverse()) {
    const parent = await directories.find({ root: 'workspace', directory: directory.slice(0, -1) });
    // One that others use meanwhile stays.
    await rmdir(parent?.at(path.join(...directory.slice(-1))) ?? '').catch(() => undefined);
  }
}

/** Permissions of new files: the system's default, or for their owner alone. */
const modes = { workspace: undefined, state: 0o600 };

type Place = Pick<FileRecord, 'root' | 'directory'>;

/** The directories that a transaction writes in, held until it ends. */
interface Holdings {
  find(place: Place): Promise<PinnedDirectory | undefined>;
  /** Makes it if need be. */
  make(place: Place): Promise<PinnedDirectory>;
  all(): Iterable<PinnedDirectory>;
  close(): Promise<void>;
}

function holdings({ workspace, stateDirectory }: Territory): Holdings {
  const roots = { workspace, state: stateDirectory };
  const held = new Map<string, PinnedDirectory>();
  async function hold(
    { root, directory: names }: Place,
    make: boolean,
  ): Promise<PinnedDirectory | undefined> {
    const key = [root, ...names].join('/');
    const directory = held.get(key) ?? (await pinDirectory(roots[root], names, make));
    if (directory) held.set(key, directory);
    return directory;
  }
  return {
    find: (place) => hold(place, false),
    async make(place) {
      const directory = await hold(place, true);
      if (directory === undefined) throw directorySwapped();
      return directory;
    },
    all: () => held.values(),
    async close() {
      for (const directory of held.values()) await directory.close();
    },
  };
}

/** Names in the directory of the final one that no other transaction uses. */
function namesOf({ id }: JournalEntry, index: number): { staged: string; aside: string; withdrawn: string } {
  const name = `.codegen-${id}-${index}`;
  return { staged: `${name}.new`, aside: `${name}.old`, withdrawn: `${name}.out` };
}

/** Links a complete file to its final name; false if that name exists. */
async function place(entry: JournalEntry, from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    const code = errorCode(error) ?? '';
    if (code === 'EEXIST') return false;
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(code)) throw error;
  }
  if (entry.record.links) await entry.rewrite({ ...entry.record, links: false });
  return claim(from, to);
}

/** `place` without hard links: the name is taken by an empty file, which the complete one then replaces. */
async function claim(from: string, to: string): Promise<boolean> {
  try {
    await createDurably(to, '');
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
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
