import type { SnapshotLine, SnapshotView } from '../browser/snapshot.js';

/** The parent of each line. */
export function parentsOf(view: SnapshotView): Map<SnapshotLine, SnapshotLine> {
  const parents = new Map<SnapshotLine, SnapshotLine>();
  const path: SnapshotLine[] = [];
  for (const line of view) {
    path.length = line.depth;
    const parent = path.at(-1);
    if (parent !== undefined) parents.set(line, parent);
    path[line.depth] = line;
  }
  return parents;
}

/** The children of each line. */
export function childrenOf(view: SnapshotView): Map<SnapshotLine, SnapshotLine[]> {
  const children = new Map<SnapshotLine, SnapshotLine[]>();
  for (const [line, parent] of parentsOf(view)) {
    const known = children.get(parent);
    if (known === undefined) children.set(parent, [line]);
    else known.push(line);
  }
  return children;
}

/** The lines below a line, in its element. */
export function linesIn(view: SnapshotView, line: SnapshotLine): SnapshotView {
  const start = view.indexOf(line) + 1;
  const end = view.findIndex(({ depth }, index) => index >= start && depth <= line.depth);
  return view.slice(start, end < 0 ? undefined : end);
}
