import { inspect } from 'node:util';
import type { Frame } from 'playwright';
import type { Action, ActionContext, SessionFiles } from '../actions/action.js';
import { isUnchecked, takesLong } from '../actions/expect.js';
import { groupTitle, traitsOf } from '../actions/registry.js';
import { brittleness } from '../locators/brittle.js';
import { describeElement } from '../locators/describe.js';
import type { Live } from '../browser/live.js';
import { addressOf, firstPage } from '../browser/live-page.js';
import { toLocator } from '../locators/locator-expression.js';
import { CodegenError } from '../model/errors.js';
import type { Secrets } from '../model/secrets.js';
import type { Signal, Step } from '../model/step.js';
import { within } from '../model/within.js';
import { announcedOf } from './announced.js';
import { checkRequest } from './check-request.js';
import { AutoAssertions } from '../assertions/auto-assertions.js';
import { browserGone, explainFailure, pageBlocked, waysOn } from './failure.js';
import type { ActionRequest, CheckedRequest } from './request.js';
import { bringToFront, matchSignals, pagesOf, settled, speakOf } from './session-pages.js';
import type { OpenSession, Session } from './session.js';
import { isRef, pinRefs, resolveTarget, type Located } from './targets.js';

/** Milliseconds that an action may take beyond its own time-out. */
const graceMs = 1000;
/** Milliseconds for a look at an element. */
const lookMs = 1000;
/** Characters of what an action read from the page. */
const longestResult = 10_000;

/** What recording is bound to: the time for an action and for a navigation, and the files that it may use. */
export interface RecordLimits {
  actionMs: number;
  navigationMs: number;
  files: SessionFiles;
}

export interface RecordOutcome {
  /** The steps that landed, by the index of their action in the call. */
  landed: { index: number; step: Step; replaced: Located['replaced'] }[];
  /** How many actions were performed, recorded or not. */
  performed: number;
  failure: { index: number; error: CodegenError; target: string | undefined } | undefined;
}

/** Something to do in the page, from an agent's action or a saved step. */
export interface Task extends CheckedRequest {
  /** Finds the locator that the step is to have, and the one element that it acts on. */
  locate: () => Promise<Located>;
  /** Finds the second element, of an action that takes one. */
  locateTo: () => Promise<Located>;
  /** What it has to bring about, where that is known. */
  signals?: readonly Signal[] | undefined;
}

/**
 * Performs actions in the session's current page and appends a step for each that succeeded. All of them are checked
 * before the first is performed; the first that fails ends the call, and what landed before it stays.
 */
export async function recordActions(
  open: OpenSession,
  raw: readonly ActionRequest[],
  limits: RecordLimits,
  signal: AbortSignal,
): Promise<RecordOutcome> {
  const { session, live } = open;
  const requests = raw.map((entry, index) => checkRequest(entry, index, session.use.baseURL));
  for (const { prepared } of requests) live.secrets.reveal(prepared.args);
  const shown = live.current;
  const refs = requests
    .flatMap(({ target, to }) => [target, to])
    .filter((target) => target !== undefined)
    .filter(isRef);
  const pins = await pinRefs(shown, [...new Set(refs)]);
  await autoAssertionsOf(open)?.catchUp();
  const resolve = (request: CheckedRequest): Promise<Located> =>
    resolveTarget(request, live, shown, pins, limits.actionMs, session.use.testIdAttribute);
  const tasks = requests.map((request) => ({
    ...request,
    locate: () => resolve(request),
    locateTo: () => resolve({ ...request, target: request.to }),
  }));
  return performTasks(open, tasks, limits, signal);
}

/** Does one thing after the other, each recorded where it succeeded; the first that fails is the last. */
export async function performTasks(
  open: OpenSession,
  tasks: readonly Task[],
  limits: RecordLimits,
  signal: AbortSignal,
): Promise<RecordOutcome> {
  const { session, live } = open;
  const effects = autoAssertionsOf(open);
  const outcome: RecordOutcome = { landed: [], performed: 0, failure: undefined };
  const announced = announcedOf(session, live);
  const drop = (withdrawn: readonly Step[]): void => {
    outcome.landed = outcome.landed.filter(({ step }) => !withdrawn.includes(step));
  };
  for (const [index, task] of tasks.entries()) {
    if (signal.aborted) break;
    const { action, prepared, note } = task;
    live.takeBlockedPage();
    const isRecorded = task.record && action.recorded;
    let frame: Frame | undefined;
    try {
      requirePage(live, action);
      const { current } = live;
      if (isRecorded) requireRecorded(session, live, task);
      if (action.kind !== 'expects' && !action.switchesPage) await bringToFront(live, current);
      const { chain, pin, replaced } = await task.locate();
      frame = pin?.frame;
      const locator = chain === undefined ? undefined : toLocator(current.page, chain);
      const { chain: to } = await task.locateTo();
      const seen =
        chain === undefined || pin === undefined || brittleness(chain).size === 0
          ? undefined
          : await within(lookMs, describeElement(pin));
      const step: Step = {
        action: action.name,
        ...(current.id === firstPage ? {} : { page: current.id }),
        ...(chain === undefined ? {} : { locator: chain }),
        ...(to === undefined ? {} : { to }),
        args: prepared.args,
        ...(seen === undefined ? {} : { seen: live.secrets.redact(seen) }),
        ...(note === undefined ? {} : { note }),
        ...(action.asserts && isUnchecked(prepared.args) ? { unchecked: true } : {}),
      };
      if (isRecorded) requireRedacted(step, live.secrets);
      // What comes late because of the last step is still credited to it, as long as nothing else is done.
      if (action.kind === 'mutates') live.credited = isRecorded ? step : undefined;
      const context: ActionContext = {
        page: current.page,
        pages: pagesOf(live),
        to: to && toLocator(current.page, to),
        download: live.downloads.at(-1),
        credit: (signal) => (step.signals ??= []).push(signal),
        answerDialog: announced.answerDialog,
        announce: (announcement) => {
          announced.announce(announcement, isRecorded ? step : undefined);
        },
        takeBack: announced.takeBack,
        show: (value) => {
          live.log.addResult(action.name, shown(value, live.secrets));
        },
        secrets: live.secrets,
        found(fields) {
          step.args = { ...step.args, ...live.secrets.redactAll(fields) };
        },
        baseURL: session.use.baseURL,
        steps: session.steps,
        ...limits,
      };
      await Promise.all([effects?.begin(action.name, pin, chain), current.settling.mark()]);
      await bounded(task, prepared.perform(context, locator), limits);
      outcome.performed++;
      await settled(live, current, step);
      const blocked = live.takeBlockedPage();
      if (blocked !== undefined) throw pageBlocked(blocked);
      if (action.kind === 'mutates') await announced.happen(limits.actionMs);
      if (task.signals !== undefined) await matchSignals(live, step, task.signals, limits.actionMs);
      if (!isRecorded) {
        effects?.forget();
        // What it was announced for has come and is no part of the test.
        if (action.kind === 'mutates') drop(announced.withdraw());
        continue;
      }
      if (action.switchesPage) {
        speakOf(step, live.current);
        step.leadsTo = addressOf(live.current.page);
      }
      if (groupTitle(step) === undefined) session.steps.push(step);
      else session.steps.splice(groupStart(session.steps), 0, step);
      await effects?.finish(step);
      outcome.landed.push({ index, step, replaced });
    } catch (error) {
      effects?.forget();
      live.credited = undefined;
      outcome.failure = {
        index,
        error: await explainFailure(error, action.name, live, frame),
        target: task.target,
      };
      drop(announced.withdraw());
      await live.current.settling.abandon();
      await live.current.settling.settle();
      break;
    }
  }
  return outcome;
}

/** Where a group begins: before what is announced of the action that it begins with, which is waited for in it. */
function groupStart(steps: readonly Step[]): number {
  const kinds = steps.map((step) => traitsOf(step).kind);
  const announcement = kinds.indexOf('expects', kinds.lastIndexOf('mutates') + 1);
  return announcement === -1 ? steps.length : announcement;
}

function autoAssertionsOf(open: OpenSession): AutoAssertions | undefined {
  const { session, live } = open;
  if (session.autoAssert) open.autoAssertions ??= new AutoAssertions(session, live);
  return open.autoAssertions;
}

/** A value of the page as text: JSON where it can be. */
function shown(value: unknown, secrets: Secrets): string {
  let text;
  try {
    text = value === undefined ? 'undefined' : JSON.stringify(value);
  } catch {
    text = inspect(value);
  }
  const redacted = secrets.redact(text);
  return redacted.length > longestResult ? `${redacted.slice(0, longestResult)}…` : redacted;
}

/** A script of the page that does not end holds up even Playwright's own time-outs. */
async function bounded({ action, prepared }: Task, work: Promise<void>, limits: RecordLimits): Promise<void> {
  const isLong = action.target === 'none' || (action.asserts && takesLong(prepared.args));
  const limitMs = (isLong ? limits.navigationMs : limits.actionMs) + graceMs;
  const done = work.then(() => true);
  done.catch(() => undefined);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => {
      resolve(false);
    }, limitMs);
  });
  const inTime = await Promise.race([done, late]).finally(() => {
    clearTimeout(timer);
  });
  if (!inTime)
    throw new CodegenError('ACTION_FAILED', `${action.name} timed out: the page does not respond.`, {
      hint: 'A script of the page, or a regular expression with nested repetition, does not end.',
    });
}

function requirePage(live: Live, action: Action): void {
  if (live.lost()) throw browserGone();
  const needsNone = action.switchesPage ?? action.opensPage ?? !action.recorded;
  if (needsNone || !live.current.page.isClosed()) return;
  throw new CodegenError('ACTION_FAILED', 'The page has been closed.', { hint: waysOn(live) });
}

/** The test holds what a step does, so that must not hold a secret. */
function requireRedacted({ locator, to, args, note }: Step, secrets: Secrets): void {
  if (secrets.foundIn([locator, to, args, note]).length === 0) return;
  throw new CodegenError('INVALID_INPUT', 'The value of a secret would stand in the test.', {
    hint: 'Write {{secret:NAME}} in place of the value; a target has to do without it.',
  });
}

/** A test has only the pages that its own steps open. */
function requireRecorded({ steps }: Session, live: Live, { action, prepared }: Task): void {
  const id = action.switchesPage ? prepared.args['page'] : live.current.id;
  const isOpened = (step: Step): boolean =>
    (step.signals ?? []).some((signal) => 'page' in signal && signal.page === id);
  if (id === firstPage || !live.pages.some((page) => page.id === id) || steps.some(isOpened)) return;
  throw new CodegenError('ACTION_FAILED', `No recorded step has opened page ${JSON.stringify(id)}.`, {
    hint: 'Open it again by a step that is recorded, or act there with "record": false.',
  });
}
