import { partsOf, type SnapshotLine, type SnapshotView } from '../browser/snapshot.js';
import { stablePart } from '../model/volatile.js';

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
}

/** How a list differs from before: it has more or fewer items, the same ones in another order, or others. */
export interface ListChange {
  how: 'count' | 'order' | 'content';
  list: List;
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
  return compare(listsIn(before, key), listsIn(after, key), ({ line, items }) =>
    [line, ...items.map((item) => item.line)].some((each) => known.has(key(each))),
  );
}

/** The lists of a new document that differ from those at the same place in the one before. */
export function listChangesAcross(before: SnapshotView, after: SnapshotView): ListChange[] {
  const [old, now] = [before, after].map((view) => {
    const seen = new Map<string, number>();
    return listsIn(view, ({ text }) => text, seen);
  });
  return old === undefined || now === undefined ? [] : compare(old, now, () => false);
}

function compare(
  old: ReadonlyMap<string, List>,
  now: ReadonlyMap<string, List>,
  isKnown: (list: List) => boolean,
): ListChange[] {
  return [...now].flatMap(([key, list]): ListChange[] => {
    const then = old.get(key)?.items ?? [];
    const isNew = then.length === 0 && !isKnown(list);
    const isPlain = list.role === 'generic';
    const most = Math.max(then.length, list.items.length);
    if (most < 2 && (isPlain || isNew)) return [];
    if (isNew && (isPlain || controlRoles.has(list.role))) return [];
    const changed = list.items
      .slice(0, maxJudged)
      .filter(({ words }, index) => isChanged(words, then[index]?.words));
    if (then.length !== list.items.length) {
      const old = new Set(then.map(({ words }) => words));
      return [{ how: 'count', list, changed: list.items.filter(({ words }) => !old.has(words)) }];
    }
    if (changed.length === 0) return [];
    const sorted = ({ items }: { items: readonly ListItem[] }): string =>
      JSON.stringify(items.map(({ words }) => words).sort());
    return [{ how: sorted({ items: then }) === sorted(list) ? 'order' : 'content', list, changed }];
  });
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
  for (const [index, line] of view.entries()) {
    path.length = open.length = line.depth;
    path[line.depth] = line;
    const parent = path[line.depth - 1];
    const { role = '', name, text } = partsOf(line);
    if (parent?.ref !== undefined && (itemRoles.has(role) || (role === 'generic' && name === undefined))) {
      const key = `${keys.get(parent) ?? numbered(parent)} ${role}${role === 'generic' ? beginning(view, index) : ''}`;
      const list = found.get(key) ?? { line: parent, role, items: [] };
      found.set(key, list);
      const item = { line, title: line, words: '', rank: 0 };
      list.items.push(item);
      open[line.depth] = item;
    }
    const words = name ?? text;
    if (words === undefined || line.text.startsWith('/')) continue;
    for (const [depth, item] of open.entries()) {
      if (item === undefined) continue;
      // Of a row, each cell counts.
      if (partsOf(path[depth] ?? line).role === 'row') item.words = `${item.words} ${words}`.trim();
      else if (titleRank(role) > item.rank)
        Object.assign(item, {
          title: line.ref === undefined ? item.line : line,
          words,
          rank: titleRank(role),
        });
    }
  }
  const isList = ({ items, role }: List): boolean =>
    items.some(({ words }) => words !== '') &&
    // A label and its value are no list.
    !(role === 'generic' && items.some(({ words }) => words.endsWith(':')));
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

function titleRank(role: string): number {
  if (role === 'heading') return 3;
  return labelRoles.has(role) ? 1 : 2;
}

/** What an element without a role begins with: siblings that begin alike are of one kind. */
function beginning(view: SnapshotView, index: number): string {
  const [line, next] = [view[index], view[index + 1]];
  return line !== undefined && next !== undefined && next.depth > line.depth
    ? ` ${partsOf(next).role ?? ''}`
    : '';
}
