import { z } from 'zod';
import { CodegenError } from '../model/errors.js';
import { defineAction } from './action.js';

export const step = defineAction({
  name: 'step',
  opensGroup: true,
  description: 'Opens a test.step, or a hook, that contains the following steps, until the next one.',
  kind: 'passive',
  fields: z.strictObject({
    title: z.string().min(1).max(200).describe('Title of the step.'),
    hook: z
      .enum(['beforeEach', 'afterEach'])
      .optional()
      .describe('Opens this hook instead of a step; `afterEach` also runs after a failure.'),
  }),
  perform: () => Promise.resolve(),
});

export const undo = defineAction({
  name: 'undo',
  description: 'Removes the last recorded steps. The page is not rolled back.',
  kind: 'passive',
  recorded: false,
  fields: z.strictObject({ count: z.int().positive().default(1).describe('Number of steps; 1 by default.') }),
  perform({ steps: { length }, remove: removeSteps }, { count }) {
    if (count > length)
      throw new CodegenError('INVALID_INPUT', `There are ${length} recorded steps, fewer than ${count}.`, {
        hint: 'get_codegen_session with include ["steps"] lists them.',
      });
    return removeSteps({ steps: Array.from({ length: count }, (_, index) => length - count + index) });
  },
});

const index = z.int().nonnegative().max(100_000);

export const remove = defineAction({
  name: 'remove',
  description:
    'Removes recorded steps, or single automatic assertions; later steps are renumbered. The page is not rolled back.',
  kind: 'passive',
  recorded: false,
  fields: z
    .strictObject({
      steps: z.array(index).min(1).max(1000).optional().describe('Indexes of the steps in the session.'),
      assertions: z
        .array(z.strictObject({ step: index, index }))
        .min(1)
        .max(1000)
        .optional()
        .describe('Automatic assertions: index of the step, and index among its assertions.'),
    })
    .refine(
      ({ steps, assertions }) => (steps ?? assertions) !== undefined,
      'expected `steps`, `assertions` or both',
    ),
  perform: ({ remove: removeSteps }, removal) => removeSteps(removal),
});

export const handOver = defineAction({
  name: 'handOver',
  description:
    'Waits for a person, who continues by hand in the [web UI](ui.md). Returns the steps that they recorded.',
  kind: 'passive',
  recorded: false,
  asksPerson: true,
  fields: z.strictObject({
    reason: z.string().min(1).max(500).describe('What the person should do.'),
    timeout: z
      .int()
      .min(1000)
      .max(3_600_000)
      .default(300_000)
      .describe('Maximum time to wait, in milliseconds; 300,000 by default.'),
  }),
  async perform({ handOver: ask, show }, { reason, timeout }) {
    if (ask === undefined) throw new CodegenError('ACTION_FAILED', 'This server has no web UI.');
    show(await ask(reason, timeout));
  },
});
