import { isSetup, setupAdvice } from '../login.js';
import { browserChoice } from '../../browser/browser-choice.js';
import type { BrowserPool } from '../../browser/launch.js';
import { testLaunch } from '../../browser/test-launch.js';
import type { Config } from '../../config/schema.js';
import { span } from '../../model/span.js';
import {
  withTestBench,
  type TestBench,
  type TestBenchOptions,
  type TestCall,
} from '../../verify/test-bench.js';
import type { RunPictures } from '../../verify/run-pictures.js';
import type { Session } from '../session.js';
import { stepWarning } from '../warnings.js';
import type { FailedTest } from './failure.js';
import type { ExpectedPicture } from './pictures.js';
import {
  removeAssertions,
  rehearse,
  runsOf,
  tryWithoutSteps,
  type Dropped,
  type Rehearsal,
} from './rehearsal.js';
import { unassertedChanges } from './sensitivity.js';

/** How the test of a session did. */
export interface Verification {
  status: 'passed' | 'failed' | 'off';
  /** How often the test had to pass in a row, and how often it did. */
  runs: number;
  passed: number;
  /** All runs together, with what it takes to start them. */
  durationMs: number;
  failure?: FailedTest;
  /** Automatic assertions that were taken out of the session. */
  dropped?: Dropped[];
  sensitivity?: Sensitivity | undefined;
  /** Path of the report in the workspace. */
  report?: string;
}

interface Sensitivity {
  /** Outcome on a page whose JavaScript is off; undefined if every change of the page is asserted. */
  withoutJavaScript?: 'passed' | 'failed' | undefined;
  /** Steps that were left out in turn, and the indexes of those that the test did not miss. */
  stepsTried?: number | undefined;
  unnoticed?: number[] | undefined;
}

export interface Verified {
  verification: Verification;
  /** Pictures that the test compares with and that are not in the workspace yet. */
  pictures: ExpectedPicture[];
  /** Short texts, with a remedy each. */
  warnings: string[];
  /** What the run showed, if pictures were asked for. */
  shown?: RunPictures | undefined;
}

interface VerificationContext extends Omit<TestBenchOptions, 'launch' | 'config'> {
  config: () => Config;
  browsers: BrowserPool;
}

/**
 * Runs the session's test, as the file at `target` would be run. Automatic assertions that do not hold are dropped, and
 * if `verify.sensitivity` is `full`, those that prove nothing too: from the session, if the test passes without them.
 */
export async function verifySession(
  context: VerificationContext,
  { session, ...given }: Pick<Rehearsal, 'surroundings' | 'target' | 'takesPictures'> & { session: Session },
  call: TestCall,
): Promise<Verified> {
  const config = context.config();
  const trial: Session = { ...session, steps: session.steps.map((step) => ({ ...step })) };
  const launch = () =>
    testLaunch(context.browsers, browserChoice(config.browser, session.grant, session.use));
  const run = async (bench: TestBench): Promise<Verified> => {
    const start = performance.now();
    const rehearsal: Rehearsal = {
      bench,
      trial,
      ...given,
      workspace: context.workspace,
      config,
      progress: call.progress,
    };
    const { passed, failure, dropped, covered, pictures, shown, withoutJavaScript } =
      await rehearse(rehearsal);
    const warnings = [
      ...bench.warnings,
      ...(covered ? [] : [isSetup(session) ? setupAdvice(session) : uncovered(given.target.path)]),
    ];
    const verification = (rest: Pick<Verification, 'failure' | 'dropped' | 'sensitivity'>): Verification => ({
      status: rest.failure === undefined ? 'passed' : 'failed',
      runs: runsOf(session, config),
      passed,
      durationMs: Math.round(performance.now() - start),
      ...rest,
    });
    if (failure !== undefined) return { verification: verification({ failure }), pictures, warnings, shown };

    const renewed: number[] = [];
    const sensitivity: Sensitivity = { ...(withoutJavaScript === undefined ? {} : { withoutJavaScript }) };
    if (config.verify.sensitivity === 'full') {
      const { unproven, ...trials } = await tryWithoutSteps(rehearsal);
      Object.assign(sensitivity, trials);
      dropped.push(...removeAssertions(trial, unproven, 'is true without its step'));
    }
    for (const [index, { assertions, locator }] of trial.steps.entries()) {
      const step = session.steps[index];
      if (step !== undefined && locator !== undefined && locator === step.alternative) {
        step.locator = locator;
        renewed.push(index);
      }
      if (step !== undefined && assertions !== undefined) step.assertions = assertions;
    }
    warnings.push(
      ...stepWarning(
        renewed,
        (which) => `The id in the locator of ${which} changed between runs, so another locator replaces it.`,
      ),
    );
    warnings.push(...sensitivityWarnings(session, dropped, sensitivity));
    return {
      verification: verification({
        ...(dropped.length === 0 ? {} : { dropped }),
        ...(Object.keys(sensitivity).length === 0 ? {} : { sensitivity }),
      }),
      pictures,
      warnings,
      shown,
    };
  };
  return span(
    'verification',
    { 'codegen.session': session.id },
    () => withTestBench({ ...context, launch }, call, run),
    ({ verification }) => (verification.status === 'failed' ? 'VERIFY_FAILED' : undefined),
  );
}

function uncovered(file: string): string {
  return `\`npx playwright test\` does not run ${file}: no project of playwright.config covers it. Let its testDir and testMatch include the file, or set output.dir to a directory that they include.`;
}

function sensitivityWarnings(
  { steps }: Session,
  dropped: readonly Dropped[],
  { withoutJavaScript, unnoticed = [] }: Sensitivity,
): string[] {
  const different = dropped.flatMap(({ step, reason }) =>
    reason === 'was false in another run' ? [step] : [],
  );
  const blind = withoutJavaScript === 'passed' ? unassertedChanges(steps) : [];
  return [
    ...stepWarning(
      [...new Set(different)],
      (which) =>
        `After ${which}, automatic assertions were false in another run and were dropped: assert what is the same in every run.`,
    ),
    ...stepWarning(
      blind,
      (which) =>
        `The test also passes with JavaScript disabled, so it does not notice what the page does: assert what changed after ${which}.`,
    ),
    ...stepWarning(
      unnoticed,
      (which) => `The test also passes without ${which}: assert its effect, or undo it.`,
    ),
  ];
}
