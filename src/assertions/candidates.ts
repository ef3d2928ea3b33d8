import { traitsOf } from '../actions/registry.js';
import { relativeUrl } from '../actions/url.js';
import type { Pin } from '../browser/pin.js';
import { partsOf, type SnapshotLine, type SnapshotView } from '../browser/snapshot.js';
import type { ListPins } from '../locators/list-locators.js';
import type { LocatorChain } from '../model/locator.js';
import type { Assertion, Step } from '../model/step.js';
import { isVolatile, stablePart } from '../model/volatile.js';
import { appearances, changesAcross, joinedTexts, type PageChange, type PageDiff } from './changes.js';
import { limits, rankChanges, rankLandmarks, weightOf, weights, type Weighted } from './choose.js';
import { changeCandidates, isText } from './change-candidates.js';
import { stateCandidates } from './element-candidates.js';
import { goneCandidates, goneTarget } from './gone-candidates.js';
import { isField } from './fields.js';
import type { AssertionArgs } from './forms.js';
import { LinePins, messageCandidates, regionCandidates, type ChangedPage } from './group-candidates.js';
import { linesIn } from './nesting.js';
import {
  actedCandidates,
  dropCandidates,
  onlySentence,
  openedForm,
  opensFormInDialog,
  viewCandidates,
  withoutContent,
} from './view-candidates.js';
import type { ElementSubject, StepEffect } from './observe.js';
import { parseUrl } from '../model/parse-url.js';

export interface Candidate extends Weighted {
  subject: CandidateSubject;
  /** The line of the element that changed. */
  line?: SnapshotLine;
  /** Forms of the assertion, best first. */
  forms: AssertionArgs[] | (() => Promise<AssertionArgs[]>);
  /** Whether the step made it true: then it is asserted even if an earlier assertion is equal. */
  isNew?: boolean;
  /** Whether it was read through the assertion's locator, so that it needs no check. */
  isRead?: boolean;
}

/**
 * What is asserted: an element by its locator; the items of a list or their titles; a pinned element, with its words, the
 * step's locator and a locator by its words; or the page.
 */
export type CandidateSubject =
  | { chain: LocatorChain }
  | ListPins
  | { region: Pin }
  | {
      pin: Pin;
      words?: string;
      chain?: LocatorChain | undefined;
      literal?: LocatorChain | undefined;
    }
  | 'page';

const containerRoles = new Set(
  'tabpanel region group article form main navigation complementary menu listbox'.split(' '),
);

/** Whether one candidate is only that an element is visible, and the other about something in it. */
export function isAround({ line: outer, kind }: Candidate, { line }: Candidate, view: SnapshotView): boolean {
  if (outer === undefined || line === undefined || !kind.startsWith('appeared ')) return false;
  return containerRoles.has(partsOf(outer).role ?? '') && linesIn(view, outer).includes(line);
}

interface FlowSoFar {
  /** The latest assertions, and the elements acted on, the last one first, as if they were asserted to be visible. */
  earlier: readonly Assertion[];
  acted: readonly Assertion[];
  baseURL: string | undefined;
  testIdAttribute: string;
  /** What steps typed or selected: it is the same in every run, and if the page shows it, the step worked. */
  typed: readonly string[];
}

/** The possible assertions of a step; `diff` is undefined if the step loaded another document. */
export async function candidatesFor(
  effect: StepEffect,
  diff: PageDiff | undefined,
  { earlier, acted: actedEarlier, baseURL, testIdAttribute, typed }: FlowSoFar,
): Promise<Candidate[]> {
  const { page } = effect.after.livePage;
  const changed = { page, pins: new LinePins(page, testIdAttribute), view: effect.after.view, typed };
  const url = urlCandidates(effect, baseURL);
  if (diff === undefined) return [...url, ...(await documentCandidates(effect, changed))];
  const { step, acted, outcome, contested } = effect;
  const hasOptions = diff.changes.some(
    (change) => change.kind === 'list' && change.isNew && change.list.role === 'option',
  );
  const isNewView =
    effect.before.url !== effect.after.url &&
    diff.changes.some(({ kind, line }) => kind === 'appeared' && partsOf(line).role === 'heading');
  const own = (
    acted?.state === undefined || outcome === undefined ? [] : stateCandidates(step, outcome, acted.state)
  ).map((each) => {
    // The options say that a combobox is open.
    if (hasOptions && each.kind === 'state expanded') return { ...each, weight: weights.state.combobox };
    return isNewView && each.kind === 'state class' ? { ...each, weight: weights.own.classOfLink } : each;
  });
  const form = openedForm(effect, diff);
  const opens =
    form !== undefined || own.some(({ kind, forms }) => kind === 'state expanded' && hasValue(forms, 'true'));
  const inForm = (change: PageChange): boolean =>
    form !== undefined && change.kind === 'list' && change.isNew;
  const content = opens
    ? withoutContent(diff.changes, form === undefined ? typed : []).filter((change) => !inForm(change))
    : diff.changes;
  const found =
    form?.title === undefined || content.includes(form.title) ? content : [form.title, ...content];
  const isEffect = (change: PageChange): boolean =>
    !isOwnInput(change, effect) && !contested.lines.has(change.line) && !isSaidBy(own, change);
  const ranked = rankChanges(joinedTexts(found, effect.after.view)).filter(isEffect);
  const sentence = onlySentence(ranked, effect);
  const changes = [
    ...ranked.slice(0, limits.maxCandidates),
    ...messagesIn(ranked.slice(limits.maxCandidates)),
  ].map((change) => ({
    change,
    weight: isKnownHeading(change, earlier)
      ? weights.knownHeading
      : Math.max(
          weightInStep(change, step, typed),
          change === form?.title ? weights.title : 0,
          change === sentence ? weights.message : 0,
        ),
  }));
  const isContent = content.length < diff.changes.length || opensFormInDialog(diff);
  const groups = await Promise.all([
    actedCandidates(effect),
    viewCandidates(effect, changed, found),
    dropCandidates(effect, changed),
    changeCandidates(changes, changed, outcome),
    outcome?.renamed === true
      ? [renamedCandidate(outcome.subject)]
      : goneCandidates(
          goneTarget(effect),
          {
            ...diff,
            isAll: own.length + diff.added.length === 0 && !found.some(({ kind }) => kind === 'value'),
          },
          [...earlier, ...actedEarlier],
          page,
        ),
    isContent ? [] : regionCandidates(found.filter(isEffect), effect.before.view, changed),
    isContent ? [] : messageCandidates(found, changed),
  ]);
  return [...url, ...own.filter(({ kind }) => !(contested.own && kind === 'state value')), ...groups.flat()];
}

/** Whether the state of the element acted on says what another state does. */
function isSaidBy(own: readonly Candidate[], change: PageChange): boolean {
  if (change.kind !== 'state') return false;
  const isToggle = own.some(({ kind }) => kind === 'state checked');
  const isSwitch = own.some(
    ({ kind, forms }) => /^state (?:selected|pressed|current)$/.test(kind) && hasValue(forms, 'true'),
  );
  // What is selected instead of something else leaves no doubt about the other; a checked box says that its row is.
  const isOther = (isToggle || isSwitch) && !change.on && change.state !== 'disabled';
  return isOther || (isToggle && change.state === 'selected');
}

function isKnownHeading({ kind, line }: PageChange, earlier: readonly Assertion[]): boolean {
  const { role, name } = partsOf(line);
  return (
    kind === 'appeared' &&
    role === 'heading' &&
    earlier.some(
      ({ locator }) =>
        JSON.stringify(locator) === JSON.stringify([{ method: 'getByRole', args: [role, { name }] }]),
    )
  );
}

/** Texts that may be messages; their classes, read later, decide. */
function messagesIn(changes: readonly PageChange[]): PageChange[] {
  return changes
    .filter(({ kind, line }) => kind === 'appeared' && isText(partsOf(line).role ?? ''))
    .slice(0, limits.maxMessages);
}

function hasValue(forms: Candidate['forms'], expected: string): boolean {
  return Array.isArray(forms) && forms.some((args) => args['expected'] === expected);
}

function urlCandidates({ step, before, after }: StepEffect, baseURL: string | undefined): Candidate[] {
  const address = parseUrl(after.url);
  // A link to `#` adds no more than that.
  const isSame = after.url.replace(/#$/, '') === before.url.replace(/#$/, '');
  if (isSame || isRequested(step, after.url) || address === undefined) return [];
  // A page that was opened without a URL.
  if (after.url === 'about:blank') return [];
  const stable = stablePart(after.url.slice(address.origin.length), ['passing']);
  const expected = stable === undefined ? relativeUrl(after.url, baseURL) : { regex: `${stable.regex}$` };
  return [{ weight: weights.url, kind: 'url', subject: 'page', forms: [{ matcher: 'toHaveURL', expected }] }];
}

/** Whether a step requested the page's current URL. */
function isRequested(step: Step, url: string): boolean {
  const requested = step.args['url'];
  return (
    traitsOf(step).opensUrl === true &&
    typeof requested === 'string' &&
    parseUrl(requested, url)?.href === url
  );
}

async function documentCandidates(effect: StepEffect, changed: ChangedPage): Promise<Candidate[]> {
  const { step, before, after } = effect;
  const { view, title } = after;
  const isFirst = before.view.length <= 1;
  const changes = isFirst ? [] : unseen(changesAcross(before.view, view, changed.typed), effect);
  const isNamed = changes.some(({ kind, line }) => kind === 'appeared' && isTitle(line));
  // Beside the title of a page, another heading must say more than what a sidebar is called.
  const saysMore = ({ change, weight }: { change: PageChange; weight: number }): boolean =>
    !isNamed || partsOf(change.line).role !== 'heading' || weight > (weights.appeared['heading'] ?? 0);
  const ranked = rankChanges(changes)
    .slice(0, limits.maxCandidates)
    .map((change) => ({ change, weight: weightOf(change, changed.typed) }))
    .filter(saysMore);
  // What the previous page also showed, such as the site's name, does not identify this one.
  const known = new Set(before.view.map(({ text }) => text));
  // The default value of a field is not the point of opening a page.
  const isDefault = (line: SnapshotLine): boolean => traitsOf(step).opensUrl === true && isField(line);
  const elements = appearances(view).filter(({ line }) => !known.has(line.text) && !isDefault(line));
  const [landmarks, changesOf, regions, own] = await Promise.all([
    changeCandidates(rankLandmarks(elements), changed),
    changeCandidates(ranked, changed),
    regionCandidates(changes, before.view, changed),
    before.url === after.url ? actedCandidates(effect) : [],
  ]);
  return [
    ...own,
    ...landmarks.map((candidate) => ({ ...candidate, kind: 'landmark', isNew: false })),
    ...changesOf,
    ...(title === before.title ? [] : titleCandidates(title)),
    ...regions,
  ];
}

/** Names of controls after which what is left matters. */
const removing = /\b(?:delete|remove|cancel|discard)\b/i;

/** The changes without what the page showed at this URL before, such as the list to which a log-in returns. */
function unseen(changes: readonly PageChange[], { after, acted }: StepEffect): PageChange[] {
  if (after.seen === undefined) return [...changes];
  const texts = new Set(after.seen.map(({ text }) => text));
  const lists = removing.test(acted?.pin.facts.name ?? '')
    ? changes
    : changesAcross(after.seen, after.view).filter(({ kind }) => kind === 'list');
  const lines = new Set(lists.map(({ line }) => line));
  return changes.filter(({ kind, line }) => (kind === 'list' ? lines.has(line) : !texts.has(line.text)));
}

/** Whether a line is the heading of a whole page. */
function isTitle(line: SnapshotLine): boolean {
  const { role, states } = partsOf(line);
  return role === 'heading' && states.includes('level=1');
}

function titleCandidates(title: string): Candidate[] {
  const expected = stablePart(title, ['passing', 'record', 'amount']) ?? title;
  const isStable = title !== '' && (expected !== title || !isVolatile(title));
  const forms = isStable ? [{ matcher: 'toHaveTitle', expected }] : [];
  return [{ weight: weights.title, kind: 'landmark', subject: 'page', forms }];
}

/** A key that moves the focus or a state is pressed for that; Tab moves the focus in every page. */
function weightInStep(change: PageChange, step: Step, typed: readonly string[]): number {
  const isMoved = change.kind === 'state' || (change.kind === 'focus' && step.args['key'] !== 'Tab');
  return weightOf(change, typed) + (isMoved && traitsOf(step).pressesKey === true ? weights.byKey : 0);
}

/** Whether a change is only the value that the step set, or the focus that any action on an element moves to it. */
function isOwnInput(change: PageChange, { step, outcome }: StepEffect): boolean {
  if (change.kind === 'value')
    return traitsOf(step).types === true && change.text === (step.args['value'] ?? '');
  return change.kind === 'focus' && outcome?.state.focused === true;
}

function renamedCandidate(subject: ElementSubject): Candidate {
  return { weight: weights.renamed, kind: 'name', subject, forms: [{ matcher: 'toBeVisible' }], isNew: true };
}
