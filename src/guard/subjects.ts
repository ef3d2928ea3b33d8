import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { createDurably } from '../state/files.js';
import type { Redis } from '../state/redis.js';

/** What people are shown of requests for approval: too long for the state itself. */
export interface Subjects {
  write(id: string, subject: string): Promise<void>;
  read(id: string): Promise<string>;
  /** Forgets those of all other requests. */
  keepOnly(ids: readonly string[]): Promise<void>;
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
      read: async (id) => (await run((client) => client.get(keyOf(id)))) ?? '',
      keepOnly: () => Promise.resolve(),
    };
  }
  const fileOf = (id: string): string => path.join(directory, `${id}.txt`);
  return {
    write: (id, subject) => createDurably(fileOf(id), subject, 0o600),
    read: (id) => readFile(fileOf(id), 'utf8'),
    async keepOnly(ids) {
      const kept = new Set(ids.map((id) => `${id}.txt`));
      const old = (await readdir(directory)).filter((name) => name.endsWith('.txt') && !kept.has(name));
      await Promise.allSettled(old.map((name) => rm(path.join(directory, name))));
    },
  };
}
