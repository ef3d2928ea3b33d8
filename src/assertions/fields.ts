import { partsOf, type SnapshotLine, type SnapshotView } from '../browser/snapshot.js';

const fieldRoles = new Set(['textbox', 'searchbox', 'combobox', 'spinbutton', 'slider', 'option']);

export function isField(line: SnapshotLine): boolean {
  return fieldRoles.has(partsOf(line).role ?? '');
}

/** The ancestors of fields with a value, whose names contain it though it is not their text. */
export function linesAroundValues(view: SnapshotView): Set<SnapshotLine> {
  return linesAround(view, (line) => {
    const { role, text, states } = partsOf(line);
    return isField(line) && (text !== undefined || (role === 'option' && states.includes('selected')));
  });
}

/** The ancestors of fields. */
export function linesAroundFields(view: SnapshotView): Set<SnapshotLine> {
  return linesAround(view, (line) => isField(line) && partsOf(line).role !== 'option');
}

function linesAround(view: SnapshotView, matches: (line: SnapshotLine) => boolean): Set<SnapshotLine> {
  const found = new Set<SnapshotLine>();
  const path: SnapshotLine[] = [];
  for (const line of view) {
    path.length = line.depth;
    path[line.depth] = line;
    if (matches(line)) for (const outer of path.slice(0, -1)) found.add(outer);
  }
  return found;
}
