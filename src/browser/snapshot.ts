/** One line of Playwright's AI snapshot. */
export interface SnapshotLine {
  /** Levels of indentation. */
  depth: number;
  /** The line as Playwright printed it. */
  raw: string;
  /** The line without its reference, `[active]` and `[cursor=…]`, for comparing snapshots. */
  text: string;
  /** Playwright's current ref of the element. */
  ref: string | undefined;
  /** Whether the element has the focus. */
  active: boolean;
  /** Every reference under which the agent has seen this line. */
  shownAs: ReadonlySet<string>;
}

/** What the agent has seen of a page, with current refs. */
export type SnapshotView = readonly SnapshotLine[];

/** Limits of a snapshot; lines below the deepest level become siblings. */
const maxLines = 5000;
const maxLine = 10_000;
const maxCharacters = 1_000_000;
const deepest = 200;

/** Cuts a snapshot, so that parsing and comparing it is fast whatever the page is. */
export function cutSnapshot(snapshot: string): string {
  const lines = snapshot.slice(0, maxCharacters).split('\n', maxLines);
  // A cut line could end inside a quoted name.
  if (snapshot.length > maxCharacters && lines.length > 1 && lines.length < maxLines) lines.pop();
  return lines.map((line) => (line.length > maxLine ? cutLine(line) : line)).join('\n');
}

/** Cuts a name or text that is too long, and closes its quotes. */
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

/** Parses a snapshot of `page.ariaSnapshot({ mode: 'ai' })`. A field has its value on its own line. */
export function parseSnapshot(snapshot: string): SnapshotView {
  const lines = snapshot
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
  return withValues(lines);
}

/** Playwright prints the value of a field below its placeholder, if it has one. */
function withValues(lines: readonly SnapshotLine[]): SnapshotView {
  const values = new Map<SnapshotLine, string>();
  const rest = lines.filter((line, index) => {
    const [placeholder, field] = [lines[index - 1], lines[index - 2]];
    const isValue =
      line.text.startsWith('text: ') &&
      placeholder?.text.startsWith('/placeholder:') === true &&
      field?.raw.endsWith(':') === true &&
      placeholder.depth === line.depth &&
      field.depth === line.depth - 1;
    if (isValue) values.set(field, line.text.slice('text:'.length));
    return !isValue;
  });
  return rest.map((line) => {
    const value = values.get(line);
    return value === undefined ? line : { ...line, raw: line.raw + value, text: line.text + value };
  });
}

/** Roles of overlays that hide the rest of the page. */
const overlays = new Set(['dialog', 'alertdialog', 'menu', 'listbox']);

/**
 * Restores the known lines of what an open dialog or menu hides from assistive technology: Playwright prints it without
 * names and with other references, though it has not changed.
 */
export function behindOverlay(known: SnapshotView, now: SnapshotView): SnapshotView {
  const isOverlay = (line: SnapshotLine): boolean => overlays.has(roleAndName(line).role ?? '');
  if (!now.some(isOverlay)) return now;
  const isHidden = (line: SnapshotLine): boolean => partsOf(line).states.includes('aria-hidden');
  const knownAt = new Map(known.flatMap((line, index) => (isHidden(line) ? [] : [[line.ref, index]])));
  const children = childIndexes(known);
  const view: SnapshotLine[] = [];
  let isOpen = false;
  /** For each depth, the place of the current line in the known view, and how many siblings precede it. */
  const places: (number | undefined)[] = [];
  const ordinals: number[] = [];
  /** An element that has lost its name has another reference. */
  const sameChild = (line: SnapshotLine): number | undefined => {
    const parent = line.depth === 0 ? -1 : (places[line.depth - 1] ?? NaN);
    const place = children.get(parent)?.[ordinals[line.depth] ?? 0];
    const then = place === undefined ? undefined : known[place];
    const isSame = then !== undefined && !isHidden(then) && roleAndName(then).role === roleAndName(line).role;
    return isSame && !isHidden(line) ? place : undefined;
  };
  for (let index = 0; index < now.length;) {
    const line = now[index];
    if (line === undefined) break;
    ordinals.length = Math.min(ordinals.length, line.depth + 1);
    ordinals[line.depth] = (ordinals[line.depth] ?? -1) + 1;
    const place = line.ref === undefined ? undefined : (knownAt.get(line.ref) ?? sameChild(line));
    places.length = line.depth;
    places[line.depth] = place;
    const start =
      place !== undefined && (isHidden(line) || lostNames(below(known, place), below(now, index)))
        ? place
        : undefined;
    if (start === undefined) {
      isOpen ||= isOverlay(line);
      view.push(line);
      index++;
    } else {
      for (const kept of moved(below(known, start), line.depth)) view.push(kept);
      index = endOf(now, index);
      // An element that moved out of another one would appear twice.
      if (view.length > known.length + now.length) return now;
    }
  }
  return isOpen ? view : now;
}

/**
 * Whether elements differ only in that all have lost their names: they are hidden, and Playwright has merged the element
 * with `aria-hidden` into its only child. Then it prints texts that a name had repeated, and no pictures.
 */
function lostNames(known: SnapshotView, now: SnapshotView): boolean {
  const withRefs = (view: SnapshotView): SnapshotView => view.filter(({ ref }) => ref !== undefined);
  const isSame = (old: SnapshotLine, line = old): boolean => {
    const [then, current] = [partsOf(old), partsOf(line)];
    const isText = then.name !== undefined || then.text === current.text;
    return then.role === current.role && current.name === undefined && isText;
  };
  const isPicture = (line: SnapshotLine): boolean => roleAndName(line).role === 'img';
  const olds = withRefs(known);
  const left = olds.toReversed();
  const names = new Set<string>();
  const isKnown = (line: SnapshotLine): boolean => {
    const old = left.at(-1);
    const { text } = partsOf(line);
    if (old !== undefined && isSame(old, line)) {
      names.add(roleAndName(old).name ?? '');
      return left.pop() !== undefined;
    }
    if (text !== undefined && names.has(text)) return true;
    return old !== undefined && isPicture(old) && left.pop() !== undefined && isKnown(line);
  };
  return (
    withRefs(now).every(isKnown) &&
    left.every(isPicture) &&
    olds.some((line) => roleAndName(line).name !== undefined)
  );
}

/** The indexes of the children of each line; those of the top level at -1. */
function childIndexes(view: SnapshotView): Map<number, number[]> {
  const found = new Map<number, number[]>();
  const path: number[] = [];
  for (const [index, { depth }] of view.entries()) {
    path.length = Math.min(path.length, depth);
    const parent = path.at(-1) ?? -1;
    const siblings = found.get(parent) ?? [];
    found.set(parent, siblings);
    siblings.push(index);
    path[depth] = index;
  }
  return found;
}

/** The lines of an element and its descendants. */
function below(view: SnapshotView, start: number): SnapshotView {
  return view.slice(start, endOf(view, start));
}

function moved(lines: SnapshotView, depth: number): SnapshotView {
  const shift = depth - (lines[0]?.depth ?? 0);
  return shift === 0 ? lines : lines.map((line) => ({ ...line, depth: line.depth + shift }));
}

/** Index of the first line after an element and its descendants. */
function endOf(view: SnapshotView, start: number): number {
  const depth = view[start]?.depth ?? 0;
  let end = start + 1;
  while ((view[end]?.depth ?? -1) > depth) end++;
  return end;
}

/**
 * Splits `button "Save" [disabled] [ref=e2]: text` around its attributes. Names and texts come from the page and may
 * look like attributes, so the name is skipped as a quoted string.
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

/** The line that a reference from the agent means, if its element still exists. */
export function lineOfRef(view: SnapshotView, ref: string): SnapshotLine | undefined {
  return view.find((line) => line.shownAs.has(ref) && line.ref !== undefined);
}

/** The parsed parts of a line. */
export interface LineParts {
  role: string | undefined;
  name: string | undefined;
  /** `checked`, `expanded`, `selected`, `pressed`, `disabled`, also `checked=mixed`, `level=2`. */
  states: string[];
  /** Text or value on the same line. */
  text: string | undefined;
}

/** Cached, since many functions call `partsOf`. */
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

/** Parses a YAML scalar as Playwright prints it: plain, or in double quotes with JSON's escapes (and \\xNN). */
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

/** Role and accessible name of a line's element. */
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

/** Private-use characters: glyphs of icon fonts. `\p{Co}` is several times slower. */
const glyphs = /(?:[\ue000-\uf8ff]|[\udb80-\udbff][\udc00-\udfff])+/g;
const glyphUnits = /[\ue000-\uf8ff\udb80-\udbff]/;

function withoutGlyphs(text: string): string {
  return glyphUnits.test(text) ? text.replace(glyphs, ' ') : text;
}

/** Removes glyphs and surrounding white space. */
export function readable(text: string): string {
  return withoutGlyphs(text).trim();
}

/** A line as the agent sees it: without indentation, glyphs and unneeded attributes. */
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
