import { z } from 'zod';
import { traitsOf } from '../actions/registry.js';
import { callIsolated, type InPage } from '../browser/isolated.js';
import type { Pin } from '../browser/pin.js';
import type { SnapshotLine, SnapshotView } from '../browser/snapshot.js';
import { matchesOf } from '../locators/matches.js';
import { toLocator } from '../locators/locator-expression.js';
import { isPositional, type LocatorChain } from '../model/locator.js';
import { type Assertion, type Step } from '../model/step.js';
import { within } from '../model/within.js';
import type { PageDiff } from './changes.js';
import { implies, isSteady } from './check.js';
import { limits } from './choose.js';
import { repeatsInput } from './element-candidates.js';
import { matchesLine, uniqueLocator } from './line-matching.js';
import { isSameDocument, stateMs, type Observation, type StepEffect } from './observe.js';

/** How many locators are compared with that of a step. */
const maxSpellings = 20;

export function setAssertions(step: Step, assertions: Assertion[]): void {
  if (assertions.length > 0) step.assertions = assertions;
  else delete step.assertions;
}

/** The assertions of a step: the step itself if it is an assertion, and the automatic ones. */
export function assertionsOf(step: Step): Assertion[] {
  return [...(traitsOf(step).asserts ? [step] : []), ...(step.assertions ?? [])];
}

/** Removes automatic assertions that the agent's `expect` implies. */
export function dropImpliedBy(steps: readonly Step[], expectStep: Step): void {
  const previous = steps.findLast((step) => step !== expectStep && step.assertions !== undefined);
  const { assertions = [] } = previous ?? {};
  if (previous !== undefined)
    setAssertions(
      previous,
      assertions.filter(
        (assertion) =>
          !implies(expectStep, assertion) && !(isDisappearance(expectStep) && isDisappearance(assertion)),
      ),
    );
}

function isDisappearance({ args: { matcher, expected, not } }: Assertion): boolean {
  return (
    matcher === 'toBeHidden' ||
    (matcher === 'toBeVisible' && not === true) ||
    (matcher === 'toHaveCount' && expected === 0)
  );
}

/** Removes assertions that repeat what a step set: a later step depends on it anyway. */
export function dropRepeatedInput(steps: readonly Step[]): void {
  for (const step of steps) {
    const own = JSON.stringify(step.locator);
    const { assertions = [] } = step;
    const repeats = ({ locator, args }: Assertion): boolean =>
      JSON.stringify(locator) === own && repeatsInput(step, args);
    if (assertions.some(repeats))
      setAssertions(
        step,
        assertions.filter((assertion) => !repeats(assertion)),
      );
  }
}

/**
 * Fields that were filled and that the page has changed since: page and test may overwrite each other in either order.
 */
export function contestedLines(
  { changes }: PageDiff,
  steps: readonly Step[],
  except: LocatorChain | undefined,
): Set<SnapshotLine> {
  const filled = steps.flatMap((step) =>
    step.locator !== undefined && traitsOf(step).types ? [step.locator] : [],
  );
  const lines = changes.flatMap(({ kind, line }) => (kind === 'value' ? [line] : []));
  return new Set(
    lines.filter(
      (line) =>
        filled.some((chain) => matchesLine(chain, line)) &&
        (except === undefined || !matchesLine(except, line)),
    ),
  );
}

/** Uses a step's locator in earlier assertions of the same element, so that an element has one locator. */
export async function spellAlike(steps: readonly Step[], pin: Pin, chain: LocatorChain): Promise<void> {
  const own = JSON.stringify(chain);
  const isOther = ({ locator, args: { matcher, expected } }: Assertion): boolean =>
    locator !== undefined &&
    JSON.stringify(locator) !== own &&
    matcher !== 'toBeVisible' &&
    !Array.isArray(expected);
  const others = steps.flatMap(({ assertions = [] }) => assertions.filter(isOther));
  const framed = chain.findLastIndex(({ method }) => method === 'contentFrame') + 1;
  const frames = JSON.stringify(chain.slice(0, framed));
  const chains = [...new Map(others.map(({ locator = [] }) => [JSON.stringify(locator), locator])).values()]
    .filter((each) => JSON.stringify(each.slice(0, framed)) === frames)
    .slice(0, maxSpellings);
  if (chains.length === 0) return;
  const inFrame = chains.map((each) => each.slice(framed));
  const same = await within(stateMs, matchesOf(pin, inFrame));
  const known = new Set(same?.indexes.map((index) => JSON.stringify(chains[index])));
  for (const step of known.size === 0 ? [] : steps)
    setAssertions(
      step,
      (step.assertions ?? []).map((assertion) => {
        const isSame = isOther(assertion) && known.has(JSON.stringify(assertion.locator));
        return isSame && isSteady(chain, assertion.args, []) ? { ...assertion, locator: chain } : assertion;
      }),
    );
}

/** Removes assertions of values that the page has overwritten. */
export function dropContested(steps: readonly Step[], lines: ReadonlySet<SnapshotLine>): void {
  for (const step of steps) {
    const { locator: chain, assertions = [] } = step;
    if (chain === undefined || !traitsOf(step).types) continue;
    if (![...lines].some((line) => matchesLine(chain, line))) continue;
    const own = JSON.stringify(chain);
    setAssertions(
      step,
      assertions.filter(({ locator }) => JSON.stringify(locator) !== own),
    );
  }
}

/** Assertions of a step's messages that have since disappeared without an action; a test is fast enough to see them. */
export async function goneMessages({ messages, after }: StepEffect): Promise<Assertion[]> {
  const counts = await Promise.all(
    messages.map(async ({ locator }) =>
      locator === undefined ? 1 : await within(stateMs, toLocator(after.livePage.page, locator).count()),
    ),
  );
  return messages.filter((_, index) => counts[index] === 0);
}

/** Whether an assertion is about a new message, by its role or class, other than one about loading. */
export async function isMessage(
  kind: string,
  assertion: Assertion,
  { livePage: { page } }: Observation,
): Promise<boolean> {
  const role = kind.startsWith('echo ') ? 'generic' : /^appeared (\w+)/.exec(kind)?.[1];
  if (role === undefined || /load|wait|progress|search|…|\.\.\./i.test(JSON.stringify(assertion)))
    return false;
  if (['alert', 'status', 'log'].includes(role)) return true;
  if (!['generic', 'text', 'paragraph'].includes(role) || assertion.locator === undefined) return false;
  const toast = callIsolated(toLocator(page, assertion.locator), isToast, {
    arg: undefined,
    schema: z.boolean(),
    limitMs: stateMs,
  });
  return (await within(stateMs, toast)) === true;
}

/** Runs in the page. */
function isToast({ elements: [element] }: InPage): boolean {
  const kinds = ['toast', 'snackbar', 'notification', 'notify', 'flash', 'growl'];
  const selector = kinds.map((each) => `[class*="${each}" i], [id*="${each}" i]`).join();
  return element?.closest(`${selector}, [aria-live]`) != null;
}

/**
 * Asserts the number of elements before an action with a positional locator, which needs all elements before its own.
 * Undefined if the number did not change.
 */
export async function countAssertion(
  { before, after }: StepEffect,
  chain: LocatorChain,
): Promise<Assertion | undefined> {
  const [all, position] = [chain.slice(0, -1), chain.at(-1)];
  if (position === undefined || !isPositional(position) || !isSameDocument(before, after)) return undefined;
  const countIn = (view: SnapshotView): number => view.filter((line) => matchesLine(all, line)).length;
  if (countIn(before.view) === countIn(after.view)) return undefined;
  const expected = await within(stateMs, toLocator(after.livePage.page, all).count());
  if (expected === undefined) return undefined;
  return { locator: all, args: { matcher: 'toHaveCount', expected } };
}

/**
 * Asserts the disappearance of an element that no step had asserted: the previous step asserts that it is visible, as its
 * snapshot showed, and this one that it is hidden.
 */
export function assertDisappearance(
  { step, before, after }: StepEffect,
  { gone }: PageDiff,
  previous: Step,
  isSecret: (assertion: Assertion) => boolean,
): void {
  if (assertionsOf(previous).length === limits.maxAssertions) return;
  const chain = gone
    .map((line) => uniqueLocator(line, before.view, after.view))
    .find((each) => each !== undefined);
  if (chain === undefined) return;
  const presence: Assertion = { locator: chain, args: { matcher: 'toBeVisible' } };
  if (isSecret(presence)) return;
  setAssertions(previous, [...(previous.assertions ?? []), presence]);
  setAssertions(step, [{ locator: chain, args: { matcher: 'toBeHidden' } }]);
}
