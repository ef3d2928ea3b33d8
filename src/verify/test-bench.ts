import { availableParallelism } from 'node:os';
import path from 'node:path';
import type { Secrets } from '../model/secrets.js';
import { Slots } from '../model/slots.js';
import { describeFailure, openProxy, type SessionProxy } from '../network/proxy.js';
import type { NetworkRules } from '../network/rules.js';
import type { Plan } from './plan.js';
import { ownPlaywrightTest, workspacePlaywrightTest } from './playwright-test.js';
import { runPlaywrightTest, type RunOptions, type RunResult } from './run.js';
import { createStaging, type Staging } from './staging.js';

/** Runs the tests of one call. */
export interface TestBench {
  staging: Staging;
  /** Warnings about the copy of Playwright Test that runs. */
  warnings: string[];
  /** Runs tests within `verify.timeoutMs` times the number of consecutive runs of one test. */
  run: (
    options: Pick<
      Plan,
      'lanes' | 'workers' | 'makesPictures' | 'pictures' | 'failurePictures' | 'htmlReport'
    > &
      Pick<RunOptions, 'grep'> & { runs: number },
  ) => Promise<RunResult>;
}

export interface TestBenchOptions {
  workspace: string;
  stateDirectory: string;
  config: () => { network: NetworkRules; verify: { timeoutMs: number } };
  secrets: Secrets;
  /** The browser for the tests; `isLocal` if it runs on this machine and can reach our proxy. */
  launch: () => Promise<Pick<Plan, 'chromium' | 'remote'> & { isLocal: boolean }>;
}

export interface TestCall {
  signal: AbortSignal;
  progress: (message: string) => void;
  /** Called before each run. */
  begin: () => void;
}

/** Node's timers fire immediately if the delay is longer. */
const longestTimerMs = 2 ** 31 - 1;

/** Each call that runs tests keeps about two cores busy. */
const slots = new Slots(Math.max(1, Math.floor(availableParallelism() / 2)), 100);

/** Waits for a free slot, creates a test bench for `work`, and removes it afterwards. */
export function withTestBench<Result>(
  options: TestBenchOptions,
  call: TestCall,
  work: (bench: TestBench) => Promise<Result>,
): Promise<Result> {
  return slots.run(
    call.signal,
    () => onTestBench(options, call, work),
    (before) => {
      call.progress(`Waiting for ${before === 1 ? 'another test run' : `${before} other test runs`} to end`);
    },
  );
}

async function onTestBench<Result>(
  { workspace, stateDirectory, config, secrets, launch }: TestBenchOptions,
  { signal, begin }: TestCall,
  work: (bench: TestBench) => Promise<Result>,
): Promise<Result> {
  const own = await ownPlaywrightTest();
  const theirs = await workspacePlaywrightTest(workspace);
  const playwright = theirs ?? own;
  const { chromium, remote, isLocal } = await launch();
  const staging = await createStaging(stateDirectory, playwright);
  let proxy: SessionProxy | undefined;
  try {
    proxy = isLocal ? await openProxy({ rules: () => config().network }) : undefined;
    return await work({
      staging,
      warnings: copyWarnings(own.version, theirs?.version),
      async run({ grep, runs, ...plan }) {
        begin();
        const result = await runPlaywrightTest({
          plan: { ...plan, workspace, chromium, remote, proxy: proxy?.settings },
          staging,
          playwright,
          usesServerCopy: theirs === undefined,
          secrets,
          grep,
          timeoutMs: Math.min(runs * config().verify.timeoutMs, longestTimerMs),
          signal,
        });
        return withProxyReasons(result, (url) => {
          const failure = proxy?.failure(url);
          return failure === undefined ? undefined : describeFailure(failure);
        });
      },
    });
  } finally {
    proxy?.close();
    await staging.remove();
  }
}

/** The browser only reports a proxy error; the proxy knows the reason. */
function withProxyReasons(
  { tests, ...rest }: RunResult,
  reason: (url: string) => string | undefined,
): RunResult {
  const explain = (message: string): string =>
    message.replace(/net::ERR_\w+(?= at (https?:\S+))/, (error, url: string) => reason(url) ?? error);
  return {
    ...rest,
    tests: tests.map((run) => ({
      ...run,
      errors: run.errors.map((error) => ({ ...error, message: explain(error.message) })),
    })),
  };
}

function copyWarnings(own: string, theirs: string | undefined): string[] {
  if (theirs === own) return [];
  return theirs === undefined
    ? [
        `The workspace has no @playwright/test, so the server's own copy ran. Install it with \`npm install --save-dev @playwright/test@${own}\`.`,
      ]
    : [
        `The workspace's @playwright/test ${theirs} ran the test, but ${own} recorded it. If they behave differently, install ${own}.`,
      ];
}

/** Why a run failed as a whole, regardless of its tests; undefined if it completed. */
export function runProblem({
  end,
  errors,
  tests,
  timeoutMs,
}: RunResult): { message: string; hint: string } | undefined {
  if (end === 'cancelled') return { message: 'The run was cancelled.', hint: 'Call again to run it again.' };
  if (end === 'timed out')
    return {
      message: `The run did not end within ${timeoutMs} ms and was stopped.`,
      hint: 'Raise verify.timeoutMs in the configuration, or make the flow shorter.',
    };
  const setUp = tests.find(({ project, status }) => project === undefined && status === 'failed');
  if (setUp !== undefined)
    return {
      message: `"${setUp.title}" in ${path.basename(setUp.file)}, on which the test depends, failed: ${setUp.errors[0]?.message ?? ''}`,
      hint: "Fix that setup in the workspace's Playwright configuration.",
    };
  const [error] = errors;
  if (error === undefined) return undefined;
  const isServer = error.includes('webServer');
  return {
    message: `Playwright Test could not run: ${errors.join('\n')}`,
    hint: isServer
      ? 'Start the application, or correct `webServer` in playwright.config.'
      : "Fix the error in the workspace's Playwright configuration; `npx playwright test` reports it too.",
  };
}
