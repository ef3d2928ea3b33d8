import { diffArrays } from 'diff';

/** One line of Playwright's AI snapshot. */
export interface SnapshotLine {
  /** Levels of indentation. */
  depth: number;
  /** The line as Playwright printed it. */
  raw: string;
  /** The line without its reference and without `[active]`: what two snapshots are compared by. */
  text: string;
  /** The reference that Playwright knows the element by now. */
  ref: string | undefined;
  /** Every reference under which the agent was shown this line. */
  shownAs: ReadonlySet<string>;
}

/** What the agent has been shown of a page, kept in step with what the page is now. */
export type SnapshotView = readonly SnapshotLine[];

export interface SnapshotUpdate {
  view: SnapshotView;
  /** What to send: the whole snapshot, the lines that changed with the path to them, or one line. */
  text: string;
  kind: 'full' | 'diff' | 'unchanged';
}

/** Reads a snapshot as `page.ariaSnapshot({ mode: 'ai' })` prints it. */
export function parseSnapshot(snapshot: string): SnapshotView {
  return snapshot
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((raw) => {
      const indent = raw.search(/[^ ]/);
      const { head, attributes, tail } = takeApart(raw.slice(indent + 2));
      const ref = / \[ref=(\w+)\]/.exec(attributes)?.[1];
      return {
        depth: indent / 2,
        raw,
        text: head + attributes.replace(/ \[(?:ref=\w+|active)\]/g, '') + tail,
        ref,
        shownAs: new Set(ref === undefined ? [] : [ref]),
      };
    });
}

/**
 * Splits `button "Save" [disabled] [ref=e2]: text` around its attributes. Names and texts come from the page and may
 * look like attributes, so the name is stepped over as the quoted string that it is.
 */
function takeApart(entry: string): { head: string; attributes: string; tail: string } {
  const quoted = /^'((?:[^']|'')*)'/.exec(entry);
  const key = quoted?.[1]?.replaceAll("''", "'") ?? entry;
  const rest = quoted === null ? '' : entry.slice(quoted[0].length);
  const parts = /^([a-z]+(?: "(?:[^"\\]|\\.)*"| \/(?:[^/\\]|\\.)*\/)?)((?: \[[^\]]*\])+)/.exec(key);
  if (parts === null) return { head: key, attributes: '', tail: rest };
  const [whole, head = '', attributes = ''] = parts;
  return { head, attributes, tail: key.slice(whole.length) + rest };
}

/** The whole page, as the agent is to know it from now on. */
export function showAll(snapshot: string): SnapshotUpdate {
  return { view: parseSnapshot(snapshot), text: snapshot, kind: 'full' };
}

/**
 * Compares what the agent knows with what the page is now. The text holds the lines that changed (`-` gone, `+`
 * new) under the path down to them; a change of more than half the page is sent whole. References of unchanged
 * lines go on working under the names the agent knows.
 */
export function showChanges(known: SnapshotView, snapshot: string): SnapshotUpdate {
  const now = parseSnapshot(snapshot);
  const changes = compare(known, now);
  if (changes === undefined) return showAll(snapshot);

  const view: SnapshotLine[] = [];
  const shown: string[] = [];
  const printed = new Set<SnapshotLine>();
  let path: SnapshotLine[] = [];
  let printedDepth = 0;
  let knownIndex = 0;
  let refsMoved = false;

  /** Prints the part of the path to a line that has not been printed yet. */
  const printPath = (depth: number): void => {
    for (; printedDepth < depth; printedDepth++) {
      const ancestor = path[printedDepth];
      if (ancestor === undefined) continue;
      shown.push(`  ${ancestor.raw}`);
      printed.add(ancestor);
    }
  };
  const enter = (line: SnapshotLine): void => {
    path = [...path.slice(0, line.depth), line];
    printedDepth = Math.min(printedDepth, line.depth);
  };

  for (const change of changes) {
    for (let count = 0; count < change.count; count++) {
      if (change.removed) {
        const gone = known[knownIndex++];
        if (gone === undefined) continue;
        printedDepth = Math.min(printedDepth, gone.depth);
        printPath(Math.min(gone.depth, path.length));
        shown.push(`- ${gone.raw}`);
        continue;
      }
      const fresh = now[view.length];
      if (fresh === undefined) continue;
      if (change.added) {
        enter(fresh);
        printPath(fresh.depth);
        printedDepth = fresh.depth + 1;
        shown.push(`+ ${fresh.raw}`);
        view.push(fresh);
        continue;
      }
      const old = known[knownIndex++];
      if (old?.ref !== fresh.ref) refsMoved = true;
      const line = { ...fresh, shownAs: old?.shownAs ?? fresh.shownAs };
      enter(line);
      view.push(line);
    }
  }

  // A line of the path is printed with the reference of now, which the agent knows from then on too.
  const next = view.map((line) =>
    printed.has(line) && line.ref !== undefined
      ? { ...line, shownAs: new Set([...line.shownAs, line.ref]) }
      : line,
  );
  const text = shown.join('\n');
  if (ambiguous(next) || text.length > snapshot.length / 2) return showAll(snapshot);
  if (shown.length > 0) return { view: next, text, kind: 'diff' };
  return {
    view: next,
    text: refsMoved ? 'Unchanged but for element references; the ones you have go on working.' : 'Unchanged.',
    kind: 'unchanged',
  };
}

/** What the agent knows, with the references of now: for when a snapshot was taken that it was not shown. */
export function refreshRefs(known: SnapshotView, snapshot: string): SnapshotView {
  const now = parseSnapshot(snapshot);
  const changes = compare(known, now) ?? [];
  const view: SnapshotLine[] = [];
  let nowIndex = 0;
  for (const change of changes) {
    for (let count = 0; count < change.count; count++) {
      if (change.added) nowIndex++;
      else {
        const line = known[view.length];
        const ref = change.removed ? undefined : now[nowIndex++]?.ref;
        if (line !== undefined) view.push({ ...line, ref });
      }
    }
  }
  return view;
}

/** The line that a reference from the agent means, if its element is still there. */
export function lineOfRef(view: SnapshotView, ref: string): SnapshotLine | undefined {
  return view.find((line) => line.shownAs.has(ref) && line.ref !== undefined);
}

/** Whether one reference would mean two lines, as after a frame has loaded another document. */
function ambiguous(view: SnapshotView): boolean {
  const owner = new Map<string, SnapshotLine>();
  return view.some((line) =>
    [...line.shownAs, ...(line.ref === undefined ? [] : [line.ref])].some((ref) => {
      const other = owner.get(ref);
      owner.set(ref, line);
      return other !== undefined && other !== line;
    }),
  );
}

/** Undefined where the two have too little in common to be compared in time. */
function compare(known: SnapshotView, now: SnapshotView): ReturnType<typeof diffArrays<string>> | undefined {
  const comparable = (line: SnapshotLine): string => `${line.depth} ${line.text}`;
  return diffArrays(known.map(comparable), now.map(comparable), { timeout: 200 });
}

/** Role and accessible name of an element, as its line tells them. */
export function roleAndName({ text }: SnapshotLine): { role: string | undefined; name: string | undefined } {
  const parts = /^([a-z]+)(?: ("(?:[^"\\]|\\.)*"))?/.exec(text);
  const name: unknown = parts?.[2] === undefined ? undefined : JSON.parse(parts[2]);
  return { role: parts?.[1], name: typeof name === 'string' ? name : undefined };
}
