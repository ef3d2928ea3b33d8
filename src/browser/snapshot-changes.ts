import {
  behindOverlay,
  parseSnapshot,
  partsOf,
  roleAndName,
  type SnapshotLine,
  type SnapshotView,
} from './snapshot.js';
import { allNodes, Contents, printTree, treeOf, type SnapshotNode } from './snapshot-tree.js';

export interface SnapshotUpdate {
  view: SnapshotView;
  /** What to send: the whole page condensed, what changed, or one line. */
  text: string;
  kind: 'full' | 'diff' | 'unchanged';
  /** The same in fewer bytes. */
  shorter: (maxBytes: number) => string;
}

/** Two snapshots of a page, in terms of the elements that differ. */
export interface Differences {
  /** Lines of elements that were not there before. */
  added: SnapshotLine[];
  /** Lines of elements that are not there any more. */
  gone: SnapshotLine[];
  /** Elements that are still there and look different, or are elsewhere. */
  changed: { before: SnapshotLine; after: SnapshotLine }[];
}

/** Siblings that are gone and get a line; the others are counted. */
const printedGone = 4;
/** Siblings that a line about their order names. */
const namedInOrder = 10;
/** Characters of an element's words in such a line. */
const longestWords = 30;
/** Roles that structure a page: they say where something is though they may have no name. */
const landmarks = new Set(
  'dialog alertdialog main banner navigation complementary contentinfo search form list table grid tree menu tablist iframe'.split(
    ' ',
  ),
);

/** The whole page, as the agent is to know it from now on, in so many bytes. */
export function showAll(snapshot: string, maxBytes: number): SnapshotUpdate {
  const view = parseSnapshot(snapshot);
  const tree = treeOf(view);
  const shorter = (bytes: number): string => printed(tree, bytes);
  return { view, text: shorter(maxBytes), kind: 'full', shorter };
}

/** Prints a tree in so many bytes. */
function printed(tree: readonly SnapshotNode[], maxBytes: number): string {
  return printTree(tree, { maxBytes }).join('\n');
}

/**
 * Compares what the agent knows with what the page is now. The text holds the lines that were added (`+`), changed
 * (`~`) and are gone (`-`), each under its nearest named ancestor. References of elements that only moved, were
 * wrapped or got another reference go on working under the names that the agent knows.
 */
export function showChanges(known: SnapshotView, snapshot: string, maxBytes: number): SnapshotUpdate {
  const pairs = new Pairs(known, behindOverlay(known, parseSnapshot(snapshot)));
  const { view, renamed } = pairs.knownNow();
  const print = (bytes: number): { text: string; isDiff: boolean } => {
    const text = new ChangePrinter(pairs, renamed, bytes).print().join('\n');
    const size = Buffer.byteLength(text);
    if (size < snapshot.length / 10 && size < bytes) return { text, isDiff: true };
    const all = printed(pairs.newTree, bytes);
    return size < Buffer.byteLength(all) ? { text, isDiff: true } : { text: all, isDiff: false };
  };
  const { text, isDiff } = print(maxBytes);
  if (isDiff && text === '')
    return { view, text: 'Unchanged.', kind: 'unchanged', shorter: () => 'Unchanged.' };
  const shorter = (bytes: number): string => print(bytes).text;
  return isDiff ? { view, text, kind: 'diff', shorter } : { view: pairs.now, text, kind: 'full', shorter };
}

/** What the agent knows, with current refs: for a snapshot that it was not shown. */
export function refreshRefs(known: SnapshotView, snapshot: string): SnapshotView {
  const { now, newOf } = new Pairs(known, behindOverlay(known, parseSnapshot(snapshot)));
  const refs = new Set(now.map((line) => line.ref));
  return known.map((old) => {
    // A dissolved wrapper has no counterpart, and keeps its reference as long as Playwright does.
    const kept = refs.has(old.ref) ? old.ref : undefined;
    const ref = newOf.get(old)?.ref ?? kept;
    return ref === old.ref ? old : { ...old, ref };
  });
}

/** What differs between two snapshots of one document. */
export function differences(before: SnapshotView, after: SnapshotView): Differences {
  const { newNodes, oldNodes, oldOf, newOf, isMoved } = new Pairs(before, after, false);
  return {
    added: newNodes.map(({ line }) => line).filter((line) => !oldOf.has(line)),
    gone: oldNodes.map(({ line }) => line).filter((line) => !newOf.has(line)),
    changed: newNodes.flatMap((node) => {
      const old = oldOf.get(node.line);
      const differs = old !== undefined && (old.text !== node.line.text || isMoved(node));
      return differs ? [{ before: old, after: node.line }] : [];
    }),
  };
}

/** Which line of a snapshot is which of another one. */
class Pairs {
  readonly oldTree: SnapshotNode[];
  readonly newTree: SnapshotNode[];
  readonly oldNodes: SnapshotNode[];
  readonly newNodes: SnapshotNode[];
  readonly oldOf = new Map<SnapshotLine, SnapshotLine>();
  readonly newOf = new Map<SnapshotLine, SnapshotLine>();
  readonly #placeOf = new Map<SnapshotLine, number>();
  readonly #oldNodeOf = new Map<SnapshotLine, SnapshotNode>();

  constructor(
    readonly known: SnapshotView,
    readonly now: SnapshotView,
    brief = true,
  ) {
    const contents = new Contents();
    this.oldTree = treeOf(known, { contents, brief });
    this.newTree = treeOf(now, { contents, brief });
    this.oldNodes = allNodes(this.oldTree);
    this.newNodes = allNodes(this.newTree);
    for (const [place, node] of this.oldNodes.entries()) {
      this.#oldNodeOf.set(node.line, node);
      this.#placeOf.set(node.line, place);
    }
    this.#matchRefs();
    this.#matchContainers();
    this.#matchBelow(this.oldTree, this.newTree);
    this.#matchRest();
  }

  /** Whether an element is below another one than before. */
  readonly isMoved = ({ line, parent }: SnapshotNode): boolean => {
    const old = this.oldOf.get(line);
    const before = old && this.#oldNodeOf.get(old)?.parent?.line;
    return old !== undefined && before !== (parent && this.oldOf.get(parent.line));
  };

  /** Whether an element looks different from before. */
  isChanged({ line, text }: SnapshotNode): boolean {
    const old = this.oldOf.get(line);
    return (old && this.#oldNodeOf.get(old)?.text) !== text;
  }

  /** Where an element was among all of the page. */
  placeBefore({ line }: SnapshotNode): number {
    const old = this.oldOf.get(line);
    return (old && this.#placeOf.get(old)) ?? 0;
  }

  /**
   * The new view under the names that the agent knows, and the lines that lost such a name because Playwright has given
   * it to another element, as after a frame has loaded another document.
   */
  knownNow(): { view: SnapshotView; renamed: ReadonlySet<SnapshotLine> } {
    const owner = new Map(this.now.map((line) => [line.ref, line]));
    const renamed = new Set<SnapshotLine>();
    const view = this.now.map((line) => {
      const names = [...(this.oldOf.get(line)?.shownAs ?? [])];
      if (names.every((name) => line.shownAs.has(name))) return line;
      const own = names.filter((name) => (owner.get(name) ?? line) === line);
      if (own.length < names.length) renamed.add(line);
      return { ...line, shownAs: new Set([...own, ...line.shownAs]) };
    });
    return { view, renamed };
  }

  #pair(old: SnapshotLine, line: SnapshotLine): void {
    this.oldOf.set(line, old);
    this.newOf.set(old, line);
  }

  /** Playwright gives an element the same reference as long as its role and name hold. */
  #matchRefs(): void {
    const olds = new Map(this.oldNodes.map(({ line }) => [line.ref, line]));
    for (const { line } of this.newNodes) {
      const old = line.ref === undefined ? undefined : olds.get(line.ref);
      if (old !== undefined && label(old) === label(line)) this.#pair(old, line);
    }
  }

  /** A container that holds what it held is the same one under another name, such as an editor that says "modified". */
  #matchContainers(): void {
    for (const { line, parent } of this.newNodes.toReversed()) {
      const old = this.oldOf.get(line);
      const before = old && this.#oldNodeOf.get(old)?.parent;
      if (before === undefined || parent === undefined) continue;
      const isFree = !this.oldOf.has(parent.line) && !this.newOf.has(before.line);
      if (isFree && roleAndName(before.line).role === roleAndName(parent.line).role)
        this.#pair(before.line, parent.line);
    }
  }

  /** Of siblings without a counterpart, those of the same content are the same, then those that alone have a text. */
  #matchBelow(olds: readonly SnapshotNode[], news: readonly SnapshotNode[]): void {
    this.#matchGroups(olds, news, ({ content }) => content, false);
    this.#matchGroups(olds, news, ({ line }) => line.text, true);
    for (const node of news) {
      const old = this.oldOf.get(node.line);
      const before = old && this.#oldNodeOf.get(old);
      if (before !== undefined) this.#matchBelow(before.children, node.children);
    }
  }

  /** Whole subtrees that are elsewhere now, such as below a new wrapper. */
  #matchRest(): void {
    this.#matchGroups(this.oldNodes, this.newNodes, ({ content }) => content, true);
  }

  /**
   * Pairs what has no counterpart yet by a key, in order, if both sides have as many of it: an element is never taken
   * for a neighbour that looks the same.
   */
  #matchGroups(
    olds: readonly SnapshotNode[],
    news: readonly SnapshotNode[],
    key: (node: SnapshotNode) => unknown,
    onlySingle: boolean,
  ): void {
    const free = groupBy(
      olds.filter(({ line }) => !this.newOf.has(line)),
      key,
    );
    if (free.size === 0) return;
    const wanted = groupBy(
      news.filter(({ line }) => !this.oldOf.has(line)),
      key,
    );
    for (const [each, nodes] of wanted) {
      const candidates = free.get(each) ?? [];
      if (candidates.length !== nodes.length || (onlySingle && nodes.length > 1)) continue;
      for (const [index, node] of nodes.entries()) {
        const old = candidates[index];
        if (old !== undefined) this.#pair(old.line, node.line);
      }
    }
  }
}

/** Role and name as they are printed. */
function label({ text }: SnapshotLine): string {
  return /^[a-z]+(?: "(?:[^"\\]|\\.)*")?/.exec(text)?.[0] ?? '';
}

/** Prints what differs, in the order of the page. */
class ChangePrinter {
  readonly #lines: string[] = [];
  readonly #goneBelow: Map<SnapshotLine | undefined, SnapshotNode[]>;
  #place: SnapshotNode | undefined;

  constructor(
    readonly pairs: Pairs,
    readonly renamed: ReadonlySet<SnapshotLine>,
    readonly maxBytes: number,
  ) {
    const { oldNodes, newOf } = pairs;
    const tops = oldNodes.filter(
      ({ line, parent }) => !newOf.has(line) && (parent === undefined || newOf.has(parent.line)),
    );
    this.#goneBelow = groupBy(tops, ({ parent }) => parent && newOf.get(parent.line));
  }

  print(): string[] {
    this.#printBelow(undefined, this.pairs.newTree);
    return this.#lines;
  }

  #printBelow(parent: SnapshotNode | undefined, children: readonly SnapshotNode[]): void {
    const gone = groupBy(this.#goneBelow.get(parent?.line) ?? [], (node) => this.#goneLine(node));
    const lines = [...gone].map(([line, { length }]) => (length > 1 ? `${line} (${length} times)` : line));
    const more = lines.length > printedGone ? [`- … ${lines.length - printedGone} more`] : [];
    this.#say('-', parent, [...lines.slice(0, printedGone), ...more]);
    this.#printOrder(parent, children);
    let added: SnapshotNode[] = [];
    const flush = (): void => {
      if (added.length > 0) this.#printAdded(parent, added);
      added = [];
    };
    for (const node of children) {
      if (this.#isNew(node)) {
        added.push(node);
        continue;
      }
      flush();
      this.#printKept(node);
      this.#printBelow(node, node.children);
    }
    flush();
  }

  /** An element that is gone, without its reference, and how much was below it. */
  #goneLine({ printed, children }: SnapshotNode): string {
    const below = allNodes(children).filter((node) => !this.pairs.newOf.has(node.line)).length;
    return `${printed.replace(/ \[ref=\w+\]/, '')}${below === 0 ? '' : ` (and ${below} lines below)`}`;
  }

  #isNew({ line }: SnapshotNode): boolean {
    return !this.pairs.oldOf.has(line);
  }

  #printAdded(parent: SnapshotNode | undefined, added: readonly SnapshotNode[]): void {
    const include = (node: SnapshotNode): boolean => this.#isNew(node);
    this.#say('+', parent, printTree(added, { maxBytes: this.maxBytes, include }));
    // What has been wrapped into something new may have changed as well.
    const kept = allNodes(added).filter(
      (node) => !this.#isNew(node) && node.parent !== undefined && this.#isNew(node.parent),
    );
    for (const node of kept) {
      this.#printKept(node);
      this.#printBelow(node, node.children);
    }
  }

  #printKept(node: SnapshotNode): void {
    const { line, printed, parent } = node;
    const isElsewhere = this.pairs.isMoved(node) && (parent === undefined || !this.#isNew(parent));
    const isChanged = this.pairs.isChanged(node) || this.renamed.has(line);
    if (isChanged || isElsewhere) this.#say('~', parent, [`${printed}${isElsewhere ? ' (moved here)' : ''}`]);
  }

  /** One line for siblings that are in another order. */
  #printOrder(parent: SnapshotNode | undefined, children: readonly SnapshotNode[]): void {
    const kept = children.filter((node) => !this.#isNew(node) && !this.pairs.isMoved(node));
    const places = kept.map((node) => this.pairs.placeBefore(node));
    if (places.every((place, index) => index === 0 || place > (places[index - 1] ?? 0))) return;
    const named = kept.slice(0, namedInOrder).map(({ line }) => line.ref ?? words(line));
    const rest = kept.length > named.length ? `, and ${kept.length - named.length} more` : '';
    this.#say('~', parent, [`order: ${named.join(', ')}${rest}`]);
  }

  /** Prints lines under the nearest ancestor that says where they are. */
  #say(mark: '+' | '-' | '~', parent: SnapshotNode | undefined, lines: readonly string[]): void {
    if (lines.length === 0) return;
    let place = parent;
    while (place !== undefined && !saysWhere(place)) place = place.parent;
    if (place !== undefined && place !== this.#place) this.#lines.push(`  ${place.printed}`);
    this.#place = place;
    const indent = place === undefined ? '' : '  ';
    for (const line of lines) this.#lines.push(`${mark} ${indent}${line}`);
  }
}

function words(line: SnapshotLine): string {
  const { name, text } = partsOf(line);
  return JSON.stringify((name ?? text ?? line.text).slice(0, longestWords));
}

function saysWhere({ line, printed }: SnapshotNode): boolean {
  const { role = '' } = roleAndName(line);
  return landmarks.has(role) || printed.replace(/^- '?/, '').startsWith(`${role} "`);
}

function groupBy<Item, Key>(items: readonly Item[], key: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}
