import { parseSnapshot, partsOf, type SnapshotLine, type SnapshotView } from '../browser/snapshot.js';
import { escapeRegExp } from '../model/text.js';
import { isVolatile, stablePart } from '../model/volatile.js';
import type { PageChange } from './changes.js';
import { limits } from './choose.js';
import { isField } from './fields.js';
import { templateLine } from './forms.js';
import { isHeader, itemsIn, type ListItem } from './lists.js';
import { childrenOf, linesIn } from './nesting.js';

/** An element that contains several of the texts that a step changed. */
interface Region {
  /** Its line, then its ancestors. */
  lines: SnapshotLine[];
  texts: string[];
  /** Whether it mainly contains items of a new or an existing list that changed. */
  ofList: 'new' | 'changed' | undefined;
  /** The lines with labelled amounts. */
  amounts: SnapshotLine[];
}

/** How many new texts make a region, and how many of them must not be titles; list items need fewer, with numbers. */
const minTexts = 3;
const minInItem = 2;
/** Roles that are dropped first if there are too many lines. */
const controls = new Set([
  'option',
  'searchbox',
  'tab',
  'menuitem',
  'button',
  'link',
  'checkbox',
  'radio',
  'textbox',
  'combobox',
  'spinbutton',
  'img',
]);
/** Maximum number of lines of a region's snapshot. */
const maxLines = 10;
/** Of more rows than a list may have items, how many are asserted. */
const rowsOfMany = 5;
/** Maximum length of a line. */
const maxLine = 100;
/** Roles of elements that label what follows. */
const titleRoles = new Set([
  'heading',
  'columnheader',
  'rowheader',
  'tab',
  'tabpanel',
  'button',
  'link',
  'term',
]);
/** Roles of elements that are named by their content. */
const namedByContent = new Set(['row', 'cell', 'gridcell', 'treeitem']);
/** Maximum number of labelled amounts that are asserted of one element. */
const maxAmounts = 3;
/** Parts of a row that may be left open. */
const maxOpen = 3;
/** How many texts, and lines of an element's snapshot, are compared. */
const maxTexts = 50;
const maxCompared = 500;
const maxRegions = 2;
/** How many ancestors are tried for a good locator. */
const maxLevels = 4;

/** What says something new even if a field contained its text before. */
const hasLabel = /^(?:heading|definition)\b/;

/** The smallest elements that contain several new texts, those with the most texts first. */
export function regionsOf(
  changes: readonly PageChange[],
  before: SnapshotView,
  view: SnapshotView,
): Region[] {
  const known = new Set(before.map(wordsOf));
  const facts = new Map(
    changes.flatMap((change): [SnapshotLine, string][] => {
      const text = newText(change);
      // A label that the page also has elsewhere says nothing new, unlike an amount.
      const isKnown = text !== undefined && known.has(text) && !hasLabel.test(change.line.text);
      return text === undefined || (isKnown && !/\d/.test(text)) ? [] : [[change.line, text]];
    }),
  );
  const lists = changes.flatMap((change) => (change.kind === 'list' ? [change] : []));
  const newItems = new Set(
    lists.flatMap(({ isNew, list }) => (isNew ? list.items : [])).map((item) => item.line),
  );
  const unique = new Map<SnapshotLine, Set<string>>();
  const around = new Map<SnapshotLine, SnapshotLine[]>();
  const path: SnapshotLine[] = [];
  for (const line of view) {
    path.length = line.depth;
    const outer = path.filter(({ ref, depth }) => ref !== undefined && depth > 0);
    around.set(line, outer.toReversed());
    path[line.depth] = line;
    const text = facts.get(line);
    if (text === undefined) continue;
    for (const each of outer) unique.set(each, (unique.get(each) ?? new Set()).add(text));
  }
  const textsIn = [...unique].map(([line, texts]): [SnapshotLine, string[]] => [line, [...texts]]);
  const items = itemsIn(view);
  const isNumber = (text: string): boolean => /\d/.test(text);
  const isAmount = (text: string): boolean => /[$€£¥]\s?\d|\d\s?[€£¥]/.test(text);
  const isTitle = ({ text }: SnapshotLine): boolean => titleRoles.has(/^[a-z]*/.exec(text)?.[0] ?? '');
  const titles = new Set([...facts].flatMap(([line, text]) => (isTitle(line) ? [text] : [])));
  // The rows of a table are asserted together.
  const rows = new Set(
    lists.flatMap(({ list }) => (list.role === 'row' ? list.items.map((item) => item.line) : [])),
  );
  // One of several new items is no more the point of the step than the others.
  const alike = new Set(
    lists.flatMap(({ changed }) => (changed.length > 1 ? changed.map((item) => item.line) : [])),
  );
  const large = textsIn.filter(([line, texts]) => {
    if (rows.has(line) || [line, ...(around.get(line) ?? [])].some((each) => alike.has(each))) return false;
    const more = texts.filter((text) => !titles.has(text));
    return texts.length >= minTexts
      ? more.length >= minInItem
      : texts.length >= minInItem && (items.has(line) ? texts.every(isNumber) : texts.every(isAmount));
  });
  const larger = new Set(large.flatMap(([line]) => around.get(line) ?? []));
  return large
    .filter(([line]) => !larger.has(line))
    .sort(([, one], [, other]) => other.length - one.length)
    .slice(0, maxRegions)
    .map(([line, texts]) => {
      const inside = [...facts.keys()].filter((fact) => around.get(fact)?.includes(line) === true);
      const isHeld = (items: readonly ListItem[]): boolean =>
        items.filter((item) => around.get(item.line)?.includes(line) === true).length > 1;
      const listed = lists.find(({ list }) => isHeld(list.items));
      const beside = inside.filter(
        (fact) =>
          listed?.list.items.some((item) => [fact, ...(around.get(fact) ?? [])].includes(item.line)) !== true,
      );
      const isInItem = [line, ...(around.get(line) ?? [])].some((each) => newItems.has(each));
      const isMostlyListed = beside.length < Math.max(minTexts, inside.length / 2);
      const ofList =
        isInItem || (listed?.isNew === true && isMostlyListed)
          ? ('new' as const)
          : listed !== undefined && isMostlyListed
            ? ('changed' as const)
            : undefined;
      const amounts = inside.filter(isLabelledAmount).slice(0, maxAmounts);
      const lines = [line, ...(around.get(line) ?? [])].slice(0, maxLevels);
      // An item of a list says more than a layout element in it.
      const item = lines.findIndex((each) => items.has(each));
      return { lines: lines.slice(Math.max(0, item)), texts, ofList, amounts };
    });
}

function isLabelledAmount(line: SnapshotLine): boolean {
  const { role = '', text = '' } = partsOf(line);
  const isAmount = text.length <= limits.maxText && /\p{L}.*(?:[$€£¥]\s?\d|\d\s?[€£¥])/u.test(text);
  return line.ref !== undefined && isAmount && !controls.has(role);
}

function newText({ kind, line }: PageChange): string | undefined {
  const { role = '', name, text } = partsOf(line);
  if (role === 'code' || role === 'option' || (text ?? name ?? '').length > maxLine) return undefined;
  if (kind === 'value') return text;
  if (kind === 'name') return name;
  if (kind !== 'appeared' && kind !== 'text') return undefined;
  const words = text ?? name ?? '';
  // A label or a piece of a sentence says nothing on its own.
  if (/:$/.test(words) || /^\p{Ll}+(?: \p{Ll}+)?$/u.test(words)) return undefined;
  // A control says less than a text, unless it shows an amount.
  return controls.has(role) && !(isField(line) ? /\d/.test(words) : countsSomething(words))
    ? undefined
    : words;
}

/** Whether the name of a control contains an amount, unlike “Heading 1”, “Save (Ctrl-1)”, and “2” for a page. */
function countsSomething(name: string): boolean {
  return /\d[.,]\d|[$€£¥]\s?\d|\d\s?[€£¥]/u.test(name) || stablePart(name, ['amount']) !== undefined;
}

/**
 * A template of an element's snapshot with the lines that contain new texts and their ancestors; undefined if there are
 * too few or too many.
 */
export function templateOf(
  snapshot: string,
  texts: readonly string[],
  typed: readonly string[],
): string | undefined {
  const view = parseSnapshot(snapshot).slice(0, maxCompared);
  const names = new Set(view.map((line) => partsOf(line).name));
  const wanted = texts
    .filter((text) => text.length <= maxLine)
    .slice(0, maxTexts)
    .map(containing);
  const holds = (line: SnapshotLine): boolean => {
    const words = wordsOf(line);
    const isWanted = words.length <= maxLine && wanted.some((text) => text.test(words));
    return (
      isWanted &&
      !line.text.startsWith('/') &&
      partsOf(line).role !== 'code' &&
      templateLine(partsOf(line), typed) !== undefined
    );
  };
  const kept = new Set<SnapshotLine>();
  const terms = new Set<SnapshotLine>();
  const path: SnapshotLine[] = [];
  for (const [index, line] of view.entries()) {
    path.length = line.depth;
    path[line.depth] = line;
    if (!holds(line)) continue;
    const term = view[index - 1];
    if (term !== undefined && isTermOf(term, line)) terms.add(term);
    const definition = view[index + 1];
    if (definition !== undefined && isTermOf(line, definition)) terms.add(definition);
    const words = wordsOf(line);
    const outers = path.slice(0, -1).filter((outer) => kept.has(outer) && wordsOf(outer).includes(words));
    const isSaid = outers.some((outer) => containing(words).test(wordsOf(outer)));
    if (!isSaid) for (const each of path) kept.add(each);
  }
  // The label of a field is its name.
  const isLabel = (line: SnapshotLine): boolean => isText(line) && names.has(wordsOf(line));
  const all = unwrapped(
    view.filter((line) => (kept.has(line) || terms.has(line)) && !isLabel(line)),
    view[0],
  );
  const isControl = (line: SnapshotLine): boolean => controls.has(partsOf(line).role ?? '');
  const few = all.length > maxLines ? all.filter((line) => !isControl(line)) : all;
  const lines = folded(few).slice(0, maxLines);
  const covered = wanted.filter((text) => lines.some((line) => holds(line) && text.test(wordsOf(line))));
  if (covered.length < Math.min(minTexts, texts.length)) return undefined;
  const entries = lines.map((line, index) => {
    const parts = partsOf(line);
    const name = namedByContent.has(parts.role ?? '') ? undefined : parts.name;
    const isWhole = holds(line) || terms.has(line);
    const entry =
      templateLine(isWhole ? parts : { ...parts, name, text: undefined }, steadyIn(line, view, typed)) ?? '';
    const isParent = (lines[index + 1]?.depth ?? 0) > line.depth;
    return `${'  '.repeat(line.depth - (lines[0]?.depth ?? 0))}${entry}${isParent ? ':' : ''}`;
  });
  return entries.join('\n');
}

/** Selects rows of a table's snapshot, without the header. If these are all, the template matches no further row. */
export function rowsOf(snapshot: string, isWanted: readonly boolean[], typed: readonly string[]): string {
  const view = parseSnapshot(snapshot).slice(0, maxCompared);
  const children = childrenOf(view);
  const rows = view.filter((line) => partsOf(line).role === 'row' && !isHeader(children.get(line)));
  if (rows.length !== isWanted.length) return '';
  const wanted = rows.filter((_, index) => isWanted[index]);
  const lines = wanted.slice(0, wanted.length > limits.maxItems ? rowsOfMany : undefined);
  const entries = lines.flatMap((line) => rowLine(line, view, typed) ?? []);
  const [group] = view;
  const inside = (group && children.get(group)) ?? [];
  const isAll = inside.length === entries.length && inside.every((line) => rows.includes(line));
  if (group === undefined || !isAll) return entries.join('\n');
  return [`- ${partsOf(group).role}:`, allOnly, ...entries.map((entry) => `  ${entry}`)].join('\n');
}

const allOnly = '  - /children: equal';

/** Whether a template matches only an element without further children. */
export function excludesOthers(template: string): boolean {
  return template.includes(allOnly);
}

/** What stays in a line: in the name of a row, "Mary May" and "1" of two cells are no date. */
function steadyIn(line: SnapshotLine, view: SnapshotView, typed: readonly string[]): readonly string[] {
  const { role, name } = partsOf(line);
  if (role !== 'row' || name === undefined) return typed;
  const cells = linesIn(view, line).filter((cell) => /(?:cell|header)$/.test(partsOf(cell).role ?? ''));
  const isSteady = cells.length > 0 && cells.every((cell) => !isVolatile(wordsOf(cell), typed));
  return isSteady ? [...typed, name] : typed;
}

/** Roles of what a row offers. */
const offers = new Set(['button', 'checkbox', 'radio', 'switch']);

/** A row by the longest part of its name without the names of its controls; undefined if the name omits a text in it. */
function rowLine(row: SnapshotLine, view: SnapshotView, typed: readonly string[]): string | undefined {
  const parts = { ...partsOf(row), text: undefined };
  const { name: whole = '' } = parts;
  const inside = linesIn(view, row).filter(({ text }) => !text.startsWith('/'));
  if (inside.some((line) => !whole.includes(wordsOf(line)))) return undefined;
  const labels = inside.filter((line) => offers.has(partsOf(line).role ?? '')).map(wordsOf);
  // “Like (2)” says more than what the row offers.
  const isCut = (label: string): boolean => /[\p{L}\p{N}]/u.test(label) && !/\(\d+\)$/.test(label);
  const cuts = labels.filter(isCut).map(escapeRegExp);
  const split = cuts.length === 0 ? [whole] : whole.split(new RegExp(`(?<!\\S)(?:${cuts.join('|')})(?!\\S)`));
  const pieces = split.map((piece) => piece.trim());
  const name = pieces.reduce((best, piece) => (piece.length > best.length ? piece : best), '');
  const steady = linesIn(view, row).filter((cell) => {
    const words = wordsOf(cell);
    return /cell$/.test(partsOf(cell).role ?? '') && words !== '' && !isVolatile(words, typed);
  });
  // One of two cells is a label.
  const isNamed = steady.length > 1 && steady.some((cell) => /\p{L}/u.test(wordsOf(cell)));
  const template = templateLine({ ...parts, name }, steadyIn(row, view, typed), {
    isPart: name !== whole,
    isBeginning: name !== whole && whole.startsWith(name),
    isNamed,
  });
  return (template?.split('.+').length ?? 0) > maxOpen ? undefined : template;
}

/** The lines, with the text of an element that contains nothing else on the element's own line. */
function folded(lines: readonly SnapshotLine[]): SnapshotLine[] {
  return lines.flatMap((line, index) => {
    const [text, next] = [lines[index + 1], lines[index + 2]];
    const isOnly = (child: SnapshotLine | undefined, outer: SnapshotLine): child is SnapshotLine =>
      child !== undefined && isText(child) && child.depth === outer.depth + 1;
    const outer = lines[index - 1];
    if (outer !== undefined && isText(line) && isOnly(line, outer) && !isSibling(lines[index + 1], line))
      return [];
    if (!isOnly(text, line) || isSibling(next, text)) return [line];
    return [
      {
        ...line,
        raw: `${line.raw.replace(/:$/, '')}: ${text.raw.trimStart().slice('- text: '.length)}`,
        text: `${line.text.replace(/:$/, '')}: ${text.text.slice('text: '.length)}`,
      },
    ];
  });
}

/** Whether a line is the term of a definition that follows it. */
function isTermOf(term: SnapshotLine, line: SnapshotLine): boolean {
  const isDefinition = partsOf(line).role === 'definition' && term.depth === line.depth;
  return isDefinition && partsOf(term).role === 'term' && templateLine(partsOf(term), []) !== undefined;
}

/**
 * The lines without common ancestors that say nothing, such as a table and its body, and without the element itself, which
 * the locator identifies.
 */
function unwrapped(
  lines: readonly SnapshotLine[],
  element: SnapshotLine | undefined,
): readonly SnapshotLine[] {
  const [first, ...others] = lines;
  const isWrapper =
    first !== undefined &&
    others.length > 0 &&
    (wordsOf(first) === '' || first === element) &&
    others.every(({ depth }) => depth > first.depth);
  return isWrapper ? unwrapped(others, element) : lines;
}

function isText(line: SnapshotLine): boolean {
  return partsOf(line).role === 'text';
}

/** Whether a line has the same parent as the previous one. */
function isSibling(line: SnapshotLine | undefined, previous: SnapshotLine): boolean {
  return line !== undefined && line.depth >= previous.depth;
}

function wordsOf(line: SnapshotLine): string {
  const { name, text } = partsOf(line);
  return text ?? name ?? '';
}

/** Matches a text as whole words and numbers. */
function containing(part: string): RegExp {
  const before = String.raw`(?<![\p{L}\p{N}]|\d[.,])`;
  const after = String.raw`(?![\p{L}\p{N}*]|[.,]\d)`;
  return new RegExp(
    `${/^[\p{L}\p{N}]/u.test(part) ? before : ''}${escapeRegExp(part)}${/[\p{L}\p{N}]$/u.test(part) ? after : ''}`,
    'u',
  );
}
