import type { Action, ActionContext, SessionFiles } from '../actions/action.js';
import { groupTitle, traitsOf, worksOnlyInTest } from '../actions/registry.js';
import { brittleness } from '../locators/brittle.js';
import { describeElement } from '../locators/describe.js';
import { addressOf, firstPage, type LivePage } from '../browser/live-page.js';
import { toLocator } from '../locators/locator-expression.js';
import { span } from '../model/span.js';
import { CodegenError, type ErrorCode } from '../model/errors.js';
import type { LocatorChain } from '../model/locator.js';
import { referencesIn } from '../model/template.js';
import type { Signal, Step } from '../model/step.js';
import { responseWithin, within } from '../model/within.js';
import { guardTyped, markEffects } from './typed-secrets.js';
import { AutoAssertions } from '../assertions/auto-assertions.js';
import { explainFailure, pageBlocked, requireLoaded } from './failure.js';
import type { CheckedRequest } from './request.js';
import {
  bringToFront,
  closePages,
  downloadBegun,
  matchSignals,
  pagesOf,
  settled,
  setStepPage,
} from './session-pages.js';
import { groupStart, pageAt, removalText, removeFrom, requireDownload } from './edit.js';
import type { OpenSession } from './session.js';
import {
  bounded,
  graceMs,
  requireHookOrder,
  requirePage,
  requireRecorded,
  requireRedacted,
  textOf,
  uncheckedChain,
  unhandle,
} from './task-checks.js';
import { assertionsAfter, BriefChecks } from './brief-checks.js';
import { ExpectedEvents } from './expected-events.js';
import { timeoutOf, type Located } from './targets.js';

/** An assertion that passed within this time found the page as the previous step left it. */
const instantMs = 100;
/** Milliseconds for an assertion that held right after the action before it. */
const heldMs = 300;
/** An action that takes longer is slow. */
const slowMs = 3000;
/** Milliseconds for the page to settle after a failure. */
const failedSettleMs = 200;
/** The least that the search for an element leaves of an action's time. */
const leftMs = 500;
/** Milliseconds for describing an element. */
const lookMs = 1000;
/** Characters of what an action read from the page. */
const longestResult = 10_000;

/** The time limits of an action and of a navigation, and the files that actions may use. */
export interface RecordLimits {
  actionMs: number;
  navigationMs: number;
  files: SessionFiles;
  /** Called before each action is performed, after its checks. */
  begin: () => void;
  /** Called when the effects of an action have settled, before they are asserted. */
  settled?: () => Promise<void>;
  /** Asks a person to continue by hand. */
  handOver?: ActionContext['handOver'];
  /** Index at which steps are inserted; undefined appends them. */
  at?: number | undefined;
}

export interface RecordOutcome {
  /** The recorded steps, by the index of their action in the call. */
  landed: { index: number; step: Step; replaced: Located['replaced'] }[];
  /** How many actions were performed, recorded or not. */
  performed: number;
  failure: { index: number; error: CodegenError; target: string | undefined } | undefined;
}

/** Failures of an inserted action that may not occur at its place in the test. */
const notNow: ReadonlySet<ErrorCode> = new Set(['ACTION_FAILED', 'TARGET_NOT_FOUND', 'TARGET_AMBIGUOUS']);

/** An action to perform, from a call or from a saved step. */
export interface Task extends CheckedRequest {
  /** Finds the step's locator, and the one element that it acts on. */
  locate: () => Promise<Located>;
  /** Finds the second element, of an action that takes one. */
  locateTo: () => Promise<Located>;
  /** Finds what a picture hides. */
  locateMask: () => Promise<LocatorChain[]>;
  /** What it has to cause, if that is known. */
  signals?: readonly Signal[] | undefined;
}

/** The elements of a step, and its page. */
interface Place extends Located {
  to: LocatorChain | undefined;
  mask: LocatorChain[];
  page: string;
}

/** Performs tasks in the session's current page, and appends a step for each that succeeds. */
export class TaskRunner {
  private readonly outcome: RecordOutcome = { landed: [], performed: 0, failure: undefined };
  private readonly expected: ExpectedEvents;
  private readonly autoAssertions: AutoAssertions | undefined;
  /** The target of the current task. */
  private target: Located = {};
  private at: number | undefined;
  private readonly brief = new BriefChecks();
  /** The assertions that follow the current task. */
  private following: readonly Task[] = [];
  /** The pages before the current task. */
  private pages: ReadonlySet<LivePage> = new Set();

  constructor(
    private readonly open: OpenSession,
    private readonly limits: RecordLimits,
  ) {
    this.expected = new ExpectedEvents(open.session, open.live);
    this.at = limits.at;
    // An inserted step has its effects on another page than the current one.
    this.autoAssertions = limits.at === undefined ? autoAssertionsOf(open) : undefined;
  }

  /** Performs one task after another, up to the first that fails. */
  async run(tasks: readonly Task[], signal: AbortSignal): Promise<RecordOutcome> {
    for (const [index, task] of tasks.entries()) {
      if (signal.aborted) break;
      this.target = {};
      this.following = task.action.kind === 'mutates' ? assertionsAfter(tasks, index) : [];
      this.pages = new Set(this.open.live.pages);
      try {
        const isAnswered = tasks.slice(index + 1).some(({ action }) => action.kind === 'mutates');
        const { at } = this;
        const step = await span(
          `action ${task.action.name}`,
          { 'codegen.session': this.open.session.id },
          () => (at === undefined ? this.perform(task) : this.insert(task, at, isAnswered)),
        );
        if (step !== undefined) this.outcome.landed.push({ index, step, replaced: this.target.replaced });
      } catch (error) {
        await this.fail(error, index, task);
        break;
      }
    }
    await this.requireInTime(tasks);
    return this.outcome;
  }

  /** Fails if the call ends with a step that expects an event which had already happened. */
  private async requireInTime(tasks: readonly Task[]): Promise<void> {
    const { failure, landed } = this.outcome;
    const late = this.expected.tooLate();
    const [index, task] = [tasks.length - 1, tasks.at(-1)];
    if (failure !== undefined || late === undefined || task === undefined || this.at !== undefined) return;
    const before = this.open.session.steps.findLastIndex((step) => traitsOf(step).kind === 'mutates');
    if (landed.length === 0 || before === -1) return;
    const error = new CodegenError(
      'INVALID_INPUT',
      `${late} before the wait began, so it was not recorded.`,
      {
        hint: `It must come before the action that causes it: record ${task.action.name} again with \`at\`: ${before}, to insert it before step ${before}; or send it right before the next action, in one call.`,
      },
    );
    await this.fail(error, index, task);
  }

  /** Returns the recorded step; undefined for a task that is only performed. */
  private async perform(task: Task): Promise<Step | undefined> {
    const { session, live } = this.open;
    const { current } = live;
    const { action, prepared } = task;
    const isRecorded = task.record && action.recorded;
    live.takeBlockedPage();
    requirePage(live, action);
    const before = session.steps.slice(0, this.at);
    if (isRecorded) {
      if (action.usesDownload) await downloadBegun(before, this.limits.actionMs);
      requireRecorded(before, live, task);
      requireHookOrder(session.steps, before.length, task);
    }
    if (action.kind !== 'expects' && !action.switchesPage) await bringToFront(live, current);
    const endsAt = performance.now() + timeoutOf(prepared.args, this.limits.actionMs);
    const left = (): number => Math.ceil(Math.max(leftMs, endsAt - performance.now()));
    const step = await responseWithin(left() + graceMs, this.place(task, isRecorded));
    const { target } = this;
    // Late events still belong to the last step until another action begins.
    if (action.kind === 'mutates') {
      live.credited = isRecorded ? step : undefined;
      live.log.recent.length = 0;
    }
    // Another document, to which the page goes meanwhile, must not get the secret of this one.
    const isPinned = target.pin !== undefined && referencesIn(prepared.args).length > 0;
    const locator = isPinned ? target.pin?.locator : target.chain && toLocator(current.page, target.chain);
    this.limits.begin();
    const { asserts = false, opensGroup = false } = action;
    const held = await this.brief.held(task);
    const limits = { ...this.limits, actionMs: held ? heldMs : left() };
    const context = this.contextOf(step, isRecorded, limits);
    const [unmet = []] = await Promise.all([
      within(left(), this.brief.unmet(this.following, context)),
      within(left(), this.autoAssertions?.begin(action.name, target.pin, target.chain)),
      asserts || opensGroup ? undefined : current.settling.mark(),
    ]);
    const startedAt = performance.now();
    if (!held) limits.actionMs = context.actionMs = left();
    current.page.setDefaultTimeout(limits.actionMs);
    const performed = bounded(task, prepared.perform(context, locator), limits, live);
    await performed
      .catch((error: unknown) => {
        if (!held) throw error;
      })
      .finally(() => {
        current.page.setDefaultTimeout(live.actionMs);
      });
    this.brief.begin(unmet, context);
    const took = performance.now() - startedAt;
    if (took >= slowMs && action.asksPerson !== true) step.slowMs = Math.round(took);
    const isInstant = opensGroup || (asserts && took < instantMs);
    if (isRecorded) requireDownload(before, action);
    this.outcome.performed++;
    if (!isInstant) await settled(live, current, step);
    await this.awaitEffects(task, step);
    await markEffects(live, step);
    await this.limits.settled?.();
    if (isRecorded) requireLoaded(live.current.page, action.name);
    if (isRecorded) await this.append(step);
    else this.forget(action);
    return isRecorded ? step : undefined;
  }

  /** Finds the elements of a task. Returns its step, if it may be performed. */
  private async place(task: Task, isRecorded: boolean): Promise<Step> {
    const { live } = this.open;
    const { id: page } = live.current;
    const target = (this.target = await task.locate());
    const { chain: to } = await task.locateTo();
    const step = await this.stepOf(task, { ...target, to, mask: await task.locateMask(), page });
    if (isRecorded) requireRedacted(step, live.secrets);
    await guardTyped(live, step, target);
    return step;
  }

  /**
   * Performs a task whose step is inserted, if the current page allows it; otherwise only a run of the test proves the
   * step.
   */
  private async insert(task: Task, at: number, isAnswered: boolean): Promise<Step | undefined> {
    const { session, live } = this.open;
    const { action } = task;
    const page = pageAt(session.steps, at);
    const isRecorded = task.record && action.recorded;
    if (!isRecorded || (page === live.current.id && (action.kind !== 'expects' || isAnswered)))
      try {
        return await this.perform(task);
      } catch (error) {
        const { code } = await explainFailure(error, action.name, live, this.target.pin?.frame);
        if (!isRecorded || !notNow.has(code)) throw error;
        live.credited = undefined;
        this.expected.cancel(new Set(session.steps));
        await live.current.settling.abandon();
      }
    const before = session.steps.slice(0, at);
    requireRecorded(before, live, task, page);
    requireHookOrder(session.steps, at, task);
    requireDownload(before, action);
    const chain = this.target.chain ?? uncheckedChain(task.target, page);
    const to = uncheckedChain(task.to, page);
    const mask = task.mask.map((each) => uncheckedChain(each, page)).filter((each) => each !== undefined);
    const opened = action.switchesPage ? task.prepared.args['page'] : page;
    const place = typeof opened === 'string' ? opened : page;
    const step = await this.stepOf(task, { chain, to, mask, page: place });
    requireRedacted(step, live.secrets);
    step.unchecked = true;
    await this.append(step);
    return step;
  }

  private async stepOf(
    { action, prepared, note }: Task,
    { chain, pin, alternative, isOwn, own, to, mask, page }: Place,
  ): Promise<Step> {
    const { secrets } = this.open.live;
    const isBrittle = chain !== undefined && isOwn !== true && brittleness(chain).size > 0;
    const seen = isBrittle && pin !== undefined ? await within(lookMs, describeElement(pin)) : undefined;
    return {
      action: action.name,
      ...(page === firstPage ? {} : { page }),
      ...(chain === undefined ? {} : { locator: chain }),
      ...(alternative === undefined ? {} : { alternative }),
      ...(own === undefined ? {} : { own }),
      ...(to === undefined ? {} : { to }),
      ...(mask.length === 0 ? {} : { mask }),
      args: prepared.args,
      ...(seen === undefined ? {} : { seen: secrets.redact(seen) }),
      ...(note === undefined ? {} : { note }),
      ...(worksOnlyInTest({ action: action.name, args: prepared.args }) ? { unchecked: true } : {}),
    };
  }

  private contextOf(step: Step, isRecorded: boolean, limits: RecordLimits): ActionContext {
    const { session, live } = this.open;
    const { page } = live.current;
    return {
      ...limits,
      page,
      pages: pagesOf(live, session.use, limits.files),
      to: step.to && toLocator(page, step.to),
      download: live.downloads.latest,
      credit: (signal) => (step.signals ??= []).push(signal),
      answerDialog: this.expected.answerDialog,
      expectEvent: (event) => {
        this.expected.add(event, isRecorded ? step : undefined);
      },
      remove: async (removal) => {
        const removed = removeFrom(session.steps, removal);
        this.expected.cancel(new Set(removed.values()));
        await unhandle(live, [...removed.values()]);
        live.log.addResult(step.action, removalText([...removed.keys()], removal));
      },
      show: (value) => {
        live.log.addResult(step.action, live.log.shorten(textOf(value), longestResult));
      },
      secrets: live.secrets,
      bound: live.bound,
      found(fields) {
        for (const [name, value] of Object.entries(fields))
          step.args[name] = typeof value === 'string' ? live.secrets.conceal(value) : value;
      },
      baseURL: session.use.baseURL,
      recent: live.log.recent,
      steps: session.steps,
    };
  }

  /** Waits until every expected event has happened, after the pages have settled. */
  private async awaitEffects({ action, signals }: Task, step: Step): Promise<void> {
    const { live } = this.open;
    const blocked = live.takeBlockedPage();
    if (blocked !== undefined) throw pageBlocked(blocked);
    if (action.kind === 'mutates') await this.expected.happen(this.limits.actionMs);
    if (signals !== undefined) await matchSignals(live, step, signals, this.limits.actionMs);
  }

  private async append(step: Step): Promise<void> {
    const { session, live } = this.open;
    if (traitsOf(step).switchesPage && step.unchecked !== true) {
      setStepPage(step, live.current);
      step.leadsTo = addressOf(live.current.page, live.secrets);
    }
    const end = groupTitle(step) === undefined ? session.steps.length : groupStart(session.steps);
    session.steps.splice(this.at ?? end, 0, step);
    if (this.at !== undefined) this.at++;
    // What a page shows, or that it closed while it was looked at, never fails a step that landed.
    await this.autoAssertions?.finish(step).catch(() => this.autoAssertions?.forget());
    // What events of the page added since.
    if (live.secrets.foundIn(step).length > 0) Object.assign(step, live.secrets.redactAll(step));
  }

  /** Forgets an action that is not recorded, with the steps that expect its events. */
  private forget({ kind, name }: Action): void {
    const { session } = this.open;
    this.autoAssertions?.forget();
    if (kind !== 'mutates') return;
    (session.unrecorded ??= []).push({ action: name, at: session.steps.length });
    this.withdraw();
  }

  private withdraw(): void {
    const withdrawn = this.expected.withdraw(this.at);
    if (this.at !== undefined) this.at -= withdrawn.length;
    this.outcome.landed = this.outcome.landed.filter(({ step }) => !withdrawn.includes(step));
  }

  private async fail(error: unknown, index: number, { action, target }: Task): Promise<void> {
    const { live } = this.open;
    this.autoAssertions?.forget();
    // What only looked leaves late events to the step before.
    if (action.kind === 'mutates') live.credited = undefined;
    const { settling } = live.current;
    const [explained] = await Promise.all([
      explainFailure(error, action.name, live, this.target.pin?.frame),
      settling.abandon(),
    ]);
    this.outcome.failure = { index, error: explained, target };
    this.withdraw();
    if (action.opensPage === true) await closePages(live.pages.filter((entry) => !this.pages.has(entry)));
    // The page had the time of the action to settle.
    if (!(await settling.isSilent())) await within(failedSettleMs, settling.settle());
  }
}

/** Created with the first action; undefined without `autoAssert`. */
export function autoAssertionsOf(open: OpenSession): AutoAssertions | undefined {
  const { session, live } = open;
  if (session.autoAssert) open.autoAssertions ??= new AutoAssertions(session, live);
  return open.autoAssertions;
}
