import { readFile } from 'node:fs/promises';
import type { TestRun } from './report.js';

/** Characters of a page's snapshot that are kept. */
const snapshotLength = 200_000;

/** The snapshot of the page at a test's failure, out of the file in which Playwright describes it; undefined without one. */
export async function failureSnapshot({ contextFile }: TestRun): Promise<string | undefined> {
  if (contextFile === undefined) return undefined;
  const text = await readFile(contextFile, 'utf8').catch(() => '');
  // Beside the error of each assertion that took one, else at the end.
  const snapshot = [...text.matchAll(/^```yaml\n([^]*?)\n```$/gm)].at(-1)?.[1];
  return snapshot !== undefined && snapshot.length > snapshotLength
    ? snapshot.slice(0, snapshotLength)
    : snapshot;
}
