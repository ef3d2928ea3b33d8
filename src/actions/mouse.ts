import type { Page } from 'playwright';
import { z } from 'zod';
import { property, run, values } from '../model/code.js';
import { defineAction, type Action, type MethodDefinition } from './action.js';
import { button, clickCount } from './pointer.js';

const x = z.number().describe("In CSS pixels from the viewport's left edge.");
const y = z.number().describe("In CSS pixels from the viewport's top edge.");

type MouseMethods = {
  [Method in 'move' | 'click' | 'dblclick' | 'down' | 'up' | 'wheel']: (
    ...args: Parameters<Page['mouse'][Method]>
  ) => Promise<void>;
};

function mouseAction<Method extends keyof MouseMethods, Fields extends z.ZodObject>(
  method: Method,
  { args, ...rest }: MethodDefinition<Fields, Parameters<MouseMethods[Method]>>,
): Action {
  return defineAction({
    ...rest,
    name: `mouse.${method}`,
    playwrightNames: true,
    perform({ page }, fields) {
      const mouse: MouseMethods = page.mouse;
      return mouse[method](...args(fields));
    },
    toCode: (fields, { page }) => [run(property(page, 'mouse'), method, ...values(...args(fields)))],
  });
}

const buttonFields = z.strictObject({ button: button.optional(), clickCount: clickCount.optional() });

export const move = mouseAction('move', {
  description: 'Moves the mouse to a point.',
  fields: z.strictObject({
    x,
    y,
    steps: z.int().min(1).max(100).optional().describe('Number of intermediate moves; 1 by default.'),
  }),
  args: ({ x, y, ...options }) => [x, y, options],
});

export const clickAt = mouseAction('click', {
  description: 'Clicks at a point, e.g. on a canvas.',
  fields: buttonFields.extend({ x, y }),
  args: ({ x, y, ...options }) => [x, y, options],
});

export const dblclickAt = mouseAction('dblclick', {
  description: 'Double-clicks at a point.',
  fields: z.strictObject({ x, y, button: button.optional() }),
  args: ({ x, y, ...options }) => [x, y, options],
});

export const down = mouseAction('down', {
  drags: true,
  description: 'Presses a mouse button and holds it.',
  fields: buttonFields,
  args: (options) => [options],
});

export const up = mouseAction('up', {
  description: 'Releases a mouse button.',
  fields: buttonFields,
  args: (options) => [options],
});

export const wheel = mouseAction('wheel', {
  description: 'Turns the mouse wheel at the current position.',
  fields: z.strictObject({
    deltaX: z.number().describe('Pixels to the right.'),
    deltaY: z.number().describe('Pixels downwards.'),
  }),
  args: ({ deltaX, deltaY }) => [deltaX, deltaY],
});
