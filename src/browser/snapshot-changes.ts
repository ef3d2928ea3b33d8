import {
  behindOverlay,
  parseSnapshot,
  partsOf,
  roleAndName,
  type SnapshotLine,
  type SnapshotView,
} from './snapshot.js';
import { groupBy, Pairs } from './snapshot-pairs.js';
import { allNodes, printTree, treeOf, type SnapshotNode } from './snapshot-tree.js';

interface SnapshotUpdate {
  view: SnapshotView;
  /** The text for the agent: the whole page condensed, the changes, or one line. */
  text: string;
  kind: 'full' | 'diff' | 'unchanged';
  /** The same text in fewer bytes. */
  shorter: (maxBytes: number) => string;
}

/** The elements that differ between two snapshots. */
interface Differences {
  added: SnapshotLine[];
  gone: SnapshotLine[];
  /** Elements that changed or moved. */
  changed: { before: SnapshotLine; after: SnapshotLine }[];
}

/** How many removed siblings get a line; the others are counted. */
const printedGone = 4;
/** How many siblings a line about their order names. */
const namedInOrder = 10;
/** Maximum length of an element's text in such a line. */
const longestWords = 30;
/** Roles that structure a page, which locate a change even without a name. */
const landmarks = new Set(
  'dialog alertdialog main banner navigation complementary contentinfo search form list table grid tree menu tablist iframe'.split(
    ' ',
  ),
);

/** Shows the whole page within `maxBytes`. */
export function showAll(snapshot: string, maxBytes: number): SnapshotUpdate {
  const view = parseSnapshot(snapshot);
  const tree = treeOf(view);
  const shorter = (bytes: number): string => printed(tree, bytes);
  return { view, text: shorter(maxBytes), kind: 'full', shorter };
}

function printed(tree: readonly SnapshotNode[], maxBytes: number): string {
  return printTree(tree, { maxBytes }).join('\n');
}

/**
 * Shows what changed since the agent last saw the page: lines that were added (`+`), changed (`~`) and removed (`-`), each
 * under its nearest named ancestor. The references that the agent knows stay valid for elements that moved, were wrapped
 * or got another reference.
 */
export function showChanges(known: SnapshotView, snapshot: string, maxBytes: number): SnapshotUpdate {
  return printChanges(pairsOf(known, snapshot), snapshot.length, maxBytes);
}

/** Which line of a snapshot is which of what is known: the first half of `showChanges`. */
export function pairsOf(known: SnapshotView, snapshot: string): Pairs {
  return new Pairs(known, behindOverlay(known, parseSnapshot(snapshot)));
}

/** The second half. */
export function printChanges(pairs: Pairs, snapshotLength: number, maxBytes: number): SnapshotUpdate {
  const { view, renamed } = pairs.knownNow();
  const print = (bytes: number): { text: string; isDiff: boolean } => {
    const text = new ChangePrinter(pairs, renamed, bytes).print().join('\n');
    const size = Buffer.byteLength(text);
    if (size < snapshotLength / 10 && size < bytes) return { text, isDiff: true };
    const all = printed(pairs.newTree, bytes);
    return size < Buffer.byteLength(all) ? { text, isDiff: true } : { text: all, isDiff: false };
  };
  const { text, isDiff } = print(maxBytes);
  if (isDiff && text === '')
    return { view, text: 'Unchanged.', kind: 'unchanged', shorter: () => 'Unchanged.' };
  const shorter = (bytes: number): string => print(bytes).text;
  return isDiff ? { view, text, kind: 'diff', shorter } : { view: pairs.now, text, kind: 'full', shorter };
}

/** Updates the refs of what the agent knows from a snapshot that it does not see. */
export function refreshRefs(known: SnapshotView, snapshot: string): SnapshotView {
  const { now, newOf } = pairsOf(known, snapshot);
  const refs = new Set(now.map((line) => line.ref));
  return known.map((old) => {
    // A merged wrapper has no counterpart; its reference is valid as long as Playwright keeps it.
    const kept = refs.has(old.ref) ? old.ref : undefined;
    const ref = newOf.get(old)?.ref ?? kept;
    return ref === old.ref ? old : { ...old, ref };
  });
}

/** Compares two snapshots of a document. */
export function differences(before: SnapshotView, after: SnapshotView): Differences {
  const pairs = new Pairs(before, after, false);
  pairs.matchReplaced();
  const { newNodes, oldNodes, oldOf, newOf, isMoved } = pairs;
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

/** Prints changes in page order. */
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

  /** A removed element without its reference, and the number of lines below it. */
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
    // Existing elements inside a new wrapper may have changed as well.
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

  /** Prints one line if siblings are in another order. */
  #printOrder(parent: SnapshotNode | undefined, children: readonly SnapshotNode[]): void {
    const kept = children.filter((node) => !this.#isNew(node) && !this.pairs.isMoved(node));
    const places = kept.map((node) => this.pairs.placeBefore(node));
    if (places.every((place, index) => index === 0 || place > (places[index - 1] ?? 0))) return;
    const named = kept.slice(0, namedInOrder).map(({ line }) => line.ref ?? words(line));
    const rest = kept.length > named.length ? `, and ${kept.length - named.length} more` : '';
    this.#say('~', parent, [`order: ${named.join(', ')}${rest}`]);
  }

  /** Prints lines under the nearest ancestor that locates them. */
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
