import type { Page } from 'playwright';
import { traitsOf } from '../actions/registry.js';
import { relativeUrl } from '../actions/url.js';
import { pinNow, type Pin } from '../browser/pin.js';
import { partsOf, type SnapshotLine } from '../browser/snapshot.js';
import { toLocator } from '../locators/locator-expression.js';
import type { LocatorChain } from '../model/locator.js';
import { referencesIn } from '../model/template.js';
import type { Assertion, Step } from '../model/step.js';
import { isVolatile, lastingPart } from '../model/volatile.js';
import { within } from '../model/within.js';
import { appearances, changesAcross, type PageChange, type PageDiff } from './changes.js';
import { limits, rankChanges, rankLandmarks, weightOf, weights, type Weighted } from './choose.js';
import { stateCandidates } from './element-candidates.js';
import { requiresPresence } from './check.js';
import { assertionForms, clip, stableText, type AssertionArgs } from './forms.js';
import { literalLocator, matchesLine } from './line-matching.js';
import { snapshotMs, stateMs, type ActedOutcome, type ElementSubject, type StepEffect } from './observe.js';

/** Something that could be asserted. */
export interface Candidate extends Weighted {
  subject: CandidateSubject;
  /** The ways to assert it, the best first. */
  forms: AssertionArgs[];
  /** Whether it was not so before the step: then it is asserted again even if the last assertion on it is the same. */
  isNew?: boolean;
}

/**
 * An element by its locator; a pinned one, with its own words, the step's locator of it and one by its words, or its
 * descendants of a role; or the page.
 */
export type CandidateSubject =
  | { chain: LocatorChain }
  | {
      pin: Pin;
      children?: string;
      words?: string;
      chain?: LocatorChain | undefined;
      literal?: LocatorChain | undefined;
    }
  | 'page';

/** All that could be asserted of a step; `diff` is undefined if the step loaded another document. */
export async function candidatesFor(
  effect: StepEffect,
  diff: PageDiff | undefined,
  earlier: readonly Assertion[],
  baseURL: string | undefined,
): Promise<Candidate[]> {
  const url = urlCandidates(effect, baseURL);
  if (diff === undefined) return [...url, ...(await documentCandidates(effect))];
  const { step, after, acted, outcome, contested } = effect;
  const own =
    acted?.state === undefined || outcome === undefined
      ? []
      : stateCandidates(step, outcome.subject, acted.state, outcome.state);
  const changes = rankChanges(diff.changes)
    .filter((change) => !isFocusOfClick(change, effect) && !contested.lines.has(change.line))
    .slice(0, limits.maxCandidates)
    .map((change) => ({ change, weight: weightInStep(change, step) }));
  return [
    ...url,
    ...own.filter(({ kind }) => !(contested.own && kind === 'state value')),
    ...(await changeCandidates(changes, after.livePage.page, outcome)),
    ...(outcome?.renamed === true
      ? [renamedCandidate(outcome.subject)]
      : await goneCandidates(acted?.chain, diff.gone, earlier, after.livePage.page)),
  ];
}

function urlCandidates({ step, before, after }: StepEffect, baseURL: string | undefined): Candidate[] {
  if (after.url === before.url || isRequested(step, after.url) || !URL.canParse(after.url)) return [];
  const stable = lastingPart(after.url.slice(new URL(after.url).origin.length), ['passing']);
  const expected = stable === undefined ? relativeUrl(after.url, baseURL) : { regex: `${stable.regex}$` };
  return [{ weight: weights.url, kind: 'url', subject: 'page', forms: [{ matcher: 'toHaveURL', expected }] }];
}

/** Whether a step names the URL that the page has now. */
function isRequested(step: Step, url: string): boolean {
  const requested = step.args['url'];
  return (
    traitsOf(step).opensUrl === true &&
    typeof requested === 'string' &&
    URL.canParse(requested, url) &&
    new URL(requested, url).href === url
  );
}

async function documentCandidates({ before, after }: StepEffect): Promise<Candidate[]> {
  const { view, livePage, title } = after;
  const { page } = livePage;
  const changes = rankChanges(changesAcross(before.view, view))
    .slice(0, limits.maxCandidates)
    .map((change) => ({ change, weight: weightOf(change) }));
  // What the page before showed too, such as the name of the site, does not identify this one.
  const known = new Set(before.view.map(({ text }) => text));
  const elements = appearances(view).filter(({ line }) => !known.has(line.text));
  const landmarks = await changeCandidates(rankLandmarks(elements), page);
  return [
    ...landmarks.map((candidate) => ({ ...candidate, kind: 'landmark', isNew: false })),
    ...(before.view.length > 1 ? await changeCandidates(changes, page) : []),
    ...(title === before.title ? [] : titleCandidates(title)),
  ];
}

function titleCandidates(title: string): Candidate[] {
  const expected = lastingPart(title, ['passing', 'record', 'amount']) ?? title;
  const isStable = title !== '' && (expected !== title || !isVolatile(title));
  const forms = isStable ? [{ matcher: 'toHaveTitle', expected }] : [];
  return [{ weight: weights.title, kind: 'landmark', subject: 'page', forms }];
}

/** What a key moves is what the key is for. */
function weightInStep(change: PageChange, step: Step): number {
  const isMoved = change.kind === 'focus' || change.kind === 'state';
  return weightOf(change) + (isMoved && traitsOf(step).pressesKey === true ? weights.byKey : 0);
}

/** Whether a change only says that the element acted on got the focus, as any click does. */
function isFocusOfClick({ kind }: PageChange, { step, outcome }: StepEffect): boolean {
  if (kind !== 'focus' || traitsOf(step).pressesKey === true || outcome?.state.focused !== true) return false;
  return outcome.state.value === undefined || referencesIn(step.args).length > 0;
}

/** Elements are pinned at once, since the next search for a locator drops the references of the snapshot. */
async function changeCandidates(
  weighted: readonly { change: PageChange; weight: number }[],
  page: Page,
  outcome?: ActedOutcome,
): Promise<Candidate[]> {
  const candidates = weighted.map(async ({ change, weight }): Promise<Candidate[]> => {
    const { line, kind } = change;
    const { role = '', name, text } = partsOf(line);
    const detail = kind === 'state' ? change.state : kind === 'appeared' ? role : '';
    const candidate = { weight, kind: `${kind} ${detail}`, forms: assertionForms(change), isNew: true };
    if (kind === 'moved') {
      const [inside, element] = [literalLocator(change.container), literalLocator(line)];
      const isNamed = inside !== undefined && element !== undefined;
      return isNamed ? [{ ...candidate, subject: { chain: [...inside, ...element] } }] : [];
    }
    if (line.ref === undefined)
      return kind === 'appeared' && text !== undefined
        ? [{ ...candidate, subject: { chain: [{ method: 'getByText', args: [stableText(clip(text))] }] } }]
        : [];
    const pin = await within(snapshotMs, pinNow(page.getByRef(line.ref)));
    if (pin === undefined) return [];
    if (kind === 'count' || kind === 'order')
      return [{ ...candidate, subject: { pin, children: change.role } }];
    const words = [name, text].filter((each) => each !== undefined).join(' ');
    const chain = await chainInStep(pin, outcome);
    return [{ ...candidate, subject: { pin, words, chain, literal: literalLocator(line) } }];
  });
  return (await Promise.all(candidates)).flat();
}

/** The step's own locator of a pinned element, so that one element has one locator in the test. */
async function chainInStep(pin: Pin, outcome: ActedOutcome | undefined): Promise<LocatorChain | undefined> {
  if (outcome === undefined || !('chain' in outcome.subject) || pin.frame !== outcome.pin.frame)
    return undefined;
  const isActed = await within(stateMs, pin.locator.and(outcome.pin.locator).count());
  return isActed === 1 ? outcome.subject.chain : undefined;
}

function renamedCandidate(subject: ElementSubject): Candidate {
  return { weight: weights.renamed, kind: 'name', subject, forms: [{ matcher: 'toBeVisible' }], isNew: true };
}

/** Elements that disappeared: the one acted on, and those that were asserted to be there. */
async function goneCandidates(
  acted: LocatorChain | undefined,
  gone: readonly SnapshotLine[],
  earlier: readonly Assertion[],
  page: Page,
): Promise<Candidate[]> {
  if (gone.length === 0) return [];
  const asserted = earlier.flatMap(({ locator, args }) =>
    locator !== undefined && requiresPresence(args) ? [locator] : [],
  );
  const disappeared = [
    ...asserted.flatMap((chain) => {
      const line = gone.find((each) => matchesLine(chain, each));
      if (line === undefined) return [];
      return [
        { chain, weight: partsOf(line).role === 'dialog' ? weights.gone.dialog : weights.gone.asserted },
      ];
    }),
    ...(acted === undefined ? [] : [{ chain: acted, weight: weights.gone.acted }]),
  ];
  const candidates = disappeared.map(async ({ chain, weight }): Promise<Candidate[]> => {
    const isVisible = await within(snapshotMs, toLocator(page, chain).first().isVisible());
    return isVisible === false
      ? [{ weight, kind: 'gone', subject: { chain }, forms: [{ matcher: 'toBeHidden' }] }]
      : [];
  });
  return (await Promise.all(candidates)).flat();
}
