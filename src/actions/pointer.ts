import { z } from 'zod';

export const button = z.enum(['left', 'right', 'middle']).describe('Mouse button.');
const modifiers = z
  .array(z.enum(['Alt', 'Control', 'ControlOrMeta', 'Meta', 'Shift']))
  .describe('Keys held down.');
export const position = z
  .strictObject({ x: z.number(), y: z.number() })
  .describe("In CSS pixels from the element's top left corner.");
export const clickCount = z.int().min(1).max(10).describe('Number of clicks.');

export const timeout = z
  .int()
  .min(1)
  .max(120_000)
  .optional()
  .describe('Milliseconds; browser.actionTimeoutMs by default.');
export const waiting = {
  noWaitAfter: z.boolean().optional().describe('Does not wait for navigations that the action starts.'),
  timeout,
};
export const forced = {
  force: z.boolean().optional().describe('Skips the checks that the element can be acted on.'),
  ...waiting,
};

export const pointerFields = z.strictObject({
  ...forced,
  modifiers: modifiers.optional(),
  position: position.optional(),
});
export const clickFields = pointerFields.extend({ button: button.optional() });
