import { z } from 'zod';
import type { Redis } from '../state/redis.js';
import type { Session } from './session.js';

/** Milliseconds for which Redis keeps a session that is not reported again, and after which open ones are reported again. */
const knownMs = 60_000;
const renewMs = 20_000;

const entrySchema = z.object({ server: z.string(), grant: z.string() });

/** Which server holds which session, as all that share Redis know it. It is a help: nothing fails for want of it. */
export interface SessionDirectory {
  /** Has the others know of a session for as long as it is open. */
  register(session: Session): Promise<void>;
  /** Name of another server that holds a session of the grant; undefined if none is known. */
  serverOf(id: string, grant: string): Promise<string | undefined>;
}

/** The directory as the server of that name sees it. */
export function openDirectory({ run, key }: Redis, server: string): SessionDirectory {
  const keyOf = (id: string): string => key(`session:${id}`);
  const noted = new Set<Session>();
  let renewing: NodeJS.Timeout | undefined;

  async function write({ id, grant }: Session): Promise<void> {
    const entry = JSON.stringify({ server, grant });
    await run((client) => client.set(keyOf(id), entry, { expiration: { type: 'PX', value: knownMs } })).catch(
      () => undefined,
    );
  }

  function renew(): void {
    for (const session of noted) {
      if (session.status === 'open') void write(session);
      else noted.delete(session);
    }
  }

  return {
    async register(session) {
      noted.add(session);
      renewing ??= setInterval(renew, renewMs).unref();
      await write(session);
    },
    async serverOf(id, grant) {
      const text = await run((client) => client.get(keyOf(id))).catch(() => null);
      const entry = text === null ? undefined : entrySchema.safeParse(JSON.parse(text)).data;
      return entry?.grant === grant && entry.server !== server ? entry.server : undefined;
    },
  };
}
