import { isSubject, type ActionContext } from '../actions/action.js';
import { worksOnlyInTest } from '../actions/registry.js';
import { toLocator } from '../locators/locator-expression.js';
import { within } from '../model/within.js';
import type { CheckedRequest } from './request.js';
import { chainOf, isRef, timeoutOf } from './targets.js';

/** Milliseconds in which what an action showed briefly is noticed. */
const briefMs = 1500;
/** Milliseconds for an assertion that has been checked already. */
const instantMs = 100;

/**
 * Checks the assertions that follow an action in its call while the page settles, as the test will: a message that
 * disappears by itself is gone afterwards. What held before the action proves nothing about it.
 */
export class BriefChecks {
  private readonly checks = new Map<CheckedRequest, Promise<boolean>>();

  /** Call just before an action. Returns the following assertions that do not hold yet. */
  async unmet(
    following: readonly CheckedRequest[],
    context: ActionContext,
  ): Promise<readonly CheckedRequest[]> {
    const open = following.map(async (request) => ((await holds(request, context, 1)) ? [] : [request]));
    return (await Promise.all(open)).flat();
  }

  /** Call just after the action. */
  begin(unmet: readonly CheckedRequest[], context: ActionContext): void {
    for (const request of unmet) this.checks.set(request, holds(request, context, briefMs));
  }

  /** Whether an assertion held for a moment after the action. */
  async held(request: CheckedRequest): Promise<boolean> {
    return (await within(instantMs, this.checks.get(request))) === true;
  }
}

/** The assertions directly after an action in its call, except those of refs, which existed before it, or with a time-out. */
export function assertionsAfter<Request extends CheckedRequest>(
  requests: readonly Request[],
  index: number,
): Request[] {
  const later = requests.slice(index + 1);
  const end = later.findIndex(({ action }) => action.asserts !== true);
  return later.slice(0, end === -1 ? undefined : end).filter(isCheckable);
}

function isCheckable({ action, target, prepared: { args } }: CheckedRequest): boolean {
  const isElement = target !== undefined && !isRef(target) && isSubject(action);
  const isQuick = !worksOnlyInTest({ action: action.name, args }) && args['matcher'] !== 'toPassAxe';
  return isElement && isQuick && timeoutOf(args, 0) === 0;
}

function holds(
  { prepared, target = '' }: CheckedRequest,
  context: ActionContext,
  timeoutMs: number,
): Promise<boolean> {
  const perform = prepared.perform(
    { ...context, actionMs: timeoutMs },
    toLocator(context.page, chainOf(target)),
  );
  return perform.then(
    () => true,
    () => false,
  );
}
