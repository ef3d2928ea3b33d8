import { z } from 'zod';
import type { Limit } from '../model/policy.js';
import { instantSchema, offsetBetween, type Instant } from '../state/clock.js';
import type { Changed } from '../state/store.js';
import {
  admit,
  counterOf,
  counterSchema,
  entriesOf,
  resetOf,
  used,
  windowOf,
  type Counter,
} from './limits.js';

/** What a call takes from a limit. */
export interface Charge {
  limit: Limit;
  /** The limit's place in the policy or the configuration. */
  rule: string;
  /** Message of a refusal. */
  reason?: string | undefined;
  /** Units of quota. */
  count: number;
  /** Error code of a refusal; RATE_LIMITED by default. */
  code?: 'QUOTA_EXCEEDED';
}

/** The counters by their keys, and when they were last written. */
export const countersSchema = z.object({
  instant: instantSchema,
  counters: z.record(z.string(), counterSchema),
});

export type Counters = z.infer<typeof countersSchema>;

export const noCounters: Counters = { instant: { boot: '', monotonic: 0, wall: 0 }, counters: {} };

/** When a call was decided on, and the limit that had no room, if one had none. */
export interface Outcome {
  at: number;
  refused?: { charge: Charge; left: number; retryAfterMs?: number } | undefined;
}

/** Units left by counter, the smallest if several limits share one, and milliseconds until some are free again. */
export interface Left {
  remaining: Record<string, number>;
  resets: Record<string, number>;
}

/** An admission older than this when it returns was delayed, and is evaluated again. */
export const heldUpAfterMs = 1_000;

type KeyOf = (limit: Limit) => string;

/**
 * Enters `id` into every counter that is charged, or into none. Evaluated twice, it still counts once. `configured`
 * names every limit there is, so that a counter keeps its entries for as long as the longest window that looks at it.
 */
export function enterCharges(
  state: Counters,
  instant: Instant,
  { id, charges }: { id: string; charges: readonly Charge[] },
  { keyOf, configured }: { keyOf: KeyOf; configured: readonly Limit[] },
): Changed<Counters, Outcome> {
  const counters = present(state, instant);
  const now = instant.monotonic;
  const limits = charges.map(({ limit }) => limit);
  const all = new Map(limits.map((limit) => [keyOf(limit), entriesOf(counters[keyOf(limit)], now)]));
  const own = [...all.values()].flat().find((entry) => entry.id === id);
  if (own && now - own.at < heldUpAfterMs) return { state, result: { at: own.at } };

  const others = own ? without(counters, id) : counters;
  const refused = charges
    .flatMap((charge) => {
      const entries = (all.get(keyOf(charge.limit)) ?? []).filter((entry) => entry.id !== id);
      const verdict = admit(entries, charge.limit, now, charge.count);
      return verdict.admitted ? [] : [{ ...verdict, charge }];
    })
    .reduce<Outcome['refused']>(
      (longest, next) => (longest && waitOf(longest) >= waitOf(next) ? longest : next),
      undefined,
    );
  if (refused) return { state: own ? { instant, counters: others } : state, result: { at: now, refused } };

  const entered: Record<string, Counter> = { ...others };
  for (const [key, entries] of all) {
    const windows = [...configured, ...limits].map((limit) => (keyOf(limit) === key ? windowOf(limit) : 0));
    const count = Math.max(...charges.map((charge) => (keyOf(charge.limit) === key ? charge.count : 0)));
    const counter = counterOf(
      [...entries.filter((entry) => entry.id !== id), { id, at: now, count }],
      Math.max(others[key]?.keepMs ?? 0, ...windows),
    );
    if (counter) entered[key] = counter;
  }
  return { state: { instant, counters: entered }, result: { at: now } };
}

/** Takes `id` out of every counter. */
export function release(state: Counters, id: string): Changed<Counters, undefined> {
  const isHeld = Object.values(state.counters).some(({ entries }) => entries.includes(id));
  return { state: isHeld ? { ...state, counters: without(state.counters, id) } : state, result: undefined };
}

/** What `limits` leave at `instant`. */
export function leftOf(state: Counters, instant: Instant, limits: readonly Limit[], keyOf: KeyOf): Left {
  const counters = present(state, instant);
  const now = instant.monotonic;
  const left: Left = { remaining: {}, resets: {} };
  for (const limit of limits) {
    const entries = entriesOf(counters[keyOf(limit)], now);
    const free = Math.max(0, limit.max - used(entries, limit, now));
    if (free >= (left.remaining[limit.counter] ?? Infinity)) continue;
    left.remaining[limit.counter] = free;
    const reset = resetOf(entries, limit, now);
    if (reset !== undefined) left.resets[limit.counter] = reset;
  }
  return left;
}

/** The counters with their times converted to the running boot, without those that are too old to matter. */
function present({ instant: then, counters }: Counters, instant: Instant): Counters['counters'] {
  const offset = offsetBetween(then, instant);
  return Object.fromEntries(
    Object.entries(counters)
      .map(
        ([key, counter]) =>
          [key, { ...counter, first: counter.first + offset, last: counter.last + offset }] as const,
      )
      .filter(([, { last, keepMs }]) => instant.monotonic - last < keepMs),
  );
}

function without(counters: Counters['counters'], id: string): Counters['counters'] {
  const others: Counters['counters'] = {};
  for (const [key, counter] of Object.entries(counters)) {
    const kept = entriesOf(counter, -Infinity).filter((entry) => entry.id !== id);
    const rest = counter.entries.includes(id) ? counterOf(kept, counter.keepMs) : counter;
    if (rest) others[key] = rest;
  }
  return others;
}

function waitOf(refused: { retryAfterMs?: number }): number {
  return refused.retryAfterMs ?? Infinity;
}
