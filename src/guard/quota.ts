import { randomBytes } from 'node:crypto';
import { CodegenError } from '../model/errors.js';
import type { Limit } from '../model/policy.js';
import type { Instant } from '../state/clock.js';
import type { StateStore } from '../state/store.js';
import {
  enterCharges,
  heldUpAfterMs,
  leftOf,
  release,
  type Charge,
  type Counters,
  type Left,
  type Outcome,
} from './counters.js';
import { periodOf } from './limits.js';

/** Who calls: the grant, and the MCP connection it calls through. */
export interface Caller {
  grant: string;
  connection: string;
}

/** Quota that was taken. */
export interface Hold {
  /** Returns it, for a call that began nothing. */
  release(): Promise<void>;
}

/** Of a call that takes no quota. */
export const nothingHeld: Hold = { release: () => Promise.resolve() };

/** The counters that all who share the state share. */
export interface Quota {
  /**
   * Takes what is charged from every limit, or from none, under an id by which it can be returned. Throws
   * RATE_LIMITED if one has no room, and whatever the store throws if it can't be reached: calls that
   * a limit covers are then rejected. Without limits no file is touched.
   */
  take(charges: readonly Charge[], id?: string): Promise<Hold>;
  /** Returns what was taken under an id, if anything. */
  release(id: string): Promise<void>;
  left(limits: readonly Limit[]): Promise<Left>;
  /** The used units of each limit, and milliseconds until some are free again. */
  used(limits: readonly Limit[]): Promise<LimitUsage[]>;
}

export interface LimitUsage {
  used: number;
  resetMs?: number | undefined;
}

const maxAttempts = 5;

/** Opens the counters in `store`. `configured` names every limit there is. */
export function openQuota(options: {
  store: StateStore<Counters>;
  caller: Caller;
  configured: () => readonly Limit[];
}): Quota {
  const { store, caller, configured } = options;
  const owners = { session: caller.connection, grant: caller.grant, server: '' };
  const keyOf = ({ scope, counter }: Limit): string => JSON.stringify([scope, owners[scope], counter]);
  /** In whole microseconds, as times are kept. */
  const whole = (now: Instant): Instant => ({
    ...now,
    monotonic: Math.floor(now.monotonic * 1_000) / 1_000,
  });

  const releaseId = (id: string): Promise<void> =>
    store.update((state) => release(state, id), { durable: false });

  return {
    release: releaseId,

    async take(charges, id = randomBytes(8).toString('base64url')) {
      if (charges.length === 0) return nothingHeld;
      const hold = { release: () => releaseId(id) };
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const { at, refused } = await store.update((state, now) =>
          enterCharges(state, whole(now), { id, charges }, { keyOf, configured: configured() }),
        );
        if (refused) throw rateLimited(refused);
        if (store.now().monotonic - at < heldUpAfterMs) return hold;
      }
      await hold.release();
      throw new CodegenError('LOCK_TIMEOUT', 'Counting a call takes too long.', {
        hint: "Try again. If it keeps failing, the state directory's disk or the connection to Redis is too slow.",
      });
    },

    left: async (limits) =>
      limits.length === 0
        ? { remaining: {}, resets: {} }
        : store.update((state, now) => ({ state, result: leftOf(state, whole(now), limits, keyOf) })),

    used: (limits) =>
      store.update((state, now) => ({
        state,
        result: limits.map((limit) => {
          const { remaining, resets } = leftOf(state, whole(now), [limit], keyOf);
          return {
            used: limit.max - (remaining[limit.counter] ?? limit.max),
            resetMs: resets[limit.counter],
          };
        }),
      })),
  };
}

function rateLimited({ charge, left, retryAfterMs }: NonNullable<Outcome['refused']>): CodegenError {
  const { limit, rule, reason, count, code = 'RATE_LIMITED' } = charge;
  const decision = { kind: 'limited', rule } as const;
  const name = `Limit "${limit.counter}" of ${limit.max} per ${periodOf(limit)}`;
  if (retryAfterMs === undefined) {
    return new CodegenError(code, `${name} never allows ${count} at once.`, {
      hint: 'Waiting does not help. The limit is set in the configuration.',
      decision,
    });
  }
  const what = left === 0 ? 'is used up' : `has ${left} left; this call needs ${count}`;
  return new CodegenError(code, reason ?? `${name} ${what}.`, {
    hint: `Try again in ${Math.ceil(retryAfterMs / 1_000)} s.`,
    retryAfterMs,
    decision,
  });
}
