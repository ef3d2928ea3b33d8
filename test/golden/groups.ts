import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { groupSchema, type GoldenGroup } from './emit.js';

const sessions = new URL('sessions/', import.meta.url);

/** The names of the corpus's groups. */
export const groupNames = readdirSync(sessions)
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.replace(/\.json$/, ''))
  .sort();

export async function readGroup(name: string): Promise<GoldenGroup> {
  return groupSchema.parse(JSON.parse(await readFile(new URL(`${name}.json`, sessions), 'utf8')));
}

export function readGroups(): Promise<GoldenGroup[]> {
  return Promise.all(groupNames.map(readGroup));
}

/** The file with the text that a group has to emit. */
export function expectedFile(group: string): URL {
  return new URL(`expected/${group}.txt`, import.meta.url);
}
