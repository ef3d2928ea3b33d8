import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { isPicture } from '../../actions/expect.js';
import { traitsOf } from '../../actions/registry.js';
import type { Step } from '../../model/step.js';
import type { Lane } from '../../verify/plan.js';
import type { TestBench } from '../../verify/test-bench.js';

/** A picture that a test compares with. */
export interface ExpectedPicture {
  /** Relative to the workspace, with forward slashes. */
  path: string;
  data: Buffer;
}

/** Whether some step compares with a picture. */
export function comparesPictures(steps: readonly Step[]): boolean {
  return steps.some((step) => traitsOf(step).asserts && isPicture(step.args));
}

/**
 * Runs a test once to make the pictures that it compares with and resolves to those that are new. One that is in the
 * workspace already is the truth: it takes the place of what the run has made.
 */
export async function makePictures(
  { staging, run }: TestBench,
  { workspace, lane, ...plan }: { workspace: string; lane: Lane; runs: number; pictures: string | undefined },
): Promise<ExpectedPicture[]> {
  const { root = workspace } = lane;
  const staged = new Set(await filesIn(root));
  await run({ ...plan, lanes: [{ ...lane, repeat: 1 }], workers: 1, makesPictures: true });
  const made = (await filesIn(root)).filter((file) => !staged.has(file) && file.endsWith('.png'));
  const pictures: ExpectedPicture[] = [];
  for (const file of made) {
    const place = path.join(root, file);
    const known = path.join(workspace, file);
    if (existsSync(known)) await staging.copy(path.relative(staging.directory, place), known);
    else pictures.push({ path: file.split(path.sep).join('/'), data: await readFile(place) });
  }
  return pictures;
}

async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)));
}
