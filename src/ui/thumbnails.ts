import type { Step } from '../model/step.js';
import type { Session } from '../session/session.js';
import type { Sessions } from '../session/sessions.js';
import type { PageApp } from './options.js';
import { thumbnailOf } from './picture.js';
import type { Thumbnail } from './shapes.js';

/** Milliseconds for which a picture of a session is not made again, however many watch. */
const freshMs = 3000;
/** Pictures that are made at once, since each costs the browser time. */
const maxAtOnce = 4;
/** Pictures of steps that are kept, of all sessions together: the newest. */
const maxSteps = 500;
/** Characters of a picture; larger ones are not kept. */
const maxLength = 150_000;

/** Small pictures of open sessions, and of their steps as they land. Made while somebody watches, and kept in memory. */
export class Thumbnails {
  private readonly latest = new WeakMap<Session, { data: string; madeAt: number }>();
  private readonly ofSteps = new Map<Step, { id: number; data: string }>();
  private readonly seen = new WeakSet<Step>();
  private readonly busy = new Set<Session>();
  private made = 0;

  constructor(private readonly sessions: Sessions) {}

  /** The page of a session as it is, or was a moment ago; undefined before its first picture. */
  async now(session: Session): Promise<string | undefined> {
    const { madeAt = -Infinity } = this.latest.get(session) ?? {};
    if (performance.now() - madeAt > freshMs) await this.make(session);
    return this.latest.get(session)?.data;
  }

  /** Makes a picture for the last step of a watched session, if that is new. */
  see(session: Session): void {
    const step = session.steps.at(-1);
    if (step === undefined || this.seen.has(step) || this.isFull(session)) return;
    for (const each of session.steps) this.seen.add(each);
    void this.make(session).then((data) => {
      if (data === undefined) return;
      this.ofSteps.set(step, { id: ++this.made, data });
      for (const oldest of [...this.ofSteps.keys()].slice(0, -maxSteps)) this.ofSteps.delete(oldest);
    });
  }

  /** Name of the picture of a step. */
  idOf(step: Step | undefined): number | undefined {
    return step && this.ofSteps.get(step)?.id;
  }

  find(session: Session, id: number): string | undefined {
    return session.steps.map((step) => this.ofSteps.get(step)).find((each) => each?.id === id)?.data;
  }

  private isFull(session: Session): boolean {
    return this.busy.has(session) || this.busy.size >= maxAtOnce;
  }

  /** Undefined if there is no page, it does not respond, or the picture is too large. */
  private async make(session: Session): Promise<string | undefined> {
    const page = this.sessions.openOf(session.id)?.live.current.page;
    if (page === undefined || this.isFull(session)) return undefined;
    this.busy.add(session);
    try {
      const data = await thumbnailOf(page);
      if (data.length > maxLength) return undefined;
      this.latest.set(session, { data, madeAt: performance.now() });
      return data;
    } catch {
      return undefined;
    } finally {
      this.busy.delete(session);
    }
  }
}

/** `now`, or the id of a step's picture. */
export function addThumbnails(app: PageApp, sessions: Sessions, thumbnails: Thumbnails): void {
  app.get('/ui/api/sessions/:id/thumbnails/:name', async (context) => {
    const { id, name } = context.req.param();
    const session = sessions.find(id);
    const data = name === 'now' ? await thumbnails.now(session) : thumbnails.find(session, Number(name));
    return context.json({ data: data ?? '' } satisfies Thumbnail);
  });
}
