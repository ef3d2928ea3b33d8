import { differences, type Differences } from '../browser/snapshot-changes.js';
import { partsOf, type SnapshotLine, type SnapshotView } from '../browser/snapshot.js';
import { isVolatile, lastingPart } from '../model/volatile.js';

/** Something that a step visibly did; `weight` says how much it tells, from 0 to 100. */
export type Finding = { weight: number; line: SnapshotLine } & (
  | { kind: 'appeared'; text: string | undefined }
  | { kind: 'text'; text: string }
  | { kind: 'name'; text: string }
  | { kind: 'value'; text: string }
  | { kind: 'state'; state: State; on: boolean }
  | { kind: 'count'; role: string; count: number }
  | { kind: 'order'; role: string; texts: string[] }
  | { kind: 'focus' }
);

export type State = 'checked' | 'selected' | 'expanded' | 'pressed' | 'disabled';

const states: readonly State[] = ['checked', 'selected', 'expanded', 'pressed', 'disabled'];

/** What a step did to one document. */
export interface Effects {
  /** The most telling first. */
  findings: Finding[];
  /** Whether anything changed besides the state of fields, which a browser changes by itself. */
  changedPage: boolean;
  /** The elements that went away. */
  gone: SnapshotLine[];
  /** References of all that differs, or of what is around it. */
  moved: string[];
}

const fields = new Set(['textbox', 'searchbox', 'combobox', 'spinbutton', 'slider', 'option']);
const toggles = new Set(['checkbox', 'radio', 'switch', 'menuitemcheckbox', 'menuitemradio']);

/** How much it tells that an element of a role appeared. */
const appearanceWeights: Record<string, number> = {
  alert: 95,
  alertdialog: 94,
  dialog: 93,
  status: 92,
  log: 85,
  tooltip: 90,
  heading: 82,
  tabpanel: 72,
  menu: 72,
  listbox: 72,
  paragraph: 74,
  generic: 70,
  text: 70,
  region: 68,
  listitem: 66,
  row: 66,
  option: 64,
  treeitem: 64,
  menuitem: 64,
  article: 64,
  cell: 62,
  gridcell: 60,
  link: 56,
  button: 56,
  textbox: 55,
  img: 50,
};
const otherAppearance = 52;

/** Roles whose elements are counted where they stand together. */
const counted = ['listitem', 'row', 'option', 'treeitem', 'article', 'menuitem', 'tab'];

/** What differs between the page before and after a step; the same document both times. */
export function effectsBetween(
  before: SnapshotView,
  after: SnapshotView,
  restless: ReadonlySet<string>,
): Effects {
  const differing = differences(before, after);
  const owners = new Map([...ownersOf(before), ...ownersOf(after)]);
  const calm = (line: SnapshotLine): boolean => !restless.has(owners.get(line) ?? '');
  const changed = differing.changed.filter(({ after: line }) => calm(line));
  const findings = [
    ...onceEach(
      appeared(differing, before, after)
        .filter(calm)
        .flatMap((line) => renaming(line, differing.gone) ?? appearance(line)),
    ),
    ...changed.flatMap((pair) => changes(pair.before, pair.after)),
    ...groupChanges(before, after).filter(({ line }) => calm(line)),
    ...focus(before, after),
  ];
  const beyondFields = changed.some(({ before: old, after: line }) => {
    const { role = '' } = partsOf(line);
    return old.text !== line.text && !fields.has(role) && !toggles.has(role);
  });
  return {
    findings: findings.sort((one, other) => other.weight - one.weight),
    changedPage: beyondFields || differing.added.length > 0 || differing.gone.length > 0,
    gone: differing.gone,
    moved: owned(differing),
  };

  function owned({ added, gone, changed: pairs }: Differences): string[] {
    const lines = [...added, ...gone, ...pairs.map((pair) => pair.after)];
    return lines.flatMap((line) => owners.get(line) ?? []);
  }
}

/** The reference of each line's element, or of the nearest one around it. */
function ownersOf(view: SnapshotView): Map<SnapshotLine, string> {
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

/** Of findings that say the same words, such as a dialog and its heading, the weightiest. */
function onceEach(findings: readonly Finding[]): Finding[] {
  const best = new Map<string, Finding>();
  for (const finding of findings) {
    const { name, text } = partsOf(finding.line);
    const words = name ?? text ?? '';
    const other = best.get(words);
    if (other === undefined || other.weight < finding.weight) best.set(words, finding);
  }
  return [...best.values()];
}

/** What tells that a document is the one it should be: of each role the most telling element. */
export function landmarksOf(view: SnapshotView): Finding[] {
  const best = new Map<string, Finding>();
  for (const finding of view.flatMap((line) => appearance(line))) {
    const { role = '', states: given } = partsOf(finding.line);
    const isTitle = role === 'heading' && given.includes('level=1');
    const weight = finding.weight + (isTitle ? 15 : 0);
    if ((best.get(role)?.weight ?? 0) < weight) best.set(role, { ...finding, weight });
  }
  return [...best.values()].sort((one, other) => other.weight - one.weight);
}

function appearance(line: SnapshotLine): Finding[] {
  const { role, name, text } = partsOf(line);
  if (role === undefined || line.text.startsWith('/')) return [];
  const words = [name, text].filter((each) => each !== undefined);
  const says = words.some((each) => /\p{L}/u.test(each));
  if (words.some((each) => isVolatile(each) && lastingPart(each, ['passing']) === undefined)) return [];
  const isLive = ['alert', 'status', 'log', 'dialog', 'alertdialog', 'tooltip'].includes(role);
  if (!says && !isLive) return [];
  // A generic element tells by its text alone.
  if (role === 'generic' && text === undefined && name === undefined) return [];
  const weight = appearanceWeights[role] ?? otherAppearance;
  return [{ kind: 'appeared', line, text, weight }];
}

/** What a line says that differs from one that is gone only by what it counts; undefined where there is no such line. */
function renaming(line: SnapshotLine, gone: readonly SnapshotLine[]): Finding[] | undefined {
  const { role, name = '' } = partsOf(line);
  const stillOf = (text = ''): string | undefined =>
    lastingPart(text, ['passing', 'record', 'amount'])?.regex;
  const still = stillOf(name);
  const old = gone.map(partsOf).find((each) => each.role === role && stillOf(each.name) === still);
  if (still === undefined || old === undefined) return undefined;
  return isSaidAnew(old.name, name) ? [{ kind: 'name', line, text: name, weight: 88 }] : [];
}

/** Whether a text differs from what was there before by more than what passes. */
function isSaidAnew(old: string | undefined, now: string): boolean {
  const still = (text: string): string => lastingPart(text, ['passing'])?.regex ?? text;
  return old === undefined || still(old) !== still(now);
}

function changes(before: SnapshotLine, after: SnapshotLine): Finding[] {
  const [old, now] = [partsOf(before), partsOf(after)];
  const role = now.role ?? '';
  const found: Finding[] = [];
  for (const state of states) {
    const has = (parts: typeof old): string | undefined =>
      parts.states.find((each) => each === state || each.startsWith(`${state}=`));
    if (has(old) === has(now) || has(now) === `${state}=mixed`) continue;
    const on = has(now) !== undefined;
    found.push({ kind: 'state', line: after, state, on, weight: on ? 87 : 86 });
  }
  const isField = fields.has(role);
  const isSayable = (text: string): boolean =>
    !isVolatile(text) || (!isField && lastingPart(text, ['passing']) !== undefined);
  // An empty field has no text.
  const isEmptied = ['textbox', 'searchbox'].includes(role) && old.text !== undefined;
  const text = now.text ?? (isEmptied ? '' : undefined);
  if (text !== undefined && isSaidAnew(old.text, text) && isSayable(text)) {
    const weight = ['alert', 'status', 'log'].includes(role) ? 96 : /\d/.test(text) ? 88 : 84;
    found.push({ kind: isField ? 'value' : 'text', line: after, text, weight });
  }
  return found;
}

/** Lines that were added and do not only stand elsewhere now. */
function appeared({ added }: Differences, before: SnapshotView, after: SnapshotView): SnapshotLine[] {
  const count = (view: SnapshotView): Map<string, number> => {
    const counts = new Map<string, number>();
    for (const { text } of view) counts.set(text, (counts.get(text) ?? 0) + 1);
    return counts;
  };
  const [old, now] = [count(before), count(after)];
  return added.filter(({ text }) => (now.get(text) ?? 0) > (old.get(text) ?? 0));
}

/** Children of one role that an element with a reference has. */
interface Group {
  line: SnapshotLine;
  role: string;
  /** What each of them says first. */
  texts: string[];
}

/** Groups of which there are more or fewer now, or that stand in another order. */
function groupChanges(before: SnapshotView, after: SnapshotView): Finding[] {
  const old = groups(before);
  return [...groups(after)].flatMap(([key, { line, role, texts }]): Finding[] => {
    const then = old.get(key)?.texts;
    if (then === undefined) return [];
    if (then.length !== texts.length) return [{ kind: 'count', line, role, count: texts.length, weight: 78 }];
    const pair = turned(then, texts);
    return pair === undefined ? [] : [{ kind: 'order', line, role, texts: pair, weight: 80 }];
  });
}

/** Two neighbours of which the second stood before the first. */
function turned(then: readonly string[], now: readonly string[]): string[] | undefined {
  const isOnce = (text: string): boolean =>
    /\p{L}/u.test(text) && !isVolatile(text) && now.filter((each) => each.includes(text)).length === 1;
  for (const [index, first] of now.entries()) {
    const second = now[index + 1];
    if (second === undefined || !isOnce(first) || !isOnce(second)) continue;
    if (then.includes(second) && then.indexOf(second) < then.indexOf(first)) return [first, second];
  }
  return undefined;
}

function groups(view: SnapshotView): Map<string, Group> {
  const found = new Map<string, Group>();
  const path: SnapshotLine[] = [];
  /** The groups of the children that a line stands in, by depth, which have said nothing yet. */
  const silent: (Group | undefined)[] = [];
  for (const line of view) {
    path.length = line.depth;
    silent.length = line.depth;
    path[line.depth] = line;
    const parent = path[line.depth - 1];
    const { role, name, text } = partsOf(line);
    if (role !== undefined && parent?.ref !== undefined && counted.includes(role)) {
      const key = `${parent.ref} ${role}`;
      const group = found.get(key) ?? { line: parent, role, texts: [] };
      found.set(key, group);
      group.texts.push('');
      silent[line.depth] = group;
    }
    const words = name ?? text;
    if (words === undefined) continue;
    for (const [depth, group] of silent.entries()) {
      if (group === undefined) continue;
      group.texts[group.texts.length - 1] = words;
      silent[depth] = undefined;
    }
  }
  return found;
}

function focus(before: SnapshotView, after: SnapshotView): Finding[] {
  const active = (view: SnapshotView): SnapshotLine | undefined =>
    view.find((line) => line.active && line.depth > 0);
  const [old, now] = [active(before), active(after)];
  return now === undefined || now.ref === old?.ref ? [] : [{ kind: 'focus', line: now, weight: 40 }];
}
