import { groupBy } from '../browser/snapshot-pairs.js';
import { partsOf, type LineParts, type SnapshotLine, type SnapshotView } from '../browser/snapshot.js';
import { isField, linesAroundFields } from './fields.js';
import { childrenOf } from './nesting.js';
import { stablePart } from '../model/volatile.js';
import { isWeek } from './today.js';

/** How many items of a list are compared, and how many lists that a list may have replaced. */
const maxCompared = 1000;
const maxAlike = 20;
/** How many items around a line contain its words; the outer ones are no records. */
const maxAround = 10;

/** Similar siblings: the items of a list, the rows of a table, links, or generic elements that start alike. */
export interface List {
  /** Their parent. */
  line: SnapshotLine;
  role: string;
  items: ListItem[];
}

export interface ListItem {
  line: SnapshotLine;
  /** The item's first heading, else its first text, else its first control, or the item itself. */
  title: SnapshotLine;
  words: string;
  /** How well the title describes the item. */
  rank: number;
  price?: SnapshotLine;
  /** Whether it contains texts besides links. */
  hasMore?: boolean;
  /** Whether it contains only a label and its field. */
  isField?: boolean;
  /** The roles from the item down to its title, with the level of headings, which are equal for similar items. */
  path: string;
}

/** How a list has changed: its length, the order of its items, or the items themselves. */
export interface ListChange {
  how: 'count' | 'order' | 'content';
  list: List;
  /** Whether neither the list nor its items existed before. */
  isNew: boolean;
  /** Whether it has fewer items than before. */
  isShorter: boolean;
  /** The items that are new or moved. */
  changed: ListItem[];
}

/** Roles whose siblings form a list. */
const itemRoles = new Set(['listitem', 'row', 'option', 'treeitem', 'article', 'menuitem', 'tab']);
/** Roles whose names describe themselves rather than the item around them. */
const labelRoles = new Set(['button', 'checkbox', 'radio', 'switch', 'img', 'textbox', 'combobox']);
/** Roles that are expected when their container opens. */
const controlRoles = new Set(['menuitem', 'tab']);

/** The lists that differ between two snapshots of a document. */
export function listChanges(before: SnapshotView, after: SnapshotView): ListChange[] {
  const key = ({ ref, text }: SnapshotLine): string => ref ?? text;
  const known = new Set(before.map(key));
  const now = listsIn(after, key);
  const [shown, shows] = [countsIn(before), countsIn(after)];
  return compare(replaced(listsIn(before, key), now), now, {
    isKnown: (line) => known.has(key(line)),
    isRegrouped: (items) =>
      items.every(({ words, title }) => words === textIn(title) && shown.get(words) === shows.get(words)),
  });
}

/** How often a snapshot shows each text. */
function countsIn(view: SnapshotView): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of view.map(textIn)) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
}

function textIn(line: SnapshotLine): string {
  const { name, text } = partsOf(line);
  return text ?? name ?? '';
}

/** The old lists by their current keys: if a page replaces its elements, the same list gets another key. */
function replaced(old: ReadonlyMap<string, List>, now: ReadonlyMap<string, List>): Map<string, List> {
  const kindOf = ([key, { line, role }]: [string, List]): string =>
    `${line.text} ${role} ${key.slice(key.indexOf(' '))}`;
  const wordsIn = ({ items }: List): Set<string> => new Set(items.map(({ words }) => words));
  const found = new Map([...old].filter(([key]) => now.has(key)));
  const free = groupBy(
    [...old].filter(([key]) => !now.has(key)).map((entry) => ({ entry, words: wordsIn(entry[1]) })),
    ({ entry }) => kindOf(entry),
  );
  for (const [key, list] of now) {
    const alike = free.get(kindOf([key, list]));
    if (old.has(key) || alike === undefined) continue;
    const words = wordsIn(list);
    const shared = alike.slice(0, maxAlike).map((then) => [...then.words].filter((each) => words.has(each)));
    const most = Math.max(...shared.map(({ length }) => length));
    const [best] = alike.splice(
      Math.max(
        0,
        shared.findIndex(({ length }) => length === most),
      ),
      1,
    );
    if (best !== undefined) found.set(key, best.entry[1]);
  }
  return found;
}

/** The lists of a new document that differ from those in the same place of the previous one. */
export function listChangesAcross(before: SnapshotView, after: SnapshotView): ListChange[] {
  const [old, now] = [before, after].map((view) => {
    const seen = new Map<string, number>();
    return listsIn(view, ({ text }) => text, seen);
  });
  return old === undefined || now === undefined
    ? []
    : compare(old, now, { isKnown: () => false, isRegrouped: () => false }).filter(
        // The menus of a new page, and what is alone in the place of a list of the previous page.
        ({ isNew, list: { role, items } }) =>
          !(isNew && role === 'link') && (items.length > 1 || !['generic', 'link'].includes(role)),
      );
}

export function itemsIn(view: SnapshotView): Set<SnapshotLine> {
  const lists = listsIn(view, ({ ref, text }) => ref ?? text);
  return new Set([...lists.values()].flatMap(({ items }) => items.map(({ line }) => line)));
}

interface Comparing {
  /** Whether an element existed before. */
  isKnown: (line: SnapshotLine) => boolean;
  /** Whether items only are in other containers than before. */
  isRegrouped: (items: readonly ListItem[]) => boolean;
}

function compare(
  old: ReadonlyMap<string, List>,
  now: ReadonlyMap<string, List>,
  { isKnown, isRegrouped }: Comparing,
): ListChange[] {
  return [...now].flatMap(([key, list]): ListChange[] => {
    const then = old.get(key)?.items ?? [];
    const isNew = then.length === 0 && ![list.line, ...list.items.map(({ line }) => line)].some(isKnown);
    const isPlain = list.role === 'generic' || list.role === 'link';
    const most = Math.max(then.length, list.items.length);
    if (most < 2 && (isPlain || isNew)) return [];
    // A locator that matches a single element might not match the others.
    if (isPlain && list.items.length === 1 && then.length < 2) return [];
    // Parts of a sentence, and the options of a field, are not a new list.
    if (
      isNew &&
      (controlRoles.has(list.role) || (most < 3 && isPlain && list.items.some(({ path }) => path === '')))
    )
      return [];
    if (isNew && isPlain && areSections(list.items)) return [];
    // Labels with values, such as HTTP headers, are not a list.
    if (isPlain && list.items.every(({ words }) => /^[\w-]+: \S/.test(words))) return [];
    // Two adjacent texts are a label and its value.
    if (isPlain && most < 3 && list.items.every(({ path }) => path === '')) return [];
    if (then.length === 0 && isOfField(list) && !isKnown(list.line)) return [];
    if (isPlain && [...then, ...list.items].some(({ isField }) => isField === true)) return [];
    if (isPager(list.items) || (isNew && isPlain && isNumbering(list.items))) return [];
    if (then.length !== list.items.length && isRegrouped([...then, ...list.items])) return [];
    // The weeks of a calendar change with the month.
    if (list.role === 'row' && list.items.filter(({ words }) => isWeek(words)).length > 2) return [];
    // Existing elements that have become similar are not a list that has grown.
    if (isPlain && then.length === 0 && list.items.some(({ line }) => isKnown(line))) return [];
    const changed = list.items
      .slice(0, maxCompared)
      // A row without text contains or contained a form.
      .filter(
        ({ words }, index) =>
          then[index]?.words !== '' &&
          (words !== '' || list.role !== 'row') &&
          isChanged(words, then[index]?.words),
      );
    if (then.length !== list.items.length) {
      const old = new Set(then.map(({ words }) => words));
      const added = list.items.filter(({ words }) => !old.has(words));
      return [{ how: 'count', list, isNew, isShorter: then.length > list.items.length, changed: added }];
    }
    if (changed.length === 0) return [];
    const sorted = ({ items }: { items: readonly ListItem[] }): string =>
      JSON.stringify(items.map(({ words }) => words).sort());
    const how = sorted({ items: then }) === sorted(list) ? 'order' : 'content';
    // Tabs and menu items with other names are the same controls in another mode.
    return how === 'content' && controlRoles.has(list.role)
      ? []
      : [{ how, list, isNew, isShorter: false, changed }];
  });
}

/** Whether elements are sections of a panel rather than records: one or two with headings, without prices. */
function areSections(items: readonly ListItem[]): boolean {
  return (
    items.length < 3 &&
    items.every(({ title, price }) => partsOf(title).role === 'heading' && price === undefined)
  );
}

/** Whether items lead from page to page of another list, which shows where they led. */
function isPager(items: readonly ListItem[]): boolean {
  const all = items.map(({ words }) => words).join('');
  return (
    items.every(({ words }) => /^(?:\d+|first|prev(?:ious)?|next|last|[^\p{L}\d]{0,3})$/iu.test(words)) &&
    (/\p{L}/u.test(all) || /\d[^\d]/.test(all))
  );
}

/** Whether items only count what is beside them, such as the line numbers of an editor. */
function isNumbering(items: readonly ListItem[]): boolean {
  return items.every(({ words }, index) => words === String(index + 1));
}

/** Whether the items are the options of a field. */
function isOfField({ line }: List): boolean {
  return partsOf(line).role === 'combobox';
}

function isChanged(words: string, before: string | undefined): boolean {
  return words !== before && stable(words) !== stable(before);
}

/** Replaces times, dates and generated ids by patterns. */
function stable(words = ''): string {
  return stablePart(words, ['passing'])?.regex ?? words;
}

/** The lists of a view by the key of their parent; `seen` numbers parents with equal keys. */
function listsIn(
  view: SnapshotView,
  keyOf: (line: SnapshotLine) => string,
  seen?: Map<string, number>,
): Map<string, List> {
  const found = new Map<string, List>();
  const path: SnapshotLine[] = [];
  const keys = new Map<SnapshotLine, string>();
  /** The items around the current line, by depth. */
  const open: (ListItem | undefined)[] = [];
  const fieldHolders = linesAroundFields(view);
  const within = childrenOf(view);
  const linkParents = new Set<SnapshotLine | undefined>(
    [...within].flatMap(([parent, children]) =>
      children.every((child) => /^(?:link|separator)$/.test(partsOf(child).role ?? '')) ? [parent] : [],
    ),
  );
  for (const [index, line] of view.entries()) {
    path.length = open.length = line.depth;
    path[line.depth] = line;
    const parent = path[line.depth - 1];
    const { role = '', name, text } = partsOf(line);
    const isItem =
      (itemRoles.has(role) && !isHeader(within.get(line))) ||
      (role === 'generic' && name === undefined) ||
      (role === 'link' && linkParents.has(parent));
    if (parent?.ref !== undefined && isItem) {
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
    for (let depth = line.depth, left = maxAround; depth >= 0 && left > 0; depth--) {
      const item = open[depth];
      if (item === undefined) continue;
      left--;
      if (line.ref !== undefined && isPrice(words)) item.price ??= line;
      if (role !== 'link' && depth < line.depth) item.hasMore = true;
      if (partsOf(item.line).role === 'row' && fieldHolders.has(item.line)) continue;
      // All cells of a row count; a row with a field is part of a form.
      if (partsOf(item.line).role === 'row') {
        // A cell is named by the link in it.
        const isSaid = parent !== undefined && parent !== item.line && partsOf(parent).name === words;
        if (!isSaid) item.words = `${item.words} ${words}`.trim();
      } else if (titleRank(role, words) > item.rank)
        Object.assign(item, {
          title: line.ref === undefined ? item.line : line,
          words,
          rank: titleRank(role, words),
          path: path
            .slice(depth + 1)
            .map((each) => roleWithLevel(partsOf(each)))
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

/** Whether the cells of a row are the headers of columns; a column without a name has an empty cell. */
export function isHeader(cells: readonly SnapshotLine[] = []): boolean {
  const named = cells.filter((cell) => textIn(cell) !== '');
  return named.length > 0 && named.every((cell) => partsOf(cell).role === 'columnheader');
}

/** Headings of different levels are titles of different things. */
function roleWithLevel({ role = '', states }: LineParts): string {
  return [role, ...states.filter((state) => state.startsWith('level='))].join(' ');
}

/** Whether generic elements are similar: their titles have equal paths and different words, and none is a label. */
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
  // Initials and times say less than a message.
  if (!/\p{L}.*?\p{L}.*?\p{L}/u.test(words) || isTime(words)) return 0.7;
  return labelRoles.has(role) ? 1 : 2;
}

/** Whether a text is a time; a cheap check, since lists may be long. */
function isTime(text: string): boolean {
  return text.length <= 20 && /\d:\d\d|\d ?[ap]m\b|\bago$/i.test(text);
}

export function isPrice(text: string): boolean {
  return /^[$€£¥]\s?\d[\d.,]*$|^\d[\d.,]*\s?[€£¥]$/.test(text);
}

/** Whether an element contains only a text and a field. */
function isLabelled(view: SnapshotView, index: number): boolean {
  const { depth = 0 } = view[index] ?? {};
  const [label, field, next] = view.slice(index + 1, index + 4);
  if (label === undefined || field === undefined || label.depth !== depth + 1) return false;
  return field.depth === label.depth && isField(field) && (next === undefined || next.depth !== field.depth);
}

/** How a generic element starts: siblings that start alike form a list. */
function beginning(view: SnapshotView, index: number): string {
  const [line, next, further] = view.slice(index, index + 3);
  if (line === undefined || next === undefined || next.depth <= line.depth) return '';
  return ` ${partsOf(next).role ?? ''}${(further?.depth ?? 0) > next.depth ? ' of several' : ''}`;
}
