import { CodegenError, messageOf } from '../model/errors.js';
import { log } from '../model/log.js';
import type { Secrets } from '../model/secrets.js';
import { sha256 } from '../model/text.js';
import { within } from '../model/within.js';
import { browserGone, isLost } from './failure.js';
import { HandOver, type Control, type HandOverLimits } from './hand-over.js';
import type { Opening, OpenSession, Session, SessionPlan } from './session.js';

/** Milliseconds for a context to close. */
const closingMs = 3000;
/** How many closed sessions `find` still returns. */
const maxClosed = 100;
/** Maximum number of waiting calls per session. */
const maxWaiting = 20;
/** Milliseconds after which a session whose queue was full may have room. */
const retryAfterMs = 1000;
/** Milliseconds that a call waits for a person who works in its session. */
const personMs = 20_000;
/** Milliseconds after which such a call may be sent again. */
const personRetryMs = 10_000;

interface SessionLimits {
  maxSessions: number;
  /** Milliseconds without a call after which a session is closed. */
  idleTimeoutMs: number;
}

interface Entry {
  session: Session;
  /** Undefined unless the session is open. */
  open: OpenSession | undefined;
  secrets: Secrets;
  /** Resolves after the last of its calls. */
  queue: Promise<unknown>;
  /** Calls that run or wait. */
  calls: number;
  /** Name of the person who works in it. */
  person: string | undefined;
  /** The running call's request for a person. */
  handOver: HandOver | undefined;
  idle: NodeJS.Timeout | undefined;
  /** Resolves after the last save. */
  saving: Promise<void>;
  /** Hash of what was saved last. */
  saved: string;
  /** Whether it is no longer saved, since its test was written or it was cleared. */
  isFinished: boolean;
}

/** The sessions of a server. Their steps are saved in the state directory as they are recorded, until the test is written. */
export class Sessions {
  private readonly entries = new Map<string, Entry>();
  private starting = 0;
  private isClosing = false;
  private arePeopleServed = false;
  /** Origin of this server's own web UI. */
  private pageOrigin: string | undefined;

  constructor(
    private readonly limits: () => SessionLimits,
    private readonly stateDirectory: string,
    private readonly newId: () => string,
  ) {}

  /** Opens a session; `open` starts its browser. Throws SESSION_LIMIT. */
  async start(plan: SessionPlan, open: () => Promise<Opening>): Promise<Session> {
    this.requireRunning();
    const active = this.list().filter(({ status }) => status === 'open').length + this.starting;
    if (active >= this.limits().maxSessions) throw tooMany(active);
    this.starting++;
    try {
      const { live, found } = await open();
      const session: Session = {
        ...plan,
        ...found,
        id: this.newId(),
        steps: [],
        status: 'open',
        lastUrl: '',
      };
      if (session.network !== undefined) session.network.position = () => session.steps.at(-1);
      const entry: Entry = {
        session,
        open: { session, live },
        secrets: live.secrets,
        queue: Promise.resolve(),
        calls: 0,
        person: undefined,
        handOver: undefined,
        idle: undefined,
        saving: Promise.resolve(),
        saved: '',
        isFinished: false,
      };
      this.entries.set(session.id, entry);
      void live.gone.then(() => this.suspend(entry, 'failed'));
      if (this.isClosing) await this.suspend(entry, 'ended');
      this.watchIdle(entry);
      return session;
    } finally {
      this.starting--;
    }
  }

  /**
   * Runs work on an open session after the calls already queued on it. Throws SESSION_NOT_FOUND, BROWSER_FAILED if its
   * browser exited, SESSION_LIMIT if too many calls wait.
   */
  async use<Result>(id: string, work: (open: OpenSession) => Promise<Result>): Promise<Result> {
    return this.enqueue(id, async ({ session, open }) => {
      if (open === undefined) throw session.status === 'failed' ? browserGone() : ended(session);
      try {
        return await work(open);
      } catch (error) {
        throw (await isLost(open.live)) ? browserGone() : error;
      }
    });
  }

  /** `use` for work that needs no browser: `open` is undefined if the session has none. */
  async useRecorded<Result>(
    id: string,
    work: (session: Session, open: OpenSession | undefined) => Promise<Result>,
  ): Promise<Result> {
    return this.enqueue(id, async ({ session, open }) => {
      if (session.status === 'ended') throw ended(session);
      return work(session, open);
    });
  }

  /**
   * Gives an open session to a person, after the calls already queued on it. Calls that come meanwhile wait for a while
   * and then fail. Throws what `use` throws, and SESSION_LIMIT if another person has it.
   */
  takeOver(id: string, person: string): Promise<Control> {
    const entry = this.entryOf(id);
    if (entry.person !== undefined) throw inHands(id, entry.person);
    if (entry.handOver !== undefined) {
      entry.person = person;
      return Promise.resolve(entry.handOver.take(person));
    }
    let isOver = false;
    return new Promise((resolve, reject) => {
      const used = this.use(
        id,
        (open) =>
          new Promise<void>((release) => {
            resolve({ open, release, save: () => this.save(entry), isOver: () => isOver });
          }),
      );
      entry.person = person;
      used
        .finally(() => {
          isOver = true;
          entry.person = undefined;
        })
        .catch(reject);
    });
  }

  /** Name of the person who works in a session. */
  personOf(id: string): string | undefined {
    return this.entries.get(id)?.person;
  }

  /**
   * Asks for a person in the middle of a call, and resolves to the outcome. Throws ACTION_FAILED if they decline,
   * nobody comes in time, or there is no page where they could.
   */
  async handOver(id: string, reason: string, limits: HandOverLimits): Promise<string> {
    const entry = this.entryOf(id);
    const { open } = entry;
    if (open === undefined) throw browserGone();
    if (!this.arePeopleServed)
      throw new CodegenError('ACTION_FAILED', 'This server has no page where a person could take over.', {
        hint: 'Ask the user to run `codegen-session-mcp ui` and open its link, or to set `ui.port`; then hand over again.',
      });
    const handOver = new HandOver(reason, { open, save: () => this.save(entry) });
    entry.handOver = handOver;
    try {
      const outcome = handOver.wait(limits);
      const reply = limits.invite?.().catch(() => true);
      void reply?.then((accepts) => {
        if (!accepts && entry.person === undefined) handOver.decline('The user', undefined);
      });
      return await outcome;
    } finally {
      entry.handOver = entry.person = undefined;
    }
  }

  /** Address of a session in the web UI; undefined if this server does not serve it. */
  addressOf(id: string): string | undefined {
    return this.pageOrigin && `${this.pageOrigin}/#/sessions/${id}`;
  }

  /** Why the running call of a session asks for a person; undefined if it does not. */
  handOverReason(id: string): string | undefined {
    return this.entries.get(id)?.handOver?.reason;
  }

  /** Declines what the running call of a session asks for, if it still does. */
  declineHandOver(id: string, person: string, why: string | undefined): void {
    this.entryOf(id).handOver?.decline(person, why);
  }

  /** Call when the web UI is served, on which they can take over. */
  servePeople(origin?: string): void {
    this.arePeopleServed = true;
    this.pageOrigin ??= origin;
  }

  /** Also finds ended sessions. Throws SESSION_NOT_FOUND. */
  find(id: string): Session {
    return this.entryOf(id).session;
  }

  list(): Session[] {
    return [...this.entries.values()].map(({ session }) => session);
  }

  /** An open session, to observe while calls run; undefined if it has no browser. */
  openOf(id: string): OpenSession | undefined {
    return this.entries.get(id)?.open;
  }

  /** Address of the current page, or of the last one after the session was closed. */
  urlOf({ id, lastUrl }: Session): string {
    return this.entries.get(id)?.open?.live.current.page.url() ?? lastUrl;
  }

  /** Closes a session whose test has been written; `find` still returns it. */
  end(session: Session): Promise<void> {
    return this.finish(session, [session.id, session.origin]);
  }

  /** Closes the session and removes it. */
  async clear(session: Session): Promise<void> {
    await this.finish(session, [session.id]);
    this.entries.delete(session.id);
  }

  /** Rejects further `start` calls. */
  seal(): void {
    this.isClosing = true;
  }

  /** Closes all sessions, which can be resumed, and rejects further ones. */
  async closeAll(): Promise<void> {
    this.seal();
    await Promise.allSettled([...this.entries.values()].map((entry) => this.suspend(entry, 'ended')));
  }

  private requireRunning(): void {
    if (this.isClosing) throw serverStopping();
  }

  private entryOf(id: string): Entry {
    const entry = this.entries.get(id);
    if (entry === undefined) throw notFound(id);
    return entry;
  }

  /** Runs work on a session after the calls already queued on it, and saves the result. */
  private enqueue<Result>(id: string, work: (entry: Entry) => Promise<Result>): Promise<Result> {
    const entry = this.entryOf(id);
    if (entry.calls > maxWaiting) throw queueFull(id);
    clearTimeout(entry.idle);
    entry.calls++;
    const { queue, person } = entry;
    const result = (person === undefined ? queue : released(queue, inHands(id, person)))
      .then(() => work(entry))
      .finally(async () => {
        entry.calls--;
        await this.save(entry);
        this.watchIdle(entry);
      });
    entry.queue = Promise.allSettled([queue, result]);
    return result;
  }

  private watchIdle(entry: Entry): void {
    clearTimeout(entry.idle);
    if (entry.calls > 0 || entry.session.status !== 'open') return;
    entry.idle = setTimeout(() => void this.suspend(entry, 'ended'), this.limits().idleTimeoutMs);
    entry.idle.unref();
  }

  private save(entry: Entry): Promise<void> {
    return (entry.saving = entry.saving.then(() => this.write(entry)));
  }

  /** Saves changed steps. A failure is reported on stderr only: saving must not fail a call. */
  private async write(entry: Entry): Promise<void> {
    const { session, isFinished } = entry;
    if (isFinished || session.steps.length === 0) return;
    const state = sha256(JSON.stringify([session.status, session.title, session.steps]));
    if (state === entry.saved) return;
    entry.saved = state;
    const { saveUnfinished } = await import('./unfinished.js');
    await saveUnfinished(this.stateDirectory, session, entry.secrets).catch((error: unknown) => {
      log(`session ${session.id} can't be saved: ${messageOf(error)}`);
    });
  }

  /** Closes a session's browser, and removes the oldest closed sessions. */
  private async close(entry: Entry, status: 'failed' | 'ended'): Promise<void> {
    const { session, open } = entry;
    session.status = status;
    entry.open = undefined;
    clearTimeout(entry.idle);
    const closed = this.list().filter((each) => each.status !== 'open');
    for (const { id } of closed.slice(0, -maxClosed)) this.entries.delete(id);
    if (open === undefined) return;
    session.lastUrl = open.live.current.page.url();
    await within(closingMs, open.live.close());
  }

  /** Closes a session so that it can be resumed. */
  private async suspend(entry: Entry, status: 'failed' | 'ended'): Promise<void> {
    if (entry.session.status !== 'open') return;
    await Promise.all([this.close(entry, status), this.save(entry)]);
  }

  /** Closes a session for good, and removes the unfinished sessions of these ids. */
  private async finish({ id }: Session, unfinished: readonly (string | undefined)[]): Promise<void> {
    const entry = this.entries.get(id);
    if (entry !== undefined) {
      entry.isFinished = true;
      await this.close(entry, 'ended');
      await entry.saving;
    }
    const { removeUnfinished } = await import('./unfinished.js');
    for (const each of unfinished)
      if (each !== undefined) await removeUnfinished(this.stateDirectory, each).catch(() => undefined);
  }
}

/** Waits for a person to release a session. Throws if that takes too long. */
async function released(queue: Promise<unknown>, error: CodegenError): Promise<void> {
  const isReleased = await within(
    personMs,
    queue.then(() => true),
  );
  if (isReleased === undefined) throw error;
}

function inHands(id: string, person: string): CodegenError {
  return new CodegenError('SESSION_LIMIT', `${person} has taken over session ${id}.`, {
    hint: 'Calls wait until they return control. Send the call again later.',
    retryAfterMs: personRetryMs,
  });
}

export function notFound(id: string): CodegenError {
  return new CodegenError('SESSION_NOT_FOUND', `There is no session ${id}.`, {
    hint: 'get_codegen_session without a sessionId lists all; start_codegen_session opens one, or continues an unfinished one with `resume`.',
  });
}

function ended({ id }: Session): CodegenError {
  return new CodegenError('SESSION_NOT_FOUND', `Session ${id} has ended.`, {
    hint: 'Sessions end with end_codegen_session, or after a long idle time. start_codegen_session then resumes the steps, with the sessionId as `resume`. get_codegen_session still shows this one.',
  });
}

function serverStopping(): CodegenError {
  return new CodegenError('SESSION_LIMIT', 'The server is stopping and opens no more sessions.', {
    hint: 'Start the session again when the server is available.',
  });
}

function tooMany(active: number): CodegenError {
  return new CodegenError(
    'SESSION_LIMIT',
    `${active} sessions are open, the maximum (browser.maxSessions).`,
    { hint: 'End or clear one first; get_codegen_session lists them.' },
  );
}

function queueFull(id: string): CodegenError {
  return new CodegenError(
    'SESSION_LIMIT',
    `${maxWaiting} calls are waiting for session ${id}; the queue is full.`,
    { hint: 'Calls of a session run one after another. Wait for their results.', retryAfterMs },
  );
}
