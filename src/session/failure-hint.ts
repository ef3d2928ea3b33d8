import { distance } from 'fastest-levenshtein';
import { z } from 'zod';
import { traitsOf } from '../actions/registry.js';
import { callIsolated, type InPage } from '../browser/isolated.js';
import { firstPage, type LivePage } from '../browser/live-page.js';
import { obstaclesOf } from '../browser/obstacles.js';
import { readable, roleAndName, type SnapshotLine, type SnapshotView } from '../browser/snapshot.js';
import { toLocator } from '../locators/locator-expression.js';
import type { LocatorChain } from '../model/locator.js';
import { within } from '../model/within.js';
import type { OpenSession } from './session.js';
import { locatorCode } from './step-code.js';
import { chainOf, isRef, uniqueLocatorsFor } from './targets.js';
import type { RecordOutcome } from './task-runner.js';

/** How many elements a hint names. */
const candidatesShown = 4;
const childrenShown = 6;
/** Time-out of each query to the page: a failure must be answered within a second. */
const lookMs = 300;

/** A hint from the page about a failure: which part of the target matches, similar elements, obstacles. */
export async function failureHint(
  open: OpenSession,
  { error, target }: NonNullable<RecordOutcome['failure']>,
): Promise<string> {
  const { current } = open.live;
  const isAssertion = error.message.startsWith('expect(');
  const parts =
    error.code === 'TARGET_NOT_FOUND' || (isAssertion && error.message.includes('not found'))
      ? [(await matchingPart(current, target)) ?? nearestHint(current, target)]
      : [
          ...(error.code === 'TARGET_AMBIGUOUS' ? [await matchesHint(current, target)] : []),
          ...(isAssertion || error.message.includes('timed out')
            ? [await obstacleHint(current, error.message, target)]
            : []),
        ];
  if (isAssertion) parts.unshift(await causeHint(open));
  return parts.filter((part) => part !== '').join(' ');
}

/** The longest part of a target that matches, and its content. */
async function matchingPart(
  { page, view = [] }: LivePage,
  target: string | undefined,
): Promise<string | undefined> {
  if (target === undefined || isRef(target)) return undefined;
  const chain = partsOfChain(chainOf(target));
  const parts = chain.slice(1).map((_, index) => chain.slice(0, index + 1));
  const found = await Promise.all(
    parts
      .filter((part) => !/^(?:frameLocator|contentFrame)$/.test(part.at(-1)?.method ?? ''))
      .map(async (part) => {
        const call = { arg: undefined, schema: z.array(z.string()), limitMs: lookMs };
        const refs = await within(lookMs, callIsolated(toLocator(page, part), refsOf, call));
        return { part, refs: refs ?? [] };
      }),
  );
  const longest = found.findLast(({ refs }) => refs.length > 0);
  if (longest === undefined) return undefined;
  const { part, refs } = longest;
  const inside = linesBelow(view, refs[0] ?? '').flatMap((line) => elementText(line) ?? []);
  const shown = inside.slice(0, childrenShown).join(', ');
  const more = inside.length > childrenShown ? `, and ${inside.length - childrenShown} more` : '';
  const content = inside.length === 0 ? 'nothing named in it' : `in it ${shown}${more}`;
  const count = refs.length === 1 ? 'one element' : `${refs.length} elements`;
  return `${locatorCode(part).replace(/^page\./, '')} matches ${count}, ${content}.`;
}

/** A chain in which each part of a selector is a separate call. */
function partsOfChain(chain: LocatorChain): LocatorChain {
  return chain.flatMap((call) => {
    const [selector] = call.args;
    if (call.method !== 'locator' || typeof selector !== 'string' || call.args.length > 1) return [call];
    return selector.split(' >> ').map((part) => ({ method: 'locator', args: [part] }));
  });
}

/** Runs in the page: the references of elements, empty for those that the snapshot does not show. */
function refsOf({ elements }: InPage): string[] {
  return elements.map((element) => {
    const known: unknown = Reflect.get(element, '_ariaRef');
    const ref: unknown = typeof known === 'object' && known !== null ? Reflect.get(known, 'ref') : undefined;
    return typeof ref === 'string' ? ref : '';
  });
}

function linesBelow(view: SnapshotView, ref: string): SnapshotLine[] {
  const start = view.findIndex((line) => line.ref === ref);
  const depth = view[start]?.depth ?? 0;
  const below = start === -1 ? [] : view.slice(start + 1);
  const end = below.findIndex((line) => line.depth <= depth);
  return end === -1 ? below : below.slice(0, end);
}

/** Why the target may not react. */
async function obstacleHint(
  { page }: LivePage,
  message: string,
  target: string | undefined,
): Promise<string> {
  if (target === undefined || isRef(target)) return '';
  const found = await obstaclesOf(toLocator(page, chainOf(target)), lookMs);
  // Playwright already says what covers the target of an action.
  const obstacles = found.filter((each) => !each.endsWith('covers it') || !message.includes('intercepts'));
  return obstacles.length === 0 ? '' : `Of the target: ${obstacles.join(', and ')}.`;
}

/** Whether the last action may not have had the effect that an assertion expects. */
async function causeHint({ session, live, autoAssertions }: OpenSession): Promise<string> {
  const index = session.steps.findLastIndex((each) => traitsOf(each).kind === 'mutates');
  const step = session.steps[index];
  if (step === undefined || autoAssertions?.changed(step) !== false) return '';
  const { locator, page = firstPage } = step;
  const obstacles =
    locator === undefined || page !== live.current.id
      ? []
      : await obstaclesOf(toLocator(live.current.page, locator), lookMs);
  const why = obstacles.length === 0 ? '' : `; of its element: ${obstacles.join(', and ')}`;
  return `The ${step.action} before it (step ${index}) changed nothing visible${why}.`;
}

/** What an ambiguous target matches. */
async function matchesHint(current: LivePage, target = ''): Promise<string> {
  const { view = [] } = current;
  const nearest = nearestHint(current, target);
  const matches = await within(lookMs, uniqueLocatorsFor(current, target, candidatesShown));
  if (matches === undefined || matches.length === 0) return nearest;
  const refs = new Set(matches.flatMap((match) => nearestElements(view, match).slice(0, 1)));
  return `It matches ${matches.join(', ')}. ${nearest || `Nearest: ${[...refs].join(', ')}.`}`;
}

/** The elements that the target may refer to, with their references. */
function nearestHint({ view = [], shown }: LivePage, target = ''): string {
  const candidates = nearestElements(view, shown.get(target) ?? target);
  return candidates.length === 0 ? '' : `Nearest: ${candidates.join(', ')}.`;
}

/** `e12 button "Save"`; undefined for an element without a role. */
function elementText(line: SnapshotLine): string | undefined {
  const { role, name = '' } = roleAndName(line);
  if (line.ref === undefined || role === undefined || role === 'generic') return undefined;
  const shown = readable(name);
  return `${line.ref} ${role}${shown === '' ? '' : ` ${JSON.stringify(shown)}`}`;
}

/**
 * The elements of the page that a target which matched none, or several, most likely means: those whose role and name
 * are nearest to the words of the target.
 */
function nearestElements(view: SnapshotView, target: string): string[] {
  const words = target.match(/[\p{L}\p{N}]+/gu)?.map((word) => word.toLowerCase()) ?? [];
  const wanted = words.filter(
    (word) => !/^(?:getby\w+|name|exact|true|locator|text|filter|hastext|nth|first|page)$/.test(word),
  );
  return view
    .flatMap((line) => {
      const text = elementText(line);
      if (text === undefined) return [];
      const { role = '', name = '' } = roleAndName(line);
      const own = [role, ...(name.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [])];
      const fit = wanted.reduce(
        (sum, word) => sum + Math.max(...own.map((other) => likeness(word, other))),
        0,
      );
      return [{ text, fit: fit - own.length / 100 }];
    })
    .filter(({ fit }) => fit > 0.6)
    .sort((one, other) => other.fit - one.fit)
    .slice(0, candidatesShown)
    .map(({ text }) => text);
}

/** From 0 (nothing in common) to 1 (the same). */
function likeness(one: string, other: string): number {
  const close = 1 - distance(one, other) / Math.max(one.length, other.length);
  return close > 0.5 ? close : 0;
}
