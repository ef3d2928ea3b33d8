import { z } from 'zod';

export const button = z.enum(['left', 'right', 'middle']).describe('Mouse button.');
const modifiers = z
  .array(z.enum(['Alt', 'Control', 'ControlOrMeta', 'Meta', 'Shift']))
  .describe('Keys held down.');
export const position = z
  .strictObject({ x: z.number(), y: z.number() })
  .describe("In CSS pixels from the element's top left corner.");
export const clickCount = z.int().min(1).max(10).describe('Clicks in a row.');

export const pointerFields = z.strictObject({
  modifiers: modifiers.optional(),
  position: position.optional(),
});
export const clickFields = pointerFields.extend({ button: button.optional() });
