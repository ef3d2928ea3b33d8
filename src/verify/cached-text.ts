import { readFile, stat } from 'node:fs/promises';

const maxFiles = 500;
const maxBytes = 262_144;

const texts = new Map<string, { state: string; text: string }>();

/** A file's text, cached until it changes; undefined if it can't be read or is large. */
export async function cachedText(file: string): Promise<string | undefined> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined || found.size > maxBytes) return undefined;
  const state = `${found.mtimeMs} ${found.size}`;
  const known = texts.get(file);
  if (known?.state === state) return known.text;
  const text = await readFile(file, 'utf8');
  if (texts.size >= maxFiles) texts.clear();
  texts.set(file, { state, text });
  return text;
}
