import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { CodegenError } from '../model/errors.js';
import type { Limit } from '../model/policy.js';
import { offsetBetween, type Clock, type Instant } from '../state/clock.js';
import { createFileStore } from '../state/store.js';
import { admit, used, windowOf, type Entry } from './limits.js';

/** Who calls: the grant, and the MCP connection it calls through. */
export interface Caller {
  grant: string;
  connection: string;
}

/** What a call takes from a limit. */
export interface Charge {
  limit: Limit;
  /** The limit's place in the policy or the configuration. */
  rule: string;
  /** What is told where it has no room. */
  reason?: string | undefined;
  /** Units of quota. */
  count: number;
  /** What a refusal is called; RATE_LIMITED where it is not set. */
  code?: 'QUOTA_EXCEEDED';
}

/** Quota that was taken. */
export interface Hold {
  /** Gives it back; for where nothing took effect. */
  release(): Promise<void>;
}

/** The counters that all processes of one state directory share. */
export interface Quota {
  /**
   * Takes what is charged from every limit, or from none, under an id by which it can be given back. Throws RATE_LIMITED where one has no room, and whatever the
   * store throws where it can't be reached: what a limit covers is then refused. Without limits no file is touched.
   */
  take(charges: readonly Charge[], id?: string): Promise<Hold>;
  /** Gives back what was taken under an id, if anything. */
  release(id: string): Promise<void>;
  /** Units left now, by counter; the smallest where several limits share one. */
  remaining(limits: readonly Limit[]): Promise<Record<string, number>>;
}

const stateSchema = z.object({
  instant: z.object({ boot: z.string(), monotonic: z.number(), wall: z.number() }),
  counters: z.record(
    z.string(),
    z.object({
      keepMs: z.number(),
      entries: z.array(z.object({ id: z.string(), at: z.number(), count: z.number() })),
    }),
  ),
});

type State = z.infer<typeof stateSchema>;
type Counters = State['counters'];

/** When a call was decided on, and the limit that had no room, if one had none. */
interface Outcome {
  at: number;
  refused?: { charge: Charge; retryAfterMs?: number } | undefined;
}

/** An admission older than this when it returns was held up on its way, and is evaluated again, a few times. */
const heldUpAfterMs = 1_000;
const attemptsAtMost = 5;

/**
 * Opens the counters in `directory`. `configured` names every limit there is, so that a counter keeps its entries for
 * as long as the longest window that looks at it.
 */
export function openQuota(options: {
  directory: string;
  caller: Caller;
  clock: Clock;
  configured: () => readonly Limit[];
}): Quota {
  const { directory, caller, clock, configured } = options;
  const start: State = { instant: clock.now(), counters: {} };
  const store = createFileStore(directory, stateSchema, start);
  const owners = { session: caller.connection, grant: caller.grant, server: '' };
  const keyOf = ({ scope, counter }: Limit): string => JSON.stringify([scope, owners[scope], counter]);

  /** What `limits` count now: times brought to the running boot, and nothing too old to matter. */
  function present(state: State): { instant: Instant; now: number; counters: Counters } {
    const instant = clock.now();
    const offset = offsetBetween(state.instant, instant);
    const now = instant.monotonic;
    const counters = mapEntries(state.counters, (entries, keepMs) =>
      entries
        .map((entry) => ({ ...entry, at: entry.at + offset }))
        .filter((entry) => now - entry.at < keepMs),
    );
    return { instant, now, counters };
  }

  /** Enters `id` into every counter that is charged, or into none. Evaluated twice, it still counts once. */
  function enter(state: State, id: string, charges: readonly Charge[]): { state: State; result: Outcome } {
    const { instant, now, counters } = present(state);
    const own = Object.values(counters).flatMap((counter) =>
      counter.entries.filter((entry) => entry.id === id),
    )[0];
    if (own && now - own.at < heldUpAfterMs) return { state, result: { at: own.at } };

    const others = without(counters, id);
    const refused = charges
      .flatMap((charge) => {
        const { limit, count } = charge;
        const verdict = admit(others[keyOf(limit)]?.entries ?? [], limit, now, count);
        return verdict.admitted ? [] : [{ ...verdict, charge }];
      })
      .reduce<Outcome['refused']>(
        (longest, next) => (longest && waitOf(longest) >= waitOf(next) ? longest : next),
        undefined,
      );
    if (refused) return { state: own ? { instant, counters: others } : state, result: { at: now, refused } };

    const limits = charges.map(({ limit }) => limit);
    for (const key of new Set(limits.map(keyOf))) {
      const windows = [...configured(), ...limits].map((limit) =>
        keyOf(limit) === key ? windowOf(limit) : 0,
      );
      const count = Math.max(...charges.map((charge) => (keyOf(charge.limit) === key ? charge.count : 0)));
      const before = others[key] ?? { keepMs: 0, entries: [] };
      others[key] = {
        keepMs: Math.max(before.keepMs, ...windows),
        entries: [...before.entries, { id, at: now, count }],
      };
    }
    return { state: { instant, counters: others }, result: { at: now } };
  }

  const giveBack = (id: string): Promise<void> =>
    store.update((state) => ({ state: released(state, id), result: undefined }));

  return {
    release: giveBack,

    async take(charges, id = randomBytes(8).toString('hex')) {
      if (charges.length === 0) return { release: () => Promise.resolve() };
      const release = (): Promise<void> => giveBack(id);
      for (let attempt = 0; attempt < attemptsAtMost; attempt++) {
        const { at, refused } = await store.update((state) => enter(state, id, charges));
        if (refused) throw rateLimited(refused.charge, refused.retryAfterMs);
        if (clock.now().monotonic - at < heldUpAfterMs) return { release };
      }
      await release();
      throw new CodegenError('LOCK_TIMEOUT', `Counting a call in ${directory} takes too long.`, {
        hint: 'Try again; if it goes on, the disk of the state directory is too slow.',
      });
    },

    async remaining(limits) {
      if (limits.length === 0) return {};
      const { now, counters } = present(await store.read());
      const left = new Map<string, number>();
      for (const limit of limits) {
        const free = Math.max(0, limit.max - used(counters[keyOf(limit)]?.entries ?? [], limit, now));
        left.set(limit.counter, Math.min(free, left.get(limit.counter) ?? free));
      }
      return Object.fromEntries(left);
    },
  };
}

function released(state: State, id: string): State {
  const isHeld = Object.values(state.counters).some(({ entries }) =>
    entries.some((entry) => entry.id === id),
  );
  return isHeld ? { ...state, counters: without(state.counters, id) } : state;
}

function without(counters: Counters, id: string): Counters {
  return mapEntries(counters, (entries) => entries.filter((entry) => entry.id !== id));
}

function mapEntries(counters: Counters, map: (entries: Entry[], keepMs: number) => Entry[]): Counters {
  return Object.fromEntries(
    Object.entries(counters)
      .map(([key, { keepMs, entries }]) => [key, { keepMs, entries: map(entries, keepMs) }] as const)
      .filter(([, { entries }]) => entries.length > 0),
  );
}

function waitOf(refused: { retryAfterMs?: number }): number {
  return refused.retryAfterMs ?? Infinity;
}

function rateLimited(
  { limit, rule, reason, count, code }: Charge,
  retryAfterMs: number | undefined,
): CodegenError {
  const decision = { kind: 'limited', rule } as const;
  const length = typeof limit.window === 'number' ? `${limit.window} seconds` : limit.window;
  const name = `Limit "${limit.counter}" of ${limit.max} per ${length}`;
  if (retryAfterMs === undefined) {
    return new CodegenError(code ?? 'RATE_LIMITED', `${name} never admits ${count} at once.`, {
      hint: 'Waiting does not help; the limit is set in the configuration.',
      decision,
    });
  }
  return new CodegenError(code ?? 'RATE_LIMITED', reason ?? `${name} is used up.`, {
    hint: `Try again in ${Math.ceil(retryAfterMs / 1_000)} s.`,
    retryAfterMs,
    decision,
  });
}
