import { setImmediate } from 'node:timers/promises';
import { traitsOf } from '../actions/registry.js';
import type { Live } from '../browser/live.js';
import type { Pin } from '../browser/pin.js';
import { latenessOf } from '../browser/settle.js';
import { isOptions, type LocatorChain } from '../model/locator.js';
import { stringsIn } from '../model/text.js';
import { isVolatile } from '../model/volatile.js';
import { assertionKey, type Assertion, type Step } from '../model/step.js';
import type { Use } from '../model/use.js';
import { candidatesFor, isAround, type Candidate } from './candidates.js';
import { changesBetween, type PageDiff } from './changes.js';
import { checkCandidate, FoundLocators, implies, topicOf, type AssertionContext } from './check.js';
import { choose, limits } from './choose.js';
import { showsToday } from './today.js';
import {
  actedElement,
  isSameDocument,
  isVisible,
  outcomeOf,
  PageObserver,
  stateMs,
  type ActedElement,
  type Observation,
  type StepEffect,
} from './observe.js';
import {
  assertDisappearance,
  assertionsOf,
  contestedLines,
  countAssertion,
  dropContested,
  dropImpliedBy,
  dropRepeatedInput,
  goneMessages,
  isMessage,
  setAssertions,
  spellAlike,
} from './revise.js';

/** The candidates of a step, and the results of the checks so far. */
interface Judgement {
  candidates: Candidate[];
  checked: Map<Candidate, Assertion | undefined>;
  context: AssertionContext;
}

/**
 * Compares the page before and after each recorded step, and asserts the changes automatically. Changes before the next
 * action still count as effects of the last step.
 */
export class AutoAssertions {
  private readonly observer: PageObserver;
  private last: StepEffect | undefined;
  /** The action in progress. */
  private pending: { before: Observation | undefined; acted: ActedElement | undefined } | undefined;
  /** The page since the last action. */
  private now: Observation | undefined;
  private isCaughtUp = false;
  private firstInDocument: Step | undefined;
  private readonly judgements = new WeakMap<StepEffect, Judgement>();
  /** The locator that a step used for an element, by element, and by role and name, since pages replace elements. */
  private readonly spelled = new Map<string, LocatorChain>();
  /** Whether a step changed anything visible. */
  private readonly visible = new WeakMap<Step, boolean>();

  constructor(
    private readonly session: { steps: Step[]; use: Use; unobserved?: Set<Step> },
    private readonly live: Live,
  ) {
    this.observer = new PageObserver(live);
  }

  /** The current page's snapshot, if one was taken since the last action. */
  settled(): string | undefined {
    return this.now?.snapshot;
  }

  /** Whether a recorded step changed anything visible; undefined if unknown. */
  changed(step: Step): boolean | undefined {
    return this.visible.get(step);
  }

  /** Call just before an action, with its target. */
  async begin(action: string, pin: Pin | undefined, chain: LocatorChain | undefined): Promise<void> {
    if (traitsOf({ action }).kind !== 'mutates') return;
    const [acted] = await Promise.all([
      actedElement(this.live, pin, chain),
      this.isCaughtUp ? undefined : this.catchUp(),
    ]);
    this.isCaughtUp = false;
    this.pending = { before: this.now, acted };
    this.now = undefined;
    if (chain !== undefined && pin !== undefined) {
      this.spelled.set(pin.facts.element, chain);
      const { role, name } = pin.facts;
      if (role !== undefined && name !== undefined) this.spelled.set(`${role} ${name}`, chain);
      if (this.last !== undefined) await spellAlike(this.stepsInDocument(undefined), pin, chain);
    }
    if (this.last === undefined || chain === undefined) return;
    await this.dropImplied(this.last, chain);
    await this.assertCount(this.last, chain);
  }

  /** Call when a step has been recorded and the page has settled. */
  async finish(step: Step): Promise<void> {
    const { kind, asserts, opensGroup, changesClock, closesPage } = traitsOf(step);
    if (asserts) dropImpliedBy(this.session.steps, step);
    // Timers that fire because the clock moved are no effect of a step; after a page closes, another one is current.
    else if (closesPage || (changesClock && kind !== 'mutates')) this.forget();
    else if (kind === 'mutates') await this.assertStep(step);
    else if (opensGroup !== true) await this.catchUp();
  }

  /** Call at the start of a call: asserts what changed after the last step. */
  async catchUp(): Promise<void> {
    const { last, now: earlier } = this;
    const later = await this.observer.observe();
    this.now = later;
    this.isCaughtUp = true;
    if (last === undefined || later === undefined || earlier === undefined) return;
    if (earlier.livePage !== later.livePage || !this.session.steps.includes(last.step)) return;
    if (earlier.snapshot === later.snapshot && earlier.url === later.url) return;
    if (!isSameDocument(earlier, later)) this.firstInDocument = last.step;
    else if (await this.isRestless(earlier, later)) return;
    await this.reviseLast(last, earlier, later);
  }

  /** Call after an action that was not recorded, whose effects belong to no step. */
  forget(): void {
    this.last = undefined;
    this.now = undefined;
  }

  private async assertStep(step: Step): Promise<void> {
    const { acted } = this.pending ?? {};
    const { current } = this.live;
    // The page may have changed while another one was current.
    const before = this.observer.latestOf(current) ?? this.pending?.before;
    const after = await this.observer.observe();
    // Requires the snapshot, which gives the element its role and name.
    const outcome =
      after === undefined ? undefined : acted && (await outcomeOf(acted, current.page, this.live.secrets));
    this.now = after;
    if (after === undefined && !current.page.isClosed()) (this.session.unobserved ??= new Set()).add(step);
    if (after === undefined || before === undefined) return;
    const { types = false } = traitsOf(step);
    const lines = types
      ? await this.contestedBetween(step, before, after, step.locator ?? [])
      : new Set<never>();
    const earlier = this.stepsInDocument(step);
    dropContested(earlier, lines);
    if (!types) dropRepeatedInput(earlier);
    this.last = { step, before, after, acted, outcome, contested: { own: false, lines }, messages: [] };
    if (!isSameDocument(before, after)) this.firstInDocument = step;
    await this.assertEffect(this.last);
  }

  /** Chooses the last step's assertions again after its page has changed. */
  private async reviseLast(last: StepEffect, earlier: Observation, later: Observation): Promise<void> {
    const { step, acted } = last;
    const outcome = acted && (await outcomeOf(acted, later.livePage.page, this.live.secrets));
    const messages = await goneMessages(last);
    const lateMs = Math.max(step.lateMs ?? 0, await latenessOf(later.livePage.page, stateMs));
    if (lateMs > 0) step.lateMs = lateMs;
    const isOverwritten = outcome !== undefined && last.outcome?.state.value !== outcome.state.value;
    const contested = {
      own: last.contested.own || isOverwritten,
      lines: await this.contestedBetween(step, earlier, later, undefined),
    };
    this.last = { ...last, after: later, outcome, contested, messages: [...messages] };
    await this.assertEffect(this.last);
    setAssertions(step, [...messages, ...(step.assertions ?? [])].slice(0, limits.maxAssertions));
  }

  private async assertEffect(effect: StepEffect, ...implied: Assertion[]): Promise<void> {
    const { step, before, after } = effect;
    const diff = await this.diff(before, after);
    if (diff?.changedPage) step.changedPage = true;
    if (showsToday(before.view, after.view)) step.showsToday = true;
    this.visible.set(step, isVisible(effect, diff));
    const history = this.stepsInDocument(step);
    const { candidates, checked, context } = await this.judgementOf(effect, diff, history);
    const isImplied = (assertion: Assertion | undefined): boolean =>
      assertion !== undefined && implied.some((each) => implies(each, assertion));
    for (const [candidate, known] of checked) if (isImplied(known)) checked.set(candidate, undefined);
    const checkBy = performance.now() + limits.checkMs;
    let { chosen, next } = choose(candidates, checked);
    while (next !== undefined && performance.now() < checkBy) {
      const candidate = next;
      // A candidate of lower weight may imply others.
      const groups = [...checked.values()].filter(
        (each) =>
          each?.args['matcher'] === 'toMatchAriaSnapshot' ||
          Array.isArray(each?.args['expected']) ||
          each?.locator?.at(-1)?.args[0] === 'row',
      );
      const taken = [...implied, ...chosen, ...groups.filter((each) => each !== undefined)];
      const found = [...checked].flatMap(([candidate, known]) => (known === undefined ? [] : [candidate]));
      const isSaid = found.some((inner) => isAround(candidate, inner, after.view));
      const assertion = isSaid ? undefined : await checkCandidate(context, candidate, taken);
      // The new assertion replaces those that it implies.
      if (assertion !== undefined)
        for (const [other, known] of checked)
          if (known && (implies(assertion, known) || isAround(other, candidate, after.view)))
            checked.set(other, undefined);
      checked.set(candidate, assertion);
      if (assertion !== undefined && (await isMessage(candidate.kind, assertion, after)))
        effect.messages.push(assertion);
      ({ chosen, next } = choose(candidates, checked));
    }
    setAssertions(step, chosen);
    const previous = history.at(-1);
    if (chosen.length === 0 && diff !== undefined && previous !== undefined)
      assertDisappearance(effect, diff, previous, this.isSecret);
  }

  /** The cached judgement of a step: the page of an effect does not change. */
  private async judgementOf(
    effect: StepEffect,
    diff: PageDiff | undefined,
    history: readonly Step[],
  ): Promise<Judgement> {
    const known = this.judgements.get(effect);
    if (known !== undefined) return known;
    const latest = history.slice(-limits.lookback);
    const candidates = await candidatesFor(effect, diff, {
      earlier: latest.flatMap(assertionsOf),
      acted: latest
        .toReversed()
        .flatMap(({ locator }) =>
          locator === undefined ? [] : [{ locator, args: { matcher: 'toBeVisible' } }],
        ),
      baseURL: this.session.use.baseURL,
      testIdAttribute: this.testIdAttribute(),
      typed: this.typed(),
    });
    const judgement = { candidates, checked: new Map(), context: this.contextFor(effect, history) };
    this.judgements.set(effect, judgement);
    return judgement;
  }

  private contextFor({ before, after, acted }: StepEffect, history: readonly Step[]): AssertionContext {
    const earlier = history.flatMap(assertionsOf);
    return {
      page: after.livePage.page,
      locators: new FoundLocators(this.testIdAttribute()),
      isSecret: this.isSecret,
      before: before.view,
      typed: this.typed(),
      spelled: this.spelled,
      acted: acted?.chain,
      earlier: new Map(earlier.map((assertion) => [topicOf(assertion), assertionKey(assertion)])),
    };
  }

  /** Whether an assertion contains a secret, or page text that looks like a reference to one. */
  private readonly isSecret = (assertion: Assertion): boolean =>
    stringsIn(assertion).some(
      (text) => this.live.secrets.redact(text) !== text || /\{\\?\{(?:secret|totp|unique):/.test(text),
    );

  /** Removes the assertion that the next action implies; if none is left, chooses another. */
  private async dropImplied(effect: StepEffect, chain: LocatorChain): Promise<void> {
    const implied: Assertion = { locator: chain, args: { matcher: 'toBeVisible' } };
    const { assertions = [] } = effect.step;
    const needed = assertions.filter((each) => assertionKey(each) !== assertionKey(implied));
    if (needed.length === assertions.length) return;
    setAssertions(effect.step, needed);
    if (needed.length === 0) await this.assertEffect(effect, implied);
  }

  private async assertCount(effect: StepEffect, chain: LocatorChain): Promise<void> {
    const count = await countAssertion(effect, chain);
    if (count === undefined || this.isSecret(count)) return;
    const key = assertionKey(count);
    const others = (effect.step.assertions ?? []).filter((each) => assertionKey(each) !== key);
    setAssertions(effect.step, [...others.slice(0, limits.maxAssertions - 1), count]);
  }

  private testIdAttribute(): string {
    return this.session.use.testIdAttribute ?? 'data-testid';
  }

  /** What steps typed, selected or picked from a list, if it is long enough to be recognized. */
  private typed(): string[] {
    const texts = this.session.steps
      .flatMap((step) =>
        traitsOf(step).types ? [step.args['value'], step.args['values']].flat() : [pickedBy(step)],
      )
      .filter((text) => typeof text === 'string');
    return [...new Set(texts)].filter((text) => text.length >= limits.minTyped);
  }

  /** Undefined if the document has changed. */
  private async diff(before: Observation, after: Observation): Promise<PageDiff | undefined> {
    if (!isSameDocument(before, after)) return undefined;
    // Other calls have their turn before and after each comparison.
    await setImmediate();
    const diff = changesBetween(before.view, after.view, this.observer.restless(), this.typed());
    await setImmediate();
    return diff;
  }

  private async isRestless(earlier: Observation, later: Observation): Promise<boolean> {
    await setImmediate();
    return this.observer.countChanges(changesBetween(earlier.view, later.view, new Set()).refs);
  }

  private async contestedBetween(
    step: Step,
    earlier: Observation,
    later: Observation,
    except: LocatorChain | undefined,
  ): Promise<ReturnType<typeof contestedLines>> {
    const diff = await this.diff(earlier, later);
    return diff === undefined ? new Set() : contestedLines(diff, this.stepsInDocument(step), except);
  }

  /** The steps in the current document before `step`, or all of them. */
  private stepsInDocument(step: Step | undefined): Step[] {
    const { steps } = this.session;
    const first = this.firstInDocument === undefined ? -1 : steps.indexOf(this.firstInDocument);
    return steps.slice(Math.max(0, first), step === undefined ? steps.length : steps.indexOf(step));
  }
}

const pickable = new Set(['option', 'radio', 'checkbox', 'menuitemradio', 'menuitemcheckbox']);

/** The name of an option that a step picked, or the time or date that it clicked. */
function pickedBy(step: Step): unknown {
  const { method, args: [first, options] = [] } = step.locator?.at(-1) ?? {};
  if (method === 'getByRole' && typeof first === 'string' && pickable.has(first))
    return options !== undefined && isOptions(options) ? options['name'] : undefined;
  const { clicks = false, toggles = false } = traitsOf(step);
  // A time or a date that was picked is the same in every run.
  const isDated = method === 'getByText' && clicks && typeof first === 'string' && isVolatile(first);
  return isDated || (method === 'getByLabel' && toggles) ? first : undefined;
}
