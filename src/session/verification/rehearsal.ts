import type { Unchecked } from '../../codegen/own-matches.js';
import type { Superseded } from '../shown.js';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { cleanUpStart } from '../../actions/registry.js';
import type { Origin } from '../../codegen/source.js';
import type { Config } from '../../config/schema.js';
import type { Lane } from '../../verify/plan.js';
import type { TestRun } from '../../verify/report.js';
import { pictureFunction, readRunPictures, type RunPictures } from '../../verify/run-pictures.js';
import type { TestBench } from '../../verify/test-bench.js';
import type { Assertion, Step } from '../../model/step.js';
import type { Session } from '../session.js';
import { assertionCode } from '../step-code.js';
import { sessionSource, type SessionSource, type Surroundings } from '../test-source.js';
import { explainRun, located, type FailedTest } from './failure.js';
import { comparesPictures, makePictures, type ExpectedPicture } from './pictures.js';
import { leaveOutSteps, unassertedChanges, type StepTrials } from './sensitivity.js';

/** Rounds at most, each without the assertions that did not hold in the one before. */
const maxRounds = 5;

/** Milliseconds for tests that are expected to fail. */
const shortLimits = { action: 1000, navigation: 5000, expect: 1000, test: 10_000 };
/** Those of a page without JavaScript, in which nothing comes late. */
const bareLimits = { ...shortLimits, expect: 500 };

/** Lanes of a run: the test as it is, the same without JavaScript, and without one of its steps each. */
const lanes = { whole: 'test', bare: 'without-javascript', shortened: 'without-a-step' };

/** An automatic assertion that was removed from the session. */
export interface Dropped {
  /** Index of the step that the assertion follows, and index among its assertions. */
  step: number;
  index: number;
  code: string;
  reason:
    'was false in another run' | 'is true without its step' | Superseded['reason'] | Unchecked['reason'];
}

/** What the runs of one verification share. */
export interface Rehearsal {
  bench: TestBench;
  /** A copy of the session, from which assertions are dropped. */
  trial: Session;
  surroundings: Surroundings;
  /** Where the test is going to be written. */
  target: { path: string; absolutePath: string };
  workspace: string;
  config: Config;
  /** Whether the run takes pictures between the steps. */
  takesPictures?: boolean;
  progress: (message: string) => void;
}

/**
 * Runs the test until it passes, each time without the assertions that failed. If a step changed the page and nothing
 * asserts that, each run includes one without JavaScript, which costs another worker and browser.
 */
export async function rehearse(rehearsal: Rehearsal): Promise<{
  /** Passes of the last round. */
  passed: number;
  failure?: FailedTest;
  dropped: Dropped[];
  /** False if the workspace's configuration would not run the file. */
  covered: boolean;
  pictures: ExpectedPicture[];
  /** What the last round showed. */
  shown?: RunPictures;
  withoutJavaScript?: 'passed' | 'failed';
}> {
  const { bench, trial, surroundings, workspace, config, takesPictures, progress } = rehearsal;
  const { browser, verify } = config;
  const dropped: Dropped[] = [];
  const ignoreSnapshots = comparesPictures(trial.steps);
  const runs = runsOf(trial, config);
  const slowest = Math.max(0, ...trial.steps.flatMap(({ slowMs = 0, lateMs = 0 }) => [slowMs, lateMs]));
  let pictures: ExpectedPicture[] = [];
  for (let round = 1; ; round++) {
    progress(round === 1 ? 'Running the test' : 'Running it again without assertions that were false');
    const directory = takesPictures ? path.join(bench.staging.directory, `run-pictures-${round}`) : undefined;
    const taker = takesPictures ? pictureFunction : undefined;
    const source = await sessionSource(trial, surroundings, { soft: true, pictures: taker });
    const whole = await stageLane(rehearsal, lanes.whole, [source], {
      repeat: verify.runs,
      workers: 1,
      // In a fresh run, a slow application may be slower still.
      limits: {
        action: Math.max(browser.actionTimeoutMs, 3 * slowest),
        navigation: Math.max(browser.navigationTimeoutMs, 3 * slowest),
      },
    });
    if (ignoreSnapshots && round === 1)
      pictures = await makePictures(bench, { workspace, lane: whole, runs, pictures: directory });
    const isBlind = verify.sensitivity !== 'off' && unassertedChanges(trial.steps).length > 0;
    const result = await bench.run({
      lanes: isBlind ? [whole, await stageBare(rehearsal)] : [whole],
      workers: Math.min(2, maxWorkers(trial)),
      runs,
      pictures: directory,
    });
    const shown = directory === undefined ? {} : { shown: await readRunPictures(directory) };
    const tests = result.tests.filter(({ project }) => project?.lane === lanes.whole);
    const covered = tests.every(({ project }) => project?.covered === true);
    const passed = tests.filter(({ status }) => status === 'passed').length;
    if (passed === runs && result.end !== 'cancelled') {
      const blind = result.tests.find(({ project }) => project?.lane === lanes.bare)?.status;
      const isKnown = blind === 'passed' || blind === 'failed';
      return {
        passed,
        dropped,
        covered,
        pictures,
        ...shown,
        ...(isKnown ? { withoutJavaScript: blind } : {}),
      };
    }
    if (round < maxRounds && result.end === 'completed' && renewLocators(trial.steps, located(tests, source)))
      continue;
    const volatile = volatileAssertions(tests, source);
    if (volatile.length === 0 || round === maxRounds || result.end !== 'completed') {
      const run = { tests, source, result, unrecorded: trial.unrecorded };
      const failure = await explainRun(run, trial.steps, surroundings.spec);
      return { passed, dropped, covered, pictures, ...shown, failure };
    }
    dropped.push(...removeAssertions(trial, volatile, 'was false in another run'));
  }
}

/** Stages the test as it is written, for pages without JavaScript. */
async function stageBare(rehearsal: Rehearsal): Promise<Lane> {
  const { trial, surroundings } = rehearsal;
  return stageLane(rehearsal, lanes.bare, [await sessionSource(trial, surroundings)], {
    javaScriptEnabled: false,
    ignoreSnapshots: comparesPictures(trial.steps),
    limits: bareLimits,
  });
}

/** Runs the test with each of its steps left out. */
export function tryWithoutSteps(rehearsal: Rehearsal): Promise<StepTrials> {
  const { bench, trial, surroundings, progress } = rehearsal;
  progress('Running it with one step left out at a time');
  return leaveOutSteps(trial, surroundings, async (sources) => {
    const shortened = await stageLane(rehearsal, lanes.shortened, sources, {
      ignoreSnapshots: comparesPictures(trial.steps),
      limits: shortLimits,
      // Playwright Test starts another worker and browser after each failure that is not expected.
      expectsFailure: trial.base === undefined && trial.emission.setup !== true,
    });
    const workers = Math.min(Math.max(2, Math.ceil(availableParallelism() / 2)), maxWorkers(trial));
    const { tests } = await bench.run({ lanes: [shortened], workers, runs: sources.length });
    return shortened.files.map(({ file }) => tests.find((run) => run.file === file));
  });
}

/** A test that cleans up works with data that two runs at a time would share. */
function maxWorkers({ steps }: Session): number {
  return cleanUpStart(steps) < steps.length ? 1 : Infinity;
}

/** Stages sources as the file that is going to be written, with what the test needs of the workspace around each. */
async function stageLane(
  {
    bench: { staging },
    workspace,
    trial: { use, base },
    surroundings,
    target,
    config: { browser },
  }: Rehearsal,
  name: string,
  sources: readonly SessionSource[],
  rest: Partial<Lane>,
): Promise<Lane> {
  const files = sources.map(async ({ staged: content, files: needed, pages }, number) => {
    const around = path.join(name, String(number));
    const hars = surroundings.har?.files ?? [];
    for (const each of needed) await staging.copy(path.join(around, each), path.join(workspace, each));
    const beside = path.join(around, path.dirname(target.path));
    for (const { path: har, text } of hars) await staging.write(path.join(around, har), text);
    for (const { file, content } of pages) await staging.write(path.join(beside, file), content(file));
    const text =
      rest.expectsFailure === true ? `${content(target.path)}\ntest.fail();\n` : content(target.path);
    const file = await staging.write(path.join(around, target.path), text);
    const { testModule, ownPages } = surroundings;
    if (testModule !== undefined || base !== undefined || ownPages !== undefined) {
      const staged = [target.path, ...pages.map((page) => path.join(path.dirname(target.path), page.file))];
      await staging.surround(
        around,
        workspace,
        [...needed, ...staged].map((each) => path.join(each)),
      );
    }
    return { file, as: target.absolutePath };
  });
  return {
    name,
    ...(sources.length === 1 ? { root: path.join(staging.directory, name, '0') } : {}),
    files: await Promise.all(files),
    offline: surroundings.har !== undefined,
    browserName: use.browserName ?? browser.name,
    headless: use.headless ?? browser.headless,
    ...rest,
  };
}

/**
 * Gives steps whose locator matched nothing in a run, because it has an id that changed, their other one. Returns whether
 * there are any.
 */
function renewLocators(steps: readonly Step[], errors: ReturnType<typeof located>): boolean {
  const isGone = ({ message }: { message: string }): boolean =>
    (message.includes('waiting for') || message.includes('not found')) && !message.includes('resolved to');
  const failed = errors.find((error) => error.step !== undefined && error.assertion === undefined);
  const { locator, alternative } = steps[failed?.step ?? -1] ?? {};
  if (failed === undefined || alternative === undefined || !isGone(failed)) return false;
  const old = JSON.stringify(locator);
  const renewed = <Located extends Assertion>(each: Located): Located =>
    JSON.stringify(each.locator) === old ? { ...each, locator: alternative } : each;
  for (const step of steps) {
    Object.assign(step, renewed(step));
    if (step.assertions !== undefined) step.assertions = step.assertions.map(renewed);
  }
  return true;
}

/** How often the test has to pass: for each row of its data, as often as configured. */
export function runsOf({ emission }: Session, { verify }: Config): number {
  return verify.runs * (emission.data?.length ?? 1);
}

/**
 * The automatic assertions that failed, if nothing else did. Each that fails takes its time, so a test that ran out
 * of it because of them counts too, with whatever it was doing then.
 */
function volatileAssertions(tests: readonly TestRun[], source: SessionSource): Origin[] {
  const errors = located(tests, source);
  const isLate = errors.some(({ message }) => message.includes('Test timeout of'));
  const interrupted = /Test timeout of|has been closed|Test ended/;
  const isReal = errors.some(
    ({ assertion, message }) => assertion === undefined && !(isLate && interrupted.test(message)),
  );
  return isReal
    ? []
    : errors.flatMap(({ step, assertion }) =>
        step === undefined || assertion === undefined ? [] : [{ step, assertion }],
      );
}

/** Removes automatic assertions from a session and returns them. */
export function removeAssertions(
  session: Session,
  origins: readonly Origin[],
  reason: Dropped['reason'],
): Dropped[] {
  return session.steps.flatMap((step, index) => {
    const gone = new Set(origins.flatMap((origin) => (origin.step === index ? [origin.assertion] : [])));
    const { assertions = [] } = step;
    if (gone.size > 0) step.assertions = assertions.filter((_, number) => !gone.has(number));
    return assertions.flatMap((assertion, number) =>
      gone.has(number) ? [{ step: index, index: number, code: assertionCode(assertion), reason }] : [],
    );
  });
}
