import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { z } from 'zod';
import { findBrowser, launchOptions } from '../../src/browser/find-browser.js';
import type { Json } from '../../src/model/json.js';

/** The folder for all results. */
export const results = fileURLToPath(new URL('../../bench-results', import.meta.url));

/** One run of one test. */
export interface Run {
  project: string;
  /** The spec's path, relative to the folder of the run. */
  file: string;
  passed: boolean;
  durationMs: number;
  /** Why it failed, and the line of the spec. */
  message: string;
  line: number;
  /** Notes that the test wrote. */
  notes: string[];
}

/** Options of a run. */
export interface Configuration {
  use?: { [option: string]: Json };
  /** Reporters in addition to the one that is read here. */
  reporter?: Json[];
  [option: string]: Json | undefined;
}

const resultSchema = z.object({
  status: z.string(),
  duration: z.number(),
  errors: z.array(
    z.object({ message: z.string().default(''), location: z.object({ line: z.number() }).optional() }),
  ),
  annotations: z.array(z.object({ type: z.string(), description: z.string().default('') })).default([]),
});

const suiteSchema = z.object({
  file: z.string(),
  specs: z.array(
    z.object({ tests: z.array(z.object({ projectName: z.string(), results: z.array(resultSchema) })) }),
  ),
  get suites() {
    return z.array(suiteSchema).optional();
  },
});

const reportSchema = z.object({
  suites: z.array(suiteSchema),
  errors: z.array(z.object({ message: z.string().default('') })),
});

/**
 * Runs the specs of a folder with Playwright Test, in the browser that sessions use, and returns every run of every
 * test. Throws if Playwright Test could not run them at all.
 */
export async function runPlaywright(
  folder: string,
  { use = {}, reporter = [], ...config }: Configuration = {},
): Promise<Run[]> {
  const browser = await findBrowser();
  if (browser === undefined) throw new Error('No browser: run `npm run browser`.');
  const whole = {
    testDir: '.',
    outputDir: 'artifacts',
    respectGitIgnore: false,
    fullyParallel: true,
    forbidOnly: true,
    ...config,
    use: { ...use, launchOptions: launchOptions(browser) },
    reporter: [['json', { outputFile: 'report.json' }], ...reporter],
  };
  await writeFile(
    path.join(folder, 'playwright.config.mjs'),
    `export default ${JSON.stringify(whole, null, 2)};\n`,
  );
  const cli = createRequire(import.meta.url).resolve('@playwright/test/cli');
  const child = spawn(process.execPath, [cli, 'test'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  await new Promise((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  const report = await readFile(path.join(folder, 'report.json'), 'utf8').catch((cause: unknown) => {
    throw new Error(`Playwright Test did not run ${folder}: ${complaint}`, { cause });
  });
  const { suites, errors } = reportSchema.parse(JSON.parse(report));
  if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join('\n'));
  return suites.flatMap(runsOf);
}

function runsOf({ file, specs, suites = [] }: z.infer<typeof suiteSchema>): Run[] {
  const own = specs
    .flatMap(({ tests }) => tests)
    .flatMap(({ projectName, results: all }) =>
      all.map(({ status, duration, errors, annotations }) => ({
        project: projectName,
        file,
        passed: status === 'passed',
        durationMs: duration,
        message: stripVTControlCharacters(errors.map((each) => each.message).join('\n')),
        line: errors.find(({ location }) => location !== undefined)?.location?.line ?? 0,
        notes: annotations.map(({ description }) => description),
      })),
    );
  return [...own, ...suites.flatMap(runsOf)];
}
