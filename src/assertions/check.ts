import type { Page } from 'playwright';
import { checkAssertion } from '../actions/expect.js';
import { bestLocator } from '../locators/best-locator.js';
import { brittleness } from '../locators/brittle.js';
import type { SnapshotView } from '../browser/snapshot.js';
import { toLocator } from '../locators/locator-expression.js';
import { isPattern, type LocatorCall, type LocatorChain } from '../model/locator.js';
import { assertionKey, type Assertion } from '../model/step.js';
import { stringsIn } from '../model/text.js';
import { within } from '../model/within.js';
import type { Candidate, CandidateSubject } from './candidates.js';
import type { AssertionArgs } from './forms.js';
import { matchedIn } from './line-matching.js';

/** The page in which candidates are checked, and what must not be asserted. */
export interface AssertionContext {
  page: Page;
  testIdAttribute: string | undefined;
  /** Called before a search for a locator, after which Playwright no longer resolves references. */
  onSearch: () => void;
  /** Whether an assertion contains a secret. */
  isSecret: (assertion: Assertion) => boolean;
  /** The page before the step: what was visible in it is no effect of the step. */
  before: SnapshotView;
  /** Keys of the last earlier assertion on each topic. */
  earlier: ReadonlyMap<string, string>;
}

/** Milliseconds for an assertion that is true already, and for a locator. */
const checkMs = 300;
const searchMs = 3000;

/** The first form of a candidate that is true of the page now and repeats none of `taken`; undefined if there is none. */
export async function checkCandidate(
  context: AssertionContext,
  { subject, forms, isNew = false }: Candidate,
  taken: readonly Assertion[],
): Promise<Assertion | undefined> {
  for (const args of forms) {
    for await (const chain of locatorsFor(context, subject, args)) {
      const assertion: Assertion = { ...(chain === undefined ? {} : { locator: chain }), args };
      if (chain !== undefined && !isStable(chain, args)) continue;
      if (chain !== undefined && args['matcher'] === 'toBeVisible' && matchedIn(chain, context.before))
        continue;
      if (context.isSecret(assertion)) continue;
      const key = assertionKey(assertion);
      if (taken.some((each) => implies(each, assertion))) return undefined;
      if (!isNew && context.earlier.get(topicOf(assertion)) === key) return undefined;
      if (await isTrue(context.page, assertion)) return assertion;
      // A text that has changed since the snapshot changes without an action.
      if (args['matcher'] === 'toContainText') return undefined;
    }
  }
  return undefined;
}

async function isTrue(page: Page, { locator, args }: Assertion): Promise<boolean> {
  const check = checkAssertion(args, locator === undefined ? page : toLocator(page, locator), checkMs);
  const verdict = await within(
    10 * checkMs,
    check.then(() => true),
  );
  return verdict === true;
}

/** Locators of a candidate's subject, the cheapest first. */
async function* locatorsFor(
  { testIdAttribute = 'data-testid', onSearch }: AssertionContext,
  subject: CandidateSubject,
  args: AssertionArgs,
): AsyncGenerator<LocatorChain | undefined> {
  if (subject === 'page') yield undefined;
  else if (!('pin' in subject)) yield subject.chain;
  else {
    const { pin, children, words, chain, literal } = subject;
    if (chain !== undefined) yield chain;
    const below: LocatorChain = children === undefined ? [] : [{ method: 'getByRole', args: [children] }];
    if (children !== undefined) yield below;
    const { expected } = args;
    const text = typeof expected === 'string' ? expected : (words ?? '');
    const asserted = textMatchers.test(matcherOf(args)) ? [text] : undefined;
    onSearch();
    const best = await within(searchMs, bestLocator(pin, { testIdAttribute, asserted }));
    const isVisible = args['matcher'] === 'toBeVisible';
    // Words that are new say more than a place that may have been there before.
    if (isVisible && literal !== undefined && best?.some(({ method }) => method === 'locator')) yield literal;
    if (best !== undefined && !isJoined(best, words)) yield [...best, ...below];
    if (isVisible && literal !== undefined) yield literal;
  }
}

/** Whether a locator's text is not the element's own but joined from several inside it. */
function isJoined(chain: LocatorChain, words: string | undefined): boolean {
  const { method, args } = chain.at(-1) ?? {};
  const [text] = args ?? [];
  if (method !== 'getByText' || typeof text !== 'string') return false;
  return words === undefined || !words.toLowerCase().includes(text.toLowerCase());
}

/** Matchers of an element's own text. */
const textMatchers = /^to(?:Have|Contain)(?:Text|Value|AccessibleName)$/;

/** Whether a locator matches the same element in every run, and does not contain what is asserted of it. */
function isStable(chain: LocatorChain, args: AssertionArgs): boolean {
  if (brittleness(chain).size > 0 || chain.some(isBareTag)) return false;
  const { expected } = args;
  const asserted = isPattern(expected) ? expected.regex : expected;
  if (typeof asserted !== 'string' || asserted === '' || !textMatchers.test(matcherOf(args))) return true;
  const texts = chain.flatMap((call) =>
    stringsIn(call.method === 'getByRole' ? call.args.slice(1) : call.args),
  );
  return !texts.some((text) => text.includes(asserted));
}

/** Whether only the tag identifies the element. */
function isBareTag({ method, args: [selector] }: LocatorCall): boolean {
  return method === 'locator' && typeof selector === 'string' && /^[a-z\d]+$/.test(selector);
}

const matcherFamilies: Record<string, string> = {
  toBeHidden: 'toBeVisible',
  toBeEnabled: 'toBeDisabled',
  toContainText: 'toHaveText',
  toHaveValues: 'toHaveValue',
};

/** What an assertion is about: two on one topic contradict or repeat each other. */
export function topicOf({ locator, args }: Assertion): string {
  const matcher = matcherOf(args);
  return JSON.stringify([locator, matcherFamilies[matcher] ?? matcher, args['name']]);
}

function matcherOf({ matcher }: AssertionArgs): string {
  return typeof matcher === 'string' ? matcher : '';
}

/** Whether an assertion that holds shows that another one does. */
export function implies(one: Assertion, other: Assertion): boolean {
  if (topicOf(one) === topicOf(other)) return true;
  const isOfSame = JSON.stringify(one.locator) === JSON.stringify(other.locator);
  const { matcher, not } = other.args;
  if (matcher === 'toBeHidden') return isOfSame && one.args['expected'] === 0;
  if (matcher !== 'toBeVisible' || not === true || !requiresPresence(one.args)) return false;
  const { method, args: [text] = [] } = other.locator?.at(-1) ?? {};
  const isShown = (expected: unknown): boolean =>
    typeof expected === 'string' && typeof text === 'string' && expected.includes(text);
  return isOfSame || (method === 'getByText' && [one.args['expected']].flat().some(isShown));
}

/** Whether an assertion fails if its element is not there. */
export function requiresPresence({ matcher, not }: AssertionArgs): boolean {
  return not !== true && matcher !== 'toBeHidden' && matcher !== 'toHaveCount';
}
