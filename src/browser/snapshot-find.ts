import { parseSnapshot } from './snapshot.js';
import { allNodes, printTree, treeOf, type SnapshotNode } from './snapshot-tree.js';

/** The matching lines of a snapshot. */
export interface FoundLines {
  /** How many lines match. */
  count: number;
  /** The matching lines with their ancestors, adjacent siblings and descendants. */
  text: string;
  /** The same text in fewer bytes. */
  shorter: (maxBytes: number) => string;
}

/** How many siblings before and after a matching line are printed. */
const siblingsBeside = 1;

/** Finds lines as the agent sees them; `matches` receives a line without indentation and list marker. */
export function findLines(
  snapshot: string,
  matches: (line: string) => boolean,
  maxBytes: number,
): FoundLines {
  const tree = treeOf(parseSnapshot(snapshot));
  const shown = new Set<SnapshotNode>();
  const whole = new Set<SnapshotNode>();
  const showBelow = (siblings: readonly SnapshotNode[]): void => {
    for (const node of siblings) {
      shown.add(node);
      if (whole.has(node)) continue;
      whole.add(node);
      showBelow(node.children);
    }
  };
  let count = 0;
  const nodes = allNodes(tree);
  for (const siblings of [tree, ...nodes.map(({ children }) => children)])
    for (const [at, { printed, parent, children }] of siblings.entries()) {
      if (!matches(printed.replace(/^- '?/, ''))) continue;
      count++;
      const beside = siblings.slice(Math.max(0, at - siblingsBeside), at + siblingsBeside + 1);
      for (const each of beside) shown.add(each);
      showBelow(children);
      for (let above = parent; above !== undefined && !shown.has(above); above = above.parent)
        shown.add(above);
    }
  const shorter = (bytes: number): string =>
    printTree(tree, { maxBytes: bytes, include: (node) => shown.has(node), whole: true }).join('\n');
  return { count, text: shorter(maxBytes), shorter };
}
