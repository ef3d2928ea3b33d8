import { z } from 'zod';

const windowSchema = z
  .union([z.enum(['second', 'minute', 'hour', 'day']), z.int().positive()], {
    error: 'expected second, minute, hour, day or a whole number of seconds',
  })
  .describe('Length of the sliding window: a name, or a number of seconds.');

const maxSchema = z.int().min(0).max(10_000).describe('Calls admitted in every window; 0 admits none.');

/** One limit: in every stretch of `window`, `max` calls are admitted for each `scope` that counts by itself. */
export const limitSchema = z.strictObject({
  counter: z.string().min(1).max(100).describe('What is counted; limits that name one counter share it.'),
  window: windowSchema,
  max: maxSchema,
  scope: z
    .enum(['session', 'grant', 'server'])
    .default('grant')
    .describe('Who shares the counter: one MCP connection, one grant, or all.'),
});

/** The tool whose actions `actions` rules. */
export const recordTool = 'record_codegen_session';

/** Actions that are denied unless a policy names them. */
export const restrictedActions: readonly string[] = ['evaluate'];

const names = z.array(z.string().min(1));

const toolRuleSchema = z.strictObject({
  action: z
    .enum(['allow', 'deny'])
    .optional()
    .describe('Whether the tool may be called; allow when left out.'),
  reason: z.string().optional().describe('Told to the agent when the tool is denied.'),
  limits: z.array(limitSchema).optional().describe('How often it may be called.'),
  rate_limit: z
    .strictObject({ max: maxSchema, window: windowSchema })
    .optional()
    .describe('Short form of one limit, whose counter has the name of the tool.'),
  actions: z
    .strictObject({
      deny: names.default([]).describe('Actions that are never performed.'),
      allow: names
        .default([])
        .describe(
          `The only actions that are performed. Where it names nothing but restricted ones (${restrictedActions.join(', ')}), it adds them to all others.`,
        ),
    })
    .optional()
    .describe(`Rules for single actions, of ${recordTool} alone; * stands for any text.`),
});

const toolsSchema = z.record(z.string(), toolRuleSchema).superRefine((tools, context) => {
  for (const [name, { actions }] of Object.entries(tools))
    if (name !== recordTool && actions !== undefined)
      context.addIssue({
        code: 'custom',
        path: [name, 'actions'],
        message: `only ${recordTool} has rules for actions`,
      });
});

/** The policy document, version "1". Whatever it does not know is an error, never ignored: it fails closed. */
export const policySchema = z.strictObject({
  version: z.literal('1').describe('Version of the document.'),
  default: z.enum(['allow', 'deny']).describe('What happens to tools that are not listed.'),
  hide: names.default([]).describe('Tools that are neither listed nor callable; * stands for any text.'),
  all_tools: z
    .strictObject({
      limits: z.array(limitSchema).default([]).describe('How often all tools together may be called.'),
    })
    .optional()
    .describe('Rules for every tool.'),
  tools: toolsSchema.default({}).describe('Rules by the name of the tool.'),
});

export type Limit = z.infer<typeof limitSchema>;
export type Policy = z.infer<typeof policySchema>;

/** What the guard decided over a call, and the place in the policy or the configuration that decided it. */
export interface Decision {
  kind: 'hidden' | 'denied' | 'approval' | 'limited' | 'allowed';
  /** E.g. `tools.end_codegen_session.deny_if[0]`. */
  rule: string;
}
