import { z } from 'zod';
import type { Limit } from '../model/policy.js';

/** One admission that counts: `at` on the monotonic clock in milliseconds, `count` units of quota. */
export interface CounterEntry {
  id: string;
  at: number;
  count: number;
}

/** `retryAfterMs` is missing if waiting does not help, because the limit never holds that many. */
type Verdict = { admitted: true } | { admitted: false; left: number; retryAfterMs?: number };

const namedWindows = { second: 1, minute: 60, hour: 3_600, day: 86_400 };

/** Length of a limit's window in milliseconds. */
export function windowOf(limit: Pick<Limit, 'window'>): number {
  return 1_000 * (typeof limit.window === 'number' ? limit.window : namedWindows[limit.window]);
}

/** `minute`, `90 seconds`. */
export function periodOf({ window }: Pick<Limit, 'window'>): string {
  return typeof window === 'number' ? `${window} seconds` : window;
}

/** Units of quota in use at `now`: those admitted within the window that ends there. */
export function used(entries: readonly CounterEntry[], limit: Pick<Limit, 'window'>, now: number): number {
  return inside(entries, limit, now).reduce((sum, entry) => sum + entry.count, 0);
}

/**
 * Whether `count` more units fit at `now`, so that no stretch of the window's length ever holds more than `max`. If
 * not, `retryAfterMs` is the time until enough of the oldest entries have left.
 */
export function admit(
  entries: readonly CounterEntry[],
  limit: Pick<Limit, 'window' | 'max'>,
  now: number,
  count = 1,
): Verdict {
  const left = limit.max - used(entries, limit, now);
  if (count <= left) return { admitted: true };
  const refused = { admitted: false, left: Math.max(0, left) } as const;
  if (count > limit.max) return refused;
  let excess = count - left;
  const oldestFirst = inside(entries, limit, now).sort((a, b) => a.at - b.at);
  const last = oldestFirst.find((entry) => (excess -= entry.count) <= 0);
  return { ...refused, retryAfterMs: Math.ceil((last?.at ?? now) + windowOf(limit) - now) };
}

/** Milliseconds from `now` until units are free again; undefined if none are in use. */
export function resetOf(
  entries: readonly CounterEntry[],
  limit: Pick<Limit, 'window'>,
  now: number,
): number | undefined {
  const current = inside(entries, limit, now);
  if (current.length === 0) return undefined;
  const oldest = current.reduce((least, { at }) => Math.min(least, at), Infinity);
  return Math.ceil(oldest + windowOf(limit) - now);
}

function inside(entries: readonly CounterEntry[], limit: Pick<Limit, 'window'>, now: number): CounterEntry[] {
  return entries.filter((entry) => now - entry.at < windowOf(limit));
}

/**
 * The entries of one counter as they are kept: a word for each, `pause.id` or `pause.id.count` with numbers to the base
 * 36 and pauses in microseconds, so that ten thousand take little space and are read only where they are counted.
 */
export const counterSchema = z.object({
  /** Length of the longest window that looks at it, in milliseconds. */
  keepMs: z.number(),
  /** Times of the first and the last entry. */
  first: z.number(),
  last: z.number(),
  entries: z.string(),
});

export type Counter = z.infer<typeof counterSchema>;

const base = 36;

/** The entries of a counter that still matter at `now`. */
export function entriesOf(counter: Counter | undefined, now: number): CounterEntry[] {
  if (counter === undefined) return [];
  let at = microseconds(counter.first);
  const entries: CounterEntry[] = [];
  for (const word of counter.entries.split(' ')) {
    const [pause = '', id = '', count = '1'] = word.split('.');
    at += Number.parseInt(pause, base);
    if (now - at / 1_000 < counter.keepMs)
      entries.push({ id, at: at / 1_000, count: Number.parseInt(count, base) });
  }
  return entries;
}

/** The counter of these entries; undefined if there are none. */
export function counterOf(entries: readonly CounterEntry[], keepMs: number): Counter | undefined {
  const [first] = entries;
  const last = entries.at(-1);
  if (first === undefined || last === undefined) return undefined;
  let before = microseconds(first.at);
  const words = entries.map(({ id, at, count }) => {
    const pause = microseconds(at) - before;
    before += pause;
    return `${pause.toString(base)}.${id}${count === 1 ? '' : `.${count.toString(base)}`}`;
  });
  return { keepMs, first: first.at, last: last.at, entries: words.join(' ') };
}

function microseconds(milliseconds: number): number {
  return Math.round(milliseconds * 1_000);
}
