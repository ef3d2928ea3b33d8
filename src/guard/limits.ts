import type { Limit } from '../model/policy.js';

/** One admission that counts: `at` on the monotonic clock in milliseconds, `count` units of quota. */
export interface Entry {
  id: string;
  at: number;
  count: number;
}

/** `retryAfterMs` is missing where waiting does not help, because the limit never holds that many. */
export type Verdict = { admitted: true } | { admitted: false; retryAfterMs?: number };

const namedWindows = { second: 1, minute: 60, hour: 3_600, day: 86_400 };

/** Length of a limit's window in milliseconds. */
export function windowOf(limit: Pick<Limit, 'window'>): number {
  return 1_000 * (typeof limit.window === 'number' ? limit.window : namedWindows[limit.window]);
}

/** Units of quota in use at `now`: those admitted within the window that ends there. */
export function used(entries: readonly Entry[], limit: Pick<Limit, 'window'>, now: number): number {
  return inside(entries, limit, now).reduce((sum, entry) => sum + entry.count, 0);
}

/**
 * Whether `count` more units fit at `now`, so that no stretch of the window's length ever holds more than `max`. If
 * not, `retryAfterMs` is the time until enough of the oldest entries have left.
 */
export function admit(
  entries: readonly Entry[],
  limit: Pick<Limit, 'window' | 'max'>,
  now: number,
  count = 1,
): Verdict {
  let excess = used(entries, limit, now) + count - limit.max;
  if (excess <= 0) return { admitted: true };
  if (count > limit.max) return { admitted: false };
  const oldestFirst = inside(entries, limit, now).sort((a, b) => a.at - b.at);
  const last = oldestFirst.find((entry) => (excess -= entry.count) <= 0);
  return { admitted: false, retryAfterMs: Math.ceil((last?.at ?? now) + windowOf(limit) - now) };
}

function inside(entries: readonly Entry[], limit: Pick<Limit, 'window'>, now: number): Entry[] {
  return entries.filter((entry) => now - entry.at < windowOf(limit));
}
