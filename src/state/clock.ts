import { readFileSync } from 'node:fs';
import { z } from 'zod';

export const instantSchema = z.object({
  /** Id of the current boot; empty if the system does not report one. */
  boot: z.string(),
  /** Milliseconds on the monotonic clock, which all processes of the machine share. */
  monotonic: z.number(),
  /** Milliseconds since 1970; the wall clock may jump. */
  wall: z.number(),
});

export type Instant = z.infer<typeof instantSchema>;

export interface Clock {
  now(): Instant;
}

export function systemClock(): Clock {
  const boot = bootId();
  return { now: () => ({ boot, monotonic: Number(process.hrtime.bigint()) / 1e6, wall: Date.now() }) };
}

export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

/**
 * Milliseconds to add to monotonic times of `then` to compare them with `now`: zero within one boot, so that a wall clock
 * that jumps changes nothing; across a reboot, times age by the wall clock. Without a boot id, a monotonic clock that ran
 * backwards shows a reboot; one that goes unnoticed only makes times look younger.
 */
export function offsetBetween(then: Instant, now: Instant): number {
  if (then.boot === now.boot && then.monotonic <= now.monotonic) return 0;
  return now.monotonic - then.monotonic - Math.max(0, now.wall - then.wall);
}
