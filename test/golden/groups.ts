import { readdir, readFile } from 'node:fs/promises';
import { groupSchema, type GoldenGroup } from './emit.js';

const sessions = new URL('sessions/', import.meta.url);

/** The corpus by the names of its groups. */
export async function readGroups(): Promise<Map<string, GoldenGroup>> {
  const names = (await readdir(sessions)).filter((name) => name.endsWith('.json')).sort();
  const groups = names.map(async (name) => {
    const data: unknown = JSON.parse(await readFile(new URL(name, sessions), 'utf8'));
    return [name.replace(/\.json$/, ''), groupSchema.parse(data)] as const;
  });
  return new Map(await Promise.all(groups));
}

/** The file with the text that a group has to emit. */
export function expectedFile(group: string): URL {
  return new URL(`expected/${group}.txt`, import.meta.url);
}
