import { availableParallelism } from 'node:os';
import path from 'node:path';
import type { Config } from '../config/schema.js';
import type { Step } from '../model/step.js';
import type { TestModule } from '../model/emission.js';
import type { Session } from '../session/session.js';
import type { Lane } from '../verify/plan.js';
import type { TestRun } from '../verify/report.js';
import type { RunResult } from '../verify/run.js';
import { browserChoice } from '../browser/browser-choice.js';
import { testLaunch } from '../browser/test-launch.js';
import { leaveOutSteps, unassertedChanges, type StepTrials } from './sensitivity.js';
import { comparesPictures, makePictures, type Picture } from './pictures.js';
import type { Origin } from '../codegen/source.js';
import { sessionSource, type SessionSource, type Surroundings } from './source.js';
import { assertionCode, stepCode } from './step-code.js';
import { runProblem, withTestBench, type TestBench } from '../verify/test-bench.js';
import type { ToolCall, ToolContext } from './tool.js';

/** Rounds at most, each without the assertions that did not hold in the one before. */
const roundsAtMost = 5;

/** Milliseconds for tests that are expected to fail. */
const shortLimits = { action: 1000, navigation: 5000, expect: 1000, test: 10_000 };
/** Those of a page without JavaScript, in which nothing comes late. */
const bareLimits = { ...shortLimits, expect: 500 };

/** Lanes of a run: the test as it is, the same without JavaScript, and without one of its steps each. */
const lanes = { whole: 'test', bare: 'without-javascript', shortened: 'without-a-step' };

/** How the test of a session did. */
export interface Verification {
  status: 'passed' | 'failed' | 'off';
  /** How often the test had to pass in a row, and how often it did. */
  runs: number;
  passed: number;
  /** All runs together, with what it takes to start them. */
  durationMs: number;
  failure?: Failure;
  /** Automatic assertions that were taken out of the session. */
  dropped?: Dropped[];
  sensitivity?: Sensitivity;
}

interface Failure {
  message: string;
  hint: string;
  /** Index and code of the step that failed; undefined where it was none. */
  step?: number;
  code?: string;
  /** What the page showed then. */
  snapshot?: string;
}

interface Dropped {
  /** Index of the step that the assertion follows. */
  step: number;
  code: string;
  why: 'did not hold in another run' | 'holds without its step';
}

interface Sensitivity {
  /** What the test says of a page whose JavaScript is off. */
  withoutJavaScript?: 'passed' | 'failed';
  /** Steps that were left out in turn, and the indexes of those that the test did not miss. */
  stepsTried?: number;
  unnoticed?: number[];
}

export interface Verified {
  verification: Verification;
  /** Pictures that the test compares with and that are not in the workspace yet. */
  pictures: Picture[];
  /** Short texts, with a remedy each. */
  warnings: string[];
}

/** Stands beside a staged test for the module that the test has `test` from, which is where it always is. */
const stagedModule = 'codegen-test-module';

/** Where the test is going to be written. */
interface Target {
  path: string;
  absolutePath: string;
}

/** What the runs of one verification share. */
interface Rehearsal {
  bench: TestBench;
  /** Stages sources as the file that is going to be written, to be run in the session's browser. */
  lane: (name: string, sources: readonly SessionSource[], rest: Partial<Lane>) => Promise<Lane>;
  /** A copy of the session, from which assertions are dropped. */
  trial: Session;
  surroundings: Surroundings;
  workspace: string;
  config: Config;
  progress: ToolCall['progress'];
}

/**
 * Runs the session's test, as the file at `target` would be run. Automatic assertions that do not hold are dropped, and
 * where `verify.sensitivity` is `full`, those that prove nothing too: from the session, if the test passes without them.
 */
export async function verifySession(
  context: Pick<ToolContext, 'config' | 'workspace' | 'stateDirectory' | 'secrets' | 'browsers'>,
  session: Session,
  surroundings: Surroundings,
  target: Target,
  call: Pick<ToolCall, 'signal' | 'progress' | 'begin'>,
): Promise<Verified> {
  const config = context.config();
  const trial: Session = { ...session, steps: session.steps.map((step) => ({ ...step })) };
  const launch = () => testLaunch(context.browsers, browserChoice(config.browser, session.use));
  return withTestBench({ ...context, launch }, call, async (bench) => {
    const start = performance.now();
    const { testModule } = surroundings;
    const lane = laneMaker(bench, context.workspace, session, target, config.browser, testModule);
    const rehearsal: Rehearsal = {
      bench,
      lane,
      trial,
      surroundings: {
        ...surroundings,
        testModule: testModule && { ...testModule, from: `./${stagedModule}` },
      },
      workspace: context.workspace,
      config,
      progress: call.progress,
    };
    const { passed, failure, dropped, covered, pictures, withoutJavaScript } = await rehearse(rehearsal);
    const warnings = [...bench.warnings, ...(covered ? [] : [uncovered(target.path)])];
    const verification = (rest: Pick<Verification, 'failure' | 'dropped' | 'sensitivity'>): Verification => ({
      status: rest.failure === undefined ? 'passed' : 'failed',
      runs: runsOf(session, config),
      passed,
      durationMs: Math.round(performance.now() - start),
      ...rest,
    });
    if (failure !== undefined) return { verification: verification({ failure }), pictures, warnings };

    const sensitivity: Sensitivity = { ...(withoutJavaScript === undefined ? {} : { withoutJavaScript }) };
    if (config.verify.sensitivity === 'full') {
      const { unproven, ...trials } = await tryWithoutSteps(rehearsal);
      Object.assign(sensitivity, trials);
      dropped.push(...drop(trial, unproven, 'holds without its step'));
    }
    for (const [index, { assertions }] of trial.steps.entries()) {
      const step = session.steps[index];
      if (step !== undefined && assertions !== undefined) step.assertions = assertions;
    }
    warnings.push(...sensitivityWarnings(session, dropped, sensitivity));
    return {
      verification: verification({
        ...(dropped.length === 0 ? {} : { dropped }),
        ...(config.verify.sensitivity === 'off' ? {} : { sensitivity }),
      }),
      pictures,
      warnings,
    };
  });
}

/** How often a test has to pass: each row of its data, as often as configured. */
function runsOf({ emission }: Session, { verify }: Config): number {
  return verify.runs * (emission.data?.length ?? 1);
}

/** Runs the test until it passes as it is, each time without what did not hold; beside it, the same without JavaScript. */
async function rehearse({
  bench,
  lane,
  trial,
  surroundings,
  workspace,
  config,
  progress,
}: Rehearsal): Promise<{
  /** Passes of the last round. */
  passed: number;
  failure?: Failure;
  dropped: Dropped[];
  /** False where the workspace's configuration would not run the file. */
  covered: boolean;
  pictures: Picture[];
  withoutJavaScript?: 'passed' | 'failed';
}> {
  const { browser, verify } = config;
  const dropped: Dropped[] = [];
  const ignoreSnapshots = comparesPictures(trial.steps);
  let pictures: Picture[] = [];
  for (let round = 1; ; round++) {
    progress(round === 1 ? 'Running the test' : 'Running it again without what did not hold');
    const source = await sessionSource(trial, surroundings, { soft: true });
    const whole = await lane(lanes.whole, [source], {
      repeat: verify.runs,
      workers: 1,
      limits: { action: browser.actionTimeoutMs, navigation: browser.navigationTimeoutMs },
    });
    if (ignoreSnapshots && round === 1) pictures = await makePictures(bench, workspace, whole);
    const exact = await sessionSource(trial, surroundings);
    const bare = await lane(lanes.bare, [exact], {
      javaScriptEnabled: false,
      ignoreSnapshots,
      limits: bareLimits,
    });
    const result = await bench.run({
      lanes: verify.sensitivity === 'off' ? [whole] : [whole, bare],
      workers: 2,
    });
    const tests = result.tests.filter(({ project }) => project?.lane === lanes.whole);
    const covered = tests.every(({ project }) => project?.covered === true);
    const passed = tests.filter(({ status }) => status === 'passed').length;
    if (passed === runsOf(trial, config) && result.end !== 'cancelled') {
      const blind = result.tests.find(({ project }) => project?.lane === lanes.bare)?.status;
      const isKnown = blind === 'passed' || blind === 'failed';
      return { passed, dropped, covered, pictures, ...(isKnown ? { withoutJavaScript: blind } : {}) };
    }
    const volatile = volatileAssertions(tests, source);
    if (volatile.length === 0 || round === roundsAtMost || result.end !== 'completed') {
      const failure = await explain(tests, source, trial, surroundings.spec, result, verify.timeoutMs);
      return { passed, dropped, covered, pictures, failure };
    }
    dropped.push(...drop(trial, volatile, 'did not hold in another run'));
  }
}

/** Runs the test with each of its steps left out. */
function tryWithoutSteps({ bench, lane, trial, surroundings, progress }: Rehearsal): Promise<StepTrials> {
  progress('Running it with one step left out at a time');
  return leaveOutSteps(trial, surroundings, async (sources) => {
    const shortened = await lane(lanes.shortened, sources, {
      ignoreSnapshots: comparesPictures(trial.steps),
      limits: shortLimits,
    });
    const workers = Math.max(2, Math.ceil(availableParallelism() / 2));
    const { tests } = await bench.run({ lanes: [shortened], workers });
    return shortened.files.map(({ file }) => tests.find((run) => run.file === file));
  });
}

/** See `Rehearsal.lane`. Around each test, the workspace is as far as the test needs it. */
function laneMaker(
  { staging }: TestBench,
  workspace: string,
  { use }: Session,
  target: Target,
  browser: Config['browser'],
  testModule: TestModule | undefined,
): Rehearsal['lane'] {
  return async (name, sources, rest) => ({
    name,
    ...(sources.length === 1 ? { root: path.join(staging.directory, name, '0') } : {}),
    files: await Promise.all(
      sources.map(async ({ content, files: needed, pages }, number) => {
        const around = path.join(name, String(number));
        for (const each of needed) await staging.copy(path.join(around, each), path.join(workspace, each));
        const beside = path.join(around, path.dirname(target.path));
        for (const page of pages) await staging.write(path.join(beside, page.file), page.content(page.file));
        const file = await staging.write(path.join(around, target.path), content(target.path));
        if (testModule !== undefined) {
          const from = path.relative(path.dirname(file), testModule.file).split(path.sep).join('/');
          await staging.write(
            path.join(beside, `${stagedModule}.ts`),
            `export * from ${JSON.stringify(from)};\n`,
          );
        }
        return { file, as: target.absolutePath };
      }),
    ),
    browserName: use.browserName ?? browser.name,
    headless: use.headless ?? browser.headless,
    ...rest,
  });
}

/** An error of a run, with the place in the session that it comes from. */
function located(
  tests: readonly TestRun[],
  { origins }: SessionSource,
): (Partial<Origin> & { message: string })[] {
  return tests.flatMap(({ errors }) =>
    errors.map(({ message, line = 0, innerLine = 0 }) => {
      const origin = origins.get(line);
      if (origin === undefined) return { message };
      const { within, ...place } = origin;
      return { message, ...place, step: within?.get(innerLine) ?? place.step };
    }),
  );
}

/**
 * The automatic assertions that failed, where nothing else did. Each that fails takes its time, so a test that ran out
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

/** Takes automatic assertions out of a session and tells which. */
function drop(session: Session, origins: readonly Origin[], why: Dropped['why']): Dropped[] {
  return session.steps.flatMap((step, index) => {
    const gone = new Set(origins.flatMap((origin) => (origin.step === index ? [origin.assertion] : [])));
    const { assertions = [] } = step;
    if (gone.size > 0) step.assertions = assertions.filter((_, number) => !gone.has(number));
    return assertions.flatMap((assertion, number) =>
      gone.has(number) ? [{ step: index, code: assertionCode(assertion), why }] : [],
    );
  });
}

/** What failed, where, and what to try. */
async function explain(
  tests: readonly TestRun[],
  source: SessionSource,
  { steps }: Session,
  spec: string,
  result: RunResult,
  timeoutMs: number,
): Promise<Failure> {
  const failed = tests.find(({ status, errors }) => status === 'failed' && errors.length > 0);
  const problem = runProblem(result, timeoutMs);
  if (failed === undefined || result.end === 'cancelled')
    return problem ?? { message: 'The test did not run.', hint: 'Look at the log of the server.' };
  const { failureSnapshot } = await import('../verify/snapshot.js');
  const errors = located([failed], source);
  const error =
    errors.find(({ step, assertion }) => step !== undefined && assertion === undefined) ??
    errors.find(({ step }) => step !== undefined) ??
    errors[0];
  const snapshot = await failureSnapshot(failed);
  const step = error?.step === undefined ? undefined : steps[error.step];
  const before = errors.find((each) => each.assertion !== undefined && each !== error);
  const said = before?.step === undefined ? '' : ` What follows step ${before.step} was already different.`;
  return {
    ...(error?.step === undefined || step === undefined
      ? {}
      : { step: error.step, code: codeAt(steps, spec, error) }),
    message: `${error?.message ?? ''}${said}`,
    hint: [
      ...(problem === undefined || result.end === 'completed' ? [] : [problem.message]),
      replayHint(step?.action, error?.message ?? '', snapshot ?? ''),
    ].join(' '),
    ...(snapshot === undefined ? {} : { snapshot }),
  };
}

/** The code of a step or of one of its assertions. */
function codeAt(steps: readonly Step[], spec: string, { step = 0, assertion }: Partial<Origin>): string {
  const found = stepCode(steps, spec)[step];
  return (assertion === undefined ? found?.code : found?.assertions[assertion]) ?? '';
}

/** Words by which an application says that something is there already. */
const refusal = /\b(?:already|duplicate|in use|is taken|exists|must be unique)\b/i;

/** Why a step that worked while it was recorded may fail in a run of its own, and the ways out. */
function replayHint(action: string | undefined, message: string, snapshot: string): string {
  const refused = snapshot.split('\n').find((line) => refusal.test(line));
  const reason =
    refused !== undefined
      ? `The page says: ${refused.replace(/^[\s-]+/, '').slice(0, 200)}. Recording has probably done this once, and it can't be done twice.`
      : message.includes('strict mode violation')
        ? 'Several elements match where recording saw one: what recording added is probably still there.'
        : action === 'expect'
          ? 'What is asserted held while recording; a fresh run shows something else.'
          : 'It worked while recording; a fresh run finds the page, or the data that recording has changed, otherwise.';
  return `${reason} Undo the steps concerned and record what works on every run; or reset the application's data, let the flow take back what it changes, and end the session again. verify "report" writes the test as it is.`;
}

function uncovered(file: string): string {
  return `\`npx playwright test\` does not run ${file}: no project of playwright.config covers it. Let its testDir and testMatch include the file, or set output.dir to a directory that they include.`;
}

function sensitivityWarnings(
  { steps }: Session,
  dropped: readonly Dropped[],
  { withoutJavaScript, unnoticed = [] }: Sensitivity,
): string[] {
  const warnings: string[] = [];
  const different = dropped.filter(({ why }) => why === 'did not hold in another run');
  if (different.length > 0)
    warnings.push(
      `After ${list(different.map(({ step }) => step))}, automatic assertions did not hold in another run and are left out: assert there what is the same every time.`,
    );
  const blind = unassertedChanges(steps);
  if (withoutJavaScript === 'passed' && blind.length > 0)
    warnings.push(
      `The test passes with JavaScript switched off, so it is blind to what the page does: assert what changed after ${list(blind)}.`,
    );
  if (unnoticed.length > 0)
    warnings.push(`The test passes without ${list(unnoticed)}: assert what is done there, or undo it.`);
  return warnings;
}

/** `step 2`, `steps 2, 5 and 7`: the first few. */
function list(indexes: readonly number[]): string {
  const numbers = [...new Set(indexes)];
  const shown = numbers.slice(0, 5).map(String);
  const last = numbers.length > shown.length ? `${numbers.length - shown.length} more` : shown.pop();
  return `${numbers.length === 1 ? 'step' : 'steps'} ${shown.length === 0 ? '' : `${shown.join(', ')} and `}${last ?? ''}`;
}
