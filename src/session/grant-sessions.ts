import { CodegenError } from '../model/errors.js';
import type { HandOverLimits } from './hand-over.js';
import type { Opening, Session, SessionPlan } from './session.js';
import { notFound, type Sessions } from './sessions.js';

interface GrantOptions {
  grant: string;
  /** How many sessions the grant may have open; unlimited if undefined. */
  maxSessions: () => number | undefined;
  onStart: (session: Session) => void;
}

/** The sessions of one grant, which can't see those of others. */
export class GrantSessions {
  private starting = 0;

  constructor(
    private readonly all: Sessions,
    private readonly options: GrantOptions,
  ) {}

  get grant(): string {
    return this.options.grant;
  }

  list(): Session[] {
    return this.all.list().filter(({ grant }) => grant === this.grant);
  }

  /** Throws SESSION_NOT_FOUND. */
  find(id: string): Session {
    const session = this.all.find(id);
    if (session.grant !== this.grant) throw notFound(id);
    return session;
  }

  /** Opens a session of the grant. Throws SESSION_LIMIT. */
  async start(plan: Omit<SessionPlan, 'grant'>, open: () => Promise<Opening>): Promise<Session> {
    const active = this.list().filter(({ status }) => status === 'open').length + this.starting;
    if (active >= (this.options.maxSessions() ?? Infinity))
      throw new CodegenError(
        'SESSION_LIMIT',
        `${active} sessions are open, the maximum of this grant (maxSessions).`,
        { hint: 'End or clear one first; get_codegen_session lists them.' },
      );
    this.starting++;
    try {
      const session = await this.all.start({ ...plan, grant: this.grant }, open);
      this.options.onStart(session);
      return session;
    } finally {
      this.starting--;
    }
  }

  /** See `Sessions.use`. */
  async use<Result>(id: string, work: Parameters<typeof this.all.use<Result>>[1]): Promise<Result> {
    return this.all.use(this.find(id).id, work);
  }

  /** See `Sessions.useRecorded`. */
  async useRecorded<Result>(
    id: string,
    work: Parameters<typeof this.all.useRecorded<Result>>[1],
  ): Promise<Result> {
    return this.all.useRecorded(this.find(id).id, work);
  }

  /** See `Sessions.addressOf`. */
  addressOf(id: string): string | undefined {
    return this.all.addressOf(id);
  }

  /** See `Sessions.handOver`. */
  async handOver(id: string, reason: string, limits: HandOverLimits): Promise<string> {
    return this.all.handOver(this.find(id).id, reason, limits);
  }

  urlOf(session: Session): string {
    return this.all.urlOf(session);
  }

  end(session: Session): Promise<void> {
    return this.all.end(session);
  }

  clear(session: Session): Promise<void> {
    return this.all.clear(session);
  }
}
