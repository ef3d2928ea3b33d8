import type { Locator } from 'playwright';
import { z } from 'zod';
import { property, run, values, type CodeScope, type Expression } from '../model/code.js';
import { seemsReference } from '../model/template.js';
import { originOfFrame } from '../browser/origin.js';
import { defineAction, type Action, type ActionDefinition } from './action.js';
import { clickCount, clickFields, forced, pointerFields, position, timeout, waiting } from './pointer.js';

const delay = z.number().min(0).max(1000).describe('Milliseconds between key presses.');
const text = z.string().describe('Text to type.');

interface ElementActionDefinition<Fields extends z.ZodObject> extends Omit<
  ActionDefinition<Fields>,
  'perform' | 'toCode'
> {
  act: (element: Locator, fields: z.infer<Fields>) => Promise<unknown>;
  /** The arguments of the method; the fields as options by default. */
  args?: (fields: z.infer<Fields>, scope: CodeScope) => Expression[];
}

/** An action that calls the locator's method of the same name. */
function elementAction<Fields extends z.ZodObject>(definition: ElementActionDefinition<Fields>): Action {
  const { act, args = (given: z.infer<Fields>): Expression[] => values(given), ...rest } = definition;
  const { name } = definition;
  return defineAction({
    playwrightNames: true,
    ...rest,
    target: 'element',
    async perform(_, given, element) {
      if (element !== undefined) await act(element, given);
    },
    toCode: (given, scope) => [run(scope.subject, name, ...args(given, scope))],
  });
}

const timed = z.strictObject({ timeout });

export const click = elementAction({
  name: 'click',
  clicks: true,
  submits: true,
  description: 'Clicks an element.',
  fields: clickFields.extend({ clickCount: clickCount.optional() }),
  act: (element, options) => element.click(options),
});

export const dblclick = elementAction({
  name: 'dblclick',
  clicks: true,
  verb: 'doubleClick',
  description: 'Double-clicks an element.',
  fields: clickFields,
  act: (element, options) => element.dblclick(options),
});

export const tap = elementAction({
  name: 'tap',
  clicks: true,
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
  outcome: 'toBeFocused',
  description: 'Focuses an element.',
  fields: timed,
  act: (element, options) => element.focus(options),
});

export const blur = elementAction({
  name: 'blur',
  description: 'Removes the focus from an element.',
  fields: timed,
  act: (element, options) => element.blur(options),
});

export const fill = elementAction({
  name: 'fill',
  types: true,
  description: 'Sets the value of an input, textarea or contenteditable.',
  fields: z.strictObject({ value: text, ...forced }),
  act: (element, { value, ...options }) => element.fill(value, options),
  args: ({ value, ...options }, { input }) => [input(value), ...values(options)],
});

export const clear = elementAction({
  name: 'clear',
  types: true,
  description: 'Empties an input.',
  fields: z.strictObject(forced),
  act: (element, options) => element.clear(options),
});

export const pressSequentially = elementAction({
  name: 'pressSequentially',
  types: true,
  verb: 'type',
  description: 'Types character by character, for pages that handle key events.',
  fields: z.strictObject({ value: text, delay: delay.optional(), ...waiting }),
  playwrightNames: false,
  act: (element, { value, ...options }) => element.pressSequentially(value, options),
  args: ({ value, ...options }, { input }) => [input(value), ...values(options)],
});

export const check = elementAction({
  name: 'check',
  toggles: true,
  description: 'Checks a checkbox or radio button.',
  fields: z.strictObject({ position: position.optional(), ...forced }),
  act: (element, options) => element.check(options),
});

export const uncheck = elementAction({
  name: 'uncheck',
  toggles: true,
  description: 'Unchecks a checkbox.',
  fields: z.strictObject({ position: position.optional(), ...forced }),
  act: (element, options) => element.uncheck(options),
});

export const selectOption = elementAction({
  name: 'selectOption',
  types: true,
  selects: true,
  verb: 'select',
  description: 'Selects options of a <select> by value or label.',
  fields: z.strictObject({
    values: z
      .union([z.string(), z.array(z.string()).min(1)])
      .describe('Value or label; a list selects several.'),
    ...forced,
  }),
  act: (element, { values: options, ...rest }) => element.selectOption(options, rest),
  args: ({ values: options, ...rest }, { input }) => [
    input((Array.isArray(options) && options.length === 1 ? options[0] : options) ?? options),
    ...values(rest),
  ],
});

export const scrollIntoViewIfNeeded = elementAction({
  name: 'scrollIntoViewIfNeeded',
  outcome: 'toBeInViewport',
  needsNoAssertion: true,
  description: 'Scrolls an element into view.',
  fields: timed,
  act: (element, options) => element.scrollIntoViewIfNeeded(options),
});

export const waitFor = defineAction({
  name: 'waitFor',
  verifies: true,
  description: 'Waits for an element to be attached, visible, hidden or detached.',
  target: 'elements',
  kind: 'passive',
  fields: z.strictObject({
    state: z.enum(['attached', 'detached', 'visible', 'hidden']).optional().describe('`visible` by default.'),
    timeout,
  }),
  playwrightNames: true,
  async perform(_, options, locator) {
    await locator?.waitFor(options);
  },
  toCode: (options, { subject }) => [run(subject, 'waitFor', ...values(options))],
});

/** Whether a key or combination pastes the clipboard. */
function pastes(key: string): boolean {
  const keys = key.toLowerCase().split('+');
  const last = keys.at(-1);
  const isControl = keys.some((each) => /^(?:control|meta)/.test(each));
  return (
    last === 'paste' ||
    (last === 'insert' && keys.includes('shift')) ||
    (isControl && /^(?:key)?v$/.test(last ?? ''))
  );
}

export const press = defineAction({
  name: 'press',
  pressesKey: true,
  submits: true,
  description:
    'Presses a key or a combination, e.g. Enter or ControlOrMeta+a; without a target, on the page.',
  target: 'optional element',
  fields: z.strictObject({
    key: z
      .string()
      .min(1)
      .max(100)
      .refine((key) => !seemsReference(key), 'expected a key; fill types a secret')
      .describe('Key name as in KeyboardEvent.key, with modifiers before it.'),
    delay: delay.optional(),
    ...waiting,
  }),
  playwrightNames: true,
  async perform({ page, bound }, { key, ...options }, element) {
    if (pastes(key)) for (const frame of page.frames()) bound.requirePaste(originOfFrame(frame));
    await (element === undefined ? page.keyboard.press(key, options) : element.press(key, options));
  },
  toCode: ({ key, ...options }, { subject, page }) => {
    if (subject !== page) return [run(subject, 'press', ...values(key, options))];
    const { delay } = options;
    return [run(property(page, 'keyboard'), 'press', ...values(key, delay === undefined ? {} : { delay }))];
  },
});
