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
  rowgroup: 72,
  tabpanel: 72,
  menu: 72,
  listbox: 72,
  generic: 70,
  text: 70,
  strong: 70,
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

/** How well an assertion captures the point of a step, from 0 to 100. */
export const weights = {
  /** State of the element acted on. */
  own: {
    value: 100,
    /** A click on a checkbox checks it in every page. */
    checked: 79,
    outcome: 100,
    attribute: 98,
    disabled: 97,
    focus: 66,
    class: 80,
    /** That of a link to a view with a heading and a URL, which say more. */
    classOfLink: 63,
    repeated: 30,
  },
  /** A field that the page emptied, such as that of an item that was added. */
  emptied: 80,
  /** The locator of the element acted on no longer matches, since its name changed. */
  renamed: 75,
  appeared: appearedWeights,
  otherAppeared: 52,
  /** A new field with a value, and a new button that is disabled. */
  prefilled: 85,
  disabled: 80.5,
  /** A text whose class marks it as a message, or the only new sentence. */
  message: 92.5,
  /** The element acted on has another name, and its locator still matches. */
  relabeled: 87,
  text: { live: 96, withNumber: 88, other: 84 },
  name: 88,
  /** `combobox`: it opened, and shows its options, or closed, and shows what was chosen. */
  state: { on: 87, off: 86, disabled: 79, combobox: 63 },
  list: 89,
  /** A new list that contains only links; `links` if they are no items, such as the results of a search. */
  menu: 72,
  links: 63,
  /** Added to a list whose items have headings. */
  ofHeadings: 0.05,
  /** Added to a text that contains several of the values that steps put in. */
  ofEchoes: 0.2,
  /** New texts of one kind. */
  messages: 91.2,
  /** One of them by itself, if no locator matches all. */
  single: 79,
  /** The prices in a list's items. */
  prices: 88.9,
  /** An amount with its label; each further one in an element weighs a little less. */
  amounts: 90.6,
  /** The length of a list; `shorter` if the list only lost items, which says more than those left. */
  count: 78,
  shorter: 82.5,
  /** A text elsewhere that contains what a step entered. */
  echo: 91.5,
  echoInList: 91.6,
  /** Added to an element whose words name an outcome. */
  ofOutcome: 0.5,
  /** Added to a text that says that the flow succeeded. */
  ofSuccess: 7,
  /** Added to a whole sentence, and to a text that is only partly the same in every run. */
  ofSentence: 0.3,
  ofVolatile: -2,
  /** Added to a text with the number of a version. */
  ofVersion: -10,
  /** Added to a cell that contains only a number: it says little without its row. */
  ofBareCell: -5,
  /** Added to a cell with an amount, which the page may have computed. */
  ofAmountCell: 10,
  /** Several new texts in one element. */
  region: 91,
  /** The same within the items of a list. */
  regionOfList: 88.5,
  /** An element that moved to another named container. */
  moved: 86,
  focus: 40,
  /** Added to the focus and states that a key moves, since keys are pressed for that. */
  byKey: 55,
  /** An element that disappeared: one that was asserted or acted on earlier, `only` if nothing appeared; or the one acted on. */
  gone: {
    roles: new Map([['dialog', 79]]),
    only: 65,
    asserted: 60,
    /** Added to what is no control. */
    ofContent: 1,
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
  /** Maximum number of automatic assertions per step. */
  maxAssertions: 3,
  /** Minimum weight of a second assertion of a step. */
  minWeight: 64,
  /** The same after a list or a region, whose assertion covers most of the change. */
  minBesideGroup: 80,
  /** The same after feedback or an echo. */
  strong: 90,
  minBesideStrong: 76,
  /** Milliseconds for checking the candidates of a step; on large pages, each check takes long. */
  checkMs: 4000,
  /** Maximum number of changes that are considered. */
  maxCandidates: 12,
  /** Maximum number of further texts that may be messages. */
  maxMessages: 4,
  /** Maximum number of elements of a new document that are considered. */
  maxLandmarks: 4,
  /** How many earlier steps' assertions are checked for elements that disappear. */
  lookback: 8,
  /** After more changes than this without an action, an element is ignored. */
  maxRestless: 1,
  /** Minimum length of typed text that is searched for elsewhere. */
  minTyped: 3,
  /** Maximum length of a list that is asserted as a whole. */
  maxItems: 8,
  /** Maximum length of an asserted text. */
  maxText: 80,
};

const outcomeWords =
  /\b(?:results?|response|total|summary|confirm\w*|success\w*|completed?|error|thanks?)\b/i;

const successWords = /\b(?:thank you|thanks|success\w*|confirmed|completed|received)\b/i;

export const liveRoles = ['alert', 'status', 'log'];

/** `typed` is what steps have entered. */
export function weightOf(change: PageChange, typed: readonly string[] = []): number {
  const { role = '', name, text, states } = partsOf(change.line);
  const words = text ?? name ?? '';
  const echoes = typed.filter((each) => isEcho(words, [each]));
  if (['appeared', 'text', 'name'].includes(change.kind) && echoes.length > 0)
    return (
      weights.echo +
      (role === 'heading' ? weights.ofHeadings : 0) +
      (echoes.length > 1 ? weights.ofEchoes : 0)
    );
  switch (change.kind) {
    case 'appeared':
      if (role === 'textbox' && text !== undefined) return weights.prefilled;
      if (role === 'button' && states.includes('disabled')) return weights.disabled;
      if (change.isRecount === true) return weights.text.withNumber;
      return (
        (isVolatile(words, typed) ? weights.ofVolatile : 0) +
        (/\bv?\d+\.\d+\.\d+\b/.test(words) ? weights.ofVersion : 0) +
        (/cell$/.test(role) && /^\d+$/.test(words) ? weights.ofBareCell : 0) +
        (/cell$/.test(role) && /\d[.,]\d|[$€£¥]/.test(words) ? weights.ofAmountCell : 0) +
        (isSentence(words) ? weights.ofSentence : 0) +
        (weights.appeared[role] ?? weights.otherAppeared) +
        (outcomeWords.test(words) ? weights.ofOutcome : 0) +
        (text !== undefined && successWords.test(words) ? weights.ofSuccess : 0)
      );
    case 'text':
    case 'value':
      if (change.text === '') return weights.emptied;
      if (liveRoles.includes(role)) return weights.text.live;
      return /\d/.test(change.text) ? weights.text.withNumber : weights.text.other;
    case 'state':
      if (change.state === 'disabled') return weights.state.disabled;
      // A click on a label checks its box.
      if (change.state === 'checked') return weights.own.checked;
      if (change.state === 'expanded' && role === 'combobox') return weights.state.combobox;
      return change.on ? weights.state.on : weights.state.off;
    default:
      return weights[change.kind];
  }
}

/** One regular expression with `.*` in the middle would take quadratic time. */
export function isSentence(words: string): boolean {
  return /[.?!]$/.test(words) && /\p{L}{2} /u.test(words);
}

/** The share of a text that a common word must have to count as typed. */
const minShare = 1 / 3;

/** Whether a text contains what the test typed, as whole words; a common word may be there by chance. */
export function isEcho(text: string, typed: readonly string[]): boolean {
  return echoOf(text, typed) !== undefined;
}

/** The typed text that a text contains. */
export function echoOf(text: string, typed: readonly string[]): string | undefined {
  const found = text.toLowerCase();
  return typed.find((each) => {
    const words = new RegExp(`(?<![\\p{L}\\p{N}])${escapeRegExp(each.toLowerCase())}(?![\\p{L}\\p{N}])`, 'u');
    const isSpecific = /[\p{Lu}\d\s@]/u.test(each) || each.length >= text.length * minShare;
    return isSpecific && words.test(found);
  });
}

/** The changes worth asserting, heaviest first; one per text, e.g. of a dialog and its heading. */
export function rankChanges(changes: readonly PageChange[]): PageChange[] {
  const best = new Map<string, PageChange>();
  for (const [index, change] of changes.entries()) {
    const { name, text } = partsOf(change.line);
    const isAppearance = change.kind === 'appeared' || change.kind === 'name';
    const key = isAppearance ? `words ${name ?? text ?? ''}` : `change ${index}`;
    const other = best.get(key);
    // Of several equal totals, the last one is below the items it sums up.
    const isLater = change.kind === 'name' && other?.kind === 'name';
    if (other === undefined || isLater || weightOf(other) < weightOf(change)) best.set(key, change);
  }
  return [...best.values()].sort((one, other) => weightOf(other) - weightOf(one));
}

/** The elements that identify a new document: the heaviest one of each role. */
export function rankLandmarks(elements: readonly PageChange[]): { change: PageChange; weight: number }[] {
  const best = new Map<string, { change: PageChange; weight: number }>();
  for (const change of elements) {
    const { role = '', states } = partsOf(change.line);
    const weight = weightOf(change) + (weights.topHeadings.get(states.join()) ?? 0);
    if ((best.get(role)?.weight ?? 0) < weight) best.set(role, { change, weight });
  }
  return [...best.values()].sort((one, other) => other.weight - one.weight).slice(0, limits.maxLandmarks);
}

/** The properties of a candidate on which the choice depends. */
export interface Weighted {
  weight: number;
  /** At most one candidate of a kind is chosen. */
  kind: string;
}

/**
 * Chooses the assertions of a step from the candidates checked so far: `checked` has the assertion of each true candidate,
 * and undefined for each false one. The choice is complete when no `next` candidate has to be checked.
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
    if (!/^(?:state|focus) /.test(candidate.kind)) heaviest = Math.max(heaviest, candidate.weight);
    chosen.push(assertion);
    // All amounts count as one assertion.
    if (/^amount [1-9]/.test(candidate.kind)) extra++;
  }
  return { chosen, next: undefined };
}
