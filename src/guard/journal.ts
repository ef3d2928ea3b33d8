import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { parseJson } from '../model/json.js';
import { createDurably, ensureStateDirectory, errorCode, namesIn, syncDirectory } from '../state/files.js';
import { mayBeRunning, processName } from '../state/process-name.js';

/** Prevents that a page of the journal, which a repository can contain too, leads out of its directory. */
const isName = (name: string): boolean => path.basename(name) === name && !['', '.', '..'].includes(name);

const nameSchema = z.string().refine(isName);

/** The names of a real directory, from its root down. */
const directorySchema = z.array(nameSchema);

const fileSchema = z.object({
  /** Where its directory begins. */
  root: z.enum(['workspace', 'state']).default('workspace'),
  directory: directorySchema,
  name: nameSchema,
  /** As in results: relative to the workspace, with forward slashes. */
  path: z.string(),
  sha256: z.string(),
  sha256Before: z.string().optional(),
  /** Name of the backup of what it replaces; undefined for none. */
  backup: z
    .string()
    .refine((backup) => backup.split('/').every(isName))
    .optional(),
});

const recordSchema = z.object({
  files: z.array(fileSchema),
  /** Directories that were missing, from the top down. */
  made: z.array(directorySchema),
  /** Whether the file system has hard links; false once one has failed. */
  links: z.boolean(),
});

/** Describes a transaction; written before it starts. */
type TransactionRecord = z.infer<typeof recordSchema>;
export type FileRecord = z.infer<typeof fileSchema>;

/** `open` is rolled back if its holder dies; in the others nothing but tidying up and settling the quota is left. */
type Phase = 'open' | 'done' | 'undone';

/** A transaction's page in the journal. */
export interface JournalEntry {
  /** Also that of the quota taken for it. */
  readonly id: string;
  readonly phase: Phase;
  readonly record: TransactionRecord;
  /** Enters a phase, durably once this returns. Fails with ENOENT if another process has taken it over. */
  turn(phase: Phase): Promise<void>;
  rewrite(record: TransactionRecord): Promise<void>;
  /** Removes the page, unless it was left to recovery. */
  remove(): Promise<void>;
}

const entryName = /^([0-9a-f]+)\.([^.]+)\.(open|done|undone|new)$/;

/** Transactions that this process has not finished. */
const own = new Set<string>();

const folderOf = (stateDirectory: string): string => path.join(stateDirectory, 'journal');

export const newEntryId = (): string => randomBytes(8).toString('hex');

/** Writes the entry of a transaction; it is on the disk when this returns. */
export async function beginEntry(
  stateDirectory: string,
  id: string,
  record: TransactionRecord,
): Promise<JournalEntry> {
  await ensureStateDirectory(stateDirectory);
  await mkdir(folderOf(stateDirectory), { recursive: true, mode: 0o700 });
  const entry = openEntry(stateDirectory, id, 'open', record);
  own.add(id);
  try {
    await entry.rewrite(record);
  } catch (error) {
    await entry.remove().catch(() => undefined);
    throw error;
  }
  return entry;
}

/**
 * Takes over the transactions whose processes have died. The holder's name is part of a page's, so that of several
 * processes one gets each: by renaming it.
 */
export async function takeOver(stateDirectory: string): Promise<JournalEntry[]> {
  const folder = folderOf(stateDirectory);
  const entries: JournalEntry[] = [];
  for (const { name, id, holder, phase } of await pages(stateDirectory)) {
    const from = path.join(folder, name);
    const mine = holder === processName();
    if (mine ? own.has(id) : mayBeRunning(holder, await ageOf(from))) continue;
    if (phase === 'new') {
      await rm(from, { force: true });
      continue;
    }
    own.add(id);
    try {
      const to = path.join(folder, pageName(id, phase));
      await rename(from, to);
      const record = recordSchema.safeParse(parseJson(await readFile(to, 'utf8'))).data;
      // A page that was torn by a power failure belongs to a transaction that has not begun.
      if (record) entries.push(openEntry(stateDirectory, id, phase, record));
      else await rm(to);
    } catch (error) {
      own.delete(id);
      if (errorCode(error) !== 'ENOENT') throw error;
    }
  }
  return entries;
}

/** The ids of transactions that are not finished. */
export async function unfinishedTransactions(stateDirectory: string): Promise<Set<string>> {
  return new Set((await pages(stateDirectory)).map(({ id }) => id));
}

/** Leaves a transaction to the next recovery, also to one of this process. */
export function leaveToRecovery({ id }: JournalEntry): void {
  own.delete(id);
}

function openEntry(
  stateDirectory: string,
  id: string,
  phase: Phase,
  record: TransactionRecord,
): JournalEntry {
  const folder = folderOf(stateDirectory);
  const at = (what: Phase | 'new'): string => path.join(folder, pageName(id, what));
  const entry = {
    id,
    phase,
    record,
    async turn(next: Phase) {
      const before = entry.phase;
      await rename(at(before), at(next));
      try {
        await syncDirectory(folder);
      } catch (error) {
        await rename(at(next), at(before));
        throw error;
      }
      entry.phase = next;
    },
    async rewrite(next: TransactionRecord) {
      await rm(at('new'), { force: true });
      await createDurably(at('new'), JSON.stringify(next), 0o600);
      await rename(at('new'), at(entry.phase));
      entry.record = next;
      await syncDirectory(folder);
    },
    async remove() {
      if (!own.has(id)) return;
      await rm(at('new'), { force: true });
      await rm(at(entry.phase), { force: true });
      own.delete(id);
    },
  };
  return entry;
}

function pageName(id: string, phase: Phase | 'new'): string {
  return `${id}.${processName()}.${phase}`;
}

interface Page {
  name: string;
  id: string;
  holder: string;
  phase: Phase | 'new';
}

async function pages(stateDirectory: string): Promise<Page[]> {
  const names = await namesIn(folderOf(stateDirectory));
  return names.flatMap((name) => {
    const [, id = '', holder = '', phase] = entryName.exec(name) ?? [];
    return phase === 'open' || phase === 'done' || phase === 'undone' || phase === 'new'
      ? [{ name, id, holder, phase }]
      : [];
  });
}

async function ageOf(file: string): Promise<number> {
  const info = await stat(file).catch(() => undefined);
  return info === undefined ? 0 : Date.now() - info.mtimeMs;
}
