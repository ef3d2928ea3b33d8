import { readFile } from 'node:fs/promises';
import type { TestRun } from './report.js';

/** Maximum length of a page's snapshot. */
const snapshotLength = 200_000;

/** The page's snapshot at a test's failure, from Playwright's description of it; undefined if there is none. */
export async function failureSnapshot({ contextFile }: TestRun): Promise<string | undefined> {
  if (contextFile === undefined) return undefined;
  const text = await readFile(contextFile, 'utf8').catch(() => '');
  // After each assertion error that has one, otherwise at the end.
  const snapshot = [...text.matchAll(/^```yaml\n([^]*?)\n```$/gm)].at(-1)?.[1];
  return snapshot !== undefined && snapshot.length > snapshotLength
    ? snapshot.slice(0, snapshotLength)
    : snapshot;
}
