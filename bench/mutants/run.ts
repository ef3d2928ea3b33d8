import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { runPlaywright, type Run } from '../tests/playwright.js';
import type { Mutant } from './instrument.js';
import { parseSpecName, specName, statesFile } from './support.js';
import { countAssertions, versions, type Specs, type Version } from './specs.js';

/** A mutant that shows, and which versions of the test caught it. */
export interface Tried extends Mutant {
  /** The first step after which the page shows something else; 0 is the opening. */
  step: number;
  /** Lines that the page lacks then (`-`) or has besides (`+`). */
  difference: string;
  caught: Record<Version, boolean>;
}

export interface Outcome {
  application: string;
  kind: string;
  /** Mutants in the application, those that the flow executes, those of them that were tried. */
  counts: { all: number; executed: number; tried: number; diedOfClicking: number };
  mutants: Tried[];
  assertions: Record<Version, number>;
  /** Runs without a mutant: how many, and how many passed. */
  repeats: Record<Version, { runs: number; passed: number; failures: string[] }>;
}

export interface Trial {
  name: string;
  kind: string;
  baseURL: string;
  mutants: readonly Mutant[];
  specs: Specs;
  /** Where tests are written and run. */
  folder: string;
  /** How many of the executed mutants are tried; spread evenly over all. */
  limit: number;
  /** How often each version runs without a mutant. */
  repeat: number;
}

const differenceSchema = z.object({ step: z.number(), difference: z.string() });

/** Tests in one process of Playwright Test. */
const batchSize = 150;
const support = fileURLToPath(new URL('support.ts', import.meta.url));

/** Finds the mutants that show, and runs each version against each of them. */
export async function tryMutants(trial: Trial): Promise<Outcome> {
  const { mutants, specs, name } = trial;
  await rm(trial.folder, { recursive: true, force: true });
  await mkdir(trial.folder, { recursive: true });
  const ids = await observeOriginal(trial);
  const executed = mutants.filter(({ id }) => ids.has(id));
  const sample = spread(executed, trial.limit);
  console.error(`${name}: ${mutants.length} mutants, ${executed.length} executed, ${sample.length} tried`);
  const observed = await runTests(
    trial,
    sample.map(({ id }) => ({ version: 'observing', mutant: id, run: '1' })),
  );
  const showing = sample.flatMap((mutant) => {
    const run = observed.find(({ file }) => parseSpecName(file).mutant === mutant.id);
    const shown = run?.passed === true ? readDifference(run) : undefined;
    return shown === undefined ? [] : [{ ...mutant, ...shown }];
  });
  console.error(`${name}: ${showing.length} of them show and survive clicking`);
  const runs = await runTests(
    trial,
    versions.flatMap((version) => [
      ...showing.map(({ id }) => ({ version, mutant: id, run: '1' })),
      // Half of the repeated runs have their clock two days ahead.
      ...Array.from({ length: trial.repeat }, (_, index) => ({
        version,
        mutant: 'none',
        run: `${index}${index % 2 === 0 ? '' : 'ahead'}`,
      })),
    ]),
  );
  const runsOf = (version: Version, mutant: string): Run[] =>
    runs.filter(({ file }) => {
      const test = parseSpecName(file);
      return test.version === version && test.mutant === mutant;
    });
  return {
    application: name,
    kind: trial.kind,
    counts: {
      all: mutants.length,
      executed: executed.length,
      tried: sample.length,
      diedOfClicking: observed.filter(({ passed }) => !passed).length,
    },
    mutants: showing.map((mutant) => ({
      ...mutant,
      caught: forEachVersion((version) => runsOf(version, mutant.id).some(({ passed }) => !passed)),
    })),
    assertions: forEachVersion((version) => countAssertions(specs[version])),
    repeats: forEachVersion((version) => repeats(runsOf(version, 'none'))),
  };
}

function repeats(runs: readonly Run[]): Outcome['repeats'][Version] {
  const failed = runs.filter(({ passed }) => !passed);
  return {
    runs: runs.length,
    passed: runs.length - failed.length,
    failures: failed.map(({ file, message }) => `${file}: ${message}`),
  };
}

/** Notes the states of the page without a mutant; returns the ids of the mutants whose code was executed. */
async function observeOriginal(trial: Trial): Promise<Set<string>> {
  await writeFile(path.join(trial.folder, statesFile), '[]');
  const [run] = await runBatch(trial, [{ version: 'observing', mutant: 'none', run: '1' }]);
  if (run?.passed !== true) throw new Error(`The flow fails without a mutant: ${run?.message ?? ''}`);
  // A state and the list of what was executed alternate.
  const states = run.notes.filter((_, index) => index % 2 === 0);
  const executed = run.notes.filter((_, index) => index % 2 === 1).flatMap((list) => list.split(','));
  await writeFile(path.join(trial.folder, statesFile), JSON.stringify(states));
  return new Set(executed.filter((id) => id !== ''));
}

/** A run of a version with a mutant, or with `none`. */
interface Wanted {
  version: keyof Specs;
  mutant: string;
  run: string;
}

/** Runs tests in batches. */
async function runTests(trial: Trial, wanted: readonly Wanted[]): Promise<Run[]> {
  const runs: Run[] = [];
  for (let start = 0; start < wanted.length; start += batchSize) {
    runs.push(...(await runBatch(trial, wanted.slice(start, start + batchSize))));
    console.error(`${trial.name}: ${runs.length} of ${wanted.length} tests`);
  }
  return runs;
}

async function runBatch(trial: Trial, wanted: readonly Wanted[]): Promise<Run[]> {
  const tests = path.join(trial.folder, 'tests');
  await rm(tests, { recursive: true, force: true });
  await mkdir(tests);
  await copyFile(path.join(trial.folder, statesFile), path.join(tests, statesFile));
  for (const { version, mutant, run } of wanted)
    await writeFile(path.join(tests, specName(version, mutant, run)), withSupport(trial.specs[version]));
  return runPlaywright(tests, {
    workers: 2,
    fullyParallel: false,
    // Without a mutant, every step is observed until the page is still.
    timeout: 180_000,
    expect: { timeout: 2000 },
    use: { baseURL: trial.baseURL, actionTimeout: 3000, navigationTimeout: 8000 },
  });
}

/** The test with the benchmark's `test`, which switches the mutant on. */
function withSupport(source: string): string {
  return source.replace(
    /(from\s+)['"]@playwright\/test['"]/g,
    (_, from: string) => from + JSON.stringify(support),
  );
}

function readDifference({ notes }: Run): { step: number; difference: string } | undefined {
  const note = notes.find((each) => each.startsWith('{'));
  return note === undefined ? undefined : differenceSchema.parse(JSON.parse(note));
}

/** `limit` items, evenly spread, the same in every run. */
export function spread<Item>(items: readonly Item[], limit: number): Item[] {
  if (items.length <= limit) return [...items];
  return Array.from(
    { length: limit },
    (_, index) => items[Math.floor((index * items.length) / limit)],
  ).filter((item) => item !== undefined);
}

function forEachVersion<Value>(of: (version: Version) => Value): Record<Version, Value> {
  return { automatic: of('automatic'), 'plus eight': of('plus eight'), expert: of('expert') };
}
