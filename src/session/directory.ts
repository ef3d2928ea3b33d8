import { z } from 'zod';
import type { Redis } from '../state/redis.js';
import type { Session } from './session.js';

/** How long Redis keeps a session after the last report, and the interval between reports of open sessions. */
const knownMs = 60_000;
const renewMs = 20_000;

const entrySchema = z.object({ server: z.string(), grant: z.string() });

/** Which server has which session, shared through Redis. Best effort: nothing fails without it. */
export interface SessionDirectory {
  /** Announces a session to other servers as long as it is open. */
  register(session: Session): Promise<void>;
  /** Name of another server that has a session of the grant; undefined if unknown. */
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
