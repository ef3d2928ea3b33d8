import { cleanUpStart, traitsOf } from '../../actions/registry.js';
import type { Step } from '../../model/step.js';
import type { Session } from '../session.js';
import type { TestError, TestRun } from '../../verify/report.js';
import type { Origin } from '../../codegen/source.js';
import { sessionSource, type SessionSource, type Surroundings } from '../test-source.js';

/** Steps that are left out in turn at most; of longer sessions, a sample. */
const maxTriedSteps = 25;

/** What a test notices of its steps. */
export interface StepTrials {
  stepsTried: number;
  /** Indexes of the steps without which the test passes all the same. */
  unnoticed: number[];
  /** Automatic assertions that hold without the action they are about. */
  unproven: Origin[];
}

/** Runs the session's test once for each step, or for a sample of them, with the step's action left out. */
export async function leaveOutSteps(
  session: Session,
  surroundings: Surroundings,
  runAll: (sources: readonly SessionSource[]) => Promise<(TestRun | undefined)[]>,
): Promise<StepTrials> {
  // Nobody asserts what a clean-up does.
  const tried = session.steps.slice(0, cleanUpStart(session.steps));
  const indexes = sample(tried.flatMap((step, index) => (acts(step) ? [index] : [])));
  const sources = await Promise.all(
    indexes.map((without) => sessionSource(session, surroundings, { without })),
  );
  const trials: StepTrials = { stepsTried: 0, unnoticed: [], unproven: [] };
  const runs = await runAll(sources);
  for (const [number, index] of indexes.entries()) {
    const [run, source] = [runs[number], sources[number]];
    if (source === undefined || (run?.status !== 'passed' && run?.status !== 'failed')) continue;
    trials.stepsTried++;
    if (run.status === 'passed') trials.unnoticed.push(index);
    trials.unproven.push(...held(run.errors, source, index));
  }
  return trials;
}

/** The automatic assertions of a step that were reached and held in a run without its action. */
function held(errors: readonly TestError[], { origins }: SessionSource, step: number): Origin[] {
  const failed = new Set(errors.map(({ line = 0 }) => origins.get(line)?.assertion));
  const isOwn = ({ line = 0 }: TestError): boolean => origins.get(line)?.step === step;
  const ending = Math.min(...errors.filter((error) => !isOwn(error)).map(({ line = 0 }) => line));
  const reached = new Map(
    [...origins].flatMap(([line, { assertion, ...origin }]) =>
      origin.step === step && assertion !== undefined && line < ending ? [[assertion, origin.step]] : [],
    ),
  );
  return [...reached].flatMap(([assertion = 0]) => (failed.has(assertion) ? [] : [{ step, assertion }]));
}

/** Evenly spread entries of a list, as many as are tried. */
function sample(indexes: readonly number[]): number[] {
  const share = Math.max(1, indexes.length / maxTriedSteps);
  return indexes.filter((_, number) => Math.floor(number / share) !== Math.floor((number - 1) / share));
}

/** Indexes of the steps that changed the page and after which nothing of that change is asserted before the next action. */
export function unassertedChanges(steps: readonly Step[]): number[] {
  return steps.slice(0, cleanUpStart(steps)).flatMap((step, index) => {
    if (step.changedPage !== true) return [];
    const rest = steps.slice(index + 1).filter((each) => !traitsOf(each).opensGroup);
    const next = rest.findIndex(acts);
    const following = rest.slice(0, next === -1 ? undefined : next);
    const element = JSON.stringify(step.locator);
    const ofOthers = [...(step.assertions ?? []), ...following].some(
      ({ locator }) => locator === undefined || JSON.stringify(locator) !== element,
    );
    return ofOthers ? [] : [index];
  });
}

/** Whether a step does something in the page. */
function acts(step: Step): boolean {
  return traitsOf(step).kind === 'mutates';
}
