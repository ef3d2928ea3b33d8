import { parseSnapshot, roleAndName, type SnapshotLine } from '../../src/browser/snapshot.js';
import type { Connection, Result } from '../../test/fixtures.js';

/** An element to act on. */
interface Candidate {
  /** Role and name; only one element of a kind is used. */
  key: string;
  role: string;
  name: string;
  ref: string;
  checked: boolean;
  /** Label of an option that is not selected, for a select element. */
  option: string | undefined;
}

type Action = Record<string, unknown>;

/** Maximum number of actions, and of failures, on one page. */
const [actionsWanted, failuresBorne] = [6, 4];

const clicked = ['button', 'menuitem', 'menuitemcheckbox', 'menuitemradio', 'link', 'option', 'gridcell'];
const pressedToo = ['tab', 'treeitem'];
const toggled = ['checkbox', 'switch', 'radio'];
const typed = ['textbox', 'searchbox', 'combobox'];
const moved = { slider: 'ArrowRight', spinbutton: 'ArrowUp' };
/** Clickable elements without a useful role. */
const other = 'clickable';

/**
 * Acts on the elements of a page's snapshot by role: first on those that the last action revealed, then on the kind of
 * element that was used least, in page order. Links to other pages are skipped. Returns the number of recorded actions;
 * the session stays open.
 */
export async function explore({ call }: Connection, started: Result): Promise<number> {
  const { sessionId } = started;
  const uses = new Map<string, number>();
  const tried = new Set<string>();
  let seen = new Set<string>();
  let snapshot = started.snapshot;
  let landed = 0;
  let failures = 0;
  let isFollowing = true;
  while (landed < actionsWanted && failures < failuresBorne) {
    const candidates = candidatesIn(snapshot);
    const left = candidates.filter(({ key }) => !tried.has(key));
    // New elements get priority once; those that they reveal do not.
    const fresh: Candidate | undefined =
      isFollowing || landed === 0 ? undefined : left.find(({ key }) => !seen.has(key));
    const next = fresh ?? leastUsed(left, uses);
    if (next === undefined) break;
    isFollowing = fresh !== undefined;
    seen = new Set(candidates.map(({ key }) => key));
    tried.add(next.key);
    const count = uses.get(next.role) ?? 0;
    uses.set(next.role, count + 1);
    let done = false;
    for (const action of actionsOn(next, count)) {
      const result = await call('record_codegen_session', { sessionId, actions: [action], snapshot: 'full' });
      const { failed, isError, text } = result;
      if (isError && failed === undefined) throw new Error(text);
      ({ snapshot } = result);
      done = failed === undefined;
      // A date, time or color field accepts only such a value.
      if (done || !/Malformed value/.test(failed?.message ?? '')) break;
    }
    if (done) landed++;
    else failures++;
  }
  return landed;
}

function leastUsed(candidates: Candidate[], uses: Map<string, number>): Candidate | undefined {
  const rank = ({ role }: Candidate): number => (role === other ? actionsWanted : 0) + (uses.get(role) ?? 0);
  return candidates.toSorted((one, two) => rank(one) - rank(two))[0];
}

function candidatesIn(snapshot: string): Candidate[] {
  const lines = parseSnapshot(snapshot);
  const candidates: Candidate[] = [];
  for (const [index, line] of lines.entries()) {
    const { ref, text } = line;
    const { role = '', name = '' } = roleAndName(line);
    const kind = kindOf(role, line);
    if (ref === undefined || kind === undefined || text.includes(' [disabled]')) continue;
    const children = below(lines, index);
    if (role === 'link' && leadsAway(children)) continue;
    // Options of a select element are selected, not clicked.
    if (role === 'option' && isInside(lines, index, 'combobox')) continue;
    // A clickable element in a clickable element is the same target.
    if (kind === other && candidates.length > 0 && isInsideClickable(lines, index)) continue;
    const key = `${kind} ${kind === other ? text : name}`;
    if (candidates.some((candidate) => candidate.key === key)) continue;
    const options = children.filter((child) => roleAndName(child).role === 'option');
    const option = options.find((child) => !/ \[(?:selected|disabled)\]/.test(child.text));
    const label = option === undefined ? undefined : roleAndName(option).name;
    const checked = text.includes(' [checked]');
    candidates.push({ key, role: kind, name, ref, checked, option: role === 'combobox' ? label : undefined });
  }
  return candidates;
}

function kindOf(role: string, { raw, text }: SnapshotLine): string | undefined {
  if ([...clicked, ...pressedToo, ...toggled, ...typed].includes(role) || role in moved) return role;
  const isNamed = /: \S|"/.test(text.replace(/\[[^\]]*\]/g, ''));
  return raw.includes('[cursor=pointer]') && isNamed ? other : undefined;
}

/** Actions to try on an element, in order. */
function actionsOn({ role, name, ref: target, checked, option }: Candidate, count: number): Action[] {
  if (role === 'slider' || role === 'spinbutton') return [{ action: 'press', target, key: moved[role] }];
  if (pressedToo.includes(role) && count % 2 === 1) return [{ action: 'press', target, key: 'ArrowRight' }];
  if (role === 'radio') return [{ action: checked ? 'focus' : 'check', target }];
  if (toggled.includes(role)) return [{ action: checked ? 'uncheck' : 'check', target }];
  if (option !== undefined) return [{ action: 'selectOption', target, values: option }];
  // Suggestions appear while typing.
  if (role === 'combobox' || role === 'searchbox')
    return [{ action: 'pressSequentially', target, value: 'a' }];
  if (role === 'textbox')
    return [valueFor(name), '2024-05-17', '12:30', '2024-05-17T12:30', '2024-05', '#336699'].map((value) => ({
      action: 'fill',
      target,
      value,
    }));
  return [{ action: 'click', target }];
}

function valueFor(name: string): string {
  if (/mail/i.test(name)) return 'ada@example.com';
  if (/url|website|homepage/i.test(name)) return 'https://example.com/';
  if (/phone|number|amount|quantity|price|age\b|year|zip/i.test(name)) return '42';
  return 'Ada';
}

function below(lines: readonly SnapshotLine[], index: number): SnapshotLine[] {
  const depth = lines[index]?.depth ?? 0;
  const after = lines.slice(index + 1);
  const end = after.findIndex((line) => line.depth <= depth);
  return end < 0 ? after : after.slice(0, end);
}

function above(lines: readonly SnapshotLine[], index: number): SnapshotLine[] {
  const path: SnapshotLine[] = [];
  let depth = lines[index]?.depth ?? 0;
  for (const line of lines.slice(0, index).reverse()) {
    if (line.depth >= depth) continue;
    path.push(line);
    depth = line.depth;
  }
  return path;
}

function isInside(lines: readonly SnapshotLine[], index: number, role: string): boolean {
  return above(lines, index).some((line) => roleAndName(line).role === role);
}

function isInsideClickable(lines: readonly SnapshotLine[], index: number): boolean {
  return above(lines, index).some(({ raw }) => raw.includes('[cursor=pointer]'));
}

/** Whether a link leads to another page. */
function leadsAway(children: readonly SnapshotLine[]): boolean {
  const address = children.find(({ text }) => text.startsWith('/url:'))?.text;
  return address !== undefined && !/^\/url: ["']?(?:#|javascript:)/.test(address);
}
