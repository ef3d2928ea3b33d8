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
});

/** The policy document, version "1". Whatever it does not know is an error, never ignored: it fails closed. */
export const policySchema = z.strictObject({
  version: z.literal('1').describe('Version of the document.'),
  default: z.enum(['allow', 'deny']).describe('What happens to tools that are not listed.'),
  hide: z
    .array(z.string().min(1))
    .default([])
    .describe('Tools that are neither listed nor callable; * stands for any text.'),
  all_tools: z
    .strictObject({
      limits: z.array(limitSchema).default([]).describe('How often all tools together may be called.'),
    })
    .optional()
    .describe('Rules for every tool.'),
  tools: z.record(z.string(), toolRuleSchema).default({}).describe('Rules by the name of the tool.'),
});

export type Limit = z.infer<typeof limitSchema>;
export type Policy = z.infer<typeof policySchema>;
