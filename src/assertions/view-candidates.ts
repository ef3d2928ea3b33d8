import { traitsOf } from '../actions/registry.js';
import { pinNow } from '../browser/pin.js';
import { partsOf, type SnapshotLine } from '../browser/snapshot.js';
import { isStateClass } from '../locators/brittle.js';
import { toLocator } from '../locators/locator-expression.js';
import { within } from '../model/within.js';
import type { Candidate } from './candidates.js';
import type { PageChange, PageDiff } from './changes.js';
import { isEcho, isSentence, limits, weights } from './choose.js';
import { isField } from './fields.js';
import { assertionForms, clip, stableText } from './forms.js';
import type { ChangedPage } from './group-candidates.js';
import { matchesLine } from './line-matching.js';
import { isPrice, itemsIn } from './lists.js';
import { parentsOf } from './nesting.js';
import { stateMs, type Observation, type StepEffect } from './observe.js';

/** Maximum length of a view's title. */
const maxTitle = 40;
/** How many lines after the name of the selected item are searched for its price. */
const maxLinesToPrice = 6;

const textRoles = new Set(['generic', 'text', 'paragraph']);

/** Assertions of the new name of the element acted on, and of a state class that an ancestor gained. */
export async function actedCandidates({ step, acted, outcome }: StepEffect): Promise<Candidate[]> {
  if (acted === undefined || outcome === undefined || traitsOf(step).types === true) return [];
  const { name: before } = acted.pin.facts;
  const { name } = outcome.pin.facts;
  const isRelabeled =
    traitsOf(step).clicks === true &&
    !outcome.renamed &&
    before !== undefined &&
    name !== undefined &&
    name !== before;
  const relabeled: Candidate = {
    weight: weights.relabeled,
    kind: 'label',
    subject: outcome.subject,
    forms: [
      { matcher: 'toHaveText', expected: name ?? '' },
      { matcher: 'toHaveAccessibleName', expected: name ?? '' },
    ],
    isNew: true,
  };
  return [
    ...(isRelabeled && /[\p{L}\d]/u.test(name) ? [relabeled] : []),
    ...(await classAround({ acted, outcome })),
  ];
}

/** A class that says what the checkbox in a row says. */
const isSelection = /select|check/i;

/** Asserts a class such as `completed` that an ancestor, usually a list item, has gained. */
async function classAround({
  acted,
  outcome,
}: Required<Pick<StepEffect, 'acted' | 'outcome'>>): Promise<Candidate[]> {
  const before = acted?.state?.classesAround ?? [];
  const { attributes = {} } = acted?.state ?? {};
  const isToggled = acted?.state?.checked !== outcome?.state.checked;
  // An ARIA state of the element itself, e.g. in an accordion, says more.
  if (Object.entries(outcome?.state.attributes ?? {}).some(([name, value]) => attributes[name] !== value))
    return [];
  for (const [level, classes] of (outcome?.state.classesAround ?? []).entries()) {
    const gained = classes.find(
      (name) =>
        before[level]?.includes(name) === false &&
        isStateClass(name) &&
        !(isToggled && isSelection.test(name)),
    );
    if (gained === undefined || outcome === undefined) continue;
    const up = Array.from({ length: level + 1 }, () => '..').join('/');
    const region = await within(
      stateMs,
      pinNow(outcome.pin.locator.locator(`xpath=${up}`), { frame: outcome.pin.frame }),
    );
    if (region === undefined) return [];
    const forms = [{ matcher: 'toContainClass', expected: gained }];
    return [{ weight: weights.own.class, kind: 'class', subject: { region }, forms, isNew: true }];
  }
  return [];
}

/** Asserts that the element that a step dropped is a new part of the one on which it was dropped. */
export async function dropCandidates(
  { step: { to }, before, after, acted }: StepEffect,
  { page, pins, typed }: ChangedPage,
): Promise<Candidate[]> {
  const chain = acted?.chain;
  if (to === undefined || acted === undefined || chain === undefined) return [];
  const isDropped = (line: SnapshotLine): boolean => matchesLine(chain, line);
  const line = before.view.find(isDropped);
  const { name = '', text = name } = line === undefined ? {} : partsOf(line);
  if (line === undefined || text === '' || !after.view.some(isDropped)) return [];
  const parents = parentsOf(before.view);
  const outer: SnapshotLine[] = [];
  for (let each = parents.get(line); each !== undefined; each = parents.get(each)) outer.push(each);
  const [pin, target] = await Promise.all([pins.of(outer), within(stateMs, pinNow(toLocator(page, to)))]);
  const wasInside = outer.some((each) => pin(each)?.facts.element === target?.facts.element);
  if (target === undefined || wasInside) return [];
  const forms = [{ matcher: 'toContainText', expected: stableText(clip(text), typed) }];
  return [{ weight: weights.moved, kind: 'moved', subject: { chain: to }, forms, isNew: true }];
}

/** Assertions that identify a new view in the same document, under another URL: its title, and the selected item. */
export async function viewCandidates(
  { before, after, acted }: StepEffect,
  { pins, view, typed }: ChangedPage,
  changes: readonly PageChange[],
): Promise<Candidate[]> {
  if (before.url === after.url) return [];
  const title = titleOf(changes, view);
  const picked = acted === undefined ? [] : pickedIn(view, before.view, acted.pin.facts.name ?? '');
  const lines = [...(title === undefined ? [] : [title]), ...picked];
  const pin = await pins.of(lines);
  const candidate = (line: SnapshotLine, weight: number, kind: string): Candidate[] => {
    const element = pin(line);
    const { name, text } = partsOf(line);
    const words = text ?? name ?? '';
    if (element === undefined) return [];
    const forms = assertionForms({ kind: 'text', line, text: words }, typed).filter(
      ({ matcher }) => matcher !== 'toBeVisible',
    );
    return [{ weight, kind, subject: { pin: element, words }, forms, isNew: true }];
  };
  return [
    ...(title === undefined ? [] : candidate(title, weights.title, 'title')),
    ...picked.flatMap((line, index) => candidate(line, weights.echo - index / 10, `picked ${index}`)),
  ];
}

/** The only new sentence, in an element that existed before: what a page without roles says about the step. */
export function onlySentence(
  changes: readonly PageChange[],
  { before, after }: Record<'before' | 'after', Pick<Observation, 'view'>>,
): PageChange | undefined {
  const sentences = changes.filter(({ kind, line }) => {
    const { role = '', text = '' } = partsOf(line);
    return (kind === 'appeared' || kind === 'text') && textRoles.has(role) && isSentence(text);
  });
  const [sentence] = sentences;
  const around = sentence && parentsOf(after.view).get(sentence.line);
  const isAddition = before.view.some(({ ref }) => ref !== undefined && ref === around?.ref);
  return sentences.length === 1 && isAddition ? sentence : undefined;
}

/** From this many texts on, what a step opened has content of its own, which is not the point of the step. */
const minContent = 5;
const contentRoles = new Set(
  'generic text paragraph strong heading cell gridcell columnheader rowheader row code term tab tabpanel link button img'.split(
    ' ',
  ),
);

/** The changes without the content of a panel that the step opened, except `typed`. */
export function withoutContent(changes: readonly PageChange[], typed: readonly string[]): PageChange[] {
  const isContent = (change: PageChange): boolean => {
    const { role = '', name, text } = partsOf(change.line);
    const isPlain =
      change.kind === 'list'
        ? contentRoles.has(change.list.role) || role === 'combobox'
        : contentRoles.has(role);
    return isPlain && ['appeared', 'list'].includes(change.kind) && !isEcho(text ?? name ?? '', typed);
  };
  const content = new Set(changes.filter(isContent));
  return content.size < minContent ? [...changes] : changes.filter((change) => !content.has(change));
}

/** Minimum number of fields of a form, and of items of a list that is not a part of one. */
const minFields = 2;
const minItems = 3;

/**
 * The form that a step opened, with the short text above its fields; undefined if it opened none, a dialog, a view with
 * a URL of its own, or a list with fields to search it.
 */
export function openedForm(
  { before, after }: { before: Pick<Observation, 'url'>; after: Pick<Observation, 'url' | 'view'> },
  { added, changes }: PageDiff,
): { title: PageChange | undefined } | undefined {
  const isList = (change: PageChange): boolean =>
    change.kind === 'list' &&
    change.isNew &&
    !['option', 'generic'].includes(change.list.role) &&
    // Icons without a name are no records.
    change.list.items.filter(({ words }) => /[\p{L}\d]/u.test(words)).length >= minItems;
  if (before.url !== after.url || !hasForm(added) || hasDialog(added) || changes.some(isList))
    return undefined;
  const isAdded = new Set(added);
  const fields = after.view.findIndex((line) => isAdded.has(line) && isField(line));
  const above = new Set(after.view.slice(0, fields));
  const titles = changes.filter((change) => above.has(change.line) && isTitle(change));
  return { title: titles.find(({ line }) => partsOf(line).role === 'heading') ?? titles[0] };
}

/** Whether a step opened a dialog with a form, whose labels are not the point of the step. */
export function opensFormInDialog({ added }: PageDiff): boolean {
  return hasForm(added) && hasDialog(added);
}

/** The options of one select are not several fields. */
function hasForm(lines: readonly SnapshotLine[]): boolean {
  const fields = lines.filter((line) => isField(line) && partsOf(line).role !== 'option');
  return fields.length >= minFields && lines.some((line) => partsOf(line).role === 'button');
}

function hasDialog(lines: readonly SnapshotLine[]): boolean {
  return lines.some((line) => /^(?:alert)?dialog$/.test(partsOf(line).role ?? ''));
}

function isTitle({ kind, line }: PageChange): boolean {
  const { role = '', name, text = name ?? '' } = partsOf(line);
  const isText = textRoles.has(role) || role === 'heading' || role === 'listitem';
  return kind === 'appeared' && isText && isShort(text);
}

function isShort(text: string): boolean {
  return /\p{L}/u.test(text) && text.length <= maxTitle && !text.endsWith(':');
}

/** The first new short text; undefined if there is a new heading. */
function titleOf(changes: readonly PageChange[], view: readonly SnapshotLine[]): SnapshotLine | undefined {
  const isNew = new Map(changes.map((change) => [change.line, change.kind]));
  if (changes.some(({ kind, line }) => kind === 'appeared' && partsOf(line).role === 'heading'))
    return undefined;
  const items = itemsIn(view);
  return view.find((line) => {
    const { role = '', text = '' } = partsOf(line);
    const kind = isNew.get(line);
    const isChanged = kind === 'appeared' || kind === 'text';
    return isChanged && textRoles.has(role) && isShort(text) && !items.has(line);
  });
}

/** The name of the clicked item in a new view, and the price after it. */
function pickedIn(
  view: readonly SnapshotLine[],
  before: readonly SnapshotLine[],
  clicked: string,
): SnapshotLine[] {
  const refs = new Set(before.map(({ ref }) => ref));
  const wordsOf = (line: SnapshotLine): string => {
    const { name, text } = partsOf(line);
    return text ?? name ?? '';
  };
  const isOnce = (line: SnapshotLine): boolean =>
    view.filter((each) => wordsOf(each) === wordsOf(line)).length === 1;
  const index = view.findIndex((line) => {
    const { role = '' } = partsOf(line);
    const words = wordsOf(line);
    const isName = words.length >= limits.minTyped && (clicked === words || clicked.startsWith(`${words} `));
    return isName && (textRoles.has(role) || role === 'heading') && !refs.has(line.ref) && isOnce(line);
  });
  const name = view[index];
  if (name === undefined) return [];
  const price = view
    .slice(index + 1, index + 1 + maxLinesToPrice)
    .find((line) => isPrice(wordsOf(line)) && isOnce(line));
  return [name, ...(price === undefined ? [] : [price])];
}
