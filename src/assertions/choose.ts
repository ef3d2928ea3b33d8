import { partsOf } from '../browser/snapshot.js';
import { escapeRegExp } from '../model/text.js';
import { isVolatile } from '../model/volatile.js';
import type { Assertion } from '../model/step.js';
import type { PageChange } from './changes.js';

/** Weights of elements that appeared, by role. */
const appearedWeights: Readonly<Record<string, number>> = {
  alert: 95,
  alertdialog: 94,
  dialog: 93,
  status: 92,
  tooltip: 90,
  log: 85,
  heading: 82,
  paragraph: 74,
  tabpanel: 72,
  menu: 72,
  listbox: 72,
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

/** How much of what a step was for an assertion says, from 0 to 100. */
export const weights = {
  /** State of the element acted on. */
  own: {
    value: 100,
    checked: 100,
    outcome: 100,
    attribute: 98,
    disabled: 97,
    focus: 66,
    class: 81.5,
    repeated: 30,
  },
  /** The element acted on has another name. */
  renamed: 75,
  appeared: appearedWeights,
  otherAppeared: 52,
  /** A field that appeared with a value, and a button that can't be clicked yet. */
  prefilled: 85,
  disabled: 80.5,
  /** A text in an element whose class says that it is a message. */
  message: 92.5,
  /** The element acted on is found as before and is called something else. */
  relabeled: 87,
  /** Another text or value of an element. */
  text: { live: 96, withNumber: 88, other: 84 },
  name: 88,
  state: { on: 87, off: 86, disabled: 79 },
  list: 89,
  /** A new list of links alone. */
  menu: 72,
  /** Added to a list whose items have headings. */
  ofHeadings: 0.05,
  /** New texts of one kind. */
  messages: 91.2,
  /** The prices in a list's items. */
  prices: 88.9,
  /** Amounts with their labels in one element: the first one; each further one weighs a little less. */
  amounts: 90.6,
  /** How many items a list has; of one that only lost some, its items show less. */
  count: 78,
  shorter: 82.5,
  /** A text elsewhere that contains what a step put in. */
  echo: 91.5,
  echoInList: 91.6,
  /** Added to an element whose words name an outcome. */
  ofOutcome: 0.5,
  /** Added to a whole sentence, and to a text of which only a part is the same in every run. */
  ofSentence: 0.3,
  ofVolatile: -2,
  /** Several new texts in one element. */
  region: 91,
  /** The same, if they are in the items of a list. */
  regionOfList: 88.5,
  /** An element is in another named container. */
  moved: 86,
  focus: 40,
  /** Added to the focus and states that a key moves, since that is what the key is for. */
  byKey: 55,
  /** An element that disappeared: one that was asserted, such as a dialog or an editor, or the one acted on. */
  gone: {
    roles: new Map([['dialog', 90]]),
    asserted: 60,
    acted: 40,
  },
  url: 81,
  title: 84,
  /** A heading that an earlier step asserted. */
  knownHeading: 79,
  /** Added to a heading of a new document, by its level. */
  topHeadings: new Map([
    ['level=1', 15],
    ['level=2', 8],
  ]),
};

export const limits = {
  /** Automatic assertions of one step. */
  maxAssertions: 3,
  /** Weight that a second assertion of a step needs. */
  minWeight: 64,
  /** The same after a list or a region, whose assertion covers most of the change. */
  minBesideGroup: 80,
  /** The same after feedback or an echo. */
  strong: 90,
  minBesideStrong: 76,
  /** Changes of a page that are considered. */
  maxCandidates: 12,
  /** Further texts that may be messages. */
  maxMessages: 4,
  /** Elements of a new document that are considered. */
  maxLandmarks: 4,
  /** Earlier steps whose asserted elements are watched for disappearing. */
  lookback: 8,
  /** Changes without an action after which an element is left out. */
  maxRestless: 1,
  /** Characters of what a step typed that is looked for elsewhere. */
  minTyped: 3,
  /** Items of a list that are all asserted. */
  maxItems: 8,
  /** Characters of an asserted text. */
  maxText: 80,
};

const outcomeWords =
  /\b(?:results?|response|total|summary|confirm\w*|success\w*|completed?|error|thanks?)\b/i;

const liveRoles = ['alert', 'status', 'log'];

/** `typed` is what steps have put in. */
export function weightOf(change: PageChange, typed: readonly string[] = []): number {
  const { role = '', name, text, states } = partsOf(change.line);
  const words = text ?? name ?? '';
  if (['appeared', 'text', 'name'].includes(change.kind) && isEcho(words, typed))
    return weights.echo + (role === 'heading' ? weights.ofHeadings : 0);
  switch (change.kind) {
    case 'appeared':
      if (role === 'textbox' && text !== undefined) return weights.prefilled;
      if (role === 'button' && states.includes('disabled')) return weights.disabled;
      return (
        (isVolatile(words, typed) ? weights.ofVolatile : 0) +
        (isSentence(words) ? weights.ofSentence : 0) +
        (weights.appeared[role] ?? weights.otherAppeared) +
        (outcomeWords.test(words) ? weights.ofOutcome : 0)
      );
    case 'text':
    case 'value':
      if (liveRoles.includes(role)) return weights.text.live;
      return /\d/.test(change.text) ? weights.text.withNumber : weights.text.other;
    case 'state':
      if (change.state === 'disabled') return weights.state.disabled;
      return change.on ? weights.state.on : weights.state.off;
    default:
      return weights[change.kind];
  }
}

/** Two expressions: one with `.*` between them would take quadratic time. */
function isSentence(words: string): boolean {
  return /[.?!]$/.test(words) && /\p{L}{2} /u.test(words);
}

/** The part of a text that a common word needs to be in order to be what the test typed. */
const minShare = 1 / 3;

/** Whether a text contains what the test typed, as a word; a common word is one of many in a text that has it anyway. */
export function isEcho(text: string, typed: readonly string[]): boolean {
  return echoOf(text, typed) !== undefined;
}

/** What the test typed that a text contains. */
export function echoOf(text: string, typed: readonly string[]): string | undefined {
  const found = text.toLowerCase();
  return typed.find((each) => {
    const words = new RegExp(`(?<![\\p{L}\\p{N}])${escapeRegExp(each.toLowerCase())}(?![\\p{L}\\p{N}])`, 'u');
    const isSpecific = /[\p{Lu}\d\s@]/u.test(each) || each.length >= text.length * minShare;
    return isSpecific && words.test(found);
  });
}

/** The changes worth asserting, the heaviest first; of elements with the same words, such as a dialog and its heading, one. */
export function rankChanges(changes: readonly PageChange[]): PageChange[] {
  const best = new Map<string, PageChange>();
  for (const [index, change] of changes.entries()) {
    const { name, text } = partsOf(change.line);
    const isAppearance = change.kind === 'appeared' || change.kind === 'name';
    const key = isAppearance ? `words ${name ?? text ?? ''}` : `change ${index}`;
    const other = best.get(key);
    // Of several totals that are alike, the last one is below what it sums up.
    const isLater = change.kind === 'name' && other?.kind === 'name';
    if (other === undefined || isLater || weightOf(other) < weightOf(change)) best.set(key, change);
  }
  return [...best.values()].sort((one, other) => weightOf(other) - weightOf(one));
}

/** What identifies a new document: the heaviest element of each role. */
export function rankLandmarks(elements: readonly PageChange[]): { change: PageChange; weight: number }[] {
  const best = new Map<string, { change: PageChange; weight: number }>();
  for (const change of elements) {
    const { role = '', states } = partsOf(change.line);
    const weight = weightOf(change) + (weights.topHeadings.get(states.join()) ?? 0);
    if ((best.get(role)?.weight ?? 0) < weight) best.set(role, { change, weight });
  }
  return [...best.values()].sort((one, other) => other.weight - one.weight).slice(0, limits.maxLandmarks);
}

/** What choosing needs to know of a candidate. */
export interface Weighted {
  weight: number;
  /** At most one candidate of a kind is chosen. */
  kind: string;
}

/**
 * The assertions of a step, from what checking its candidates has shown so far: `checked` holds the assertion of each
 * candidate that was true, and undefined for each other one. `next` is to be checked before the choice is complete.
 */
export function choose<Candidate extends Weighted>(
  candidates: readonly Candidate[],
  checked: ReadonlyMap<Candidate, Assertion | undefined>,
): { chosen: Assertion[]; next: Candidate | undefined } {
  const chosen: Assertion[] = [];
  const kinds = new Set<string>();
  let extra = 0;
  let heaviest = 0;
  for (const candidate of candidates.toSorted((one, other) => other.weight - one.weight)) {
    if (chosen.length - extra === limits.maxAssertions) break;
    const hasGroup = ['region', 'list', 'list that changed'].some((kind) => kinds.has(kind));
    const minWeight = hasGroup
      ? limits.minBesideGroup
      : heaviest >= limits.strong
        ? limits.minBesideStrong
        : limits.minWeight;
    if (chosen.length > 0 && candidate.weight < minWeight) break;
    if (kinds.has(candidate.kind)) continue;
    if (!checked.has(candidate)) return { chosen, next: candidate };
    const assertion = checked.get(candidate);
    if (assertion === undefined) continue;
    kinds.add(candidate.kind);
    if (!candidate.kind.startsWith('state ')) heaviest = Math.max(heaviest, candidate.weight);
    chosen.push(assertion);
    // The amounts of one sum are one fact.
    if (/^amount [1-9]/.test(candidate.kind)) extra++;
  }
  return { chosen, next: undefined };
}
