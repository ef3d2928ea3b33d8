import { randomBytes } from 'node:crypto';
import { rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ensureDir, remove as removeFile } from 'fs-extra/esm';
import { z } from 'zod';
import type { Secrets } from '../model/secrets.js';
import { ensureStateDirectory, namesIn } from '../state/files.js';
import { mayBeRunning, processName } from '../state/process-name.js';
import { keyOf, readSaved, savedForm, savedSchema } from './saved.js';
import type { Session } from './session.js';

/** Unfinished sessions that are kept: the newest. */
const maxKept = 1000;

const unfinishedSchema = savedSchema.extend({
  id: z.string(),
  grant: z.string(),
  /** Whether ending it replaces the file. */
  resumed: z.boolean(),
  /** The process in which it is open; undefined for one that is not. */
  holder: z.string().optional(),
});

/** A session whose test has not been written. */
export type UnfinishedSession = z.infer<typeof unfinishedSchema>;

interface Page {
  place: string;
  id: string;
  key: string;
}

/**
 * Saves a session that has steps, under its id and its planned file, so that it outlives its browser and its server.
 * Throws what the file system throws.
 */
export async function saveUnfinished(
  stateDirectory: string,
  session: Session,
  secrets?: Secrets,
): Promise<void> {
  const { id, grant, path: file, resumed, status } = session;
  const folder = folderOf(stateDirectory);
  const unfinished: UnfinishedSession = {
    ...savedForm(session, file),
    id,
    grant,
    resumed,
    ...(status === 'open' ? { holder: processName() } : {}),
  };
  const place = path.join(folder, `${keyOf(file)}.${id}.json`);
  const temporary = path.join(folder, `${randomBytes(6).toString('hex')}.tmp`);
  await ensureStateDirectory(stateDirectory);
  await ensureDir(folder, 0o700);
  try {
    const text = JSON.stringify(unfinished);
    const isClean = secrets === undefined || secrets.leaksIn(text).length === 0;
    await writeFile(temporary, isClean ? text : JSON.stringify(secrets.redactAll(unfinished)), {
      mode: 0o600,
    });
    await rename(temporary, place);
  } catch (error) {
    await removeFile(temporary).catch(() => undefined);
    throw error;
  }
  if (status !== 'open') await prune(await pages(stateDirectory));
}

/**
 * The unfinished session of an id, or else the latest of a planned file, that is the grant's and open in no server.
 * Throws as `loadSession` does.
 */
export async function findUnfinished(
  stateDirectory: string,
  grant: string,
  name: { id: string } | { file: string },
): Promise<UnfinishedSession | undefined> {
  const wanted = (await pages(stateDirectory)).filter(({ id, key }) =>
    'id' in name ? id === name.id : key === keyOf(name.file),
  );
  for (const { place, id, age } of await newestFirst(wanted)) {
    const found = await readSaved(place, id, unfinishedSchema);
    const isOpen = found?.holder !== undefined && mayBeRunning(found.holder, age);
    if (found?.grant === grant && !isOpen) return found;
  }
  return undefined;
}

/** Forgets an unfinished session. */
export async function removeUnfinished(stateDirectory: string, session: string): Promise<void> {
  const all = await pages(stateDirectory);
  await remove(all.filter(({ id }) => id === session));
  await prune(all.filter(({ id }) => id !== session));
}

async function prune(all: readonly Page[]): Promise<void> {
  if (all.length > maxKept) await remove((await newestFirst(all)).slice(maxKept));
}

async function remove(gone: readonly Page[]): Promise<void> {
  await Promise.all(gone.map(({ place }) => removeFile(place)));
}

const folderOf = (stateDirectory: string): string => path.join(stateDirectory, 'unfinished');

async function pages(stateDirectory: string): Promise<Page[]> {
  const folder = folderOf(stateDirectory);
  return (await namesIn(folder)).flatMap((name) => {
    const [, key, id] = /^([0-9a-f]+)\.(.+)\.json$/.exec(name) ?? [];
    return key === undefined || id === undefined ? [] : [{ place: path.join(folder, name), key, id }];
  });
}

async function newestFirst(all: readonly Page[]): Promise<(Page & { age: number })[]> {
  const dated = await Promise.all(
    all.map(async (page) => {
      const info = await stat(page.place).catch(() => undefined);
      return info === undefined ? [] : [{ ...page, age: Date.now() - info.mtimeMs }];
    }),
  );
  return dated.flat().sort((one, other) => one.age - other.age);
}
