import { CodegenError, messageOf } from '../model/errors.js';
import type { Live } from '../browser/live.js';
import { sha256 } from '../model/text.js';
import { within } from '../model/within.js';
import { browserGone, isLost } from './failure.js';
import type { Session } from './session.js';

/** Milliseconds for a context to close. */
const closingMs = 3000;
/** Sessions that are no longer open and can still be looked at. */
const closedKept = 100;
/** Calls of one session that may wait for the one that runs. */
const waitingAtMost = 20;
/** Milliseconds after which a session whose queue was full may have room. */
const retryAfterMs = 1000;

export interface SessionLimits {
  maxSessions: number;
  /** Milliseconds without a call after which a session is closed. */
  idleTimeoutMs: number;
}

/** The sessions of a server. */
export interface Sessions {
  /** Opens a session; `open` starts its browser side. Throws SESSION_LIMIT. */
  start(
    plan: Omit<Session, 'id' | 'steps' | 'status' | 'live' | 'lastUrl'>,
    open: () => Promise<Live>,
  ): Promise<Session>;
  /**
   * Runs work on an open session, after what is already under way on it. Throws SESSION_NOT_FOUND, BROWSER_FAILED where
   * its browser is gone, SESSION_LIMIT where too many calls wait.
   */
  use<Result>(id: string, work: (session: Session, live: Live) => Promise<Result>): Promise<Result>;
  /** `use` for work that needs no browser. */
  useRecorded<Result>(id: string, work: (session: Session) => Promise<Result>): Promise<Result>;
  /** The session, also one that has ended. Throws SESSION_NOT_FOUND. */
  find(id: string): Session;
  list(): Session[];
  /** Closes a session whose test has been written; `find` still shows it. */
  end(session: Session): Promise<void>;
  /** Closes the session and forgets it. */
  clear(session: Session): Promise<void>;
  /** Opens no more sessions. */
  seal(): void;
  /** Closes all sessions, which can be resumed, and opens no more. */
  closeAll(): Promise<void>;
}

interface Entry {
  session: Session;
  /** Ends with the last of its calls. */
  queue: Promise<unknown>;
  /** Calls that run or wait. */
  calls: number;
  idle: NodeJS.Timeout | undefined;
  /** Ends with the last of what is being saved. */
  saving: Promise<void>;
  /** What is saved of it. */
  saved: string;
  /** Whether nothing of it is to be saved any more. */
  isSettled: boolean;
}

/** Sessions whose steps are kept in the state directory, as they land, until their test is written. */
export function createSessions(
  limits: () => SessionLimits,
  stateDirectory: string,
  newId: () => string,
): Sessions {
  const entries = new Map<string, Entry>();
  let starting = 0;
  let isClosing = false;

  function seal(): void {
    isClosing = true;
  }

  function requireRunning(): void {
    if (!isClosing) return;
    throw new CodegenError('SESSION_LIMIT', 'The server is stopping and opens no more sessions.', {
      hint: 'Start the session again when the server is back.',
    });
  }

  /** Saves what is recorded, where it has changed; that is a help, and no call fails for want of it. */
  async function write(entry: Entry): Promise<void> {
    const { session, isSettled } = entry;
    if (isSettled || session.steps.length === 0) return;
    const state = hashOf([session.status, session.steps]);
    if (state === entry.saved) return;
    entry.saved = state;
    const { saveUnfinished } = await import('./unfinished.js');
    await saveUnfinished(stateDirectory, session).catch((error: unknown) => {
      process.stderr.write(
        `codegen-session-mcp: Session ${session.id} can't be saved: ${messageOf(error)}\n`,
      );
    });
  }

  function save(entry: Entry): Promise<void> {
    return (entry.saving = entry.saving.then(() => write(entry)));
  }

  /** Takes its browser from a session, and forgets those that nobody is likely to ask for any more. */
  async function close(session: Session, status: 'failed' | 'ended'): Promise<void> {
    const { live } = session;
    session.status = status;
    session.live = undefined;
    delete session.effects;
    clearTimeout(entries.get(session.id)?.idle);
    const closed = [...entries.values()].filter((each) => each.session.status !== 'open');
    for (const entry of closed.slice(0, -closedKept)) entries.delete(entry.session.id);
    if (live === undefined) return;
    session.lastUrl = live.current.page.url();
    await within(closingMs, live.close());
  }

  /** Closes a session of which nothing is kept but what `ids` do not name. */
  async function settle(session: Session, ids: readonly (string | undefined)[]): Promise<void> {
    const entry = entries.get(session.id);
    if (entry !== undefined) entry.isSettled = true;
    await close(session, 'ended');
    await entry?.saving;
    const { removeUnfinished } = await import('./unfinished.js');
    for (const id of ids)
      if (id !== undefined) await removeUnfinished(stateDirectory, id).catch(() => undefined);
  }

  /** Closes a session so that it can be resumed. */
  async function put(entry: Entry, status: 'failed' | 'ended'): Promise<void> {
    if (entry.session.status !== 'open') return;
    await Promise.all([close(entry.session, status), save(entry)]);
  }

  function watchIdle(entry: Entry): void {
    clearTimeout(entry.idle);
    if (entry.calls > 0 || entry.session.status !== 'open') return;
    entry.idle = setTimeout(() => void put(entry, 'ended'), limits().idleTimeoutMs);
    entry.idle.unref();
  }

  /** Runs work on a session after what is under way on it, and saves what came of it. */
  function enqueue<Result>(id: string, work: (session: Session) => Promise<Result>): Promise<Result> {
    const entry = entries.get(id);
    if (entry === undefined) throw missing(id);
    if (entry.calls > waitingAtMost) throw queueFull(id);
    clearTimeout(entry.idle);
    entry.calls++;
    const result = entry.queue
      .then(() => work(entry.session))
      .finally(async () => {
        entry.calls--;
        await save(entry);
        watchIdle(entry);
      });
    entry.queue = result.catch(() => undefined);
    return result;
  }

  return {
    async start(plan, open) {
      requireRunning();
      const active = [...entries.values()].filter(({ session }) => session.status === 'open').length;
      const { maxSessions } = limits();
      if (active + starting >= maxSessions) throw tooMany(active + starting);
      starting++;
      try {
        const live = await open();
        const session: Session = {
          ...plan,
          id: newId(),
          steps: [],
          status: 'open',
          live,
          lastUrl: '',
        };
        const entry: Entry = {
          session,
          queue: Promise.resolve(),
          calls: 0,
          idle: undefined,
          saving: Promise.resolve(),
          saved: '',
          isSettled: false,
        };
        entries.set(session.id, entry);
        void live.gone.then(() => put(entry, 'failed'));
        if (isClosing) await put(entry, 'ended');
        watchIdle(entry);
        return session;
      } finally {
        starting--;
      }
    },

    use: async (id, work) =>
      enqueue(id, async (session) => {
        const { live } = session;
        if (live === undefined) throw session.status === 'failed' ? browserGone() : ended(session);
        try {
          return await work(session, live);
        } catch (error) {
          throw (await isLost(live)) ? browserGone() : error;
        }
      }),

    useRecorded: async (id, work) =>
      enqueue(id, async (session) => {
        if (session.status === 'ended') throw ended(session);
        return work(session);
      }),

    find(id) {
      const entry = entries.get(id);
      if (entry === undefined) throw missing(id);
      return entry.session;
    },

    list: () => [...entries.values()].map((entry) => entry.session),
    end: (session) => settle(session, [session.id, session.origin]),

    async clear(session) {
      await settle(session, [session.id]);
      entries.delete(session.id);
    },

    seal,

    async closeAll() {
      seal();
      await Promise.allSettled([...entries.values()].map((entry) => put(entry, 'ended')));
    },
  };
}

function hashOf(value: unknown): string {
  return sha256(JSON.stringify(value));
}

export function missing(id: string): CodegenError {
  return new CodegenError('SESSION_NOT_FOUND', `There is no session ${id}.`, {
    hint: 'get_codegen_session without a sessionId lists all; start_codegen_session opens one.',
  });
}

function ended({ id }: Session): CodegenError {
  return new CodegenError('SESSION_NOT_FOUND', `Session ${id} has ended.`, {
    hint: 'Sessions end by end_codegen_session, or when idle for long: then start_codegen_session goes on from the steps, with the sessionId as `resume`. get_codegen_session still shows this one.',
  });
}

function tooMany(active: number): CodegenError {
  return new CodegenError(
    'SESSION_LIMIT',
    `${active} sessions are open, as many as browser.maxSessions allows.`,
    { hint: 'End or clear one first; get_codegen_session lists them.' },
  );
}

function queueFull(id: string): CodegenError {
  return new CodegenError(
    'SESSION_LIMIT',
    `${waitingAtMost} calls are waiting for session ${id}; no more are taken.`,
    { hint: 'The calls of a session run one after the other: wait for answers.', retryAfterMs },
  );
}
