import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { Config } from '../config/schema.js';
import { languageOf } from '../model/emission.js';
import { CodegenError, messageOf } from '../model/errors.js';
import { PageText } from '../model/page-text.js';
import { browserNameSchema } from '../model/use.js';
import type { Lane } from '../verify/plan.js';
import type { TestRun } from '../verify/report.js';
import type { TestCall } from '../verify/test-bench.js';
import { browserChoice } from '../browser/browser-choice.js';
import type { Answer } from './answer.js';
import { defineTool, types, type ToolContext } from './tool.js';

/** Maximum number of failures in a result. */
const maxFailures = 10;

interface FailedTest {
  title: string;
  /** Relative to the workspace, with forward slashes. */
  file: string;
  line: number;
  message: PageText;
  snapshot?: PageText;
  /** The page at the failure, as base64 of a JPEG. */
  picture?: string | undefined;
}

export const runGeneratedTest = defineTool({
  name: 'run_generated_test',
  title: 'Run generated tests',
  description: 'Runs tests of the output directory with Playwright Test. Failing tests do not fail the call.',
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  input: z.strictObject({
    file: z.string().min(1).optional().describe('All by default.'),
    repeat: z.int().min(1).max(100).optional().describe('Runs of each test, to find flaky ones.'),
    grep: z.string().min(1).max(1000).optional().describe('Regular expression on titles.'),
    timeoutMs: z.int().min(1).max(600_000).optional().describe('Per test.'),
  }),
  output: {
    status: types.text,
    passed: types.number,
    failed: types.number,
    flaky: types.number,
    durationMs: types.number,
    failures: types.objects,
    warnings: types.texts,
  },

  async handle(context, { file, ...options }, call) {
    checkExpression(options.grep);
    const files = file === undefined ? await specsOf(context) : [await specAt(context, file)];
    if (files.length === 0) throw noTests(`${context.config().output.dir} contains no tests.`);
    const { problem, failures, warnings, ...counts } = await runTests(context, { files, ...options }, call);
    const shown = failures.map(({ picture: _, ...failure }) => failure);
    const answer: Answer = { structured: { ...counts, failures: shown, warnings } };
    if (problem === undefined) return answer;
    const { message, hint } = problem;
    return { ...answer, error: new CodegenError('VERIFY_FAILED', message, { hint }) };
  },
});

interface TestOptions {
  /** Absolute paths. */
  files: readonly string[];
  repeat?: number | undefined;
  grep?: string | undefined;
  timeoutMs?: number | undefined;
  /** Whether the failures have a picture of the page. */
  failurePictures?: boolean;
}

export interface TestOutcome {
  status: 'passed' | 'failed';
  passed: number;
  failed: number;
  flaky: number;
  durationMs: number;
  failures: FailedTest[];
  warnings: string[];
  /** Why the run failed as a whole. */
  problem: { message: string; hint: string } | undefined;
}

/** Runs emitted tests. Throws INVALID_INPUT if there are none. */
export async function runTests(
  context: ToolContext,
  { files, repeat = 1, grep, timeoutMs, failurePictures = false }: TestOptions,
  call: TestCall,
): Promise<TestOutcome> {
  const { browser, verify } = context.config();
  const { runProblem, withTestBench } = await import('../verify/test-bench.js');
  const { testLaunch } = await import('../browser/test-launch.js');
  const launch = () => testLaunch(context.browsers, browserChoice(browser, context.sessions.grant));
  const eachMs = Math.max(verify.timeoutMs, timeoutMs ?? 0);
  const config = () => ({ ...context.config(), verify: { ...verify, timeoutMs: eachMs } });
  const runs = files.length * repeat;
  return withTestBench({ ...context, config, launch }, call, async (bench) => {
    call.progress(`Running ${files.length === 1 ? 'one file' : `${files.length} files`}`);
    const lanes = await lanesOf(files, browser, { repeat, timeoutMs });
    const result = await bench.run({ lanes, grep, runs, failurePictures });
    const problem = runProblem(result);
    const tests = byTest(result.tests);
    if (tests.length === 0 && problem === undefined)
      throw noTests(grep === undefined ? 'There are no tests to run.' : 'No title matches grep.');
    const failures = await failuresOf(tests, context.workspace);
    const passed = tests.filter((runs) => runs.every(succeeded)).length;
    const failed = tests.filter((runs) => !runs.some(succeeded)).length;
    const flaky = tests.length - passed - failed;
    const status = passed === tests.length && problem === undefined ? 'passed' : 'failed';
    const { durationMs } = result;
    return { status, passed, failed, flaky, durationMs, failures, warnings: bench.warnings, problem };
  });
}

function checkExpression(grep: string | undefined): void {
  try {
    if (grep !== undefined) new RegExp(grep);
  } catch (error) {
    throw new CodegenError('INVALID_INPUT', `grep: ${messageOf(error)}`, {
      hint: 'Use a JavaScript regular expression; escape literal characters with "\\".',
    });
  }
}

function noTests(message: string): CodegenError {
  return new CodegenError('INVALID_INPUT', message, {
    hint: 'Name a file that end_codegen_session wrote, or leave out `file` and `grep` to run all.',
  });
}

/** Absolute path of a spec in the output directory. Throws PATH_NOT_ALLOWED, and INVALID_INPUT if there is none. */
export async function specAt({ guard, workspace, config }: ToolContext, file: string): Promise<string> {
  const { absolute, relative } = await guard.checkPath(file, { language: languageOf(file) });
  const found = await stat(absolute).catch(() => undefined);
  if (found?.isFile() !== true) throw noTests(`There is no file ${relative}.`);
  // The guard lets links lead anywhere in the workspace.
  const directory = await realpath(path.resolve(workspace, config().output.dir));
  if (!(await realpath(absolute)).startsWith(directory + path.sep))
    throw new CodegenError('PATH_NOT_ALLOWED', `${relative} is a link out of the output directory.`, {
      hint: 'Only tests in the output directory can be run.',
    });
  return absolute;
}

/** Absolute paths of all specs in the output directory; links are not followed. */
export async function specsOf(context: ToolContext): Promise<string[]> {
  const { dir } = context.config().output;
  // An output directory that is a link out of the workspace is refused.
  await context.guard.checkPath('any.spec.ts', { language: 'typescript' });
  const visit = async (directory: string): Promise<string[]> => {
    const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
    const found = await Promise.all(
      entries
        .filter(({ name }) => !name.startsWith('.') && name !== 'node_modules')
        .map(async (entry) => {
          const absolute = path.join(directory, entry.name);
          if (entry.isDirectory()) return visit(absolute);
          return entry.isFile() && /\.(?:spec|test|setup)\.[jt]s$/.test(entry.name) ? [absolute] : [];
        }),
    );
    return found.flat().sort();
  };
  return visit(path.resolve(context.workspace, dir));
}

/** The files by the browser that they ask for. */
export async function lanesOf(
  files: readonly string[],
  browser: Config['browser'],
  runs: Pick<Lane, 'repeat' | 'timeoutMs'>,
): Promise<Lane[]> {
  const lanes = new Map<string, Lane>();
  for (const file of files) {
    const [head = ''] = (await readFile(file, 'utf8')).split(/^test\(/m);
    const asked = /\bbrowserName: ["'](\w+)["']/.exec(head)?.[1];
    const browserName = browserNameSchema.catch(browser.name).parse(asked);
    const lane = lanes.get(browserName) ?? {
      name: browserName,
      files: [],
      browserName,
      headless: browser.headless,
      ...runs,
    };
    lane.files.push({ file, as: file });
    lanes.set(browserName, lane);
  }
  return [...lanes.values()];
}

/** The completed runs of each test, without those of other projects. */
function byTest(all: readonly TestRun[]): TestRun[][] {
  const tests = new Map<string, TestRun[]>();
  for (const run of all) {
    if (run.project === undefined || (run.status !== 'passed' && run.status !== 'failed')) continue;
    const key = JSON.stringify([run.file, run.line, run.title]);
    tests.set(key, [...(tests.get(key) ?? []), run]);
  }
  return [...tests.values()];
}

function succeeded({ status }: TestRun): boolean {
  return status === 'passed';
}

/** The first failure of each test that has one. */
async function failuresOf(tests: readonly TestRun[][], workspace: string): Promise<FailedTest[]> {
  const { failureSnapshot } = await import('../verify/snapshot.js');
  const { condensed } = await import('../browser/page-state.js');
  const failed = tests.flatMap((runs) => runs.find((run) => !succeeded(run)) ?? []);
  return Promise.all(
    failed.slice(0, maxFailures).map(async (run) => {
      const [error] = run.errors;
      const snapshot = await failureSnapshot(run);
      return {
        title: run.title,
        file: path.relative(workspace, run.file).replaceAll(path.sep, '/'),
        line: error?.line ?? run.line,
        message: new PageText(error?.message ?? ''),
        ...(snapshot === undefined ? {} : { snapshot: condensed(snapshot) }),
        picture: run.picture,
      };
    }),
  );
}
