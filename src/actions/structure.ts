import { z } from 'zod';
import { CodegenError } from '../model/errors.js';
import { defineAction } from './action.js';

export const step = defineAction({
  name: 'step',
  opensGroup: true,
  description: 'Opens a test.step that holds what follows, until the next one.',
  target: 'none',
  kind: 'passive',
  fields: z.strictObject({ title: z.string().min(1).max(200).describe('Title of the step.') }),
  perform: () => Promise.resolve(),
  toCode: () => [],
});

export const undo = defineAction({
  name: 'undo',
  description:
    'Takes back the last recorded steps, or only what is asserted of them by itself; the page stays as it is.',
  target: 'none',
  kind: 'passive',
  recorded: false,
  fields: z.strictObject({
    count: z.int().positive().default(1).describe('Number of steps; 1 when left out.'),
    assertions: z
      .literal(true)
      .optional()
      .describe('Takes back only the automatic assertions of these steps; the steps stay.'),
  }),
  perform({ steps, takeBack }, { count, assertions }) {
    if (count > steps.length)
      throw new CodegenError(
        'INVALID_INPUT',
        `There are ${steps.length} recorded steps, fewer than ${count}.`,
        {
          hint: 'Look at them with get_codegen_session and include ["steps"].',
        },
      );
    if (assertions === true) for (const each of steps.slice(-count)) delete each.assertions;
    else takeBack(count);
    return Promise.resolve();
  },
  toCode: () => [],
});
