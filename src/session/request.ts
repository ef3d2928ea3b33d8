import { z } from 'zod';
import type { Action, PreparedAction } from '../actions/action.js';
import { actions } from '../actions/registry.js';

/** Identifies an element; a ref may have the form in which the snapshot prints it. */
export const targetSchema = z
  .string()
  .min(1)
  .max(5000)
  .transform((target) => target.replace(/^\[?ref=((?:f\d+)?e\d+)\]?$/, '$1'));

/** The fields of every action besides its own. */
export const requestSchema = z.looseObject({
  action: z.string().meta({ enum: [...actions.keys()] }),
  target: targetSchema.optional().describe("Ref, locator like getByRole('link'), or selector."),
  note: z.string().max(500).optional().describe('Comment above the step.'),
  record: z.boolean().optional().describe('false: perform only.'),
});

export type ActionRequest = z.infer<typeof requestSchema>;

/** An action of a call, checked. */
export interface CheckedRequest {
  action: Action;
  prepared: PreparedAction;
  target: string | undefined;
  /** The second element, of an action that takes one. */
  to: string | undefined;
  /** The elements to mask in a screenshot. */
  mask: readonly string[];
  note: string | undefined;
  record: boolean;
}
