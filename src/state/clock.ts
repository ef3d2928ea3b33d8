import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** One moment, as every process of this machine sees it. */
export const instantSchema = z.object({
  /** Identity of the running boot; empty if the system has none to give. */
  boot: z.string(),
  /** Milliseconds on the machine's monotonic clock, which no one can set. */
  monotonic: z.number(),
  /** Milliseconds since 1970, by a wall clock that may jump. */
  wall: z.number(),
});

export type Instant = z.infer<typeof instantSchema>;

export interface Clock {
  now(): Instant;
}

/** The clock of this machine. `process.hrtime` counts from one origin in all of its processes. */
export function systemClock(): Clock {
  const boot = bootOf();
  return {
    now: () => ({ boot, monotonic: Number(process.hrtime.bigint()) / 1e6, wall: Date.now() }),
  };
}

/** Identity of the running boot; empty if the system has none to give. */
export function bootOf(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

/**
 * Milliseconds to add to monotonic times written down at `then` so that they compare with those of `now`: zero
 * within one boot, so a wall clock that jumps changes nothing. Across a boot they age by what the wall clock says has
 * passed, and never grow younger. Without a boot identity a reboot shows as a monotonic clock that ran backwards; one
 * that goes unnoticed only makes times look younger than they are.
 */
export function offsetBetween(then: Instant, now: Instant): number {
  if (then.boot === now.boot && then.monotonic <= now.monotonic) return 0;
  return now.monotonic - then.monotonic - Math.max(0, now.wall - then.wall);
}
