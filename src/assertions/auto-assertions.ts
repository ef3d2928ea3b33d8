import type { Page } from 'playwright';
import { traitsOf } from '../actions/registry.js';
import { relativeUrl } from '../actions/url.js';
import { elementState, type ElementState } from '../browser/element-state.js';
import type { Live } from '../browser/live.js';
import type { LivePage } from '../browser/live-page.js';
import { toLocator } from '../locators/locator-expression.js';
import { urlOf } from '../browser/origin.js';
import { pinNow, type Pin } from '../browser/pin.js';
import { parseSnapshot, partsOf, type SnapshotLine, type SnapshotView } from '../browser/snapshot.js';
import { isPositional, type LocatorChain } from '../model/locator.js';
import { referencesIn, seemsReference } from '../model/secrets.js';
import { assertionKey, type Assertion, type Step } from '../model/step.js';
import { isVolatile, lastingPart } from '../model/volatile.js';
import { within } from '../model/within.js';
import { isCalled, onlyCalled } from './line-matching.js';
import {
  assertClaim,
  asText,
  clip,
  ownClaims,
  topicOf,
  waysToSay,
  type Claim,
  type ClaimSubject,
  type Scene,
} from './candidates.js';
import { effectsBetween, landmarksOf, type Finding } from './changes.js';
import type { Use } from '../model/use.js';

/** How the current page looked at one moment. */
interface Look {
  live: LivePage;
  snapshot: string;
  view: SnapshotView;
  url: string;
  document: number;
}

/** The element that a step acts on, as it was before. */
interface Subject {
  pin: Pin;
  chain: LocatorChain | undefined;
  state: ElementState | undefined;
}

/** The last recorded action, until the next one begins. */
interface Last {
  step: Step;
  before: Look;
  after: Look;
  subject: Subject | undefined;
  own: Aftermath | undefined;
  /** Whether the value of the element acted on was another one by now, and lines of fields of which that is so. */
  contested: { own: boolean; lines: ReadonlySet<SnapshotLine> };
  /** Of its assertions, those of what appeared to be read and may go by itself. */
  messages: Assertion[];
}

/** Assertions of one step at most, and what one has to weigh to be more than the first. */
const most = 3;
const telling = 72;
/** Findings that are tried before it is given up. */
const tried = 12;
/** Milliseconds for a snapshot, and for the state of an element. */
const lookMs = 5000;
const stateMs = 2000;
/** Steps back from which on an element's going is noticed. */
const memory = 8;

/**
 * Finds what each recorded step visibly did, by comparing the page before and after it, and keeps the most telling of
 * it as assertions of the step. What has come late by the next call is the last step's too.
 */
export interface AutoAssertions {
  /** Credits what came late to the last step; call when a call begins. */
  catchUp(): Promise<void>;
  /** Call just before an action; `pin` is its target. */
  begin(action: string, pin: Pin | undefined, chain: LocatorChain | undefined): Promise<void>;
  /** Call when a step has been recorded and the page has settled. */
  finish(step: Step): Promise<void>;
  /** Call after an action that was not recorded: what comes of it is no step's effect. */
  forget(): void;
  /** The current page's snapshot, where one was taken since the last action and its references hold. */
  settled(): string | undefined;
}

/** The effects of a session's steps on its pages. */
export function createAutoAssertions(session: { steps: Step[]; use: Use }, live: Live): AutoAssertions {
  const { baseURL, testIdAttribute } = session.use;
  const { secrets } = live;
  /** Whether an assertion would tell a secret, or pass off a text of the page as the reference to one. */
  const isSecret = (assertion: Assertion): boolean =>
    secrets.foundIn(assertion).length > 0 || seemsReference(JSON.stringify(assertion));
  let before: Look | undefined;
  let now: Look | undefined;
  /** Whether Playwright still has the references of the latest snapshot. */
  let refsHold = false;
  let last: Last | undefined;
  let subject: Subject | undefined;
  /** Whether nothing was done since the page was last looked at for late effects. */
  let caughtUp = false;
  /** How each page looked last. */
  const looks = new WeakMap<LivePage, Look>();
  /** References of what changed while nothing was done, and how often. */
  const unrest = new Map<string, number>();
  /** The first step in the current document. */
  let opening: Step | undefined;

  async function look(): Promise<Look | undefined> {
    const { current } = live;
    const { page } = current;
    if (page.isClosed()) return undefined;
    const shown = await within(lookMs, page.ariaSnapshot({ mode: 'ai', timeout: lookMs }));
    if (shown === undefined) return undefined;
    const snapshot = secrets.redact(shown);
    refsHold = true;
    const seen: Look = {
      live: current,
      snapshot,
      view: parseSnapshot(snapshot),
      url: urlOf(page).href,
      document: current.document,
    };
    looks.set(current, seen);
    return seen;
  }

  /** Whether all that changed while nothing was done has changed so before. */
  function isUnrest(before: Look, after: Look): boolean {
    const moved = new Set(effectsBetween(before.view, after.view, new Set()).moved);
    for (const ref of moved) unrest.set(ref, (unrest.get(ref) ?? 0) + 1);
    const restless = restlessNow();
    return moved.size > 0 && [...moved].every((ref) => restless.has(ref));
  }

  function restlessNow(): Set<string> {
    return new Set([...unrest].filter(([, times]) => times > 1).map(([ref]) => ref));
  }

  async function assertEffects(effect: Last, ...implied: Assertion[]): Promise<void> {
    const { step, after } = effect;
    const onSearch = (): void => {
      refsHold = false;
    };
    const scene: Scene = { page: after.live.page, testIdAttribute, onSearch, isSecret };
    const claims = await claimsOf(effect);
    claims.sort((one, other) => other.weight - one.weight);
    const earlier = assertedBefore(step);
    const taken = new Set(implied.map((each) => assertionKey(each)));
    const chosen: Assertion[] = [];
    const kinds = new Set<string>();
    for (const claim of claims) {
      if (chosen.length === most || (chosen.length > 0 && claim.weight < telling)) break;
      if (kinds.has(claim.kind)) continue;
      const assertion = await assertClaim(scene, claim, earlier, taken);
      if (assertion === undefined) continue;
      kinds.add(claim.kind);
      chosen.push(assertion);
      taken.add(assertionKey(assertion));
      if (isMessage(claim, assertion)) effect.messages.push(assertion);
    }
    setAssertions(step, chosen);
    if (chosen.length === 0) assertGoing(effect);
  }

  /** Messages that the step brought and that went by themselves, as messages do: a test sees them in time. */
  async function goneMessages({ messages, after }: Last): Promise<Assertion[]> {
    const verdicts = await Promise.all(
      messages.map(async ({ locator }) =>
        locator === undefined ? 1 : await within(stateMs, toLocator(after.live.page, locator).count()),
      ),
    );
    return messages.filter((_, index) => verdicts[index] === 0);
  }

  /** What the next action needs anyway is not asserted before it, but something else, where there is. */
  async function dropImplied(effect: Last, chain: LocatorChain): Promise<void> {
    const implied: Assertion = { locator: chain, args: { matcher: 'toBeVisible' } };
    const { step } = effect;
    const { assertions = [] } = step;
    const needed = assertions.filter((each) => assertionKey(each) !== assertionKey(implied));
    if (needed.length === assertions.length) return;
    setAssertions(step, needed);
    if (needed.length === 0) await assertEffects(effect, implied);
  }

  /** An element told by its position is there only once all before it are: the test waits for their number. */
  async function assertNumber({ step, before, after }: Last, chain: LocatorChain): Promise<void> {
    const [all, place] = [chain.slice(0, -1), chain.at(-1)];
    if (place === undefined || !isPositional(place) || !sameDocument(before, after)) return;
    const numberIn = (view: SnapshotView): number => view.filter((line) => isCalled(all, line)).length;
    if (numberIn(before.view) === numberIn(after.view)) return;
    const expected = await within(stateMs, toLocator(after.live.page, all).count());
    if (expected === undefined) return;
    const assertion: Assertion = { locator: all, args: { matcher: 'toHaveCount', expected } };
    if (isSecret(assertion)) return;
    const code = assertionKey(assertion);
    const others = (step.assertions ?? []).filter((each) => assertionKey(each) !== code);
    setAssertions(step, [...others.slice(0, most - 1), assertion]);
  }

  /**
   * Where all that a step did is that something went away which nobody had asserted: the step before says that it is
   * there, as the snapshot then did, and this one that it is gone.
   */
  function assertGoing({ step, before, after }: Last): void {
    const previous = stepsInDocument(step).at(-1);
    if (!sameDocument(before, after) || previous === undefined) return;
    if (assertionsOf(previous).length === most) return;
    const { gone } = effectsBetween(before.view, after.view, restlessNow());
    const chain = gone
      .map((line) => onlyCalled(line, before.view, after.view))
      .find((each) => each !== undefined);
    if (chain === undefined) return;
    const presence = { locator: chain, args: { matcher: 'toBeVisible' } };
    if (isSecret(presence)) return;
    setAssertions(previous, [...(previous.assertions ?? []), presence]);
    setAssertions(step, [{ locator: chain, args: { matcher: 'toBeHidden' } }]);
  }

  async function claimsOf({ step, before, after, subject: acted, own, contested }: Last): Promise<Claim[]> {
    const { page } = after.live;
    const claims: Claim[] = [];
    if (after.url !== before.url && !wasAskedFor(step, after.url)) {
      const { origin } = new URL(after.url);
      const still = lastingPart(after.url.slice(origin.length), ['passing']);
      const shown = baseURL === undefined ? after.url : relativeUrl(after.url, baseURL);
      const expected = still === undefined ? shown : { regex: `${still.regex}$` };
      claims.push({ weight: 81, kind: 'url', subject: 'page', ways: [{ matcher: 'toHaveURL', expected }] });
    }
    if (!sameDocument(before, after)) {
      const landmarks = await located(landmarksOf(after.view).slice(0, 4), after);
      claims.push(...landmarks.map((claim) => ({ ...claim, kind: 'landmark', isNew: false })));
      const title = (await within(lookMs, page.title())) ?? '';
      const expected = lastingPart(title, ['passing', 'record', 'amount']) ?? title;
      if (title !== '' && (expected !== title || !isVolatile(title)))
        claims.push({
          weight: 30,
          kind: 'landmark',
          subject: 'page',
          ways: [{ matcher: 'toHaveTitle', expected }],
        });
      return claims;
    }
    const { findings, changedPage, gone } = effectsBetween(before.view, after.view, restlessNow());
    if (changedPage) step.changedPage = true;
    if (acted?.state !== undefined && own !== undefined)
      claims.push(
        ...ownClaims(step, own.subject, acted.state, own.state).filter(
          ({ kind }) => !(contested.own && kind === 'state value'),
        ),
      );
    const isFocusOfClick = (finding: Finding): boolean =>
      finding.kind === 'focus' &&
      !traitsOf(step).pressesKey &&
      own?.state.focused === true &&
      (own.state.value === undefined || referencesIn(step.args).length > 0);
    const telltale = findings
      .filter((finding) => !isFocusOfClick(finding) && !contested.lines.has(finding.line))
      .slice(0, tried);
    claims.push(...(await located(telltale, after, traitsOf(step).pressesKey)));
    if (own?.renamed === true)
      claims.push({
        weight: 89,
        kind: 'name',
        subject: own.subject,
        ways: [{ matcher: 'toBeVisible' }],
        isNew: true,
      });
    else if (gone.length > 0) claims.push(...(await goneClaims(step, acted?.chain, gone, page)));
    return claims;
  }

  /** Findings as claims; their elements are pinned while the references are those of the latest snapshot. */
  async function located(findings: readonly Finding[], after: Look, byKey = false): Promise<Claim[]> {
    const { page } = after.live;
    const claims = findings.map(async (finding): Promise<Claim[]> => {
      const { line, kind } = finding;
      const { role = '', name, text } = partsOf(line);
      const words = [name, text].filter((each) => each !== undefined).join(' ');
      const ways = waysToSay(finding);
      // What moves by the keyboard is what the key is for.
      const weight = finding.weight + (byKey && (kind === 'focus' || kind === 'state') ? 55 : 0);
      const detail = kind === 'state' ? finding.state : kind === 'appeared' ? role : '';
      const claim = { weight, kind: `${kind} ${detail}`, ways, isNew: true };
      if (line.ref === undefined)
        return kind === 'appeared' && text !== undefined
          ? [{ ...claim, subject: { chain: [{ method: 'getByText', args: [asText(clip(text))] }] } }]
          : [];
      const pin = await within(lookMs, pinNow(page.getByRef(line.ref)));
      if (pin === undefined) return [];
      return [
        {
          ...claim,
          subject: kind === 'count' || kind === 'order' ? { pin, children: finding.role } : { pin, words },
        },
      ];
    });
    return (await Promise.all(claims)).flat();
  }

  /** What is gone and was there before: the element acted on, or one that was asserted. */
  async function goneClaims(
    step: Step,
    acted: LocatorChain | undefined,
    gone: readonly SnapshotLine[],
    page: Page,
  ): Promise<Claim[]> {
    const present = stepsInDocument(step)
      .slice(-memory)
      .flatMap(assertionsOf)
      .flatMap(({ locator, args }) => (locator !== undefined && isPresence(args) ? [locator] : []));
    const candidates = [
      ...present.flatMap((chain) => {
        const line = gone.find((each) => isCalled(chain, each));
        return line === undefined ? [] : [{ chain, weight: partsOf(line).role === 'dialog' ? 90 : 83 }];
      }),
      ...(acted === undefined ? [] : [{ chain: acted, weight: 87 }]),
    ];
    const claims = candidates.map(async ({ chain, weight }): Promise<Claim[]> => {
      const visible = await within(lookMs, toLocator(page, chain).first().isVisible());
      return visible === false
        ? [{ weight, kind: 'gone', subject: { chain }, ways: [{ matcher: 'toBeHidden' }] }]
        : [];
    });
    return (await Promise.all(claims)).flat();
  }

  /** The steps before this one in the current document. */
  function stepsInDocument(step: Step): Step[] {
    const since = opening === undefined ? -1 : session.steps.indexOf(opening);
    return session.steps.slice(Math.max(0, since), session.steps.indexOf(step));
  }

  /** What was asserted last on each topic. */
  function assertedBefore(step: Step): Map<string, string> {
    const assertions = stepsInDocument(step).flatMap(assertionsOf);
    return new Map(assertions.map((assertion) => [topicOf(assertion), assertionKey(assertion)]));
  }

  /**
   * Fields that were typed into and have taken another value by themselves: the page and the test type against each
   * other, and either may be the last.
   */
  function contestedLines(step: Step, earlier: Look, later: Look): Set<SnapshotLine> {
    if (!sameDocument(earlier, later)) return new Set();
    const typed = stepsInDocument(step).flatMap((each) =>
      each.locator !== undefined && traitsOf(each).types ? [each.locator] : [],
    );
    const { findings } = effectsBetween(earlier.view, later.view, restlessNow());
    const changed = findings.flatMap(({ kind, line }) => (kind === 'value' ? [line] : []));
    return new Set(changed.filter((line) => typed.some((chain) => isCalled(chain, line))));
  }

  /** What earlier steps typed and the page has written over is not asserted of them any more. */
  function takeBack(step: Step, lines: ReadonlySet<SnapshotLine>): void {
    for (const earlier of stepsInDocument(step)) {
      const { locator: chain, assertions = [] } = earlier;
      if (chain === undefined || !traitsOf(earlier).types) continue;
      if (![...lines].some((line) => isCalled(chain, line))) continue;
      const own = JSON.stringify(chain);
      setAssertions(
        earlier,
        assertions.filter(({ locator }) => JSON.stringify(locator) !== own),
      );
    }
  }

  async function catchUp(): Promise<void> {
    const earlier = now;
    now = await look();
    caughtUp = true;
    if (last === undefined || now === undefined || earlier === undefined) return;
    if (earlier.live !== now.live) return;
    if (earlier.snapshot === now.snapshot && earlier.url === now.url) return;
    if (!session.steps.includes(last.step)) return;
    if (!sameDocument(earlier, now)) opening = last.step;
    else if (isUnrest(earlier, now)) return;
    const { subject: acted } = last;
    const own = acted === undefined ? undefined : await aftermathOf(acted, now.live.page);
    const messages = await goneMessages(last);
    const contested = {
      own: last.contested.own || (own !== undefined && last.own?.state.value !== own.state.value),
      lines: contestedLines(last.step, earlier, now),
    };
    last = { ...last, after: now, own, contested, messages: [...messages] };
    await assertEffects(last);
    const { assertions = [] } = last.step;
    setAssertions(last.step, [...messages, ...assertions].slice(0, most));
  }

  return {
    catchUp,
    settled: () => (refsHold ? now?.snapshot : undefined),

    async begin(action, pin, chain) {
      if (!acts(action)) return;
      const { page } = live.current;
      const actedNow = async (): Promise<Subject | undefined> => {
        const acted = pin ?? (await within(lookMs, pinNow(page.locator(':focus'))));
        if (acted === undefined) return undefined;
        const asked =
          chain === undefined ? elementState(acted.locator) : elementState(toLocator(page, chain));
        return { pin: acted, chain, state: await stateOf(asked) };
      };
      [subject] = await Promise.all([actedNow(), caughtUp ? undefined : catchUp()]);
      caughtUp = false;
      before = now;
      now = undefined;
      if (last === undefined || chain === undefined) return;
      await dropImplied(last, chain);
      await assertNumber(last, chain);
    },

    async finish(step) {
      if (traitsOf(step).asserts) dropRepeated(session.steps, step);
      // What changes from now on changes by itself.
      else if (traitsOf(step).changesClock && !acts(step.action)) this.forget();
      else if (!acts(step.action)) await catchUp();
      // What follows is another page, and the step is one of the page that is gone.
      else if (traitsOf(step).closesPage) this.forget();
      else {
        const acted = subject;
        // What has changed in a page since it was left is seen when it is come back to.
        before = looks.get(live.current) ?? before;
        const [after, own] = await Promise.all([
          look(),
          acted === undefined ? undefined : aftermathOf(acted, live.current.page),
        ]);
        now = after;
        if (now === undefined || before === undefined) return;
        const isTyping = traitsOf(step).types;
        const others = isTyping ? [...contestedLines(step, before, now)] : [];
        const lines = new Set(others.filter((line) => !isCalled(step.locator ?? [], line)));
        takeBack(step, lines);
        const contested = { own: false, lines };
        last = { step, before, after: now, subject, own, contested, messages: [] };
        if (!sameDocument(before, now)) opening = step;
        await assertEffects(last);
      }
    },

    forget() {
      last = undefined;
      now = undefined;
    },
  };
}

/** Whether an action does something to the page; what changes during others is the last step's. */
function acts(action: string): boolean {
  return traitsOf({ action }).kind === 'mutates';
}

/** An element that was acted on, as it is afterwards. */
interface Aftermath {
  state: ElementState;
  subject: ClaimSubject;
  /** Whether the locator that it was found by does not tell it any more. */
  renamed: boolean;
}

/** The element acted on as it is now, or the one that the page has put in its place. */
async function aftermathOf({ pin, chain }: Subject, page: Page): Promise<Aftermath | undefined> {
  const found = chain === undefined ? undefined : await stateOf(elementState(toLocator(page, chain)));
  if (chain !== undefined && found?.visible === true)
    return { state: found, subject: { chain }, renamed: false };
  const state = await stateOf(elementState(pin.locator));
  return state?.visible === true ? { state, subject: { pin }, renamed: chain !== undefined } : undefined;
}

/** A state that may be asked of a page that does not answer. */
function stateOf(asked: Promise<ElementState | undefined>): Promise<ElementState | undefined> {
  return within(stateMs, asked);
}

function sameDocument(one: Look, other: Look): boolean {
  return one.live === other.live && one.document === other.document;
}

/** Whether a step names the address that the page came to. */
function wasAskedFor(step: Step, url: string): boolean {
  const asked = step.args['url'];
  return (
    traitsOf(step).opensUrl === true &&
    typeof asked === 'string' &&
    URL.canParse(asked, url) &&
    new URL(asked, url).href === url
  );
}

function setAssertions(step: Step, assertions: Assertion[]): void {
  if (assertions.length > 0) step.assertions = assertions;
  else delete step.assertions;
}

/** What the agent asserts itself is not asserted twice. */
function dropRepeated(steps: readonly Step[], own: Step): void {
  const code = assertionKey(own);
  const previous = steps.findLast((step) => step !== own && step.assertions !== undefined);
  if (previous !== undefined)
    setAssertions(
      previous,
      (previous.assertions ?? []).filter((assertion) => assertionKey(assertion) !== code),
    );
}

/** Whether an assertion is of a message that appeared, other than that one has to wait. */
function isMessage({ kind }: Claim, assertion: Assertion): boolean {
  const appeared = /^appeared (?:alert|status|log)$/.test(kind);
  return appeared && !/load|wait|progress|search|…|\.\.\./i.test(JSON.stringify(assertion));
}

/** Whether an assertion says that its element is there. */
function isPresence({ matcher, not }: Assertion['args']): boolean {
  return not !== true && matcher !== 'toBeHidden' && matcher !== 'toHaveCount';
}

/** What a step asserts: by itself, where it is an `expect`, and of its effects. */
function assertionsOf(step: Step): Assertion[] {
  return [...(traitsOf(step).asserts ? [step] : []), ...(step.assertions ?? [])];
}
