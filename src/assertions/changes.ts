import { differences } from '../browser/snapshot-changes.js';
import { partsOf, type LineParts, type SnapshotLine, type SnapshotView } from '../browser/snapshot.js';
import { hasShortcut, isTransient, isVolatile, stablePart } from '../model/volatile.js';
import { calendarIn } from './calendar.js';
import { isField, linesAroundFields } from './fields.js';
import { listChanges, listChangesAcross, type ListChange } from './lists.js';
import { childrenOf, containersOf, ownersOf, parentsOf } from './nesting.js';

/** A change that a step made to the page. */
export type PageChange = { line: SnapshotLine } & (
  | { kind: 'appeared'; text: string | undefined; isRecount?: boolean }
  | { kind: 'text'; text: string }
  | { kind: 'name'; text: string }
  | { kind: 'value'; text: string }
  | { kind: 'state'; state: State; on: boolean }
  | ({ kind: 'list' } & ListChange)
  | { kind: 'moved'; container: SnapshotLine }
  | { kind: 'focus' }
);

type State = 'checked' | 'selected' | 'expanded' | 'pressed' | 'disabled';

const states: readonly State[] = ['checked', 'selected', 'expanded', 'pressed', 'disabled'];

/** The differences between two snapshots of one document. */
export interface PageDiff {
  changes: PageChange[];
  /** Whether anything changed besides the values and states of fields, which the browser changes. */
  changedPage: boolean;
  /** The elements that appeared, and those that disappeared, except those of a date picker. */
  added: readonly SnapshotLine[];
  gone: SnapshotLine[];
  /** References of all elements that differ, or of their nearest ancestors. */
  refs: string[];
}

const toggleRoles = new Set(['checkbox', 'radio', 'switch', 'menuitemcheckbox', 'menuitemradio']);

/** Roles of a label, and of its pieces. */
const labelRoles = new Set(['generic', 'text', 'strong', 'emphasis', 'code']);
/** How many labels each new text is compared with. */
const maxLabels = 50;

/** How many consecutive numbers count something. */
const minNumbering = 3;

export const dialogRoles = new Set(['dialog', 'alertdialog']);

/** How many changed lines are examined: the first ones of a large page show what a step did. */
const maxExamined = 300;

/**
 * What a step changed in one document, except in restless elements. `typed` is what the test has entered, which is the
 * same in every run.
 */
export function changesBetween(
  before: SnapshotView,
  after: SnapshotView,
  restless: ReadonlySet<string>,
  typed: readonly string[] = [],
): PageDiff {
  const differing = differences(before, after);
  const { added, gone } = differing;
  const owners = new Map([...ownersOf(before), ...ownersOf(after)]);
  const isCalm = (line: SnapshotLine): boolean => !restless.has(owners.get(line) ?? '');
  const [calendar, closed] = [calendarIn(before, after), calendarIn(after, before)];
  const changed = differing.changed.filter(({ after: line }) => isCalm(line) && !calendar.has(line));
  const containers = containersOf(after);
  const known = new Set(before.map(({ text }) => text));
  const goneNames = namesByStablePart(gone.slice(0, maxExamined));
  const goneCounts = new Set(gone.slice(0, maxExamined).flatMap(countIn));
  const changes = [
    ...appeared(added, before, after)
      .filter((line) => isCalm(line) && !calendar.has(line))
      .slice(0, maxExamined)
      .flatMap(
        (line) =>
          renaming(line, goneNames) ??
          appearance(line, typed).map((change) => ({
            ...change,
            isRecount: countIn(line).some((count) => goneCounts.has(count)),
          })),
      ),
    ...changed
      .slice(0, maxExamined)
      .flatMap((pair) => lineChanges(pair.before, pair.after, typed))
      .filter((change) => !isPartOfLabel(change, containers.get(change.line), known)),
    ...keptValues(gone, before, after),
    ...movedBetween(changed, before, after),
    ...ofLists(
      listChanges(before, after).filter(({ list }) => !list.items.some(({ line }) => calendar.has(line))),
    ).filter(({ line }) => isCalm(line)),
    ...focusChange(before, after),
  ];
  const isBeyondFields = changed.some(({ before: old, after: line }) => {
    const { role = '' } = partsOf(line);
    return old.text !== line.text && !isField(line) && !toggleRoles.has(role);
  });
  const lines = [...added, ...gone, ...differing.changed.map((pair) => pair.after)];
  return {
    changes: accessible(changes, after),
    changedPage: isBeyondFields || added.length > 0 || gone.length > 0,
    added,
    gone: gone.filter((line) => !closed.has(line)),
    refs: lines.flatMap((line) => owners.get(line) ?? []),
  };
}

/** What a new document shows that the previous one did not. */
export function changesAcross(
  before: SnapshotView,
  after: SnapshotView,
  typed: readonly string[] = [],
): PageChange[] {
  const calendar = calendarIn(before, after);
  const changes = [
    ...appeared(after, before, after)
      .filter((line) => !calendar.has(line))
      .slice(0, maxExamined)
      .flatMap((line) => appearance(line, typed)),
    ...ofLists(listChangesAcross(before, after)),
  ];
  return accessible(changes, after);
}

/** Whether a text is only a part of a new button's or link's name. */
function isPartOfLabel(
  change: PageChange,
  container: SnapshotLine | undefined,
  known: ReadonlySet<string>,
): boolean {
  if (change.kind !== 'text' || container === undefined || known.has(container.text)) return false;
  const { role = '', name = '' } = partsOf(container);
  return ['button', 'link'].includes(role) && name.length > change.text.length && name.includes(change.text);
}

/** The values of removed fields that their containers now show as text. */
function keptValues(gone: readonly SnapshotLine[], before: SnapshotView, after: SnapshotView): PageChange[] {
  const around = parentsOf(before);
  const byRef = new Map(after.map((line) => [line.ref, line]));
  return gone.flatMap((field): PageChange[] => {
    const { text } = partsOf(field);
    const ref = around.get(field)?.ref;
    const line = ref === undefined ? undefined : byRef.get(ref);
    if (text === undefined || !isField(field) || line === undefined) return [];
    const now = partsOf(line);
    if ((now.text ?? now.name) !== text) return [];
    const shown = `text: ${JSON.stringify(text)}`;
    return [{ kind: 'appeared', line: { ...line, ref: undefined, text: shown, raw: `- ${shown}` }, text }];
  });
}

/** Elements that moved to another named container. */
function movedBetween(
  pairs: readonly { before: SnapshotLine; after: SnapshotLine }[],
  before: SnapshotView,
  after: SnapshotView,
): PageChange[] {
  const [old, now] = [containersOf(before), containersOf(after)];
  return pairs.flatMap(({ before: from, after: line }): PageChange[] => {
    const container = now.get(line);
    const isMoved = from.text === line.text && container?.text !== old.get(from)?.text;
    return isMoved && container !== undefined ? [{ kind: 'moved', line, container }] : [];
  });
}

/** All elements of a page as if they had just appeared. */
export function appearances(view: SnapshotView): PageChange[] {
  return accessible(
    view.flatMap((line) => appearance(line, [])),
    view,
  );
}

/** Leaves out what is hidden from assistive technology, such as a closing dialog, which no locator finds by name. */
function accessible(changes: PageChange[], view: SnapshotView): PageChange[] {
  const hidden = new Set<SnapshotLine>();
  let hiddenBelow = Infinity;
  for (const line of view) {
    if (line.depth <= hiddenBelow)
      hiddenBelow = partsOf(line).states.includes('aria-hidden') ? line.depth : Infinity;
    if (hiddenBelow < Infinity) hidden.add(line);
  }
  return hidden.size === 0 ? changes : changes.filter(({ line }) => !hidden.has(line));
}

function appearance(line: SnapshotLine, typed: readonly string[]): PageChange[] {
  const { role, name, text } = partsOf(line);
  if (role === undefined || line.text.startsWith('/')) return [];
  const words = [name, text].filter((each) => each !== undefined);
  const hasWords = words.some((each) => /[\p{L}\p{N}]/u.test(each));
  // A line with a URL, or that begins within a sentence, says nothing about the page.
  if (words.some((each) => isUnstable(each, typed) || /^(?:https?:\/\/\S+$|[.,;:)]\s)/.test(each))) return [];
  if (!isField(line) && hasShortcut(text ?? '')) return [];
  const isLive = ['alert', 'status', 'log', 'dialog', 'alertdialog', 'tooltip'].includes(role);
  if (!hasWords && !isLive) return [];
  if (role === 'generic' && text === undefined && name === undefined) return [];
  // The days of a calendar change with the month.
  if (role === 'gridcell' && words.every((each) => /^\d{1,2}$/.test(each))) return [];
  return [{ kind: 'appeared', line, text }];
}

/** Whether no part of a text is the same in every run. */
function isUnstable(text: string, typed: readonly string[]): boolean {
  return isTransient(text) || (isVolatile(text, typed) && stablePart(text, ['passing'], typed) === undefined);
}

/** A role and the stable part of a name; undefined if nothing in the name is volatile. */
function stableKey(role = '', name = ''): string | undefined {
  const stable = stablePart(name, ['passing', 'record', 'amount'])?.regex;
  return stable === undefined ? undefined : `${role} ${stable}`;
}

/** The names of lines by `stableKey`, so that each new line needs one lookup. */
function namesByStablePart(lines: readonly SnapshotLine[]): Map<string, string> {
  const names = new Map<string, string>();
  for (const { role, name = '' } of lines.map(partsOf)) {
    const key = stableKey(role, name);
    if (key !== undefined && !names.has(key)) names.set(key, name);
  }
  return names;
}

/** The change of a name that contains a count; undefined if no element with the same stable part is gone. */
function renaming(line: SnapshotLine, goneNames: ReadonlyMap<string, string>): PageChange[] | undefined {
  const { role, name = '' } = partsOf(line);
  const old = goneNames.get(stableKey(role, name) ?? '');
  if (old === undefined) return undefined;
  return hasNewText(old, name) ? [{ kind: 'name', line, text: name }] : [];
}

/** A text without an element of its own, such as `Page 2 of 3` between two buttons, without its numbers. */
function countIn({ text }: SnapshotLine): string[] {
  return /^text: .*\d/.test(text) ? [text.replaceAll(/\d+/g, '#')] : [];
}

/** Whether two texts differ in more than times, dates and generated ids. */
function hasNewText(old: string | undefined, now: string): boolean {
  const stable = (text: string): string => stablePart(text, ['passing'])?.regex ?? text;
  return old === undefined || stable(old) !== stable(now);
}

function lineChanges(before: SnapshotLine, after: SnapshotLine, typed: readonly string[]): PageChange[] {
  const [old, now] = [partsOf(before), partsOf(after)];
  const role = now.role ?? '';
  const found: PageChange[] = [];
  for (const state of states) {
    const has = (parts: typeof old): string | undefined =>
      parts.states.find((each) => each === state || each.startsWith(`${state}=`));
    if (has(old) === has(now) || has(now) === `${state}=mixed`) continue;
    const on = has(now) !== undefined;
    found.push({ kind: 'state', line: after, state, on });
  }
  const isOfField = isField(after);
  const isAssertable = (text: string): boolean =>
    isOfField
      ? !isTransient(text) && !isVolatile(text, typed)
      : !isUnstable(text, typed) && !hasShortcut(text);
  // An empty field has no text. Without a name, it is any field.
  const isEmptied =
    ['textbox', 'searchbox'].includes(role) && old.text !== undefined && now.name !== undefined;
  const text = now.text ?? (isEmptied ? '' : undefined);
  if (text !== undefined && hasNewText(old.text, text) && isAssertable(text))
    found.push({ kind: isOfField ? 'value' : 'text', line: after, text });
  return found;
}

/** Lines that were added rather than moved, except those that the name of a new dialog or button repeats. */
function appeared(added: readonly SnapshotLine[], before: SnapshotView, after: SnapshotView): SnapshotLine[] {
  const count = (view: SnapshotView): Map<string, number> => {
    const counts = new Map<string, number>();
    for (const { text } of view) counts.set(text, (counts.get(text) ?? 0) + 1);
    return counts;
  };
  const [old, now] = [count(before), count(after)];
  const isNew = new Set(added.filter(({ text }) => (now.get(text) ?? 0) > (old.get(text) ?? 0)));
  const containers = containersOf(after);
  const children = childrenOf(after);
  // The name of a link around several elements joins their texts.
  const isJoinedLink = (line: SnapshotLine): boolean =>
    partsOf(line).role === 'link' &&
    (children.get(line) ?? []).filter(({ text }) => !text.startsWith('/')).length > 1;
  const numbering = numberingIn(after);
  // What a dialog asks to confirm is the point of it, unlike the labels of its fields.
  const forms = linesAroundFields(after);
  const labels = new Set(after.filter(isField).map((line) => partsOf(line).name));
  const newLabels = [...isNew].flatMap((line) => {
    const { role = '', name } = partsOf(line);
    return toggleRoles.has(role) && name !== undefined ? [name] : [];
  });
  const isLabel = ({ role = '', name, text }: LineParts): boolean =>
    name === undefined &&
    text !== undefined &&
    (labels.has(text)
      ? role === 'generic' || role === 'text'
      : labelRoles.has(role) &&
        newLabels.slice(0, maxLabels).some((label) => label !== text && label.includes(text)));
  return [...isNew].filter((line) => {
    if (numbering.has(line) || isLabel(partsOf(line)) || isJoinedLink(line)) return false;
    const container = containers.get(line);
    if (container === undefined) return true;
    const [{ role = '', name: label = '' }, { name, text }] = [partsOf(container), partsOf(line)];
    const isFilled = isField(line) && text !== undefined;
    // The text in a button is its name.
    const isSaid =
      name === undefined && text !== undefined && label.toLowerCase().includes(text.toLowerCase());
    return !isSaid && (isFilled || !(isNew.has(container) && dialogRoles.has(role) && forms.has(container)));
  });
}

/** Texts that only count what is beside them, such as the line numbers of an editor: 1, 2, 3. */
function numberingIn(view: SnapshotView): Set<SnapshotLine> {
  const found = new Set<SnapshotLine>();
  let run: SnapshotLine[] = [];
  for (const line of view) {
    const { role = '', text = '' } = partsOf(line);
    if (!labelRoles.has(role) || !/^\d+$/.test(text)) continue;
    if (Number(text) !== run.length + 1) run = [];
    if (Number(text) !== run.length + 1) continue;
    run.push(line);
    if (run.length === minNumbering) for (const each of run) found.add(each);
    if (run.length > minNumbering) found.add(line);
  }
  return found;
}

function ofLists(changes: readonly ListChange[]): PageChange[] {
  return changes.map((change) => ({ kind: 'list', line: change.list.line, ...change }));
}

/** Roles of elements within a sentence. */
const inlineRoles = new Set(['text', 'strong', 'emphasis', 'generic', 'code', 'time', 'link']);
/** Limits of a sentence: examining all siblings of each change would take quadratic time. */
const maxSentence = 80;
const maxPieces = 20;

/** The changes with whole sentences instead of their pieces, such as the `2` of `<b>2</b> items left`. */
export function joinedTexts(changes: readonly PageChange[], view: SnapshotView): PageChange[] {
  const parents = parentsOf(view);
  const children = childrenOf(view);
  const joined = new Set<SnapshotLine>();
  const appearing = new Set(changes.flatMap(({ kind, line }) => (kind === 'appeared' ? [line] : [])));
  return changes.flatMap((change): PageChange[] => {
    const parent = parents.get(change.line);
    const pieces = (parent && children.get(parent)) ?? [];
    const isText = change.kind === 'text' || (change.kind === 'appeared' && change.text !== undefined);
    if (!isText || parent?.ref === undefined || pieces.length < 2 || pieces.length > maxPieces)
      return [change];
    const texts = pieces.flatMap((piece) => partsOf(piece).text ?? []);
    const isSentence =
      texts.length === pieces.length &&
      pieces.every((piece) => !children.has(piece) && inlineRoles.has(partsOf(piece).role ?? '')) &&
      pieces.some((piece) => partsOf(piece).role === 'text');
    const text = texts.join(' ');
    if (!isSentence || text.length > maxSentence) return [change];
    if (joined.has(parent)) return [];
    joined.add(parent);
    const { role = 'generic' } = partsOf(parent);
    const shown = JSON.stringify(text);
    const line = { ...parent, text: `${role}: ${shown}`, raw: `- ${role} [ref=${parent.ref}]: ${shown}` };
    if (isUnstable(text, []) || hasShortcut(text)) return [];
    const isOld = (piece: SnapshotLine): boolean => {
      const { text: words = '' } = partsOf(piece);
      return !appearing.has(piece) && /\p{L}/u.test(words) && !isVolatile(words);
    };
    const isNew = !pieces.some(isOld);
    return [isNew ? { kind: 'appeared', line, text } : { kind: 'text', line, text }];
  });
}

function focusChange(before: SnapshotView, after: SnapshotView): PageChange[] {
  const active = (view: SnapshotView): SnapshotLine | undefined =>
    view.find((line) => line.active && line.depth > 0);
  const [old, now] = [active(before), active(after)];
  return now === undefined || now.ref === old?.ref ? [] : [{ kind: 'focus', line: now }];
}
