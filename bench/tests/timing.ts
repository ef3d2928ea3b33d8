import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { results, runPlaywright } from './playwright.js';
import type { Recording } from './record.js';

/** Milliseconds for one test, with nothing else running. */
export interface Timing {
  name: string;
  /** Time that verification added to ending the session. */
  addedMs: number;
  /** The test's own run. */
  testMs: number;
  /** The startup of Playwright Test. */
  startUpMs: number;
}

/** Runs an emitted test alone, as a user would. */
export async function timeAlone({ page, emitted = '', endMs }: Recording): Promise<Timing> {
  const folder = path.join(results, 'alone', page.name);
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, `${page.name}.spec.ts`), emitted);
  const before = performance.now();
  const [run] = await runPlaywright(folder);
  const ms = performance.now() - before;
  const testMs = run?.durationMs ?? 0;
  return { name: page.name, addedMs: endMs.verified - endMs.plain, testMs, startUpMs: ms - testMs };
}
