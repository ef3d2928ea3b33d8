/** One line of Playwright's AI snapshot. */
export interface SnapshotLine {
  /** Levels of indentation. */
  depth: number;
  /** The line as Playwright printed it. */
  raw: string;
  /** The line without its reference, `[active]` and `[cursor=…]`: what two snapshots are compared by. */
  text: string;
  /** The current ref of the element in Playwright. */
  ref: string | undefined;
  /** Whether the element has the focus. */
  active: boolean;
  /** Every reference under which the agent was shown this line. */
  shownAs: ReadonlySet<string>;
}

/** What the agent has been shown of a page, kept in step with what the page is now. */
export type SnapshotView = readonly SnapshotLine[];

/** Lines of a snapshot that are read, with their characters, and levels of them; deeper lines become siblings. */
const maxLines = 5000;
const maxLine = 10_000;
const maxCharacters = 1_000_000;
const deepest = 200;

/** The beginning of a snapshot, so that reading and comparing it takes little time whatever the page is. */
export function cutSnapshot(snapshot: string): string {
  const lines = snapshot.slice(0, maxCharacters).split('\n', maxLines);
  // A line that ends in the middle could be a part of a quoted name.
  if (snapshot.length > maxCharacters && lines.length > 1 && lines.length < maxLines) lines.pop();
  return lines.map((line) => (line.length > maxLine ? cutLine(line) : line)).join('\n');
}

/** The beginning of a line whose name or text is too long, with its quotes closed. */
function cutLine(line: string): string {
  const { head, attributes, tail } = takeApart(line.trimStart().slice(2));
  const indent = line.slice(0, line.search(/[^ ]/));
  return `${indent}- ${closed(head)}${attributes}${closed(tail)}`;
}

function closed(part: string): string {
  if (part.length <= maxLine) return part;
  const cut = part.slice(0, maxLine).replace(/\\+(?:x[\da-f]?|u[\da-f]{0,3})?$/i, '');
  return /^[^"]{0,50}"/.test(part) ? `${cut}"` : cut;
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
        depth: Math.min(indent / 2, deepest),
        raw,
        text: head + attributes.replace(/ \[(?:ref=\w+|cursor=\w+|active)\]/g, '') + tail,
        ref,
        active: attributes.includes(' [active]'),
        shownAs: new Set(ref === undefined ? [] : [ref]),
      };
    });
}

/** Roles of what opens over a page and hides the rest of it. */
const overlays = new Set(['dialog', 'alertdialog', 'menu', 'listbox']);

/**
 * A view in which what an open dialog or menu hides from assistive technology is as it was known: Playwright prints it
 * without names and with other references, though nothing of it has changed.
 */
export function behindOverlay(known: SnapshotView, now: SnapshotView): SnapshotView {
  if (!now.some(({ raw }) => raw.includes(' [aria-hidden]'))) return now;
  const isHidden = (line: SnapshotLine): boolean => partsOf(line).states.includes('aria-hidden');
  const knownAt = new Map(known.flatMap((line, index) => (isHidden(line) ? [] : [[line.ref, index]])));
  const view: SnapshotLine[] = [];
  let isOpen = false;
  for (let index = 0; index < now.length;) {
    const line = now[index];
    if (line === undefined) break;
    const start = line.ref !== undefined && isHidden(line) ? knownAt.get(line.ref) : undefined;
    if (start === undefined) {
      isOpen ||= overlays.has(roleAndName(line).role ?? '');
      view.push(line);
      index++;
    } else {
      for (const kept of subtree(known, start, line.depth)) view.push(kept);
      index = endOf(now, index);
      // Elements that have been put out of each other would repeat.
      if (view.length > known.length + now.length) return now;
    }
  }
  return isOpen ? view : now;
}

/** The lines of an element and what is below it, at another depth. */
function subtree(view: SnapshotView, start: number, depth: number): SnapshotLine[] {
  const lines = view.slice(start, endOf(view, start));
  const shift = depth - (lines[0]?.depth ?? 0);
  return shift === 0 ? lines : lines.map((line) => ({ ...line, depth: line.depth + shift }));
}

/** Index of the first line that is not below an element. */
function endOf(view: SnapshotView, start: number): number {
  const depth = view[start]?.depth ?? 0;
  let end = start + 1;
  while ((view[end]?.depth ?? -1) > depth) end++;
  return end;
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

/** The line that a reference from the agent means, if its element is still there. */
export function lineOfRef(view: SnapshotView, ref: string): SnapshotLine | undefined {
  return view.find((line) => line.shownAs.has(ref) && line.ref !== undefined);
}

/** What a line says of its element. */
export interface LineParts {
  role: string | undefined;
  name: string | undefined;
  /** `checked`, `expanded`, `selected`, `pressed`, `disabled`, also `checked=mixed`, `level=2`. */
  states: string[];
  /** The text or value on the line itself. */
  text: string | undefined;
}

/** What is known of lines, which many functions ask for. */
const partsByLine = new WeakMap<SnapshotLine, LineParts>();

export function partsOf(line: SnapshotLine): LineParts {
  const known = partsByLine.get(line);
  if (known !== undefined) return known;
  const parts = takeParts(line);
  partsByLine.set(line, parts);
  return parts;
}

function takeParts(line: SnapshotLine): LineParts {
  const { head, attributes, tail } = takeApart(line.raw.trimStart().slice(2));
  const text = attributes === '' ? /^[a-z]+(?: "(?:[^"\\]|\\.)*")?: (.*)$/s.exec(head)?.[1] : tail.slice(2);
  return {
    ...roleAndName(line),
    states: [
      ...attributes.matchAll(/\[((?!ref=|cursor=|active\b|id=|name=|title=|class=|data-)[^\]]*)\]/g),
    ].map(([, state = '']) => state),
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

type RoleAndName = Pick<LineParts, 'role' | 'name'>;
const namesByLine = new WeakMap<SnapshotLine, RoleAndName>();

/** Role and accessible name of the element of a line. */
export function roleAndName(line: SnapshotLine): RoleAndName {
  const known = namesByLine.get(line) ?? takeRoleAndName(line);
  namesByLine.set(line, known);
  return known;
}

function takeRoleAndName({ text }: SnapshotLine): RoleAndName {
  const parts = /^([a-z]+)(?: ("(?:[^"\\]|\\.)*"))?/.exec(text);
  const name: unknown = parts?.[2] === undefined ? undefined : JSON.parse(parts[2]);
  return { role: parts?.[1], name: typeof name === 'string' ? name : undefined };
}

/** Private-use characters, the glyphs of icon fonts. `\p{Co}` takes several times as long. */
const glyphs = /(?:[\ue000-\uf8ff]|[\udb80-\udbff][\udc00-\udfff])+/g;
const glyphUnits = /[\ue000-\uf8ff\udb80-\udbff]/;

function withoutGlyphs(text: string): string {
  return glyphUnits.test(text) ? text.replace(glyphs, ' ') : text;
}

/** A text without glyphs, and without blanks around it. */
export function readable(text: string): string {
  return withoutGlyphs(text).trim();
}

/** A line as an agent reads it: without indentation, glyphs and attributes that nobody needs. */
export function printedLine(
  { raw }: SnapshotLine,
  { hasChildren, hasName }: { hasChildren: boolean; hasName: boolean },
): string {
  const entry = raw.trimStart();
  const isPlain =
    !entry.includes(' [cursor=') && !glyphUnits.test(entry) && (hasChildren || !entry.endsWith(':'));
  if (isPlain && hasName) return entry;
  const { head, attributes, tail } = takeApart(entry.slice(2));
  const name = withoutGlyphs(
    head.replace(/ "((?:[^"\\]|\\.)*)"/, (_, words: string) => {
      const shown = hasName ? readable(words) : '';
      return shown === '' ? '' : ` "${shown}"`;
    }),
  );
  const text = withoutGlyphs(tail).trimEnd();
  const isEmpty = text === ':' && !(tail === ':' && hasChildren);
  return `- ${name}${attributes.replace(/ \[cursor=\w+\]/g, '')}${isEmpty ? '' : text}`;
}
