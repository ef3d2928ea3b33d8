import { setImmediate } from 'node:timers/promises';
import type { Page } from 'playwright';
import type { ElementState } from '../browser/element-state.js';
import type { Live } from '../browser/live.js';
import type { LivePage } from '../browser/live-page.js';
import { urlOf } from '../browser/origin.js';
import { pinAgain, pinNow, type Pin } from '../browser/pin.js';
import { behindOverlay, parseSnapshot, type SnapshotLine, type SnapshotView } from '../browser/snapshot.js';
import { snapshotOf } from '../browser/hidden-parts.js';
import { dismissOverlays } from '../browser/overlays.js';
import { maskTyped } from '../browser/typed-secrets.js';
import { toLocator } from '../locators/locator-expression.js';
import type { Secrets } from '../model/secrets.js';
import type { LocatorChain } from '../model/locator.js';
import type { Assertion, Step } from '../model/step.js';
import { within } from '../model/within.js';
import type { PageDiff } from './changes.js';
import { limits } from './choose.js';
import { isField } from './fields.js';

/** Time-outs of a snapshot, and of reading an element's state. */
export const snapshotMs = 5000;
export const stateMs = 2000;

/** How many lines of a page are compared. */
const maxObserved = 2000;

/** A page at one moment. */
export interface Observation {
  livePage: LivePage;
  snapshot: string;
  view: SnapshotView;
  url: string;
  title: string;
  document: number;
  /** What an earlier document showed at this URL. */
  seen?: SnapshotView | undefined;
}

export type ElementSubject = { chain: LocatorChain } | { pin: Pin };

/** The element that a step acts on, before the step. */
export interface ActedElement {
  pin: Pin;
  chain: LocatorChain | undefined;
  state: ElementState | undefined;
}

/** The element that a step acted on, after the step. */
export interface ActedOutcome {
  state: ElementState;
  subject: ElementSubject;
  pin: Pin;
  /** Whether its locator no longer matches it. */
  renamed: boolean;
}

/** A recorded step, and the page before and after it. */
export interface StepEffect {
  step: Step;
  before: Observation;
  after: Observation;
  acted: ActedElement | undefined;
  outcome: ActedOutcome | undefined;
  /** Whether the page has since overwritten the value of the element acted on, and which other fields it has overwritten. */
  contested: { own: boolean; lines: ReadonlySet<SnapshotLine> };
  /** Its assertions of messages, which may disappear without an action. */
  messages: Assertion[];
}

export function isSameDocument(one: Observation, other: Observation): boolean {
  return one.livePage === other.livePage && one.document === other.document;
}

/** Whether a step changed anything visible; `diff` is undefined if the document has changed. */
export function isVisible(
  { step, before, after, acted, outcome }: StepEffect,
  diff: PageDiff | undefined,
): boolean {
  if (diff === undefined || diff.changedPage || before.url !== after.url || step.signals !== undefined)
    return true;
  const stateOf = (state: ElementState | undefined): string =>
    JSON.stringify({ ...state, focused: undefined });
  if (acted?.state !== undefined && outcome !== undefined && stateOf(acted.state) !== stateOf(outcome.state))
    return true;
  // A click focuses even a button that does nothing.
  return diff.changes.some(({ kind, line }) => kind !== 'focus' || isField(line));
}

/** Takes snapshots of a session's pages, and tracks what changes without an action. */
export class PageObserver {
  private readonly latest = new WeakMap<LivePage, Observation>();
  /** What each URL showed last, in documents that were left. */
  private readonly seen = new Map<string, SnapshotView>();
  /** How often each element changed without an action, by reference. */
  private readonly changesWithoutAction = new Map<string, number>();

  constructor(private readonly live: Live) {}

  /** Observes the current page; undefined if it is closed or does not respond. */
  async observe(): Promise<Observation | undefined> {
    const { current, secrets } = this.live;
    const { page } = current;
    if (page.isClosed() || (await current.settling.isSilent())) return undefined;
    await dismissOverlays(page);
    const settled = current.settling.settledDocument();
    const shown = await within(snapshotMs, snapshotOf(page, settled?.elements));
    if (shown === undefined) {
      current.unreadAt = performance.now();
      current.settling.suspect();
      return undefined;
    }
    const snapshot = secrets.redact(await maskTyped(page, shown));
    // Lets other calls run between two long computations.
    await setImmediate();
    const now = parseSnapshot(snapshot).slice(0, maxObserved);
    const earlier = this.latest.get(current);
    if (earlier !== undefined && earlier.document !== current.document)
      this.seen.set(earlier.url, earlier.view);
    const url = secrets.redact(urlOf(page).href);
    const observation: Observation = {
      livePage: current,
      snapshot,
      view: earlier?.document === current.document ? behindOverlay(earlier.view, now) : now,
      url,
      title: secrets.redact(settled?.title ?? ''),
      document: current.document,
      seen: this.seen.get(url),
    };
    this.latest.set(current, observation);
    return observation;
  }

  latestOf(page: LivePage): Observation | undefined {
    return this.latest.get(page);
  }

  /** Counts changes without an action. Returns whether all of the elements are restless. */
  countChanges(refs: readonly string[]): boolean {
    const changed = new Set(refs);
    for (const ref of changed)
      this.changesWithoutAction.set(ref, (this.changesWithoutAction.get(ref) ?? 0) + 1);
    const restless = this.restless();
    return changed.size > 0 && [...changed].every((ref) => restless.has(ref));
  }

  /** References of elements that keep changing without an action. */
  restless(): Set<string> {
    const often = [...this.changesWithoutAction].filter(([, times]) => times > limits.maxRestless);
    return new Set(often.map(([ref]) => ref));
  }
}

/** The target of an action, or else the focused element, before the action. */
export async function actedElement(
  { current: { page }, secrets }: Live,
  target: Pin | undefined,
  chain: LocatorChain | undefined,
): Promise<ActedElement | undefined> {
  const pin = target ?? (await within(snapshotMs, pinNow(page.locator(':focus'))));
  return pin && { pin, chain, state: secrets.redactAll(pin.facts.state) };
}

/** The element acted on, or the one that replaced it. */
export async function outcomeOf(
  { pin, chain }: ActedElement,
  page: Page,
  secrets: Secrets,
): Promise<ActedOutcome | undefined> {
  const found = chain && (await within(stateMs, pinNow(toLocator(page, chain))));
  const isFound = found?.facts.state.visible === true;
  const current = isFound ? found : await within(stateMs, pinAgain(pin));
  if (current?.facts.state.visible !== true) return undefined;
  const state = secrets.redactAll(current.facts.state);
  return isFound && chain !== undefined
    ? { state, subject: { chain }, pin: current, renamed: false }
    : { state, subject: { pin: current }, pin: current, renamed: chain !== undefined };
}
