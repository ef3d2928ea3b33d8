import { roleAndName, type SnapshotLine, type SnapshotView } from './snapshot.js';
import { allNodes, Contents, treeOf, type SnapshotNode } from './snapshot-tree.js';

/** Pairs the lines of two snapshots that belong to the same element. */
export class Pairs {
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

  /** Whether an element has another parent than before. */
  readonly isMoved = ({ line, parent }: SnapshotNode): boolean => {
    const old = this.oldOf.get(line);
    const before = old && this.#oldNodeOf.get(old)?.parent?.line;
    return old !== undefined && before !== (parent && this.oldOf.get(parent.line));
  };

  /** Whether an element's text has changed. */
  isChanged({ line, text }: SnapshotNode): boolean {
    const old = this.oldOf.get(line);
    return (old && this.#oldNodeOf.get(old)?.text) !== text;
  }

  /** The old index of an element in the page. */
  placeBefore({ line }: SnapshotNode): number {
    const old = this.oldOf.get(line);
    return (old && this.#placeOf.get(old)) ?? 0;
  }

  /**
   * The new view with the references that the agent knows, and the lines that lost one because Playwright gave it to
   * another element, e.g. after a frame loaded another document.
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

  /** Playwright keeps an element's reference as long as its role and name don't change. */
  #matchRefs(): void {
    const olds = new Map(this.oldNodes.map(({ line }) => [line.ref, line]));
    for (const { line } of this.newNodes) {
      const old = line.ref === undefined ? undefined : olds.get(line.ref);
      if (old !== undefined && label(old) === label(line)) this.#pair(old, line);
    }
  }

  /** A container with the same content is the same element under another name, e.g. an editor with "modified" in its name. */
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

  /** Pairs unmatched siblings with equal content, then those with a unique text, or a unique role and name. */
  #matchBelow(olds: readonly SnapshotNode[], news: readonly SnapshotNode[]): void {
    this.#matchGroups(olds, news, ({ content }) => content, false);
    this.#matchGroups(olds, news, ({ line }) => line.text, true);
    this.#matchGroups(
      olds,
      news,
      ({ line }) => (roleAndName(line).name === undefined ? line : label(line)),
      true,
    );
    for (const node of news) {
      const old = this.oldOf.get(node.line);
      const before = old && this.#oldNodeOf.get(old);
      if (before !== undefined) this.#matchBelow(before.children, node.children);
    }
  }

  /**
   * Pairs elements that the page replaced in place: without a name, after the same sibling, with the same roles inside,
   * and with a common text if they have descendants.
   */
  matchReplaced(olds = this.oldTree, news = this.newTree): void {
    const hasAnchor = news.some(({ line }) => this.oldOf.has(line));
    if (hasAnchor) {
      const free = replaceable(olds, (line) => this.newOf.get(line));
      const wanted = replaceable(news, (line) => (this.oldOf.has(line) ? line : undefined));
      for (const [place, nodes] of wanted) {
        const candidates = free.get(place) ?? [];
        if (candidates.length !== nodes.length) continue;
        for (const [index, node] of nodes.entries()) {
          const old = candidates[index];
          if (old === undefined || !isAlike(old, node)) continue;
          this.#pair(old.line, node.line);
          this.#matchBelow(old.children, node.children);
        }
      }
    }
    for (const node of news) {
      const old = this.oldOf.get(node.line);
      const before = old && this.#oldNodeOf.get(old);
      if (before !== undefined) this.matchReplaced(before.children, node.children);
    }
  }

  /** Pairs whole subtrees that moved, e.g. into a new wrapper; but not a cell of a new row with an equal cell of another. */
  #matchRest(): void {
    const free = this.newNodes.filter(({ line }) => !this.oldOf.has(line));
    this.#matchGroups(this.oldNodes, free, ({ content }) => content, true);
    for (const { line, parent, children } of free) {
      const old = this.oldOf.get(line);
      if (old === undefined || parent === undefined || children.length > 0) continue;
      const isNew = (node: SnapshotNode): boolean => !this.oldOf.has(node.line);
      if (!isNew(parent) || parent.children.filter(isNew).length * 2 < parent.children.length) continue;
      this.oldOf.delete(line);
      this.newOf.delete(old);
    }
  }

  /**
   * Pairs unmatched nodes with equal keys in order, if both sides have equally many, so that no element is mistaken for a
   * similar neighbour.
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

/** Unmatched siblings without a name, by the counterpart of their previous sibling and the roles inside. */
function replaceable(
  siblings: readonly SnapshotNode[],
  counterpart: (line: SnapshotLine) => SnapshotLine | undefined,
): Map<string, SnapshotNode[]> {
  let anchor = '';
  const free: [string, SnapshotNode][] = [];
  for (const node of siblings) {
    const known = counterpart(node.line);
    if (known !== undefined) anchor = known.ref ?? known.text;
    else if (node.line.ref !== undefined && roleAndName(node.line).name === undefined)
      free.push([`${anchor} ${rolesIn(node)}`, node]);
  }
  return new Map(
    [...groupBy(free, ([place]) => place)].map(([place, entries]) => [
      place,
      entries.map(([, node]) => node),
    ]),
  );
}

function rolesIn({ line, children }: SnapshotNode): string {
  return `${roleAndName(line).role ?? ''}(${children.map(rolesIn).join(' ')})`;
}

function isAlike(old: SnapshotNode, node: SnapshotNode): boolean {
  if (node.children.length === 0) return true;
  const texts = new Set(allNodes(old.children).map(({ line }) => line.text));
  return allNodes(node.children).some(({ line }) => texts.has(line.text));
}

/** Role and name as printed. */
function label({ text }: SnapshotLine): string {
  return /^[a-z]+(?: "(?:[^"\\]|\\.)*")?/.exec(text)?.[0] ?? '';
}

export function groupBy<Item, Key>(items: readonly Item[], key: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}
