import type { Locator } from 'playwright';
import { z } from 'zod';
import type { Action, ActionContext, PreparedAction } from '../actions/action.js';
import { assertedTexts } from '../actions/expect.js';
import { actions } from '../actions/registry.js';
import { bestLocator } from '../browser/best-locator.js';
import type { Live, LivePage } from '../browser/live.js';
import { isLocatorExpression, parseLocatorExpression, toLocator } from '../browser/locator-expression.js';
import { pinNow, pinSoon, type Pin } from '../browser/pin.js';
import { lineOfRef } from '../browser/snapshot.js';
import { CodegenError } from '../model/errors.js';
import { invalidInput } from '../model/invalid.js';
import type { LocatorChain } from '../model/locator.js';
import { nearest } from '../model/nearest.js';
import type { Step } from '../model/step.js';
import { createEffects, type Effects } from './effects.js';
import { explainFailure } from './failure.js';
import type { ActionRequest } from './request.js';
import type { Session } from './session.js';

/** Milliseconds that an action may take beyond its own time-out. */
const graceMs = 1000;

export interface RecordLimits {
  actionMs: number;
  navigationMs: number;
}

export interface RecordOutcome {
  /** The steps that landed, by the index of their action in the call. */
  landed: { index: number; step: Step }[];
  /** How many actions were performed, recorded or not. */
  performed: number;
  failure: { index: number; error: CodegenError; target: string | undefined } | undefined;
}

/** An action of a call, checked. */
interface Request {
  action: Action;
  prepared: PreparedAction;
  target: string | undefined;
  note: string | undefined;
  record: boolean;
}

/** Something to do in the page, from an agent's action or a saved step. */
export interface Task extends Request {
  /** Finds the locator that the step is to have, and the one element that it acts on. */
  locate: () => Promise<Located>;
}

export interface Located {
  chain?: LocatorChain | undefined;
  pin?: Pin | undefined;
}

/**
 * Performs actions in the session's current page and appends a step for each that succeeded. All of them are checked
 * before the first is performed; the first that fails ends the call, and what landed before it stays.
 */
export async function recordActions(
  session: Session,
  live: Live,
  raw: readonly ActionRequest[],
  limits: RecordLimits,
  signal: AbortSignal,
): Promise<RecordOutcome> {
  const requests = raw.map((entry, index) => checkRequest(entry, index, session.use.baseURL));
  const current = live.current;
  const refs = requests.flatMap(({ target }) => (target !== undefined && isRef(target) ? [target] : []));
  const pins = await pinRefs(current, [...new Set(refs)]);
  await effectsOf(session, live)?.catchUp();
  const tasks = requests.map((request) => ({
    ...request,
    locate: () => resolveTarget(request, current, pins, session.use.testIdAttribute, limits),
  }));
  return performTasks(session, live, tasks, limits, signal);
}

/** Does one thing after the other, each recorded where it succeeded; the first that fails is the last. */
export async function performTasks(
  session: Session,
  live: Live,
  tasks: readonly Task[],
  limits: RecordLimits,
  signal: AbortSignal,
): Promise<RecordOutcome> {
  const current = live.current;
  const effects = effectsOf(session, live);
  const outcome: RecordOutcome = { landed: [], performed: 0, failure: undefined };
  for (const [index, request] of tasks.entries()) {
    if (signal.aborted) break;
    const { action, prepared, note } = request;
    try {
      requirePage(live, current);
      const context: ActionContext = {
        page: current.page,
        baseURL: session.use.baseURL,
        steps: session.steps,
        ...limits,
      };
      const { chain, pin } = await request.locate();
      const locator = chain === undefined ? undefined : toLocator(current.page, chain);
      await Promise.all([effects?.begin(action.name, pin, chain), current.settling.mark()]);
      await bounded(action, prepared.perform(context, locator), limits);
      outcome.performed++;
      await current.settling.settle();
      if (!request.record || !action.recorded) {
        effects?.forget();
        continue;
      }
      const step: Step = {
        action: action.name,
        ...(chain === undefined ? {} : { locator: chain }),
        args: prepared.args,
        ...(note === undefined ? {} : { note }),
      };
      session.steps.push(step);
      await effects?.finish(step);
      outcome.landed.push({ index, step });
    } catch (error) {
      effects?.forget();
      outcome.failure = { index, error: explainFailure(error, action.name, live), target: request.target };
      await current.settling.abandon();
      await current.settling.settle();
      break;
    }
  }
  return outcome;
}

/** What finds the effects of steps, where they are to be asserted. */
function effectsOf(session: Session, live: Live): Effects | undefined {
  if (session.autoAssert) session.effects ??= createEffects(session, live);
  return session.effects;
}

function checkRequest(raw: ActionRequest, index: number, baseURL: string | undefined): Request {
  const where = `actions[${index}]`;
  const { action: name, note, record = true } = raw;
  const target = raw.target?.replace(/^\[?ref=((?:f\d+)?e\d+)\]?$/, '$1');
  const action = actions.get(name);
  if (action === undefined) {
    const guess = nearest(name, [...actions.keys()]);
    throw new CodegenError(
      'INVALID_INPUT',
      `${where}: there is no action "${name}"${guess === undefined ? '' : `; did you mean "${guess}"?`}`,
      { hint: `Actions: ${[...actions.keys()].join(', ')}.` },
    );
  }
  const takesTarget = action.target !== 'none';
  const fields = [
    ...(takesTarget ? ['target'] : []),
    ...Object.keys(action.fields.shape),
    ...(action.recorded ? ['note', 'record'] : []),
  ];
  if (action.target === 'element' && target === undefined)
    throw new CodegenError('INVALID_INPUT', `${where}: ${name} needs a target.`, {
      hint: "Give a ref of the snapshot (e12) or a locator such as getByRole('button', { name: 'Save' }).",
    });
  const envelopeFields = new Set(['action', 'note', 'record', ...(takesTarget ? ['target'] : [])]);
  const own = Object.fromEntries(Object.entries(raw).filter(([key]) => !envelopeFields.has(key)));
  if (target !== undefined && !isRef(target)) chainOf(target);
  try {
    return { action, prepared: action.prepare(own, baseURL), target, note, record };
  } catch (error) {
    throw error instanceof z.ZodError
      ? invalidInput(error, `${where} ${name}`, fields, action.fields)
      : error;
  }
}

/** A reference as snapshots print it: `e12`, or `f1e3` in a frame. */
function isRef(target: string): boolean {
  return /^(?:f\d+)?e\d+$/.test(target);
}

/** A locator expression is parsed; anything else is a Playwright selector. */
function chainOf(target: string): LocatorChain {
  return isLocatorExpression(target)
    ? parseLocatorExpression(target)
    : [{ method: 'locator', args: [target] }];
}

/** Resolves references before the first action, since every further snapshot gives out new ones. */
async function pinRefs(current: LivePage, refs: readonly string[]): Promise<Map<string, Pin | undefined>> {
  const pins = await Promise.all(refs.map((ref) => pinNow(refLocator(current, ref))));
  return new Map(refs.map((ref, index) => [ref, pins[index]]));
}

/** The element of a reference, by the name that it has in Playwright's latest snapshot. */
function refLocator({ page, view }: LivePage, ref: string): Locator {
  return page.getByRef(lineOfRef(view ?? [], ref)?.ref ?? ref);
}

/** What a target matches now, for looking at it. */
export function targetLocator(current: LivePage, target: string): Locator {
  return isRef(target) ? refLocator(current, target) : toLocator(current.page, chainOf(target));
}

/** What an ambiguous target matches, each by a locator that is its own. */
export async function matchesOf(current: LivePage, target: string, most: number): Promise<string[]> {
  const locator = targetLocator(current, target);
  const count = Math.min(await locator.count(), most);
  const indexes = Array.from({ length: count }, (_, index) => index);
  return Promise.all(indexes.map(async (index) => (await locator.nth(index).normalize()).toString()));
}

async function resolveTarget(
  request: Request,
  { page }: LivePage,
  pins: ReadonlyMap<string, Pin | undefined>,
  testIdAttribute = 'data-testid',
  limits: RecordLimits,
): Promise<Located> {
  const { action, target, prepared } = request;
  if (target === undefined) return {};
  if (!isRef(target)) {
    const given = chainOf(target);
    if (action.target === 'subject') return { chain: given };
    const pin = await pinSoon(toLocator(page, given), limits.actionMs);
    return { chain: await bestLocator(pin, { testIdAttribute }), pin };
  }
  const pin = pins.get(target);
  if (pin === undefined || (await pin.locator.count()) === 0)
    throw new CodegenError('TARGET_NOT_FOUND', `The element of ref ${target} is gone.`, {
      hint: 'Take a ref of the latest snapshot, or a locator.',
    });
  const texts = action.name === 'expect' ? assertedTexts(prepared.args) : undefined;
  const asserted = texts === 'own text' ? [(await pin.locator.textContent()) ?? ''] : texts;
  return { chain: await bestLocator(pin, { testIdAttribute, asserted }), pin };
}

/** A script of the page that does not end holds up even Playwright's own time-outs. */
async function bounded(action: Action, work: Promise<void>, limits: RecordLimits): Promise<void> {
  const limitMs = (action.target === 'none' ? limits.navigationMs : limits.actionMs) + graceMs;
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

function requirePage(live: Live, current: LivePage): void {
  if (live.lost())
    throw new CodegenError('BROWSER_FAILED', 'The browser behind this session is gone.', {
      hint: 'End the session to keep what is recorded, or start a new one.',
    });
  if (current.page.isClosed())
    throw new CodegenError('ACTION_FAILED', 'The page has been closed.', {
      hint: 'End the session to keep what is recorded, or start a new one.',
    });
}
