import { availableParallelism } from 'node:os';
import path from 'node:path';
import type { BrowserChoice } from '../browser/browser-choice.js';
import { createSlots } from '../model/slots.js';
import type { Plan } from '../verify/plan.js';
import type { RunOptions, RunResult } from '../verify/run.js';
import type { Staging } from '../verify/staging.js';
import type { ToolCall, ToolContext } from './tool.js';

/** What a call needs to run tests with Playwright Test. */
export interface TestBench {
  staging: Staging;
  /** What the user should know about the copy of Playwright Test that runs. */
  warnings: string[];
  /** Runs tests; the time for all runs of the call together is `verify.timeoutMs`. */
  run: (
    options: Pick<Plan, 'lanes' | 'workers' | 'makesPictures'> & Pick<RunOptions, 'grep'>,
  ) => Promise<RunResult>;
}

/** What running tests needs of a context. */
export type TestContext = Pick<ToolContext, 'config' | 'workspace' | 'secrets' | 'browsers'>;

/** Calls that may run tests at once: each keeps about two cores busy. */
const slots = createSlots(Math.max(1, Math.floor(availableParallelism() / 2)), 100);

/** Gives work a place to run tests in, in the browser of that choice, when it is its turn, and clears it away afterwards. */
export function withTestBench<Result>(
  context: TestContext,
  choice: BrowserChoice,
  { signal, progress }: Pick<ToolCall, 'signal' | 'progress'>,
  work: (bench: TestBench) => Promise<Result>,
): Promise<Result> {
  return slots.run(
    signal,
    () => onTestBench(context, choice, signal, work),
    (before) => {
      progress(`Waiting for ${before === 1 ? 'another run' : `${before} other runs`} of tests to end`);
    },
  );
}

async function onTestBench<Result>(
  context: TestContext,
  choice: BrowserChoice,
  signal: AbortSignal,
  work: (bench: TestBench) => Promise<Result>,
): Promise<Result> {
  const { ownPlaywrightTest, workspacePlaywrightTest } = await import('../verify/playwright-test.js');
  const { createStaging } = await import('../verify/staging.js');
  const { runPlaywrightTest } = await import('../verify/run.js');
  const { findBrowser, launchOptions } = await import('../browser/find-browser.js');
  const { openProxy, describeFailure } = await import('../network/proxy.js');
  const { remoteLaunch } = await import('../browser/endpoint.js');
  const { state, verify } = context.config();
  const { workspace } = context;
  const deadline = performance.now() + verify.timeoutMs;
  const own = await ownPlaywrightTest();
  const theirs = await workspacePlaywrightTest(workspace);
  const playwright = theirs ?? own;
  const endpoint = await context.browsers.endpoint(choice);
  const found = endpoint === undefined ? await findBrowser(choice) : undefined;
  const chromium = found === undefined ? undefined : launchOptions(found);
  const remote = endpoint && { kind: endpoint.kind, url: endpoint.url, launch: remoteLaunch(choice) };
  const staging = await createStaging(path.resolve(workspace, state.dir), playwright);
  const isReached = endpoint === undefined || endpoint.isLocal;
  const proxy = isReached ? await openProxy({ rules: () => context.config().network }) : undefined;
  try {
    return await work({
      staging,
      warnings: copyWarnings(own.version, theirs?.version),
      async run({ grep, ...plan }) {
        const result = await runPlaywrightTest({
          plan: { ...plan, workspace, chromium, remote, proxy: proxy?.settings },
          staging,
          playwright,
          secrets: context.secrets,
          grep,
          timeoutMs: Math.max(0, deadline - performance.now()),
          signal,
        });
        return explained(result, (url) => {
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

/** The result with what the proxy knows of pages that did not open, where the browser knows only of a proxy. */
function explained({ tests, ...rest }: RunResult, reason: (url: string) => string | undefined): RunResult {
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
        `The workspace has no @playwright/test, so the server's own ran: install it with \`npm install --save-dev @playwright/test@${own}\`.`,
      ]
    : [
        `The workspace's @playwright/test ${theirs} ran the test, while ${own} recorded it: if they behave differently, install ${own}.`,
      ];
}

/** Why a run as a whole failed, whatever became of its tests; undefined where it went through. */
export function runProblem(
  { end, errors, tests }: RunResult,
  timeoutMs: number,
): { message: string; hint: string } | undefined {
  if (end === 'cancelled') return { message: 'The run was cancelled.', hint: 'Call again to run it anew.' };
  if (end === 'timed out') {
    return {
      message: `The run did not end within ${timeoutMs} ms and was stopped.`,
      hint: 'Raise verify.timeoutMs in the configuration, or make the flow shorter.',
    };
  }
  const setUp = tests.find(({ project, status }) => project === undefined && status === 'failed');
  if (setUp !== undefined)
    return {
      message: `"${setUp.title}" in ${path.basename(setUp.file)}, on which the test depends, failed: ${setUp.errors[0]?.message ?? ''}`,
      hint: "Correct that set-up of the workspace's Playwright configuration.",
    };
  const [error] = errors;
  if (error === undefined) return undefined;
  const isServer = error.includes('webServer');
  return {
    message: `Playwright Test could not run: ${errors.join('\n')}`,
    hint: isServer
      ? 'Start the application, or correct `webServer` in playwright.config.'
      : "Correct what it names in the workspace's Playwright configuration; `npx playwright test` shows it too.",
  };
}
