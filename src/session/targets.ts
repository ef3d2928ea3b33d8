import type { Locator } from 'playwright';
import { z } from 'zod';
import { isSubject } from '../actions/action.js';
import { assertedTexts, expect } from '../actions/expect.js';
import { bestLocator, locateAgain } from '../locators/best-locator.js';
import { isScoped, reasonToReplace } from '../locators/brittle.js';
import { callIsolated, type InPage } from '../browser/isolated.js';
import type { Live } from '../browser/live.js';
import { firstPage, type LivePage } from '../browser/live-page.js';
import { isLocatorExpression, parseLocatorExpression, toLocator } from '../locators/locator-expression.js';
import { pinRefs, pinSoon, type Pin } from '../browser/pin.js';
import { lineOfRef } from '../browser/snapshot.js';
import { CodegenError } from '../model/errors.js';
import { isRecord } from '../model/json.js';
import type { LocatorChain } from '../model/locator.js';
import { answerMs, responseWithin, within } from '../model/within.js';
import type { CheckedRequest } from './request.js';

/** Time-out for the locators of page objects: a failing action must be answered within a second. */
const fieldMs = 500;

/** The element of a target. */
export interface Located {
  chain?: LocatorChain | undefined;
  pin?: Pin | undefined;
  /** Another locator of the element, if its id may change from run to run. */
  alternative?: LocatorChain | undefined;
  /** Whether the locator is that of a page object. */
  isOwn?: boolean;
  /** Other locators of the element, with which page objects act. */
  own?: LocatorChain[];
  /** Why the agent's own locator was replaced. */
  replaced?: { target: string; reason: string } | undefined;
}

/** The timeout of an action: its own, or the configured one. */
export function timeoutOf(
  { timeout, options }: CheckedRequest['prepared']['args'],
  configured: number,
): number {
  const own = timeout ?? (isRecord(options) ? options['timeout'] : undefined);
  return typeof own === 'number' ? own : configured;
}

/** Actions at a point of an element: at its text, if it only wraps that. */
const pointing = new Set(['click', 'dblclick', 'hover', 'tap', 'dragTo']);

/** Whether what a user sees, or a test id, identifies an element. */
function isByWords(chain: LocatorChain): boolean {
  return chain.length === 1 && chain[0]?.method !== 'locator' && reasonToReplace(chain) === undefined;
}

/** A reference as snapshots print it: `e12`, or `f1e3` in a frame. */
export function isRef(target: string): boolean {
  return /^(?:f\d+)?e\d+$/.test(target);
}

/** A locator expression is parsed; anything else is a Playwright selector. */
export function chainOf(target: string): LocatorChain {
  return isLocatorExpression(target)
    ? parseLocatorExpression(target)
    : [{ method: 'locator', args: [target] }];
}

/** The chain with selectors of only the test id attribute written as `getByTestId`, so that each element has one spelling. */
function byTestId(chain: LocatorChain, attribute: string): LocatorChain {
  return chain.map((call) => {
    const [selector] = call.args;
    if (call.method !== 'locator' || typeof selector !== 'string' || call.args.length > 1) return call;
    const [, name, quoted = '', bare] =
      /^\[([\w-]+)=(?:"([^"\\]+)"|([\w-]+))\]$/.exec(selector.replaceAll("'", '"')) ?? [];
    return name === attribute ? { method: 'getByTestId', args: [bare ?? quoted] } : call;
  });
}

/** Resolves references before the first action, since every further snapshot gives out new ones. */
export async function pinTargets(
  { page, view = [] }: LivePage,
  refs: readonly string[],
): Promise<Map<string, Pin | undefined>> {
  const current = refs.map((ref) => lineOfRef(view, ref)?.ref ?? ref);
  const pins = await pinRefs(page, current);
  return new Map(refs.map((ref, index) => [ref, pins.get(current[index] ?? ref)]));
}

/** The element of a reference, by the name that it has in Playwright's latest snapshot. */
function refLocator({ page, view }: LivePage, ref: string): Locator {
  return page.getByRef(lineOfRef(view ?? [], ref)?.ref ?? ref);
}

/** The locator of a target, for reading only. */
export function targetLocator(current: LivePage, target: string): Locator {
  return isRef(target) ? refLocator(current, target) : toLocator(current.page, chainOf(target));
}

/** What an ambiguous target matches, each by a locator that is its own. */
export async function uniqueLocatorsFor(current: LivePage, target: string, most: number): Promise<string[]> {
  const locator = targetLocator(current, target);
  const count = Math.min(await responseWithin(answerMs, locator.count()), most);
  const indexes = Array.from({ length: count }, (_, index) => index);
  return Promise.all(
    indexes.map(async (index) => (await responseWithin(answerMs, locator.nth(index).normalize())).toString()),
  );
}

/** The page that the agent last saw, with its references pinned, and what a search for an element needs. */
interface Resolution {
  shown: LivePage;
  pins: ReadonlyMap<string, Pin | undefined>;
  actionMs: number;
  testIdAttribute?: string | undefined;
  /** The locators of the project's page objects. */
  fields?: OwnLocators | undefined;
}

/** The locators of the project's page objects: of fields that no other has, and those in their methods. */
export interface OwnLocators {
  fields: readonly LocatorChain[];
  used: readonly LocatorChain[];
}

/** Finds a step's locator, and its element. Throws TARGET_NOT_FOUND, TARGET_AMBIGUOUS. */
export async function resolveTarget(
  request: CheckedRequest,
  { current: { page, id }, secrets }: Live,
  { shown, pins, actionMs, testIdAttribute = 'data-testid', fields }: Resolution,
): Promise<Located> {
  const { action, target, prepared } = request;
  const best = async (pin: Pin, asserted?: string[]): Promise<LocatorChain> => {
    const chain = await bestLocator(pin, { testIdAttribute, asserted });
    const secretNames = secrets.foundIn(chain);
    return secretNames.length === 0
      ? chain
      : bestLocator(pin, { testIdAttribute, asserted: [...(asserted ?? []), ...secretNames] });
  };
  /** What is found, with what page objects call it: a test has those of its first page. */
  const ownOf = async (found: Located & { chain: LocatorChain }, asserted?: string[]): Promise<Located> => {
    if (id !== firstPage || fields === undefined) return found;
    const [field, own] = await Promise.all([
      fieldOf(toLocator(page, found.chain), fields.fields, asserted),
      // What asserts is no part of an action.
      action.name === expect.name ? [] : matchingOf(toLocator(page, found.chain), fields.used),
    ]);
    const others = own.length === 0 ? {} : { own };
    return field === undefined ? { ...found, ...others } : { ...found, ...others, chain: field, isOwn: true };
  };
  if (target === undefined) return {};
  if (!isRef(target)) {
    const given = byTestId(chainOf(target), testIdAttribute);
    if (isSubject(action)) return { chain: given };
    const pin = await pinSoon(toLocator(page, given), actionMs);
    const reason = reasonToReplace(given) ?? (secrets.foundIn(given).length > 0 ? 'secret' : undefined);
    if (reason === undefined) return ownOf({ chain: given, pin, ...(await alternativeOf(given, best, pin)) });
    const chain = await best(pin);
    const isCss = !isScoped(chain) && chain[0]?.method === 'locator';
    const isNoBetter = reasonToReplace(chain) !== undefined && (isScoped(given) || isCss);
    if (reason === 'position' && isNoBetter) return ownOf({ chain: given, pin });
    const isSame = JSON.stringify(chain) === JSON.stringify(given);
    return ownOf({ chain, pin, ...(isSame ? {} : { replaced: { target, reason } }) });
  }
  if (id !== shown.id)
    throw new CodegenError(
      'TARGET_NOT_FOUND',
      `The ref ${target} belongs to page ${shown.id}, not to ${id}.`,
      {
        hint: 'After switchPage, use a locator, or a ref from the result in the next call.',
      },
    );
  const pinned = pins.get(target);
  const texts = action.name === expect.name ? assertedTexts(prepared.args) : undefined;
  const asserted = texts === 'own text' ? pinned && [await textOf(pinned)] : texts;
  const found = pinned && (await locateAgain(pinned, { testIdAttribute, asserted }));
  if (found === undefined)
    throw new CodegenError('TARGET_NOT_FOUND', `The element with ref ${target} no longer exists.`, {
      hint: 'Use a ref from the latest snapshot, or a locator.',
    });
  const ofText = pointing.has(action.name) && target !== request.to ? pinned?.ofText : undefined;
  if (ofText !== undefined && prepared.args['position'] === undefined && !isByWords(found.chain)) {
    const inner = await locateAgain(ofText, { testIdAttribute });
    if (inner !== undefined && isByWords(inner.chain) && secrets.foundIn(inner.chain).length === 0)
      return inner;
  }
  const isSecret = secrets.foundIn(found.chain).length > 0;
  const chain = isSecret ? await best(found.pin, asserted) : found.chain;
  const own = await ownOf({ ...found, chain }, asserted);
  return own.isOwn === true ? own : { ...own, ...(await alternativeOf(chain, best, found.pin)) };
}

/** The locator of a page object that alone matches the one element of ours; undefined if several do. */
async function fieldOf(
  ours: Locator,
  fields: readonly LocatorChain[],
  asserted: readonly string[] = [],
): Promise<LocatorChain | undefined> {
  const usable = fields.filter((field) => !asserted.some((text) => JSON.stringify(field).includes(text)));
  const [field, ...others] = await matchingOf(ours, usable);
  return others.length === 0 ? field : undefined;
}

/** The locators that each match the one element of ours, and no other. */
async function matchingOf(ours: Locator, chains: readonly LocatorChain[]): Promise<LocatorChain[]> {
  const matching = chains.map(async (chain) => {
    const theirs = toLocator(ours.page(), chain);
    const same = await within(fieldMs, theirs.and(ours).count());
    return same === 1 && (await within(fieldMs, theirs.count())) === 1 ? [chain] : [];
  });
  return (await Promise.all(matching)).flat();
}

/** The text of a pinned element; empty if it no longer exists. */
function textOf({ id, frame }: Pin): Promise<string> {
  const read = ({ pinned }: InPage, id: string): string =>
    String(Reflect.get(Node.prototype, 'textContent', pinned(id) ?? document.createElement('i')));
  return callIsolated(frame, read, { arg: id, schema: z.string() });
}

/** A locator without the ids with a number that another one contains: an application may number them differently in each run. */
async function alternativeOf(
  chain: LocatorChain,
  best: (pin: Pin, asserted?: string[]) => Promise<LocatorChain>,
  pin: Pin,
): Promise<Pick<Located, 'alternative'>> {
  const ids = [...JSON.stringify(chain).matchAll(/#([\w-]*\d[\w-]*)/g)].map(([, id = '']) => id);
  if (ids.length === 0) return {};
  const alternative = await best(pin, ids);
  return reasonToReplace(alternative) === undefined &&
    !ids.some((id) => JSON.stringify(alternative).includes(id))
    ? { alternative }
    : {};
}
