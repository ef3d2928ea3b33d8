import type { Clock } from 'playwright';
import { z } from 'zod';
import { property, run, values } from '../model/code.js';
import { defineAction, type Action } from './action.js';

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

/** An action on the clock of all pages; `passive` if it lets time pass, whose effects are no step's. */
function clockAction<Fields extends z.ZodObject>(definition: {
  method: keyof Clock;
  description: string;
  kind: Action['kind'];
  fields: Fields;
  act: (clock: Clock, fields: z.infer<Fields>) => Promise<void>;
  args?: (fields: z.infer<Fields>) => unknown[];
}): Action {
  const { method, act, args = (given: z.infer<Fields>): unknown[] => [given], ...rest } = definition;
  return defineAction({
    ...rest,
    name: `clock.${method}`,
    changesClock: true,
    playwrightNames: true,
    perform: ({ page }, fields) => act(page.clock, fields),
    toCode: (fields, { page }) => [run(property(page, 'clock'), method, ...values(...args(fields)))],
  });
}

export const install = clockAction({
  method: 'install',
  description: 'Installs fake timers, starting at the given time, or now. The clock keeps running.',
  kind: 'passive',
  fields: z.strictObject({ time: time.optional() }),
  act: (clock, options) => clock.install(options),
});

export const setFixedTime = clockAction({
  method: 'setFixedTime',
  description: 'Freezes `Date` at this time; timers keep running.',
  kind: 'passive',
  fields: z.strictObject({ time }),
  act: (clock, fields) => clock.setFixedTime(fields.time),
  args: (fields) => [fields.time],
});

export const pauseAt = clockAction({
  method: 'pauseAt',
  description: 'Advances the clock to this time and pauses it, timers included.',
  kind: 'mutates',
  fields: z.strictObject({ time }),
  act: (clock, fields) => clock.pauseAt(fields.time),
  args: (fields) => [fields.time],
});

export const resume = clockAction({
  method: 'resume',
  description: 'Resumes a paused clock.',
  kind: 'passive',
  fields: z.strictObject({}),
  act: (clock) => clock.resume(),
  args: () => [],
});

export const fastForward = clockAction({
  method: 'fastForward',
  description: 'Advances the clock; each timer that is due fires at most once.',
  kind: 'mutates',
  fields: z.strictObject({ ticks }),
  act: (clock, fields) => clock.fastForward(fields.ticks),
  args: (fields) => [fields.ticks],
});
