import { setTimeout as sleep } from 'node:timers/promises';
import type { BrowserContext, CDPSession, Frame, Page, Request } from 'playwright';
import { z } from 'zod';
import { within } from '../model/within.js';
import { isSilentFrame, loadedFrames, noteAnswer } from './frames.js';
import { callIsolated, type InPage } from './isolated.js';
import { requestFrame } from './origin.js';
import { lateQuestions, watcherKey, watcherScript, type WatcherQuestion } from './watcher.js';

/** Milliseconds between checks of a busy page, increasing; the first is how long it must be quiet. */
const busyPollMs = [10, 20, 30, 40];

/** Milliseconds after which an unresponsive page is assumed to run an endless script, and for stopping that. */
const silentMs = 500;
const stoppingMs = 200;

/** Milliseconds for which a silent page is not asked again. */
const recentMs = 1000;

/** Milliseconds that a child frame has to answer after the main frame, and if it did not answer before. */
const childMs = 500;
const silentChildMs = 50;

/** How often an endless script is stopped, since it may be followed by another one. */
const attempts = 3;

/** Milliseconds between checks whether a new page has opened. */
const openingPollMs = 10;

/** How much of a title is read: more than is shown, since it is redacted before it is cut. */
export const maxTitle = 5000;

/** Time-out for installing the watcher in a page. */
export const watchingMs = 5000;

/** Resource types that affect what a page shows. */
const awaitedResources = new Set(['document', 'script', 'stylesheet']);

export interface SettleLimits {
  /** Time limit of a document's own work. */
  settleMs: number;
  /** Time-out of a navigation of the main frame, and for a busy page to respond. */
  navigationMs: number;
}

/** Installs the watcher in every frame that loads in a context or page from now on. */
export async function watchContext(context: Pick<BrowserContext, 'addInitScript'>): Promise<void> {
  await context.addInitScript({ content: watcherScript(watcherKey) });
}

/** Installs the watcher in the existing frames of a page. */
export async function watchPage(page: Page): Promise<void> {
  const frames = page.frames().filter((frame) => frame.url() !== 'about:blank');
  await within(watchingMs, Promise.all(frames.map((frame) => frame.evaluate(watcherScript(watcherKey)))));
}

/**
 * Waits until a page of a watched context has settled, by watching it rather than sleeping. `opening` are the pending
 * navigations of pages that have not opened yet: a page opens only once its server has answered.
 */
export class Settling {
  readonly #loading = new Set<Request>();
  #wake: (() => void) | undefined;
  #attached: Promise<CDPSession | undefined> | undefined;
  #copied = false;
  /** The main frame is the first. */
  #settledFrames: SettledFrame[] = [];
  #isSilent = false;
  #silentAt = 0;
  #stoppedAt = -Infinity;

  constructor(
    private readonly page: Page,
    private readonly limits: SettleLimits,
    private readonly opening: ReadonlySet<Request>,
  ) {
    page.on('request', (request) => {
      if (awaitedResources.has(request.resourceType())) this.#loading.add(request);
    });
    const loaded = (request: Request): void => {
      this.#loading.delete(request);
      this.#wake?.();
    };
    page.on('requestfinished', loaded);
    page.on('requestfailed', loaded);
    page.on('close', () => this.#wake?.());
    page.on('crash', () => this.#wake?.());
  }

  /** The page's document when it settled; undefined if the page did not answer. */
  settledDocument(): SettledDocument | undefined {
    return this.#settledFrames[0];
  }

  /** Whether the page had a closed shadow root when it settled. */
  hasClosedRoots(): boolean {
    return this.#settledFrames.some((frame) => frame.hasClosedRoots);
  }

  /** Whether the page has written to the clipboard since the last call; known once the page has settled. */
  takeCopied(): boolean {
    const taken = this.#copied;
    this.#copied = false;
    return taken;
  }

  /** Call just before an action: only what starts from now on counts. */
  async mark(): Promise<void> {
    void this.#debugger();
    this.#loading.clear();
    const { settleMs } = this.limits;
    // The first question to a document takes long, and a new page has nothing to answer.
    const isBlank = this.page.url() === 'about:blank';
    if (isBlank && (await within(settleMs, this.page.opener())) === null) return;
    await askAll(this.page, (frame, main) => askFrame(frame, ['mark'], { limitMs: settleMs, main }));
  }

  /** Call when the page has not responded in time. */
  suspect(): void {
    this.#isSilent = true;
    this.#silentAt = performance.now();
  }

  /** Whether a script of the page was stopped a moment ago, after which another one may block it. */
  wasStopped(): boolean {
    return performance.now() - this.#stoppedAt < recentMs;
  }

  /** Whether the page did not respond in time when it should have settled, and still does not. */
  async isSilent(): Promise<boolean> {
    if (!this.#isSilent || performance.now() - this.#silentAt < recentMs) return this.#isSilent;
    this.#isSilent = !this.page.isClosed() && !(await responds(this.page, silentMs));
    this.#silentAt = performance.now();
    return this.#isSilent;
  }

  /**
   * Call after a failure: cancels a pending navigation, during which Playwright can't evaluate anything in the page, and
   * stops a script that does not end.
   */
  async abandon(): Promise<void> {
    if (this.page.isClosed()) return;
    const devTools = await this.#debugger();
    if (this.#isNavigating()) await within(stoppingMs, devTools?.send('Page.stopLoading'));
    for (let attempt = 0; attempt < attempts; attempt++) {
      this.#isSilent = !(await responds(this.page, attempt === 0 ? silentMs : stoppingMs));
      this.#silentAt = performance.now();
      if (!this.#isSilent) return;
      const stopped = await within(stoppingMs, devTools?.send('Runtime.terminateExecution'));
      // It is not a script that blocks the page.
      if (stopped === undefined) return;
      this.#stoppedAt = performance.now();
    }
  }

  /** Resolves when what started since the mark has ended, or at its time limits. */
  async settle(): Promise<void> {
    const arriveBy = performance.now() + this.limits.navigationMs;
    this.#isSilent =
      !(await this.#settleBefore(arriveBy)) &&
      // A busy page has as long as a navigation; what it does then is waited for as well.
      !((await responds(this.page, arriveBy - performance.now())) && (await this.#settleBefore(arriveBy)));
  }

  /** Resolves when what began since the mark has ended, or after its time. Returns whether the page responded. */
  async #settleBefore(arriveBy: number): Promise<boolean> {
    const { page, opening } = this;
    const settleEnd = (): number => performance.now() + this.limits.settleMs;
    let settleBy = settleEnd();
    let hasResponded = false;
    while (!page.isClosed()) {
      const left = settleBy - performance.now();
      if (left <= 0) return hasResponded;
      const before = this.#documents();
      this.#settledFrames = await askAll(page, (frame, main) => settledFrame(frame, left, main));
      this.#copied ||= this.#settledFrames.some((frame) => frame.copied);
      hasResponded ||= this.#settledFrames[0]?.title !== undefined;
      if (opening.size > 0 && performance.now() < arriveBy) {
        await this.#nextEvent(openingPollMs);
        settleBy = settleEnd();
      } else if (this.#isNavigating() && performance.now() < arriveBy) {
        await this.#nextEvent(arriveBy - performance.now());
        settleBy = settleEnd();
      } else if (this.#loading.size > 0) await this.#nextEvent(settleBy - performance.now());
      else if (this.#documents() === before) return hasResponded;
    }
    return true;
  }

  /** Attached before it is needed, since attaching to a page that hangs fails; only Chromium has one. */
  #debugger(): Promise<CDPSession | undefined> {
    const context = this.page.context();
    return (this.#attached ??=
      context.browser()?.browserType().name() === 'chromium'
        ? within(this.limits.settleMs, context.newCDPSession(this.page))
        : Promise.resolve(undefined));
  }

  #isNavigating(): boolean {
    return [...this.#loading].some(
      (request) => request.isNavigationRequest() && requestFrame(request) === this.page.mainFrame(),
    );
  }

  #documents(): string {
    return String(this.page.frames().map((frame) => frame.url()));
  }

  #nextEvent(timeoutMs: number): Promise<void> {
    return within(timeoutMs, new Promise((resolve) => (this.#wake = resolve)));
  }
}

/** Whether a page responds; one with an endless script does not. */
export async function responds(page: Page, limitMs: number): Promise<boolean> {
  const answer = callIsolated(page.mainFrame(), () => true, { arg: undefined, schema: z.boolean(), limitMs });
  return (await within(limitMs, answer)) === true;
}

/** Notes which child frames answer. */
export async function askChildFrames(page: Page): Promise<void> {
  await askAll(page, (frame, main) => askFrame(frame, [], { limitMs: 2 * childMs, main }));
}

/** The answers of a frame's watcher, and the title of its document. */
async function ask(frame: Frame, questions: WatcherQuestion[], limitMs: number): Promise<FrameAnswers> {
  const arg = { key: watcherKey, questions, maxTitle };
  return (await within(limitMs, callIsolated(frame, askWatcher, { arg, schema: answers, limitMs }))) ?? {};
}

/** The answers of all frames. Child frames have little more time than the main frame, whose answer they are given. */
async function askAll<Answer>(
  page: Page,
  question: (frame: Frame, main?: Promise<Answer>) => Promise<Answer>,
): Promise<Answer[]> {
  const [mainFrame = page.mainFrame(), ...children] = loadedFrames(page);
  const main = question(mainFrame);
  return Promise.all([main, ...children.map((frame) => question(frame, main))]);
}

/** Like `ask`; a child frame that does not answer soon after the main frame is asked only shortly from then on. */
async function askFrame(
  frame: Frame,
  questions: WatcherQuestion[],
  { limitMs, main }: { limitMs: number; main: Promise<unknown> | undefined },
): Promise<FrameAnswers> {
  if (main === undefined) return ask(frame, questions, limitMs);
  const url = frame.url();
  const answer = ask(frame, questions, limitMs);
  const early = isSilentFrame(frame)
    ? within(silentChildMs, answer)
    : main.then(() => within(childMs, answer));
  const given = (await Promise.race([answer, early])) ?? {};
  // The question to a document that another one has replaced is lost.
  noteAnswer(frame, given.title !== undefined || frame.url() !== url);
  return given;
}

const answers = z.strictObject({
  mark: z.boolean().optional(),
  busy: z.boolean().optional(),
  unsure: z.boolean().optional(),
  copied: z.boolean().optional(),
  hosts: z.boolean().optional(),
  late3: z.boolean().optional(),
  late6: z.boolean().optional(),
  late12: z.boolean().optional(),
  late24: z.boolean().optional(),
  title: z.string().optional(),
  elements: z.int().optional(),
});

type FrameAnswers = z.infer<typeof answers>;

/** Roughly how many milliseconds after an action the page still changed; 0 if fewer than 3000. */
export async function latenessOf(page: Page, limitMs: number): Promise<number> {
  const given = await ask(page.mainFrame(), [...lateQuestions], limitMs);
  const last = lateQuestions.findLast((question) => given[question] === true);
  return last === undefined ? 0 : 1000 * Number(last.replace('late', ''));
}

/** Runs in the page, but not in the watcher's world; events are the only way between them. */
function askWatcher(
  _: InPage,
  { key, questions, maxTitle }: { key: string; questions: WatcherQuestion[]; maxTitle: number },
): FrameAnswers {
  const isCanceled = (type: string): boolean =>
    !document.dispatchEvent(new Event(type, { cancelable: true }));
  const given = Object.fromEntries(questions.map((question) => [question, isCanceled(`${key}-${question}`)]));
  // An image named `title` shadows the document's own.
  const title: unknown = Reflect.get(Document.prototype, 'title', document);
  const elements = document.getElementsByTagName('*').length;
  return { ...given, title: typeof title === 'string' ? title.slice(0, maxTitle) : '', elements };
}

/** A document after its frame has settled. */
interface SettledDocument {
  /** The title, or the start of a long one. */
  title?: string | undefined;
  elements?: number | undefined;
}

/** A settled frame, according to its watcher and document. */
interface SettledFrame extends SettledDocument {
  copied: boolean;
  hasClosedRoots: boolean;
}

async function settledFrame(
  frame: Frame,
  timeoutMs: number,
  main: Promise<unknown> | undefined,
): Promise<SettledFrame> {
  const deadline = performance.now() + timeoutMs;
  let hasCopied = false;
  let latest: FrameAnswers = {};
  const pauses = busyPollMs.values();
  let pause = 0;
  // Twice if unsure: by the second time, rendering in messages or promises has run.
  for (let quiet = 0; quiet < 2;) {
    const left = deadline - performance.now();
    if (left <= 0) break;
    const given = await askFrame(frame, ['busy', 'unsure', 'copied', 'hosts'], { limitMs: left, main });
    // At its limit, a page may answer too late, which it did before.
    if (given.title !== undefined) latest = given;
    const { busy = false, unsure = false, copied = false } = given;
    hasCopied ||= copied;
    if (busy) {
      quiet = 0;
      pause = pauses.next().value ?? pause;
      await sleep(Math.min(pause, left));
    } else quiet += unsure ? 1 : 2;
  }
  return {
    copied: hasCopied,
    hasClosedRoots: latest.hosts === true,
    title: latest.title,
    elements: latest.elements,
  };
}
