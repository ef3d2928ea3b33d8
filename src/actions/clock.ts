import type { Clock } from 'playwright';
import { z } from 'zod';
import { property, run, values } from '../model/code.js';
import { defineAction, type Action, type MethodDefinition } from './action.js';

const time = z
  .union([z.number(), z.string().min(1)])
  .refine(
    (value) => !Number.isNaN(new Date(value).getTime()),
    'expected a time such as "2030-01-31T12:00:00Z"',
  )
  .describe('Time as a string that `Date` parses, or in milliseconds since 1970.');

const ticks = z
  .union([
    z.number().min(0),
    z.string().regex(/^(?:[0-5]?\d:)?(?:[0-5]?\d:)?[0-5]?\d$/, 'expected "ss", "mm:ss" or "hh:mm:ss"'),
  ])
  .describe('Milliseconds, or "mm:ss" or "hh:mm:ss".');

type ClockMethods = {
  [Method in 'install' | 'setFixedTime' | 'pauseAt' | 'resume' | 'fastForward']: (
    ...args: Parameters<Clock[Method]>
  ) => Promise<void>;
};

/** An action that calls a method of `page.clock`. It is passive if it only sets the clock. */
function clockAction<Method extends keyof ClockMethods, Fields extends z.ZodObject>(
  method: Method,
  { args, ...rest }: MethodDefinition<Fields, Parameters<ClockMethods[Method]>>,
): Action {
  return defineAction({
    ...rest,
    name: `clock.${method}`,
    changesClock: true,
    playwrightNames: true,
    perform({ page }, fields) {
      const clock: ClockMethods = page.clock;
      return clock[method](...args(fields));
    },
    toCode: (fields, { page }) => [run(property(page, 'clock'), method, ...values(...args(fields)))],
  });
}

export const install = clockAction('install', {
  description: 'Installs fake timers, starting at the given time, or now. The clock keeps running.',
  kind: 'passive',
  fields: z.strictObject({ time: time.optional() }),
  args: (options) => [options],
});

export const setFixedTime = clockAction('setFixedTime', {
  description: 'Freezes `Date` at this time; timers keep running.',
  kind: 'passive',
  fields: z.strictObject({ time }),
  args: ({ time }) => [time],
});

export const pauseAt = clockAction('pauseAt', {
  description: 'Advances the clock to this time and pauses it, timers included.',
  fields: z.strictObject({ time }),
  args: ({ time }) => [time],
});

export const resume = clockAction('resume', {
  description: 'Resumes a paused clock.',
  kind: 'passive',
  fields: z.strictObject({}),
  args: () => [],
});

export const fastForward = clockAction('fastForward', {
  description: 'Advances the clock; each timer that is due fires at most once.',
  fields: z.strictObject({ ticks }),
  args: ({ ticks }) => [ticks],
});
