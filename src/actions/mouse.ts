import type { Page } from 'playwright';
import { z } from 'zod';
import { property, run, values } from '../model/code.js';
import { defineAction, type Action } from './action.js';
import { button, clickCount } from './pointer.js';

const x = z.number().describe("In CSS pixels from the viewport's left edge.");
const y = z.number().describe("In CSS pixels from the viewport's top edge.");

/** An action on the mouse of the page, by coordinates. */
function mouseAction<Fields extends z.ZodObject>(definition: {
  /** The method of `page.mouse`. */
  method: string;
  description: string;
  fields: Fields;
  act: (mouse: Page['mouse'], fields: z.infer<Fields>) => Promise<void>;
  /** The arguments of the method; the fields as options by default. */
  args?: (fields: z.infer<Fields>) => unknown[];
}): Action {
  const {
    method,
    description,
    fields,
    act,
    args = (given: z.infer<Fields>): unknown[] => [given],
  } = definition;
  return defineAction({
    name: `mouse.${method}`,
    description,
    fields,
    playwrightNames: true,
    perform: ({ page }, given) => act(page.mouse, given),
    toCode: (given, { page }) => [run(property(page, 'mouse'), method, ...values(...args(given)))],
  });
}

const buttonFields = z.strictObject({ button: button.optional(), clickCount: clickCount.optional() });

export const move = mouseAction({
  method: 'move',
  description: 'Moves the mouse to a point.',
  fields: z.strictObject({
    x,
    y,
    steps: z.int().min(1).max(100).optional().describe('Number of intermediate moves; 1 by default.'),
  }),
  act: (mouse, { x, y, ...options }) => mouse.move(x, y, options),
  args: ({ x, y, ...options }) => [x, y, options],
});

export const clickAt = mouseAction({
  method: 'click',
  description: 'Clicks at a point, e.g. on a canvas.',
  fields: buttonFields.extend({ x, y }),
  act: (mouse, { x, y, ...options }) => mouse.click(x, y, options),
  args: ({ x, y, ...options }) => [x, y, options],
});

export const dblclickAt = mouseAction({
  method: 'dblclick',
  description: 'Double-clicks at a point.',
  fields: z.strictObject({ x, y, button: button.optional() }),
  act: (mouse, { x, y, ...options }) => mouse.dblclick(x, y, options),
  args: ({ x, y, ...options }) => [x, y, options],
});

export const down = mouseAction({
  method: 'down',
  description: 'Presses a mouse button and holds it.',
  fields: buttonFields,
  act: (mouse, options) => mouse.down(options),
});

export const up = mouseAction({
  method: 'up',
  description: 'Releases a mouse button.',
  fields: buttonFields,
  act: (mouse, options) => mouse.up(options),
});

export const wheel = mouseAction({
  method: 'wheel',
  description: 'Turns the mouse wheel at the current position.',
  fields: z.strictObject({
    deltaX: z.number().describe('Pixels to the right.'),
    deltaY: z.number().describe('Pixels downwards.'),
  }),
  act: (mouse, { deltaX, deltaY }) => mouse.wheel(deltaX, deltaY),
  args: ({ deltaX, deltaY }) => [deltaX, deltaY],
});
