import { z } from 'zod';
import { actions } from '../actions/registry.js';

/** What every action of a call may hold besides its own fields. */
export const requestSchema = z.looseObject({
  action: z.string().meta({ enum: [...actions.keys()] }),
  target: z
    .string()
    .min(1)
    .max(5000)
    .optional()
    .describe("Ref, locator like getByRole('link'), or selector."),
  note: z.string().max(500).optional().describe('Comment above the step.'),
  record: z.boolean().optional().describe('false: perform only.'),
});

export type ActionRequest = z.infer<typeof requestSchema>;
