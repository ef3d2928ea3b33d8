import { isSubject } from '../actions/action.js';
import { checkAssertion } from '../actions/expect.js';
import { actions, worksOnlyInTest } from '../actions/registry.js';
import type { Live } from '../browser/live.js';
import { firstPage } from '../browser/live-page.js';
import { toLocator } from '../locators/locator-expression.js';
import { pinSoon } from '../browser/pin.js';
import { CodegenError } from '../model/errors.js';
import type { Assertion, Step } from '../model/step.js';
import { within } from '../model/within.js';
import { TaskRunner, type RecordLimits, type RecordOutcome, type Task } from './task-runner.js';
import { timeoutOf } from './targets.js';
import type { OpenSession, Session } from './session.js';

/** Milliseconds that checking an assertion may take beyond its own time-out. */
const graceMs = 1000;

interface ReplayOutcome {
  /** Why the first missing step could not be replayed. */
  failure: RecordOutcome['failure'];
  /** Automatic assertions that no longer hold, with the index of their step and among its assertions. */
  dropped: { step: number; index: number; assertion: Assertion }[];
}

/**
 * Replays saved steps in a new session, up to the first that fails. A step keeps its automatic assertions if they are
 * still true.
 */
export async function replaySteps(
  open: OpenSession,
  steps: readonly Step[],
  limits: RecordLimits,
  { signal, progress }: { signal: AbortSignal; progress: (message: string) => void },
): Promise<ReplayOutcome> {
  const { session, live } = open;
  const dropped: ReplayOutcome['dropped'] = [];
  for (const [index, saved] of steps.entries()) {
    if (signal.aborted) break;
    progress(`Replaying step ${index + 1} of ${steps.length}`);
    if (worksOnlyInTest(saved)) {
      session.steps.push(saved);
      continue;
    }
    live.current = live.pages.find(({ id }) => id === (saved.page ?? firstPage)) ?? live.current;
    const task = taskOf(saved, session, live, limits);
    const { landed, failure } = await new TaskRunner(open, limits).run([task], signal);
    if (failure !== undefined) return { failure: { ...failure, index }, dropped };
    const step = landed[0]?.step;
    if (step === undefined) break;
    if (saved.changedPage === true) step.changedPage = true;
    for (const key of ['slowMs', 'lateMs'] as const)
      if (saved[key] !== undefined) step[key] = Math.max(saved[key], step[key] ?? 0);
    if (saved.showsToday === true) step.showsToday = true;
    if (!session.autoAssert) continue;
    const { assertions = [] } = saved;
    const verdicts = await Promise.all(assertions.map((each) => holds(each, live, limits)));
    const lost = assertions.filter((_, number) => verdicts[number] !== true);
    // If the step has a different effect now, its new assertions replace the saved ones.
    if (lost.length === 0) {
      step.assertions = assertions;
      open.autoAssertions?.forget();
    }
    dropped.push(
      ...lost.map((assertion) => ({ step: index, index: assertions.indexOf(assertion), assertion })),
    );
  }
  return { failure: undefined, dropped };
}

/** A saved step keeps its locator: one that is better now may be worse for the test. */
function taskOf(
  { action: name, locator, to, mask = [], args, note, signals }: Step,
  { use }: Session,
  { current }: Live,
  limits: RecordLimits,
): Task {
  const action = actions.get(name);
  if (action === undefined)
    throw new CodegenError('INVALID_INPUT', `There is no action "${name}".`, {
      hint: 'Record the flow again.',
    });
  return {
    action,
    prepared: action.prepare(args, use.baseURL),
    target: locator && toLocator(current.page, locator).toString(),
    to: to && toLocator(current.page, to).toString(),
    note,
    record: true,
    signals,
    locateTo: () => Promise.resolve({ chain: to }),
    mask: [],
    locateMask: () => Promise.resolve(mask),
    locate: async () => ({
      chain: locator,
      pin:
        locator === undefined || isSubject(action)
          ? undefined
          : await pinSoon(toLocator(current.page, locator), timeoutOf(args, limits.actionMs)),
    }),
  };
}

/** Whether an assertion becomes true within the time of an action. */
async function holds(
  { locator, args }: Assertion,
  { current: { page } }: Live,
  { actionMs }: RecordLimits,
): Promise<boolean> {
  const checked = checkAssertion(args, locator === undefined ? page : toLocator(page, locator), actionMs);
  const verdict = await within(
    actionMs + graceMs,
    checked.then(() => true),
  );
  return verdict === true;
}
