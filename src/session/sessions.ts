import { newSessionId } from '../model/session-id.js';
import { CodegenError } from '../model/errors.js';
import type { Live } from '../browser/live.js';
import { within } from '../model/within.js';
import type { Session } from './session.js';

/** Milliseconds for a context to close. */
const closingMs = 3000;
/** Ended sessions that can still be looked at. */
const endedKept = 100;

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
  /** Runs work on an open session, after what is already under way on it. Throws SESSION_NOT_FOUND. */
  use<Result>(id: string, work: (session: Session, live: Live) => Promise<Result>): Promise<Result>;
  /** The session, also one that has ended. Throws SESSION_NOT_FOUND. */
  find(id: string): Session;
  list(): Session[];
  /** Closes the browser side; `find` still shows the session. */
  end(session: Session): Promise<void>;
  /** Closes the session and forgets it. */
  clear(session: Session): Promise<void>;
  closeAll(): Promise<void>;
}

interface Entry {
  session: Session;
  queue: Promise<unknown>;
  idle: NodeJS.Timeout | undefined;
}

export function createSessions(limits: () => SessionLimits): Sessions {
  const entries = new Map<string, Entry>();
  let starting = 0;

  async function end(session: Session): Promise<void> {
    const { live } = session;
    clearTimeout(entries.get(session.id)?.idle);
    session.status = 'ended';
    session.live = undefined;
    if (live !== undefined) {
      session.lastUrl = live.current.page.url();
      await within(closingMs, live.close());
    }
    const ended = [...entries.values()].filter((entry) => entry.session.status === 'ended');
    for (const entry of ended.slice(0, -endedKept)) entries.delete(entry.session.id);
  }

  function watchIdle(entry: Entry): void {
    clearTimeout(entry.idle);
    entry.idle = setTimeout(() => void end(entry.session), limits().idleTimeoutMs);
    entry.idle.unref();
  }

  return {
    async start(plan, open) {
      const active =
        [...entries.values()].filter((entry) => entry.session.status === 'open').length + starting;
      const { maxSessions } = limits();
      if (active >= maxSessions)
        throw new CodegenError(
          'SESSION_LIMIT',
          `${active} sessions are open, as many as browser.maxSessions allows.`,
          {
            hint: 'End or clear one first; get_codegen_session lists them.',
          },
        );
      starting++;
      try {
        const live = await open();
        const session: Session = {
          ...plan,
          id: newSessionId(),
          steps: [],
          status: 'open',
          live,
          lastUrl: '',
        };
        const entry: Entry = { session, queue: Promise.resolve(), idle: undefined };
        entries.set(session.id, entry);
        watchIdle(entry);
        return session;
      } finally {
        starting--;
      }
    },

    use(id, work) {
      const entry = entries.get(id);
      if (entry === undefined) throw missing(id);
      clearTimeout(entry.idle);
      const result = entry.queue.then(() => {
        const { session } = entry;
        if (session.live === undefined) throw ended(id);
        return work(session, session.live);
      });
      entry.queue = result
        .catch(() => undefined)
        .then(() => {
          if (entry.session.status === 'open') watchIdle(entry);
        });
      return result;
    },

    find(id) {
      const entry = entries.get(id);
      if (entry === undefined) throw missing(id);
      return entry.session;
    },

    list: () => [...entries.values()].map((entry) => entry.session),
    end,

    async clear(session) {
      await end(session);
      entries.delete(session.id);
    },

    async closeAll() {
      await Promise.allSettled([...entries.values()].map((entry) => end(entry.session)));
    },
  };
}

export function missing(id: string): CodegenError {
  return new CodegenError('SESSION_NOT_FOUND', `There is no session ${id}.`, {
    hint: 'get_codegen_session without a sessionId lists all; start_codegen_session opens one.',
  });
}

function ended(id: string): CodegenError {
  return new CodegenError('SESSION_NOT_FOUND', `Session ${id} has ended.`, {
    hint: 'Sessions end by end_codegen_session or when idle for long; get_codegen_session still shows this one.',
  });
}
