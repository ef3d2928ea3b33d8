import { diffArrays } from 'diff';

/** Milliseconds for comparing two snapshots. */
const compareMs = 200;

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
  /** Whether it is what has the focus. */
  active: boolean;
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

/** A line with what stands below it. */
interface Tree {
  line: SnapshotLine;
  children: Tree[];
  /** The texts of the line and all below it: equal for what looks the same. */
  content: string;
}

/** One line of the comparison, in the order of the page. */
type Change =
  | { kind: 'same'; old: SnapshotLine; line: SnapshotLine }
  | { kind: 'added'; line: SnapshotLine }
  | { kind: 'gone'; old: SnapshotLine };

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
        active: attributes.includes(' [active]'),
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
  const changes = compare(known, parseSnapshot(snapshot));
  if (changes === undefined) return showAll(snapshot);

  const view: SnapshotLine[] = [];
  const text: string[] = [];
  let refsMoved = false;
  /** Where in the view the lines of the path stand, and how many of them have been printed. */
  let path: number[] = [];
  let printed = 0;
  const enter = (depth: number): void => {
    path = path.slice(0, depth);
    printed = Math.min(printed, depth);
  };
  const printPath = (): void => {
    for (const index of path.slice(printed)) {
      const line = view[index];
      if (line === undefined) continue;
      text.push(`  ${line.raw}`);
      // The path is printed with the references of now, which the agent knows from then on too.
      if (line.ref !== undefined) view[index] = { ...line, shownAs: new Set([...line.shownAs, line.ref]) };
    }
    printed = path.length;
  };

  for (const change of changes) {
    if (change.kind === 'gone') {
      enter(change.old.depth);
      printPath();
      text.push(`- ${change.old.raw}`);
      continue;
    }
    const { line } = change;
    enter(line.depth);
    if (change.kind === 'added') {
      printPath();
      text.push(`+ ${line.raw}`);
      printed++;
      view.push(line);
    } else {
      if (change.old.ref !== line.ref) refsMoved = true;
      view.push({ ...line, shownAs: change.old.shownAs });
    }
    path.push(view.length - 1);
  }

  if (ambiguous(view) || text.join('\n').length > snapshot.length / 2) return showAll(snapshot);
  if (text.length > 0) return { view, text: text.join('\n'), kind: 'diff' };
  const moved = 'Unchanged but for element references; the ones you have go on working.';
  return { view, text: refsMoved ? moved : 'Unchanged.', kind: 'unchanged' };
}

/** What the agent knows, with the references of now: for when a snapshot was taken that it was not shown. */
export function refreshRefs(known: SnapshotView, snapshot: string): SnapshotView {
  const now = parseSnapshot(snapshot);
  const refs = new Set(now.map((line) => line.ref));
  return (compare(known, now) ?? []).flatMap((change) => {
    if (change.kind === 'added') return [];
    // An element that only looks different is gone as a line, not as an element.
    const lasting = refs.has(change.old.ref) ? change.old.ref : undefined;
    return [{ ...change.old, ref: change.kind === 'same' ? change.line.ref : lasting }];
  });
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

/**
 * Compares as trees: a line is the same where its reference is (Playwright gives an element the same one as long as
 * role and name hold), or where what vanished and what came look alike. Undefined where that takes too long.
 */
function compare(known: SnapshotView, now: SnapshotView): Change[] | undefined {
  const refsOf = (view: SnapshotView): Set<string | undefined> => new Set(view.map((line) => line.ref));
  const [oldRefs, newRefs] = [refsOf(known), refsOf(now)];
  const lasting = (ref: string | undefined): ref is string =>
    ref !== undefined && oldRefs.has(ref) && newRefs.has(ref);
  const deadline = performance.now() + compareMs;

  function siblings(olds: Tree[], news: Tree[]): Change[] | undefined {
    const identity = ({ line, content }: Tree): string =>
      lasting(line.ref) ? `${line.ref}\n${content}` : content;
    const left = Math.max(1, deadline - performance.now());
    const runs = diffArrays(olds.map(identity), news.map(identity), { timeout: left });
    if (runs === undefined) return undefined;
    const changes: Change[] = [];
    let [oldIndex, newIndex] = [0, 0];
    let gone: Tree[] = [];
    let added: Tree[] = [];
    const flush = (): boolean => {
      const gap = changedSiblings(gone, added);
      [gone, added] = [[], []];
      if (gap !== undefined) for (const change of gap) changes.push(change);
      return gap !== undefined;
    };
    for (const run of runs) {
      if (run.removed) gone = olds.slice(oldIndex, (oldIndex += run.count));
      else if (run.added) added = news.slice(newIndex, (newIndex += run.count));
      else {
        if (!flush()) return undefined;
        for (let count = 0; count < run.count; count++) {
          const [old, fresh] = [olds[oldIndex++], news[newIndex++]];
          if (old !== undefined && fresh !== undefined) same(old, fresh, changes);
        }
      }
    }
    return flush() ? changes : undefined;
  }

  /** Siblings that differ: those that are the same element, or alone in looking like each other, are compared below. */
  function changedSiblings(gone: Tree[], added: Tree[]): Change[] | undefined {
    const changes: Change[] = [];
    const alike = (one: Tree, other: Tree): boolean =>
      lasting(one.line.ref) || lasting(other.line.ref)
        ? one.line.ref === other.line.ref
        : one.line.text === other.line.text;
    const only = (tree: Tree, others: Tree[]): boolean =>
      others.filter((other) => other.line.text === tree.line.text).length === 1;
    const rest = [...gone];
    let unmatched: Tree[] = [];
    const flush = (before: number): void => {
      for (const old of rest.splice(0, before))
        for (const line of lines(old)) changes.push({ kind: 'gone', old: line });
      for (const fresh of unmatched) for (const line of lines(fresh)) changes.push({ kind: 'added', line });
      unmatched = [];
    };
    for (const fresh of added) {
      const at = rest.findIndex(
        (old) => alike(old, fresh) && (lasting(old.line.ref) || (only(old, gone) && only(fresh, added))),
      );
      if (at < 0) {
        unmatched.push(fresh);
        continue;
      }
      flush(at);
      const old = rest.shift();
      if (old === undefined) continue;
      if (old.line.text === fresh.line.text) changes.push({ kind: 'same', old: old.line, line: fresh.line });
      else changes.push({ kind: 'gone', old: old.line }, { kind: 'added', line: fresh.line });
      const below = siblings(old.children, fresh.children);
      if (below === undefined) return undefined;
      for (const change of below) changes.push(change);
    }
    flush(rest.length);
    return changes;
  }

  return siblings(trees(known), trees(now));
}

/** Pairs two trees of the same content, line by line. */
function same(old: Tree, fresh: Tree, changes: Change[]): void {
  changes.push({ kind: 'same', old: old.line, line: fresh.line });
  for (const [index, child] of old.children.entries()) {
    const other = fresh.children[index];
    if (other !== undefined) same(child, other, changes);
  }
}

function trees(view: SnapshotView): Tree[] {
  const roots: Tree[] = [];
  const open: Tree[] = [];
  const close = (depth: number): void => {
    for (const done of open.splice(depth).reverse())
      done.content = [done.line.text, ...done.children.map((child) => child.content)].join('\n\t');
  };
  for (const line of view) {
    close(line.depth);
    const tree = { line, children: [], content: '' };
    (open.at(-1)?.children ?? roots).push(tree);
    open.push(tree);
  }
  close(0);
  return roots;
}

function lines({ line, children }: Tree): SnapshotLine[] {
  return [line, ...children.flatMap(lines)];
}

/** Two snapshots of a page, in terms of the elements that differ. */
export interface Differences {
  /** Lines of elements that were not there before. */
  added: SnapshotLine[];
  /** Lines of elements that are not there any more. */
  gone: SnapshotLine[];
  /** Elements that are still there and look different. */
  changed: { before: SnapshotLine; after: SnapshotLine }[];
}

/** What differs between two snapshots of one document; undefined where comparing them takes too long. */
export function differences(before: SnapshotView, after: SnapshotView): Differences | undefined {
  const changes = compare(before, after);
  if (changes === undefined) return undefined;
  const added = changes.flatMap((change) => (change.kind === 'added' ? [change.line] : []));
  const gone = changes.flatMap((change) => (change.kind === 'gone' ? [change.old] : []));
  const changed = added.flatMap((line) => {
    const old = line.ref === undefined ? undefined : gone.find((other) => other.ref === line.ref);
    return old === undefined ? [] : [{ before: old, after: line }];
  });
  const pairs = new Set(changed.flatMap((pair) => [pair.before, pair.after]));
  return {
    added: added.filter((line) => !pairs.has(line)),
    gone: gone.filter((line) => !pairs.has(line)),
    changed,
  };
}

/** What a line says of its element. */
export interface LineParts {
  role: string | undefined;
  name: string | undefined;
  /** `checked`, `expanded`, `selected`, `pressed`, `disabled`, also `checked=mixed`, `level=2`. */
  states: string[];
  /** The text or value that stands on the line itself. */
  text: string | undefined;
}

export function partsOf(line: SnapshotLine): LineParts {
  const { head, attributes, tail } = takeApart(line.raw.trimStart().slice(2));
  const text = attributes === '' ? /^[a-z]+(?: "(?:[^"\\]|\\.)*")?: (.*)$/s.exec(head)?.[1] : tail.slice(2);
  return {
    ...roleAndName(line),
    states: [...attributes.matchAll(/\[((?!ref=|cursor=|active\b)[^\]]*)\]/g)].map(([, state = '']) => state),
    text: text === undefined || text === '' ? undefined : scalar(text),
  };
}

/** A YAML scalar as Playwright prints it: plain, or in double quotes with JSON's escapes (and \\xNN). */
function scalar(text: string): string {
  if (!text.startsWith('"')) return text;
  try {
    const value: unknown = JSON.parse(text.replace(/\\x([0-9a-f]{2})/gi, '\\u00$1'));
    return typeof value === 'string' ? value : text;
  } catch {
    return text;
  }
}

/** Role and accessible name of an element, as its line tells them. */
export function roleAndName({ text }: SnapshotLine): { role: string | undefined; name: string | undefined } {
  const parts = /^([a-z]+)(?: ("(?:[^"\\]|\\.)*"))?/.exec(text);
  const name: unknown = parts?.[2] === undefined ? undefined : JSON.parse(parts[2]);
  return { role: parts?.[1], name: typeof name === 'string' ? name : undefined };
}
