import { checkAssertion } from '../actions/expect.js';
import { traitsOf } from '../actions/registry.js';
import { bestLocator } from '../locators/best-locator.js';
import type { ElementState } from '../browser/element-state.js';
import { toLocator } from '../locators/locator-expression.js';
import type { Pin } from '../browser/pin.js';
import { partsOf } from '../browser/snapshot.js';
import type { Page } from 'playwright';
import { isPattern, type LocatorCall, type LocatorChain } from '../model/locator.js';
import { assertionKey, type Assertion, type Step } from '../model/step.js';
import { within } from '../model/within.js';
import { brittleness } from '../locators/brittle.js';
import type { Finding } from './changes.js';
import { stringsIn } from '../model/text.js';
import { isVolatile, lastingPart } from '../model/volatile.js';

/** Something that could be asserted, and the ways to say it, the best first. */
export interface Claim {
  weight: number;
  /** At most one claim of a kind is taken. */
  kind: string;
  subject: ClaimSubject;
  ways: Assertion['args'][];
  /** Whether it was otherwise before the step: then it is worth saying even where it was said once. */
  isNew?: boolean;
}

/** An element by its pin, with its own words; its children of a role; an element by its locator; or the page. */
export type ClaimSubject = { pin: Pin; children?: string; words?: string } | { chain: LocatorChain } | 'page';

/** Where claims are checked. */
export interface Scene {
  page: Page;
  testIdAttribute: string | undefined;
  /** Called when a locator is looked for, which leaves Playwright without the references of the last snapshot. */
  onSearch: () => void;
  /** Whether an assertion would tell a secret. */
  isSecret: (assertion: Assertion) => boolean;
}

/** Milliseconds for an assertion that holds already, and for the state of an element. */
const checkMs = 300;
/** Characters of a text that identify it well enough. */
const longestText = 80;

/** What the element that a step acted on shows of it. */
export function ownClaims(
  step: Step,
  subject: ClaimSubject,
  before: ElementState,
  after: ElementState,
): Claim[] {
  const ways: { weight: number; about: string; args: Assertion['args'] }[] = [];
  const say = (weight: number, about: string, args: Assertion['args']): void => {
    ways.push({ weight, about, args });
  };
  const { types = false, toggles = false, outcome } = traitsOf(step);
  if (after.values !== undefined) {
    if (types || before.values?.join('\n') !== after.values.join('\n'))
      say(100, 'value', { matcher: 'toHaveValues', expected: after.values });
  } else if (after.value !== undefined && (types || before.value !== after.value)) {
    const matcher = after.editable ? 'toHaveText' : 'toHaveValue';
    const isPutBack = before.value === after.value && step.args['value'] !== after.value;
    if (types ? !isPutBack : !isVolatile(after.value)) say(100, 'value', { matcher, expected: after.value });
  }
  if (after.checked !== undefined && (toggles || before.checked !== after.checked))
    say(
      100,
      'checked',
      after.checked === 'mixed'
        ? { matcher: 'toBeChecked', options: { indeterminate: true } }
        : { matcher: 'toBeChecked', ...(after.checked ? {} : { not: true }) },
    );
  for (const [name, value] of Object.entries(after.attributes))
    if (before.attributes[name] !== value && !isVolatile(value))
      say(98, name, { matcher: 'toHaveAttribute', name, expected: value });
  if (before.disabled !== after.disabled)
    say(97, 'disabled', { matcher: after.disabled ? 'toBeDisabled' : 'toBeEnabled' });
  if (outcome === 'toBeInViewport' || (outcome === 'toBeFocused' && after.focused))
    say(100, 'outcome', { matcher: outcome });
  const gained = after.classes.find((name) => !before.classes.includes(name) && isTellingClass(name));
  if (gained !== undefined) say(45, 'class', { matcher: 'toContainClass', expected: gained });
  // An element's value as text says the same as its value as number, for people.
  const spoken = ways.some(({ about }) => about === 'aria-valuetext');
  return ways
    .filter(({ about }) => !(spoken && about === 'aria-valuenow'))
    .map(({ weight, about, args }) => ({
      weight,
      kind: `state ${about.replace(/^aria-/, '')}`,
      subject,
      ways: [args],
    }));
}

/** A class that tells by a word what state an element is in, for pages without ARIA. */
function isTellingClass(name: string): boolean {
  return /^(?:[a-z]+-)*(?:active|selected|current|open|opened|expanded|checked|completed|done|invalid)$/.test(
    name,
  );
}

/** The ways to assert a finding. */
export function waysToSay(finding: Finding): Assertion['args'][] {
  switch (finding.kind) {
    case 'appeared': {
      const { role = '' } = partsOf(finding.line);
      const speaks = ['alert', 'status', 'log', 'tooltip'].includes(role) && finding.text !== undefined;
      return [...(speaks ? textWays(finding.text ?? '') : []), { matcher: 'toBeVisible' }];
    }
    case 'text':
      return [...textWays(finding.text), { matcher: 'toBeVisible' }];
    case 'name':
      return [{ matcher: 'toHaveAccessibleName', expected: finding.text }];
    case 'value':
      return [{ matcher: 'toHaveValue', expected: finding.text }];
    case 'count':
      return [{ matcher: 'toHaveCount', expected: finding.count }];
    case 'order':
      return [{ matcher: 'toContainText', expected: finding.texts }];
    case 'focus':
      return [{ matcher: 'toBeFocused' }];
    case 'state': {
      const { state, on } = finding;
      if (state === 'checked') return [{ matcher: 'toBeChecked', ...(on ? {} : { not: true }) }];
      if (state === 'disabled') return [{ matcher: on ? 'toBeDisabled' : 'toBeEnabled' }];
      return [{ matcher: 'toHaveAttribute', name: `aria-${state}`, expected: String(on) }];
    }
  }
}

function textWays(text: string): Assertion['args'][] {
  const short = clip(text);
  const still = asText(short);
  if (still !== short) return [{ matcher: 'toHaveText', expected: still }];
  return short === text
    ? [
        { matcher: 'toHaveText', expected: text },
        { matcher: 'toContainText', expected: text },
      ]
    : [{ matcher: 'toContainText', expected: short }];
}

/** What of a text is asserted: all of it, or the part that holds still. What it counts is often what a step is for. */
export function asText(text: string): string | { regex: string } {
  return lastingPart(text, ['passing', 'record']) ?? text;
}

/** A text, or its beginning up to a word's end where it is long. */
export function clip(text: string): string {
  return text.length <= longestText ? text : text.slice(0, longestText).replace(/\s+\S*$/, '');
}

/**
 * The first way to say a claim that is true of the page now and says something new; undefined where there is none.
 * `earlier` has the last assertion on each topic, `taken` what is not to be asserted.
 */
export async function assertClaim(
  scene: Scene,
  { subject, ways, isNew = false }: Claim,
  earlier: ReadonlyMap<string, string>,
  taken: ReadonlySet<string>,
): Promise<Assertion | undefined> {
  for (const args of ways) {
    for await (const chain of chainsFor(scene, subject, args)) {
      const assertion: Assertion = { ...(chain === undefined ? {} : { locator: chain }), args };
      if (chain !== undefined && !isLasting(chain, args)) continue;
      if (scene.isSecret(assertion)) continue;
      const code = assertionKey(assertion);
      if (taken.has(code) || (!isNew && earlier.get(topicOf(assertion)) === code)) return undefined;
      if (await holds(scene, assertion)) return assertion;
      // A text that is another one by now changes by itself.
      if (args['matcher'] === 'toContainText') return undefined;
    }
  }
  return undefined;
}

/** Whether an assertion is true now. */
async function holds({ page }: Scene, { locator, args }: Assertion): Promise<boolean> {
  const check = checkAssertion(args, locator === undefined ? page : toLocator(page, locator), checkMs);
  return (
    (await within(
      10 * checkMs,
      check.then(() => true),
    )) === true
  );
}

/** Locators of a claim's subject, the cheapest to come by first. */
async function* chainsFor(
  { testIdAttribute = 'data-testid', onSearch }: Scene,
  subject: ClaimSubject,
  args: Assertion['args'],
): AsyncGenerator<LocatorChain | undefined> {
  if (subject === 'page') yield undefined;
  else if ('chain' in subject) yield subject.chain;
  else {
    const { pin, children, words } = subject;
    const below: LocatorChain = children === undefined ? [] : [{ method: 'getByRole', args: [children] }];
    if (children !== undefined) yield below;
    const { expected } = args;
    const text = typeof expected === 'string' ? expected : (words ?? '');
    const asserted = speaking.test(matcherOf(args)) ? [text] : undefined;
    onSearch();
    const best = await within(10 * checkMs, bestLocator(pin, { testIdAttribute, asserted }));
    if (best !== undefined && !isGlued(best, words)) yield [...best, ...below];
  }
}

/** Whether an element is told by texts that are not its own but of several others in it. */
function isGlued(chain: LocatorChain, words: string | undefined): boolean {
  const { method, args } = chain.at(-1) ?? {};
  const [text] = args ?? [];
  if (method !== 'getByText' || typeof text !== 'string') return false;
  return words === undefined || !words.toLowerCase().includes(text.toLowerCase());
}

/** Matchers of what an element says. */
const speaking = /^to(?:Have|Contain)(?:Text|Value|AccessibleName)$/;

/** Whether a locator will mean the same element in every run, and does not hold what is asserted of it. */
function isLasting(chain: LocatorChain, args: Assertion['args']): boolean {
  const { expected } = args;
  if (brittleness(chain).size > 0 || chain.some(isBareTag)) return false;
  const texts = chain.flatMap((call) =>
    stringsIn(call.method === 'getByRole' ? call.args.slice(1) : call.args),
  );
  const said = isPattern(expected) ? expected.regex : expected;
  const says = typeof said === 'string' && said !== '' && speaking.test(matcherOf(args));
  return !says || !texts.some((text) => text.includes(said));
}

/** An element that has nothing to tell it by but its tag. */
function isBareTag({ method, args: [selector] }: LocatorCall): boolean {
  return method === 'locator' && typeof selector === 'string' && /^[a-z\d]+$/.test(selector);
}

const families: Record<string, string> = {
  toBeHidden: 'toBeVisible',
  toBeEnabled: 'toBeDisabled',
  toContainText: 'toHaveText',
  toHaveValues: 'toHaveValue',
};

/** What an assertion speaks of: two on one topic contradict or repeat each other. */
export function topicOf({ locator, args }: Assertion): string {
  const matcher = matcherOf(args);
  return JSON.stringify([locator, families[matcher] ?? matcher, args['name']]);
}

function matcherOf({ matcher }: Assertion['args']): string {
  return typeof matcher === 'string' ? matcher : '';
}
