import { traitsOf } from '../actions/registry.js';
import { relativeUrl } from '../actions/url.js';
import type { Pin } from '../browser/pin.js';
import { partsOf, type SnapshotLine, type SnapshotView } from '../browser/snapshot.js';
import { frameChain } from '../locators/frame-chain.js';
import type { ListPins } from '../locators/list-locators.js';
import type { LocatorChain } from '../model/locator.js';
import type { Assertion, Step } from '../model/step.js';
import { isTransient, isVolatile, stablePart } from '../model/volatile.js';
import {
  appearances,
  changesAcross,
  dialogRoles,
  joinedTexts,
  type PageChange,
  type PageDiff,
} from './changes.js';
import {
  echoOf,
  limits,
  liveRoles,
  rankChanges,
  rankLandmarks,
  weightOf,
  weights,
  type Weighted,
} from './choose.js';
import { stateCandidates } from './element-candidates.js';
import { goneCandidates, goneTarget } from './gone-candidates.js';
import { isField } from './fields.js';
import { assertionForms, clip, type AssertionArgs } from './forms.js';
import {
  LinePins,
  listCandidates,
  messageCandidates,
  regionCandidates,
  type ChangedPage,
} from './group-candidates.js';
import { literalLocator } from './line-matching.js';
import { childrenOf, linesIn, parentsOf } from './nesting.js';
import {
  actedCandidates,
  dropCandidates,
  onlySentence,
  openedForm,
  opensFormInDialog,
  viewCandidates,
  withoutContent,
} from './view-candidates.js';
import { snapshotMs, type ActedOutcome, type ElementSubject, type StepEffect } from './observe.js';
import { parseUrl } from '../model/parse-url.js';
import { within } from '../model/within.js';

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
  const isSwitch = own.some(
    ({ kind, forms }) =>
      kind === 'state checked' ||
      (/^state (?:selected|pressed|current)$/.test(kind) && hasValue(forms, 'true')),
  );
  const isEffect = (change: PageChange): boolean =>
    !isOwnInput(change, effect) &&
    !contested.lines.has(change.line) &&
    // What is selected instead of something else leaves no doubt about the other.
    !(isSwitch && change.kind === 'state' && !change.on && change.state !== 'disabled');
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

async function documentCandidates(
  { step, before, after }: StepEffect,
  changed: ChangedPage,
): Promise<Candidate[]> {
  const { view, title } = after;
  const isFirst = before.view.length <= 1;
  const changes = isFirst ? [] : changesAcross(before.view, view, changed.typed);
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
  const [landmarks, changesOf, regions] = await Promise.all([
    changeCandidates(rankLandmarks(elements), changed),
    changeCandidates(ranked, changed),
    regionCandidates(changes, before.view, changed),
  ]);
  return [
    ...landmarks.map((candidate) => ({ ...candidate, kind: 'landmark', isNew: false })),
    ...changesOf,
    ...(title === before.title ? [] : titleCandidates(title)),
    ...regions,
  ];
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

/** Pins all elements first, since searching for a locator invalidates the snapshot's references. */
async function changeCandidates(
  weighted: readonly { change: PageChange; weight: number }[],
  changed: ChangedPage,
  outcome?: ActedOutcome,
): Promise<Candidate[]> {
  const { pins, typed, view } = changed;
  const parents = parentsOf(view);
  const children = childrenOf(view);
  /** What has a reference: the line itself, or the element around it, or one beside it in its frame. */
  const holderOf = (line: SnapshotLine): SnapshotLine | undefined => {
    const parent = parents.get(line);
    if (line.ref !== undefined || parent === undefined) return line;
    const isFrame = partsOf(parent).role === 'iframe';
    return isFrame ? children.get(parent)?.find(({ ref }) => ref !== undefined) : parent;
  };
  const candidates = weighted.map(async ({ change, weight }): Promise<Candidate[]> => {
    const { line, kind } = change;
    if (kind === 'list') return listCandidates(change, changed);
    const holder = holderOf(line);
    const pin = await pins.of(holder === undefined ? [] : [holder]);
    const { role = '', name, text } = partsOf(line);
    const detail = kind === 'state' ? change.state : kind === 'appeared' ? role : '';
    // One new text with a number and one without, and each number that changed, count separately.
    const isNumber = /\d/.test(text ?? '');
    const number = kind === 'appeared' && isText(role) && isNumber ? ' with a number' : '';
    const own = kind === 'text' && isNumber ? change.text : `${detail}${number}`;
    const isEchoing = (kind === 'appeared' || kind === 'text') && (isText(role) || role === 'heading');
    // Each value that the step entered counts separately.
    const echo = isEchoing ? echoOf(text ?? name ?? '', typed) : undefined;
    const candidate = {
      weight,
      line,
      kind: echo === undefined ? `${kind} ${own}` : `echo ${echo}`,
      forms: [...contentForms(change, changed.view), ...assertionForms(change, typed)],
      isNew: true,
    };
    const literal = literalLocator(line, typed);
    if (kind === 'moved') {
      const inside = literal && literalLocator(change.container, typed);
      return inside ? [{ ...candidate, subject: { chain: [...inside, ...literal] } }] : [];
    }
    const element = holder && pin(holder);
    const around = holder === line || holder === parents.get(line) ? element?.facts.state : undefined;
    const { classes = [], classesAround = [] } = around ?? {};
    const isMessage =
      kind === 'appeared' &&
      isText(role) &&
      (classes.some(namesMessage) || classesAround.flat().some(namesToast));
    const message = isMessage && { kind: `appeared ${role}`, weight: Math.max(weight, weights.message) };
    if (line.ref === undefined) {
      const frames = element && (await within(snapshotMs, frameChain(element.frame)));
      return kind === 'appeared' && (text !== undefined || dialogRoles.has(role)) && literal !== undefined
        ? [{ ...candidate, ...message, subject: { chain: [...(frames ?? []), ...literal] } }]
        : [];
    }
    if (element === undefined || (kind === 'appeared' && !element.facts.shown && !liveRoles.includes(role)))
      return [];
    // `stateCandidates` are about the element acted on.
    if (kind === 'state' && element.facts.element === outcome?.pin.facts.element) return [];
    const words = [name, text].filter((each) => each !== undefined).join(' ');
    const chain = chainInStep(element, outcome);
    const subject = { pin: element, words, chain, literal };
    return [{ ...candidate, ...message, subject }];
  });
  return (await Promise.all(candidates)).flat();
}

/** What feedback or a dialog without a name says, if its texts are in elements of their own. */
function contentForms({ kind, line }: PageChange, view: SnapshotView): AssertionArgs[] {
  const { role = '', name, text } = partsOf(line);
  const isNameless =
    ['alert', 'status', 'dialog', 'alertdialog'].includes(role) && (name ?? text) === undefined;
  if (kind !== 'appeared' || !isNameless) return [];
  const below = view.slice(view.indexOf(line) + 1);
  const end = below.findIndex(({ depth }) => depth <= line.depth);
  const said = below
    .slice(0, end < 0 ? undefined : end)
    .map(partsOf)
    .filter((inner) => isText(inner.role ?? '') || ['heading', 'strong'].includes(inner.role ?? ''))
    .map((inner) => inner.text ?? inner.name ?? '')
    .find((words) => /\p{L}/u.test(words));
  return said === undefined || isVolatile(said) || isTransient(said)
    ? []
    : [{ matcher: 'toContainText', expected: clip(said) }];
}

function isText(role: string): boolean {
  return ['generic', 'paragraph', 'text'].includes(role);
}

/** Whether a class marks a message, on pages without the roles `alert` and `status`. */
function namesMessage(className: string): boolean {
  return /(?:^|[-_])(?:toast|alert|notification|snackbar|flash|message|error|success|notice)s?(?:$|[-_])/i.test(
    className,
  );
}

/** Whether a class is of an element that shows a message for a while: whatever text is in it is the message. */
function namesToast(className: string): boolean {
  return /(?:^|[-_])(?:toast|alert|notification|snackbar|flash)s?(?:$|[-_])/i.test(className);
}

/** The step's own locator if it acted on the element, so that an element has one locator in the test. */
function chainInStep({ facts }: Pin, outcome: ActedOutcome | undefined): LocatorChain | undefined {
  if (outcome === undefined || !('chain' in outcome.subject)) return undefined;
  return facts.element === outcome.pin.facts.element ? outcome.subject.chain : undefined;
}

function renamedCandidate(subject: ElementSubject): Candidate {
  return { weight: weights.renamed, kind: 'name', subject, forms: [{ matcher: 'toBeVisible' }], isNew: true };
}
