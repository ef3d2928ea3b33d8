import { partsOf, type SnapshotLine, type SnapshotView } from '../browser/snapshot.js';
import { isVolatile } from '../model/volatile.js';
import { isField } from './fields.js';
import { childrenOf, linesIn, parentsOf } from './nesting.js';

/** From this many on, numbers are taken for the days of a month, which change with the month. */
const minDays = 20;
/** How many lines a date picker has beside its days and its weekdays: its month, its year, its pager. */
const maxBeside = 12;

/** The days in a calendar, and the rest of a date picker that has just opened. */
export function calendarIn(before: SnapshotView, after: SnapshotView): Set<SnapshotLine> {
  const groups = dayGroups(after);
  if (groups.length === 0) return new Set();
  const known = new Set(before.map(({ ref }) => ref));
  const parents = parentsOf(after);
  const pickers = groups.map((days) => pickerAround(days, { view: after, parents, known }));
  return new Set([
    ...groups.flat(),
    ...pickers.flatMap((picker) => (picker === undefined ? [] : linesIn(after, picker))),
  ]);
}

/** The days of the calendars in a view. */
export function daysIn(view: SnapshotView): SnapshotLine[] {
  return dayGroups(view).flat();
}

function dayGroups(view: SnapshotView): SnapshotLine[][] {
  const isDay = (line: SnapshotLine): boolean => {
    const { name, text } = partsOf(line);
    return /^(?:[1-9]|[12]\d|3[01])$/.test(text ?? name ?? '');
  };
  const children = childrenOf(view);
  const below = (lines: readonly SnapshotLine[]): SnapshotLine[] =>
    lines.flatMap((line) => children.get(line) ?? []);
  const groups = [...children.values()].flatMap((siblings) => {
    const cells = below(siblings.filter((line) => partsOf(line).role === 'row'));
    const inWeeks = [...cells, ...below(cells)].filter(isDay);
    return [siblings.filter(isDay), areInOrder(inWeeks) ? inWeeks : []];
  });
  return groups.filter(({ length }) => length >= minDays);
}

/** Whether the cells of rows count from day to day. */
function areInOrder(cells: readonly SnapshotLine[]): boolean {
  const days = cells
    .filter((line) => /cell$/.test(partsOf(line).role ?? ''))
    .map((line) => Number(partsOf(line).name));
  return days.every((day, index) => index === 0 || day === 1 || day === (days[index - 1] ?? 0) + 1);
}

/** The largest new element around days that contains little else; undefined if the calendar was there before. */
function pickerAround(
  days: readonly SnapshotLine[],
  {
    view,
    parents,
    known,
  }: { view: SnapshotView; parents: Map<SnapshotLine, SnapshotLine>; known: ReadonlySet<string | undefined> },
): SnapshotLine | undefined {
  const isDay = new Set(days);
  const isLittle = (outer: SnapshotLine): boolean => {
    const inside = linesIn(view, outer);
    const beside = inside.filter((line) => saysSomething(line) && !isDay.has(line) && !isOfTable(line));
    const isTitle = (line: SnapshotLine): boolean =>
      partsOf(line).role === 'heading' && !isVolatile(partsOf(line).name ?? '');
    return beside.length <= maxBeside && !beside.some((line) => isTitle(line) || isTyped(line));
  };
  let picker: SnapshotLine | undefined;
  let outer = days[0] && parents.get(days[0]);
  while (outer?.ref !== undefined && !known.has(outer.ref) && isLittle(outer)) {
    picker = outer;
    outer = parents.get(outer);
  }
  return picker;
}

function saysSomething(line: SnapshotLine): boolean {
  const { name, text } = partsOf(line);
  return (name ?? text) !== undefined && !line.text.startsWith('/');
}

function isOfTable(line: SnapshotLine): boolean {
  return /^(?:row|cell|gridcell|columnheader)$/.test(partsOf(line).role ?? '');
}

/** Whether a line is a field other than the choice of a month. */
function isTyped(line: SnapshotLine): boolean {
  return isField(line) && !/^(?:combobox|option|spinbutton)$/.test(partsOf(line).role ?? '');
}
