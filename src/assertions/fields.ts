import { partsOf, type SnapshotLine, type SnapshotView } from '../browser/snapshot.js';

const fieldRoles = new Set(['textbox', 'searchbox', 'combobox', 'spinbutton', 'slider', 'option']);

export function isField(line: SnapshotLine): boolean {
  return fieldRoles.has(partsOf(line).role ?? '');
}

/** The lines around fields that have a value: it is in their names, but no text of theirs. */
export function linesAroundValues(view: SnapshotView): Set<SnapshotLine> {
  return linesAround(view, (line) => {
    const { role, text, states } = partsOf(line);
    return isField(line) && (text !== undefined || (role === 'option' && states.includes('selected')));
  });
}

/** The lines around fields, whatever their values. */
export function linesAroundFields(view: SnapshotView): Set<SnapshotLine> {
  return linesAround(view, (line) => isField(line) && partsOf(line).role !== 'option');
}

function linesAround(view: SnapshotView, isMeant: (line: SnapshotLine) => boolean): Set<SnapshotLine> {
  const found = new Set<SnapshotLine>();
  const path: SnapshotLine[] = [];
  for (const line of view) {
    path.length = line.depth;
    path[line.depth] = line;
    if (isMeant(line)) for (const outer of path.slice(0, -1)) found.add(outer);
  }
  return found;
}
