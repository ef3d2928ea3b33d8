import path from 'node:path';
import type { Plan } from '../verify/plan.js';
import type { RunOptions, RunResult } from '../verify/run.js';
import type { Staging } from '../verify/staging.js';
import type { ToolContext } from './tool.js';

/** What a call needs to run tests with Playwright Test. */
export interface TestBench {
  staging: Staging;
  /** What the user should know about the copy of Playwright Test that runs. */
  warnings: string[];
  /** Runs tests; the time for all runs of the call together is `verify.timeoutMs`. */
  run(
    options: Pick<Plan, 'lanes' | 'workers' | 'makesPictures'> & Pick<RunOptions, 'grep'>,
  ): Promise<RunResult>;
}

/** Gives work a place to run tests in, and clears it away afterwards. */
export async function withTestBench<Result>(
  context: Pick<ToolContext, 'config' | 'workspace'>,
  signal: AbortSignal,
  work: (bench: TestBench) => Promise<Result>,
): Promise<Result> {
  const { ownPlaywrightTest, workspacePlaywrightTest } = await import('../verify/playwright-test.js');
  const { createStaging } = await import('../verify/staging.js');
  const { runPlaywrightTest } = await import('../verify/run.js');
  const { findBrowser, launchOptions } = await import('../browser/find-browser.js');
  const { browser, state, verify } = context.config();
  const { workspace } = context;
  const deadline = performance.now() + verify.timeoutMs;
  const own = await ownPlaywrightTest();
  const theirs = await workspacePlaywrightTest(workspace);
  const playwright = theirs ?? own;
  const found = await findBrowser(browser);
  const chromium = found === undefined ? undefined : launchOptions(found);
  const staging = await createStaging(path.resolve(workspace, state.dir), playwright);
  try {
    return await work({
      staging,
      warnings: copyWarnings(own.version, theirs?.version),
      run: ({ grep, ...plan }) =>
        runPlaywrightTest({
          plan: { ...plan, workspace, chromium },
          staging,
          playwright,
          grep,
          timeoutMs: Math.max(0, deadline - performance.now()),
          signal,
        }),
    });
  } finally {
    await staging.remove();
  }
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
