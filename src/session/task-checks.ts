import { inspect } from 'node:util';
import type { Action } from '../actions/action.js';
import { takesLong } from '../actions/expect.js';
import { cleanUpStart, groupTitle, hookOf, traitsOf } from '../actions/registry.js';
import type { Live } from '../browser/live.js';
import { firstPage } from '../browser/live-page.js';
import { toLocator } from '../locators/locator-expression.js';
import { CodegenError } from '../model/errors.js';
import type { LocatorChain } from '../model/locator.js';
import type { Secrets } from '../model/secrets.js';
import type { Step } from '../model/step.js';
import { within } from '../model/within.js';
import { browserGone, recoveryHint } from './failure.js';
import type { CheckedRequest } from './request.js';
import { chainOf, isRef, timeoutOf } from './targets.js';

/** Milliseconds that an action may take beyond its own time-out. */
export const graceMs = 300;

/** Prevents an endless script of the page from blocking Playwright's own time-outs. */
export async function bounded(
  request: CheckedRequest,
  work: Promise<void>,
  limits: { actionMs: number; navigationMs: number },
  { dialogs }: Pick<Live, 'dialogs'>,
): Promise<void> {
  try {
    await inTime(request, work, limits);
  } catch (error) {
    // The action has opened a dialog, and the person who has control still reads it.
    if (dialogs.open === undefined) throw error;
    await dialogs.open.closed;
  }
}

async function inTime(
  { action, prepared }: CheckedRequest,
  work: Promise<void>,
  limits: { actionMs: number; navigationMs: number },
): Promise<void> {
  const isLong = action.target === 'none' || (action.asserts && takesLong(prepared.args));
  const limitMs = timeoutOf(prepared.args, isLong ? limits.navigationMs : limits.actionMs) + graceMs;
  const done = work.then(() => true);
  done.catch(() => undefined);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => {
      resolve(false);
    }, limitMs);
  });
  const isDone = await Promise.race([done, late]).finally(() => {
    clearTimeout(timer);
  });
  if (!isDone)
    throw new CodegenError('ACTION_FAILED', `${action.name} timed out: the page does not respond.`, {
      hint: 'The page runs a script, or a regular expression with nested repetition, that does not finish.',
    });
}

export function requirePage(live: Live, action: Action): void {
  if (live.lost()) throw browserGone();
  const needsNone = action.switchesPage ?? action.opensPage ?? !action.recorded;
  if (needsNone || !live.current.page.isClosed()) return;
  throw new CodegenError('ACTION_FAILED', 'The page has been closed.', { hint: recoveryHint(live) });
}

/** Milliseconds for a page to remove a handler. */
const removalMs = 2000;

/** Removes the handlers of steps that are removed. */
export async function unhandle({ pages }: Live, removed: readonly Step[]): Promise<void> {
  for (const { locator, page = firstPage } of removed.filter((step) => traitsOf(step).handlesOverlay)) {
    const entry = pages.find(({ id }) => id === page);
    if (entry !== undefined && locator !== undefined)
      await within(removalMs, entry.page.removeLocatorHandler(toLocator(entry.page, locator)));
  }
}

/** A step's arguments end up in the test, so they must not contain a secret. */
export function requireRedacted(step: Step, secrets: Secrets): void {
  if (secrets.foundIn(step).length === 0) return;
  throw new CodegenError('INVALID_INPUT', 'The test would contain the value of a secret.', {
    hint: 'Write {{secret:NAME}} instead of the value; a target must not contain it.',
  });
}

/** The order in which a test runs its hooks and itself. */
const ranks = { beforeEach: 0, test: 1, afterEach: 2 };

/** Steps are recorded in the order in which the test runs them: `beforeEach` hooks first, `afterEach` hooks last. */
export function requireHookOrder(
  steps: readonly Step[],
  at: number,
  { action, prepared }: CheckedRequest,
): void {
  if (action.opensGroup !== true) return;
  const openers = (part: readonly Step[]): Step[] => part.filter((step) => groupTitle(step) !== undefined);
  const rankOf = (step: Step | undefined): number => ranks[hookOf(step) ?? 'test'];
  const own = rankOf({ action: action.name, args: prepared.args });
  const before = at === 0 ? ranks.beforeEach : rankOf(openers(steps.slice(0, at)).at(-1));
  const [next] = openers(steps.slice(at));
  if (own < before)
    throw own === ranks.beforeEach
      ? new CodegenError('INVALID_INPUT', 'A beforeEach hook comes before the steps of the test.', {
          hint: 'Insert it with `at`: 0. Steps up to the next `step` then belong to it.',
        })
      : new CodegenError('INVALID_INPUT', 'The steps of the test come before its afterEach hook.', {
          hint: `Insert it with \`at\`: ${cleanUpStart(steps)}, before the hook.`,
        });
  if (next !== undefined && own > rankOf(next))
    throw new CodegenError('INVALID_INPUT', 'An afterEach hook comes after the steps of the test.', {
      hint: 'Leave out `at`, to append it.',
    });
}

/** A test has only the pages that its own steps, these before the new one, open. */
export function requireRecorded(
  steps: readonly Step[],
  live: Live,
  { action, prepared }: CheckedRequest,
  page = live.current.id,
): void {
  const id = action.switchesPage ? prepared.args['page'] : page;
  const isOpened = (step: Step): boolean =>
    (step.signals ?? []).some((signal) => 'page' in signal && signal.page === id);
  if (id !== firstPage && live.pages.some((each) => each.id === id) && !steps.some(isOpened))
    throw new CodegenError('ACTION_FAILED', `No recorded step has opened page ${JSON.stringify(id)}.`, {
      hint: 'Open it with a recorded step, or act there with "record": false.',
    });
}

/** The locator of a target that is resolved only when the test runs. */
export function uncheckedChain(target: string | undefined, page: string): LocatorChain | undefined {
  if (target === undefined || !isRef(target)) return target === undefined ? undefined : chainOf(target);
  throw new CodegenError(
    'TARGET_NOT_FOUND',
    `The ref ${target} identifies no element of page ${page} at that step.`,
    {
      hint: "Use a locator; refs can't be resolved for an inserted step.",
    },
  );
}

/** A value of the page as text, as JSON if possible. */
export function textOf(value: unknown): string {
  try {
    return value === undefined ? 'undefined' : JSON.stringify(value);
  } catch {
    return inspect(value);
  }
}
