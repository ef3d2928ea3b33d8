import type { Locator } from 'playwright';
import { z } from 'zod';
import { callCode, defineAction, type Action } from './action.js';
import { clickCount, clickFields, pointerFields, position } from './pointer.js';

const delay = z.number().min(0).max(1000).describe('Milliseconds between key presses.');
const text = z.string().describe('Text to type.');

/** An action on one element whose fields are the options of a locator's method of the same name. */
function elementAction<Fields extends z.ZodObject>(definition: {
  name: string;
  description: string;
  fields: Fields;
  familiar?: boolean;
  act: (element: Locator, fields: z.infer<Fields>) => Promise<unknown>;
  /** The arguments of the method, where they are not just the fields as options. */
  args?: (fields: z.infer<Fields>) => unknown[];
}): Action {
  const { name, description, fields, familiar = true, act } = definition;
  const args = definition.args ?? ((given: z.infer<Fields>): unknown[] => [given]);
  return defineAction({
    name,
    description,
    target: 'element',
    fields,
    familiar,
    async perform(_, given, element) {
      if (element !== undefined) await act(element, given);
    },
    emit: (given, subject) => `await ${callCode(subject, name, ...args(given))};`,
  });
}

const noFields = z.strictObject({});

export const click = elementAction({
  name: 'click',
  description: 'Clicks an element.',
  fields: clickFields.extend({ clickCount: clickCount.optional() }),
  act: (element, options) => element.click(options),
});

export const dblclick = elementAction({
  name: 'dblclick',
  description: 'Double-clicks an element.',
  fields: clickFields,
  act: (element, options) => element.dblclick(options),
});

export const tap = elementAction({
  name: 'tap',
  description: 'Taps an element; needs `use.hasTouch`.',
  fields: pointerFields,
  act: (element, options) => element.tap(options),
});

export const hover = elementAction({
  name: 'hover',
  description: 'Moves the mouse over an element.',
  fields: pointerFields,
  act: (element, options) => element.hover(options),
});

export const focus = elementAction({
  name: 'focus',
  description: 'Focuses an element.',
  fields: noFields,
  act: (element) => element.focus(),
});

export const blur = elementAction({
  name: 'blur',
  description: 'Takes the focus from an element.',
  fields: noFields,
  act: (element) => element.blur(),
});

export const fill = elementAction({
  name: 'fill',
  description: 'Sets the value of an input, textarea or contenteditable.',
  fields: z.strictObject({ value: text }),
  act: (element, { value }) => element.fill(value),
  args: ({ value }) => [value],
});

export const clear = elementAction({
  name: 'clear',
  description: 'Empties an input.',
  fields: noFields,
  act: (element) => element.clear(),
});

export const pressSequentially = elementAction({
  name: 'pressSequentially',
  description: 'Types character by character, for pages that listen to keys.',
  fields: z.strictObject({ value: text, delay: delay.optional() }),
  familiar: false,
  act: (element, { value, ...options }) => element.pressSequentially(value, options),
  args: ({ value, ...options }) => [value, options],
});

export const check = elementAction({
  name: 'check',
  description: 'Checks a checkbox or radio button.',
  fields: z.strictObject({ position: position.optional() }),
  act: (element, options) => element.check(options),
});

export const uncheck = elementAction({
  name: 'uncheck',
  description: 'Unchecks a checkbox.',
  fields: z.strictObject({ position: position.optional() }),
  act: (element, options) => element.uncheck(options),
});

export const selectOption = elementAction({
  name: 'selectOption',
  description: 'Selects options of a <select> by value or label.',
  fields: z.strictObject({
    values: z
      .union([z.string(), z.array(z.string()).min(1)])
      .describe('Value or label; a list selects several.'),
  }),
  act: (element, { values }) => element.selectOption(values),
  args: ({ values }) => [values],
});

export const scrollIntoViewIfNeeded = elementAction({
  name: 'scrollIntoViewIfNeeded',
  description: 'Scrolls an element into view.',
  fields: noFields,
  act: (element) => element.scrollIntoViewIfNeeded(),
});

export const waitFor = defineAction({
  name: 'waitFor',
  description: 'Waits for an element to be attached, visible, hidden or detached.',
  target: 'subject',
  manner: 'looks',
  fields: z.strictObject({
    state: z
      .enum(['attached', 'detached', 'visible', 'hidden'])
      .optional()
      .describe('`visible` when left out.'),
  }),
  familiar: true,
  async perform(_, options, locator) {
    await locator?.waitFor(options);
  },
  emit: (options, subject) => `await ${callCode(subject, 'waitFor', options)};`,
});

export const press = defineAction({
  name: 'press',
  description:
    'Presses a key or a combination, e.g. Enter or ControlOrMeta+a; without a target, on the page.',
  target: 'optional element',
  fields: z.strictObject({
    key: z.string().min(1).max(100).describe('Key name as in KeyboardEvent.key, with modifiers before it.'),
    delay: delay.optional(),
  }),
  familiar: true,
  async perform({ page }, { key, ...options }, element) {
    await (element === undefined ? page.keyboard.press(key, options) : element.press(key, options));
  },
  emit: ({ key, ...options }, subject, { page }) =>
    `await ${callCode(subject === page ? `${page}.keyboard` : subject, 'press', key, options)};`,
});
