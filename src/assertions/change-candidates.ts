import type { Pin } from '../browser/pin.js';
import { partsOf, type SnapshotLine, type SnapshotView } from '../browser/snapshot.js';
import { frameChain } from '../locators/frame-chain.js';
import type { LocatorChain } from '../model/locator.js';
import { isTransient, isVolatile } from '../model/volatile.js';
import { within } from '../model/within.js';
import type { Candidate } from './candidates.js';
import { dialogRoles, type PageChange } from './changes.js';
import { echoOf, liveRoles, weights } from './choose.js';
import { assertionForms, clip, type AssertionArgs } from './forms.js';
import { listCandidates, type ChangedPage } from './group-candidates.js';
import { literalLocator } from './line-matching.js';
import { childrenOf, parentsOf } from './nesting.js';
import { snapshotMs, type ActedOutcome } from './observe.js';

/** Pins all elements first, since searching for a locator invalidates the snapshot's references. */
export async function changeCandidates(
  weighted: readonly { change: PageChange; weight: number }[],
  changed: ChangedPage,
  outcome?: ActedOutcome,
): Promise<Candidate[]> {
  const { pins, typed, view } = changed;
  const parents = parentsOf(view);
  const children = childrenOf(view);
  /** What has a reference: the line itself, or the element around it, or one beside it in its frame. */
  const holderOf = (line: SnapshotLine): SnapshotLine | undefined => {
    const parent = parents.get(line);
    if (line.ref !== undefined || parent === undefined) return line;
    const isFrame = partsOf(parent).role === 'iframe';
    return isFrame ? children.get(parent)?.find(({ ref }) => ref !== undefined) : parent;
  };
  const weightOfLine = new Map(
    weighted.map(({ change, weight }): [SnapshotLine | undefined, number] => [change.line, weight]),
  );
  const candidates = weighted.map(async ({ change, weight }): Promise<Candidate[]> => {
    const { line, kind } = change;
    if (kind === 'list') return listCandidates(change, changed);
    const holder = holderOf(line);
    const pin = await pins.of(holder === undefined ? [] : [holder]);
    const { role = '', name, text } = partsOf(line);
    const isOfText = kind === 'appeared' || kind === 'text';
    // Each value that the step entered counts separately.
    const echo =
      isOfText && (isText(role) || role === 'heading') ? echoOf(text ?? name ?? '', typed) : undefined;
    const candidate = {
      weight,
      line,
      kind: echo === undefined ? kindOf(change) : `echo ${echo}`,
      forms: [...contentForms(change, changed.view), ...assertionForms(change, typed)],
      isNew: true,
    };
    const literal = literalLocator(line, typed);
    if (kind === 'moved') {
      const inside = literal && literalLocator(change.container, typed);
      return inside ? [{ ...candidate, subject: { chain: [...inside, ...literal] } }] : [];
    }
    const element = holder && pin(holder);
    const around = holder === line || holder === parents.get(line) ? element?.facts.state : undefined;
    const { classes = [], classesAround = [] } = around ?? {};
    const isMessage =
      kind === 'appeared' &&
      isText(role) &&
      (classes.some(namesMessage) || classesAround.flat().some(namesToast));
    const message = isMessage && { kind: `appeared ${role}`, weight: Math.max(weight, weights.message) };
    if (line.ref === undefined) {
      const frames = element && (await within(snapshotMs, frameChain(element.frame)));
      return kind === 'appeared' && (text !== undefined || dialogRoles.has(role)) && literal !== undefined
        ? [{ ...candidate, ...message, subject: { chain: [...(frames ?? []), ...literal] } }]
        : [];
    }
    if (element === undefined || (kind === 'appeared' && !element.facts.shown && !liveRoles.includes(role)))
      return [];
    // `stateCandidates` are about the element acted on.
    if (kind === 'state' && element.facts.element === outcome?.pin.facts.element) return [];
    const words = [name, text].filter((each) => each !== undefined).join(' ');
    const chain = chainInStep(element, outcome);
    const subject = { pin: element, words, chain, literal };
    // Nobody writes the joined words of several labels.
    if (isOfText && isText(role) && element.facts.glued) {
      const forms = echo === undefined ? [] : [{ matcher: 'toContainText', expected: echo }];
      return [{ ...candidate, forms, subject: { pin: element, words: echo ?? '' } }];
    }
    const pair = isOfText && element.facts.inMainFrame ? pairOf(line, parents, children) : undefined;
    const ofLabel = weightOfLine.get(pair?.label) ?? 0;
    // The label of an amount is asserted with it.
    if (pair?.label === line && weightOfLine.has(pair.value)) return [];
    const paired = (pair?.texts ?? []).map((each, index): Candidate => {
      const own = { chain: [{ method: 'getByText', args: [each, { exact: true }] }] };
      const heavier = Math.max(weight, ofLabel) + (2 - index) / 100;
      return { ...candidate, weight: heavier, forms: [{ matcher: 'toBeVisible' }], subject: own };
    });
    return [...paired, { ...candidate, ...message, subject }];
  });
  return (await Promise.all(candidates)).flat();
}

/** One new text with a number and one without, and each number that changed, count separately. */
function kindOf(change: PageChange): string {
  const { role = '', text = '' } = partsOf(change.line);
  if (change.kind === 'state') return `state ${change.state}`;
  const isNumber = /\d/.test(text);
  if (change.kind === 'text') return `text ${isNumber ? change.text : ''}`;
  if (change.kind !== 'appeared') return `${change.kind} `;
  return `appeared ${role}${isText(role) && isNumber ? ' with a number' : ''}`;
}

/** What feedback or a dialog without a name says, if its texts are in elements of their own. */
function contentForms({ kind, line }: PageChange, view: SnapshotView): AssertionArgs[] {
  const { role = '', name, text } = partsOf(line);
  const isNameless =
    ['alert', 'status', 'dialog', 'alertdialog'].includes(role) && (name ?? text) === undefined;
  if (kind !== 'appeared' || !isNameless) return [];
  const below = view.slice(view.indexOf(line) + 1);
  const end = below.findIndex(({ depth }) => depth <= line.depth);
  const said = below
    .slice(0, end < 0 ? undefined : end)
    .map(partsOf)
    .filter((inner) => isText(inner.role ?? '') || ['heading', 'strong'].includes(inner.role ?? ''))
    .map((inner) => inner.text ?? inner.name ?? '')
    .find((words) => /\p{L}/u.test(words));
  return said === undefined || isVolatile(said) || isTransient(said)
    ? []
    : [{ matcher: 'toContainText', expected: clip(said) }];
}

/** Maximum length of a label. */
const maxLabel = 30;

/** A label and its amount, if an element contains nothing else, with and without a space between. */
function pairOf(
  line: SnapshotLine,
  parents: ReadonlyMap<SnapshotLine, SnapshotLine>,
  children: ReadonlyMap<SnapshotLine, readonly SnapshotLine[]>,
): { label: SnapshotLine; value: SnapshotLine; texts: string[] } | undefined {
  const parent = parents.get(line);
  const [label, value, ...others] = (parent && children.get(parent)) ?? [];
  if (label === undefined || value === undefined || others.length > 0) return undefined;
  const { role = '', text = '' } = partsOf(label);
  const { role: amountRole = '', text: amount = '' } = partsOf(value);
  const isLabel = isText(role) && /\p{L}/u.test(text) && text.length <= maxLabel;
  const isAmount = isText(amountRole) && /^[^\p{L}]*\d[^\p{L}]*$/u.test(amount);
  return isLabel && isAmount
    ? { label, value, texts: ['', ' '].map((space) => text + space + amount) }
    : undefined;
}

/** Whether a role is that of a plain text. */
export function isText(role: string): boolean {
  return ['generic', 'paragraph', 'text'].includes(role);
}

/** Whether a class marks a message, on pages without the roles `alert` and `status`. */
function namesMessage(className: string): boolean {
  return /(?:^|[-_])(?:toast|alert|notification|snackbar|flash|message|error|err|success|notice|danger|destructive|red)s?(?:$|[-_])/i.test(
    className,
  );
}

/** Whether a class is of an element that shows a message for a while: whatever text is in it is the message. */
function namesToast(className: string): boolean {
  return /(?:^|[-_])(?:toast|alert|notification|snackbar|flash)s?(?:$|[-_])/i.test(className);
}

/** The step's own locator if it acted on the element, so that an element has one locator in the test. */
function chainInStep({ facts }: Pin, outcome: ActedOutcome | undefined): LocatorChain | undefined {
  if (outcome === undefined || !('chain' in outcome.subject)) return undefined;
  return facts.element === outcome.pin.facts.element ? outcome.subject.chain : undefined;
}
