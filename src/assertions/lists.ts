import { partsOf, type SnapshotLine, type SnapshotView } from '../browser/snapshot.js';
import { isField, linesAroundFields } from './fields.js';
import { stablePart } from '../model/volatile.js';
import { isWeek } from './today.js';

/** Items of a list whose words are judged. */
const maxJudged = 1000;

/** Siblings of one kind: the items of a list, the rows of a table, or elements without a role that begin alike. */
export interface List {
  /** The element around them. */
  line: SnapshotLine;
  role: string;
  items: ListItem[];
}

export interface ListItem {
  line: SnapshotLine;
  /** The first heading in the item, else its first text, else its first control; the item itself if it has the words. */
  title: SnapshotLine;
  words: string;
  /** How good the title is. */
  rank: number;
  /** The first price in it. */
  price?: SnapshotLine;
  /** Whether it is a label and its field. */
  isField?: boolean;
  /** The roles from the item down to its title: those of items of one kind are alike. */
  path: string;
}

/** How a list differs from before: it has more or fewer items, the same ones in another order, or others. */
export interface ListChange {
  how: 'count' | 'order' | 'content';
  list: List;
  /** Whether neither it nor its items were there before. */
  isNew: boolean;
  /** The items that were not in their place before. */
  changed: ListItem[];
}

/** Roles whose elements form a list if they are siblings. */
const itemRoles = new Set(['listitem', 'row', 'option', 'treeitem', 'article', 'menuitem', 'tab']);
/** Roles whose names say what they do rather than what the item around them is. */
const labelRoles = new Set(['button', 'checkbox', 'radio', 'switch', 'img', 'textbox', 'combobox']);
/** Roles whose elements are no news when the element around them opens. */
const controlRoles = new Set(['menuitem', 'tab']);

/** The lists that differ between two moments of a document. */
export function listChanges(before: SnapshotView, after: SnapshotView): ListChange[] {
  const key = ({ ref, text }: SnapshotLine): string => ref ?? text;
  const known = new Set(before.map(key));
  const filled = new Set(
    before.flatMap((line, index) => ((before[index + 1]?.depth ?? 0) > line.depth ? [key(line)] : [])),
  );
  const now = listsIn(after, key);
  return compare(replaced(listsIn(before, key), now), now, {
    isKnown: (line) => known.has(key(line)),
    isFilled: (line) => filled.has(key(line)),
  });
}

/** The lists of before by the keys of now: a page that replaces its elements gives the same list another key. */
function replaced(old: ReadonlyMap<string, List>, now: ReadonlyMap<string, List>): Map<string, List> {
  const kindOf = (key: string, { line, role }: List): string =>
    `${line.text} ${role} ${key.slice(key.indexOf(' '))}`;
  const wordsIn = ({ items }: List): Set<string> => new Set(items.map(({ words }) => words));
  const free = new Map([...old].filter(([key]) => !now.has(key)));
  const found = new Map([...old].filter(([key]) => now.has(key)));
  for (const [key, list] of now) {
    if (old.has(key)) continue;
    const alike = [...free].filter(([each, then]) => kindOf(each, then) === kindOf(key, list));
    const words = wordsIn(list);
    const shared = ([, then]: [string, List]): number =>
      [...wordsIn(then)].filter((each) => words.has(each)).length;
    const best = alike.toSorted((one, other) => shared(other) - shared(one))[0];
    if (best === undefined) continue;
    found.set(key, best[1]);
    free.delete(best[0]);
  }
  return found;
}

/** The lists of a new document that differ from those at the same place in the one before. */
export function listChangesAcross(before: SnapshotView, after: SnapshotView): ListChange[] {
  const [old, now] = [before, after].map((view) => {
    const seen = new Map<string, number>();
    return listsIn(view, ({ text }) => text, seen);
  });
  return old === undefined || now === undefined
    ? []
    : compare(old, now, { isKnown: () => false, isFilled: () => false });
}

/** The elements that are items of lists. */
export function itemsIn(view: SnapshotView): Set<SnapshotLine> {
  const lists = listsIn(view, ({ ref, text }) => ref ?? text);
  return new Set([...lists.values()].flatMap(({ items }) => items.map(({ line }) => line)));
}

function compare(
  old: ReadonlyMap<string, List>,
  now: ReadonlyMap<string, List>,
  /** Whether an element was there before, and whether it had anything in it. */
  { isKnown, isFilled }: Record<'isKnown' | 'isFilled', (line: SnapshotLine) => boolean>,
): ListChange[] {
  return [...now].flatMap(([key, list]): ListChange[] => {
    const then = old.get(key)?.items ?? [];
    const isNew = then.length === 0 && ![list.line, ...list.items.map(({ line }) => line)].some(isKnown);
    const isPlain = list.role === 'generic';
    const most = Math.max(then.length, list.items.length);
    if (most < 2 && (isPlain || isNew)) return [];
    // One element alone may be found by a locator that never found the others.
    if (isPlain && list.items.length === 1) return [];
    // Parts of a sentence, and the choices of a field, are no list that opened.
    if (
      isNew &&
      (controlRoles.has(list.role) || (most < 3 && isPlain && list.items.some(({ path }) => path === '')))
    )
      return [];
    if (isNew && isPlain && areSections(list.items)) return [];
    // Labels with values, such as the headers of a response, are no list.
    if (isPlain && list.items.every(({ words }) => /^[\w-]+: \S/.test(words))) return [];
    // Two texts beside each other are a label and its value.
    if (isPlain && most < 3 && list.items.every(({ path }) => path === '')) return [];
    if (then.length === 0 && isOfField(list) && !isKnown(list.line)) return [];
    if (isPlain && [...then, ...list.items].some(({ isField }) => isField === true)) return [];
    // Another month has other weeks.
    if (list.role === 'row' && list.items.filter(({ words }) => isWeek(words)).length > 2) return [];
    // Elements that have become alike are no list that has grown.
    if (isPlain && then.length === 0 && (isFilled(list.line) || list.items.some(({ line }) => isKnown(line))))
      return [];
    const changed = list.items
      .slice(0, maxJudged)
      // A row without text was a form.
      .filter(({ words }, index) => then[index]?.words !== '' && isChanged(words, then[index]?.words));
    if (then.length !== list.items.length) {
      const old = new Set(then.map(({ words }) => words));
      return [{ how: 'count', list, isNew, changed: list.items.filter(({ words }) => !old.has(words)) }];
    }
    if (changed.length === 0) return [];
    const sorted = ({ items }: { items: readonly ListItem[] }): string =>
      JSON.stringify(items.map(({ words }) => words).sort());
    return [{ how: sorted({ items: then }) === sorted(list) ? 'order' : 'content', list, isNew, changed }];
  });
}

/** Whether elements are the parts of a panel rather than records: two with a heading each, and no price. */
function areSections(items: readonly ListItem[]): boolean {
  return (
    items.length < 3 &&
    items.every(({ title, price }) => partsOf(title).role === 'heading' && price === undefined)
  );
}

/** Whether the items of a list are the choices of a field. */
function isOfField({ line }: List): boolean {
  return partsOf(line).role === 'combobox';
}

function isChanged(words: string, before: string | undefined): boolean {
  return words !== before && stable(words) !== stable(before);
}

/** Words without a time, a date or a generated id in them. */
function stable(words = ''): string {
  return stablePart(words, ['passing'])?.regex ?? words;
}

/** The lists of a view by the key of the element around them, which is numbered if `seen` counts equal ones. */
function listsIn(
  view: SnapshotView,
  keyOf: (line: SnapshotLine) => string,
  seen?: Map<string, number>,
): Map<string, List> {
  const found = new Map<string, List>();
  const path: SnapshotLine[] = [];
  const keys = new Map<SnapshotLine, string>();
  /** By depth, the items around the current line. */
  const open: (ListItem | undefined)[] = [];
  const fieldHolders = linesAroundFields(view);
  for (const [index, line] of view.entries()) {
    path.length = open.length = line.depth;
    path[line.depth] = line;
    const parent = path[line.depth - 1];
    const { role = '', name, text } = partsOf(line);
    if (parent?.ref !== undefined && (itemRoles.has(role) || (role === 'generic' && name === undefined))) {
      const key = `${keys.get(parent) ?? numbered(parent)} ${role}${role === 'generic' ? beginning(view, index) : ''}`;
      const list = found.get(key) ?? { line: parent, role, items: [] };
      found.set(key, list);
      const isForm = role === 'generic' && isLabelled(view, index);
      const item = { line, title: line, words: '', rank: 0, path: '', ...(isForm ? { isField: true } : {}) };
      list.items.push(item);
      open[line.depth] = item;
    }
    const words = name ?? text;
    if (words === undefined || line.text.startsWith('/') || fieldHolders.has(line)) continue;
    for (const [depth, item] of open.entries()) {
      if (item === undefined) continue;
      if (line.ref !== undefined && isPrice(words)) item.price ??= line;
      if (partsOf(item.line).role === 'row' && fieldHolders.has(item.line)) continue;
      // Of a row, each cell counts; one with a field in it is part of a form.
      if (partsOf(item.line).role === 'row') item.words = `${item.words} ${words}`.trim();
      else if (titleRank(role, words) > item.rank)
        Object.assign(item, {
          title: line.ref === undefined ? item.line : line,
          words,
          rank: titleRank(role, words),
          path: path
            .slice(depth + 1)
            .map((each) => partsOf(each).role)
            .join(' '),
        });
    }
  }
  const isList = ({ items, role }: List): boolean =>
    items.some(({ words }) => words !== '') && (role !== 'generic' || isUniform(items));
  return new Map([...found].filter(([, list]) => isList(list)));

  function numbered(parent: SnapshotLine): string {
    const key = keyOf(parent);
    const count = (seen?.get(key) ?? 0) + 1;
    seen?.set(key, count);
    const own = seen === undefined ? key : `${key} ${count}`;
    keys.set(parent, own);
    return own;
  }
}

/** Whether elements without a role are of one kind: their titles are at the same place and differ, and none is a label. */
function isUniform([first, ...others]: readonly ListItem[]): boolean {
  return (
    first !== undefined &&
    others.every(({ path }) => path === first.path) &&
    new Set([first, ...others].map(({ words }) => words)).size > others.length &&
    [first, ...others].every(({ words }) => words !== '' && !words.endsWith(':'))
  );
}

function titleRank(role: string, words: string): number {
  if (role === 'heading') return 3;
  if (!/\p{L}/u.test(words)) return 0.5;
  // The initials and the time of a message say less than the message.
  if (!/\p{L}.*?\p{L}.*?\p{L}/u.test(words) || isTime(words)) return 0.7;
  return labelRoles.has(role) ? 1 : 2;
}

/** Whether a text is a time, judged in little time: lists are long. */
function isTime(text: string): boolean {
  return text.length <= 20 && /\d:\d\d|\d ?[ap]m\b|\bago$/i.test(text);
}

function isPrice(text: string): boolean {
  return /^[$€£¥]\s?\d[\d.,]*$|^\d[\d.,]*\s?[€£¥]$/.test(text);
}

/** Whether an element holds a text and a field, and nothing else. */
function isLabelled(view: SnapshotView, index: number): boolean {
  const { depth = 0 } = view[index] ?? {};
  const [label, field, next] = view.slice(index + 1, index + 4);
  if (label === undefined || field === undefined || label.depth !== depth + 1) return false;
  return field.depth === label.depth && isField(field) && (next === undefined || next.depth !== field.depth);
}

/** What an element without a role begins with: siblings that begin alike are of one kind. */
function beginning(view: SnapshotView, index: number): string {
  const [line, next, further] = view.slice(index, index + 3);
  if (line === undefined || next === undefined || next.depth <= line.depth) return '';
  return ` ${partsOf(next).role ?? ''}${(further?.depth ?? 0) > next.depth ? ' of several' : ''}`;
}
