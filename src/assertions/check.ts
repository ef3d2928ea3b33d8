import type { Page } from 'playwright';
import { checkAssertion } from '../actions/expect.js';
import { bestLocator, containerLocator, maxWholeName } from '../locators/best-locator.js';
import { brittleness } from '../locators/brittle.js';
import { ListLocators, type ListExpectation } from '../locators/list-locators.js';
import type { Pin } from '../browser/pin.js';
import { partsOf, type SnapshotLine, type SnapshotView } from '../browser/snapshot.js';
import { toLocator } from '../locators/locator-expression.js';
import { matchesOf } from '../locators/matches.js';
import { isOptions, isPattern, type LocatorCall, type LocatorChain } from '../model/locator.js';
import { assertionKey, type Assertion } from '../model/step.js';
import { escapeRegExp, stringsIn } from '../model/text.js';
import { isVolatile } from '../model/volatile.js';
import { within } from '../model/within.js';
import type { Candidate, CandidateSubject } from './candidates.js';
import type { AssertionArgs } from './forms.js';
import { matchesLine, mayMatchIn, templateLocator } from './line-matching.js';

/** The page in which candidates are checked, and what rules them out. */
export interface AssertionContext {
  page: Page;
  /** Whether an assertion contains a secret. */
  isSecret: (assertion: Assertion) => boolean;
  /** The page before the step, whose visible elements are no effect of the step. */
  before: SnapshotView;
  /** What steps typed or selected. */
  typed: readonly string[];
  /** The locator that a step used for an element, by element. */
  spelled: ReadonlyMap<string, LocatorChain>;
  /** The locator of the element that this step acted on, which was visible before. */
  acted: LocatorChain | undefined;
  /** The key of the latest earlier assertion, by topic. */
  earlier: ReadonlyMap<string, string>;
  locators: FoundLocators;
}

/** A cache of the locators of elements, valid while the page does not change. */
export class FoundLocators {
  readonly lists: ListLocators;
  private readonly found = new Map<string, Promise<LocatorChain | undefined>>();

  constructor(private readonly testIdAttribute: string) {
    this.lists = new ListLocators(testIdAttribute, (pin, texts) => this.ofContainer(pin, texts));
  }

  /** Not by one of the texts that are asserted of it. */
  ofContainer(pin: Pin, asserted: readonly string[] = []): Promise<LocatorChain | undefined> {
    const { testIdAttribute } = this;
    return this.once(JSON.stringify([pin.facts.element, 'container', asserted]), () =>
      containerLocator(pin, { testIdAttribute, asserted }),
    );
  }

  of(pin: Pin, asserted: string[] | undefined): Promise<LocatorChain | undefined> {
    const { testIdAttribute } = this;
    return this.once(JSON.stringify([pin.facts.element, asserted ?? null]), () =>
      bestLocator(pin, { testIdAttribute, asserted }),
    );
  }

  private once(
    key: string,
    search: () => Promise<LocatorChain | undefined>,
  ): Promise<LocatorChain | undefined> {
    const known = this.found.get(key) ?? within(searchMs, search());
    this.found.set(key, known);
    return known;
  }
}

/** Time-outs. Playwright checks at least once, however short its time-out is. */
const answerMs = 3000;
const onceMs = 1;
const searchMs = 3000;

/** The first form of a candidate that is true now and not implied by `taken`; undefined if there is none. */
export async function checkCandidate(
  context: AssertionContext,
  { subject: whole, forms, isNew = false, isRead = false }: Candidate,
  taken: readonly Assertion[],
): Promise<Assertion | undefined> {
  const found = typeof forms === 'function' ? await forms() : forms;
  for (const { args, subject } of found.flatMap((args) => plainer(args, whole))) {
    for await (const { chain: found, isShown = false, isCounted = false } of locatorsFor(
      context,
      subject,
      args,
    )) {
      const chain = found && (isVisibility(args) ? exactIfBare(found) : found);
      const isKnown = isRead || (isShown && chain === found && JSON.stringify(args) === plainVisibility);
      const assertion: Assertion = { ...(chain === undefined ? {} : { locator: chain }), args };
      if (chain !== undefined && !isStable(chain, args, context.typed)) continue;
      if (chain !== undefined && isVisibility(args) && wasVisible(context, chain)) continue;
      if (context.isSecret(assertion)) continue;
      const key = assertionKey(assertion);
      if (taken.some((each) => implies(each, assertion))) return undefined;
      const isRepeated = context.earlier.get(topicOf(assertion)) === key;
      // The pattern of the earlier assertion also matches the new text. Beside another effect, only a list is repeated.
      const isLess = hasPattern(args) || (taken.length > 0 && !isGroup(args));
      if (isRepeated && (!isNew || isLess)) return undefined;
      if (isKnown || (await isTrue(context.page, assertion, isCounted))) return assertion;
      // If the text has already changed again, it changes without an action.
      if (args['matcher'] === 'toContainText' && !Array.isArray(args['expected'])) return undefined;
    }
  }
  return undefined;
}

/** Whether an assertion is about the content of a view. */
function isGroup({ matcher, expected }: AssertionArgs): boolean {
  return Array.isArray(expected) || matcher === 'toMatchAriaSnapshot';
}

/** A form of an assertion; before a snapshot of one line, the visibility of that line's element, which reads better. */
function plainer(
  args: AssertionArgs,
  subject: CandidateSubject,
): { args: AssertionArgs; subject: CandidateSubject }[] {
  const { matcher, expected } = args;
  const isSnapshot = matcher === 'toMatchAriaSnapshot' && typeof expected === 'string';
  const chain = isSnapshot ? templateLocator(expected) : undefined;
  return [
    ...(chain === undefined ? [] : [{ args: { matcher: 'toBeVisible' }, subject: { chain } }]),
    { args, subject },
  ];
}

/** Whether a locator may have matched something visible before the step. */
function wasVisible({ acted, before }: AssertionContext, chain: LocatorChain): boolean {
  return (
    mayMatchIn(chain, before) || (acted !== undefined && JSON.stringify(chain) === JSON.stringify(acted))
  );
}

/** Whether an assertion matches values other than the recorded ones. */
function hasPattern({ expected }: AssertionArgs): boolean {
  if (typeof expected === 'string') return / \/.+\/(?: \[|'?:?$)/m.test(expected);
  return Array.isArray(expected) ? expected.some(isPattern) : isPattern(expected);
}

async function isTrue(page: Page, { locator, args }: Assertion, isCounted: boolean): Promise<boolean> {
  const { expected } = args;
  // `toContainText` with an array also passes for a longer list.
  if (Array.isArray(expected) && locator !== undefined && !isCounted) {
    const count = await within(answerMs, toLocator(page, locator).count());
    if (count !== expected.length) return false;
  }
  const check = checkAssertion(args, locator === undefined ? page : toLocator(page, locator), onceMs);
  const verdict = await within(
    answerMs,
    check.then(() => true),
  );
  return verdict === true;
}

const plainVisibility = JSON.stringify({ matcher: 'toBeVisible' });

interface FoundLocator {
  chain?: LocatorChain;
  /** Whether it matches only the element, which was visible. */
  isShown?: boolean;
  /** Whether it matches as many elements as expected. */
  isCounted?: boolean;
}

/** The locators of a candidate's subject, cheapest first. */
async function* locatorsFor(
  { locators, spelled, before }: AssertionContext,
  subject: CandidateSubject,
  args: AssertionArgs,
): AsyncGenerator<FoundLocator> {
  const { expected } = args;
  if (subject === 'page') yield {};
  else if ('items' in subject) {
    const isCounted = subject.around.facts.inMainFrame;
    for await (const chain of locators.lists.of(subject, listExpectation(args))) yield { chain, isCounted };
  } else if ('region' in subject) {
    const chain = await locators.ofContainer(subject.region);
    if (chain !== undefined) yield { chain };
  } else if (!('pin' in subject)) yield { chain: subject.chain };
  else {
    const { pin, words, chain, literal } = subject;
    const isShown = pin.facts.shown;
    if (chain !== undefined) yield { chain, isShown };
    const known = spelled.get(pin.facts.element) ?? (await spelledAgain(pin, spelled));
    // A list that is closing may match too.
    const isLike = (line: SnapshotLine): boolean =>
      known !== undefined && matchesLine(known, line) && !isNoLabel(known, line);
    const isClear = known !== undefined && before.filter(isLike).length < 2;
    if (isClear && args['matcher'] !== 'toBeVisible') yield { chain: known };
    const text = typeof expected === 'string' ? expected : (words ?? '');
    const asserted = textMatchers.test(matcherOf(args)) ? [text] : undefined;
    const best = await locators.of(pin, asserted);
    const frames = best?.slice(0, best.findLastIndex(({ method }) => method === 'contentFrame') + 1) ?? [];
    const whole = literal && [...frames, ...literal];
    const isVisible = args['matcher'] === 'toBeVisible';
    const isNamed = best?.at(-1)?.args.length !== 1 || best.at(-1)?.method === 'getByText';
    // `toBeVisible` says nothing about the text unless the locator contains it.
    const isBlind = isVisible && literal !== undefined && !isNamed;
    // The whole text, or a name with its number, says more than the part that Playwright suggests.
    const isWhole =
      literal?.[0]?.method === 'getByText' ||
      /\d/.test(words ?? '') ||
      (words ?? '').length > maxWholeName ||
      // Playwright suggests the link or the button around it.
      pin.facts.inControl;
    if (isVisible && whole !== undefined && isWhole) yield { chain: whole };
    const [role, ...others] = best?.length === 1 && best[0]?.method === 'getByRole' ? best[0].args : [];
    // With strict mode, a locator by role alone fails while other elements of that role are still there.
    const isAmbiguous =
      others.length === 0 && before.filter((line) => partsOf(line).role === role).length > 1;
    // Nobody looks for a paragraph by its role alone.
    const isVague = role === 'paragraph' && others.length === 0 && literal !== undefined;
    const isUnclear = isBlind || isVague || (role !== undefined && isAmbiguous);
    // A text that identifies itself is plainer than one found from the text beside it.
    const isBeside = literal !== undefined && /\p{L}/u.test(words ?? '') && best?.some(isStepUp) === true;
    if (best !== undefined && !isUnclear && !isBeside && !isJoined(best, words))
      yield { chain: best, isShown };
    if (isVisible && whole !== undefined && !isWhole) yield { chain: whole };
  }
}

/** The locator that a step used for an element that this one replaced. */
async function spelledAgain(
  pin: Pin,
  spelled: AssertionContext['spelled'],
): Promise<LocatorChain | undefined> {
  const { role = '', name, inMainFrame } = pin.facts;
  const known = name === undefined || !inMainFrame ? undefined : spelled.get(`${role} ${name}`);
  const found = known && (await within(answerMs, matchesOf(pin, [known])));
  return found?.indexes.length === 1 ? known : undefined;
}

/** Whether a locator looks for a label, and a line only shows a text. */
function isNoLabel(chain: LocatorChain, line: SnapshotLine): boolean {
  const shown = ['button', 'link', 'heading', 'generic', 'text', 'paragraph'];
  return chain.at(-1)?.method === 'getByLabel' && shown.includes(partsOf(line).role ?? '');
}

function listExpectation({ matcher, expected }: AssertionArgs): ListExpectation {
  if (!Array.isArray(expected)) return { count: typeof expected === 'number' ? expected : 0 };
  const texts = expected.filter((each) => typeof each === 'string' || isPattern(each));
  return { count: texts.length, texts, isPart: matcher === 'toContainText' };
}

/** Whether a call leads from an element to one around it. */
function isStepUp({ method, args: [selector] }: LocatorCall): boolean {
  return method === 'locator' && typeof selector === 'string' && /^\.\.(?:\/|$)/.test(selector);
}

/** Makes a text without letters exact: "1" also matches "10". */
function exactIfBare(chain: LocatorChain): LocatorChain {
  const { method = '', args: [first, options = {}] = [] } = chain.at(-1) ?? {};
  const isBare = (text: unknown): boolean => typeof text === 'string' && !/\p{L}/u.test(text);
  if (first === undefined || !isOptions(options) || 'exact' in options) return chain;
  const text = method === 'getByRole' ? options['name'] : first;
  if (!['getByRole', 'getByText'].includes(method) || !isBare(text)) return chain;
  return [...chain.slice(0, -1), { method, args: [first, { ...options, exact: true }] }];
}

/** Whether a locator's text joins the texts of several descendants. */
function isJoined(chain: LocatorChain, words: string | undefined): boolean {
  const { method, args } = chain.at(-1) ?? {};
  const [text] = args ?? [];
  if (method !== 'getByText' || typeof text !== 'string') return false;
  return words === undefined || !words.toLowerCase().includes(text.toLowerCase());
}

/** Matchers of an element's own text. */
const textMatchers = /^to(?:Have|Contain)(?:Text|Value|AccessibleName)$/;

/** Whether a locator matches the same element in every run and does not contain the expected text. */
export function isStable(chain: LocatorChain, args: AssertionArgs, typed: readonly string[]): boolean {
  const isBare = chain.some((call, index) => isBareTag(call) && chain[index + 1]?.method !== 'filter');
  return !isBare && isSteady(chain, args, typed);
}

/** The same for the locator of a step, which may end with a tag. */
export function isSteady(chain: LocatorChain, args: AssertionArgs, typed: readonly string[]): boolean {
  const reasons = brittleness(chain);
  if (!chain.some((call) => stringsIn(call.args).some((text) => isVolatile(text, typed))))
    reasons.delete('volatile text');
  if (reasons.size > 0) return false;
  const { expected } = args;
  const asserted = isPattern(expected) ? expected.regex : expected;
  if (typeof asserted !== 'string' || asserted === '' || !textMatchers.test(matcherOf(args))) return true;
  const texts = chain.flatMap((call) =>
    stringsIn(call.method === 'getByRole' ? call.args.slice(1) : call.args),
  );
  return !texts.some((text) => text.includes(asserted));
}

/** Whether only the tag identifies the element, unless a filter follows. */
function isBareTag({ method, args: [selector] }: LocatorCall): boolean {
  return method === 'locator' && typeof selector === 'string' && /^(?!body$)[a-z\d]+$/.test(selector);
}

const matcherFamilies: Record<string, string> = {
  toBeHidden: 'toBeVisible',
  toBeEnabled: 'toBeDisabled',
  toContainText: 'toHaveText',
  toHaveValues: 'toHaveValue',
};

/** What an assertion is about: two assertions on one topic repeat or contradict each other. */
export function topicOf({ locator, args }: Assertion): string {
  const matcher = matcherOf(args);
  return JSON.stringify([locator, matcherFamilies[matcher] ?? matcher, args['name']]);
}

function matcherOf({ matcher }: AssertionArgs): string {
  return typeof matcher === 'string' ? matcher : '';
}

/** Whether one assertion makes the other redundant. */
export function implies(one: Assertion, other: Assertion): boolean {
  // A part of a text does not imply the whole text.
  const isWeaker = one.args['matcher'] === 'toContainText' && other.args['matcher'] !== 'toContainText';
  if (topicOf(one) === topicOf(other)) return !isWeaker;
  if (one.args['matcher'] === 'toMatchAriaSnapshot') return isInTemplate(other, one.args['expected']);
  const isOfSame = JSON.stringify(one.locator) === JSON.stringify(other.locator);
  if (Array.isArray(one.args['expected']) && isInList(one, other, isOfSame)) return true;
  const { matcher, not } = other.args;
  const isSelected = isOfSame && one.args['name'] === 'aria-selected';
  // Of a tab, both say that it is the current one; a tree item is also expanded without being selected.
  if (other.args['name'] === 'aria-expanded')
    return isSelected && one.locator?.at(-1)?.args[0] !== 'treeitem';
  // Browsers focus what a click selects.
  if (matcher === 'toBeFocused') return isSelected;
  if (matcher === 'toBeHidden') return isOfSame && one.args['expected'] === 0;
  if (matcher !== 'toBeVisible' || not === true || !requiresPresence(one.args)) return false;
  const text = textOf(other.locator);
  const { expected } = one.args;
  if (isOfSame || text === undefined) return isOfSame;
  // The name of a row contains the texts of its cells.
  if (one.locator?.at(-1)?.args[0] === 'row') return textOf(one.locator)?.includes(text) === true;
  return Array.isArray(expected)
    ? expected.some((each) => typeof each === 'string' && each.includes(text))
    : typeof expected === 'string' && expected.includes(text);
}

/** The text by which a locator finds its element, or its regular expression. */
function textOf(chain: LocatorChain | undefined): string | undefined {
  const { method = '', args: [first, options] = [] } = chain?.at(-1) ?? {};
  const text =
    method === 'getByRole' ? isOptions(options) && options['name'] : method === 'getByText' && first;
  if (typeof text === 'object' && isPattern(text)) return text.regex;
  return typeof text === 'string' ? text : undefined;
}

function isVisibility({ matcher }: AssertionArgs): boolean {
  return matcher === 'toBeVisible';
}

/** Whether the texts of a list imply an assertion about their number, one of them, or an item without numbers. */
function isInList({ locator, args }: Assertion, other: Assertion, isOfSame: boolean): boolean {
  const texts = [args['expected']]
    .flat()
    .filter((each): each is string => typeof each === 'string' && each !== '');
  const { matcher, expected } = other.args;
  const isOfTitle = JSON.stringify(locator?.at(-1)) === JSON.stringify(other.locator?.at(-1));
  // `toContainText` with an array also passes for a longer list.
  if (matcher === 'toHaveCount' && args['matcher'] === 'toContainText') return false;
  // As many elements as texts: they are the items with these titles.
  if (matcher === 'toHaveCount') return isOfSame || expected === [args['expected']].flat().length;
  if (isOfSame) return false;
  if (matcher === 'toHaveText') return isOfTitle && texts.some((each) => each === expected);
  if (matcher !== 'toMatchAriaSnapshot' || typeof expected !== 'string') return false;
  return expected.split('\n').every((line) => {
    const plain = line.replaceAll('\\', '');
    const title = texts.find((each) => plain.includes(each));
    return title !== undefined && !/\d/.test(plain.replace(title, ''));
  });
}

/** Whether a snapshot contains all texts of an assertion, or all lines of another snapshot. */
function isInTemplate({ locator, args }: Assertion, template: unknown): boolean {
  const { matcher, expected } = args;
  const expectedTexts =
    matcher === 'toMatchAriaSnapshot' && typeof expected === 'string'
      ? expected.split('\n').map((line) => line.trim())
      : [expected].flat();
  const texts = isVisibility(args) ? [textOf(locator)] : expectedTexts;
  return (
    typeof template === 'string' &&
    texts.every((each) => typeof each === 'string' && each !== '' && isIn(each, template))
  );
}

/** Whether a template contains a text, as it is or in a regular expression. */
function isIn(text: string, template: string): boolean {
  return template.includes(text) || template.includes(escapeRegExp(text));
}

/** Whether an assertion fails if its element does not exist. */
export function requiresPresence({ matcher, not }: AssertionArgs): boolean {
  return not !== true && matcher !== 'toBeHidden' && matcher !== 'toHaveCount';
}
