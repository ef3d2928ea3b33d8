import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ignoreMissing } from '../state/files.js';
import type { Redis } from '../state/redis.js';

/** What people are shown of requests for approval: too long for the state itself. */
export interface Subjects {
  write(id: string, subject: string): Promise<void>;
  /** Undefined if there is none. What a killed server left may not be whole. */
  read(id: string): Promise<string | undefined>;
  /** Forgets those of all other requests. */
  keepOnly(list: () => Promise<string[]>): Promise<void>;
}

/** Subjects in files of a directory, or in Redis, which expires them after `validMs` milliseconds. */
export function subjectsIn(directory: string, redis: Redis | undefined, validMs: number): Subjects {
  if (redis !== undefined) {
    const { run, key } = redis;
    const keyOf = (id: string): string => key(`approval:${id}`);
    return {
      async write(id, subject) {
        await run((client) => client.set(keyOf(id), subject, { expiration: { type: 'PX', value: validMs } }));
      },
      read: async (id) => (await run((client) => client.get(keyOf(id)))) ?? undefined,
      keepOnly: () => Promise.resolve(),
    };
  }
  const fileOf = (id: string): string => path.join(directory, `${id}.txt`);
  return {
    write: (id, subject) => writeFile(fileOf(id), subject, { mode: 0o600 }),
    read: (id) => readFile(fileOf(id), 'utf8').catch(ignoreMissing),
    async keepOnly(list) {
      // Read first: a subject is written after its request is in the list.
      const names = await readdir(directory);
      const kept = new Set((await list()).map((id) => `${id}.txt`));
      const old = names.filter((name) => name.endsWith('.txt') && !kept.has(name));
      await Promise.allSettled(old.map((name) => rm(path.join(directory, name))));
    },
  };
}
