import { partsOf, type SnapshotLine, type SnapshotView } from '../browser/snapshot.js';

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

/** The nearest named ancestor of each line. */
export function containersOf(view: SnapshotView): Map<SnapshotLine, SnapshotLine> {
  const containers = new Map<SnapshotLine, SnapshotLine>();
  const path: (SnapshotLine | undefined)[] = [];
  for (const line of view) {
    path.length = line.depth;
    const container = path.at(-1);
    if (container !== undefined) containers.set(line, container);
    path.push(partsOf(line).name === undefined ? container : line);
  }
  return containers;
}

/** The reference of each line, or of its nearest ancestor with one. */
export function ownersOf(view: SnapshotView): Map<SnapshotLine, string> {
  const owners = new Map<SnapshotLine, string>();
  const path: (string | undefined)[] = [];
  for (const line of view) {
    path.length = line.depth;
    const owner = line.ref ?? path.at(-1);
    path.push(owner);
    if (owner !== undefined) owners.set(line, owner);
  }
  return owners;
}
