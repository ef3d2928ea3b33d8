import { z } from 'zod';

const windowSchema = z
  .union([z.enum(['second', 'minute', 'hour', 'day']), z.int().positive()], {
    error: 'expected second, minute, hour, day or a whole number of seconds',
  })
  .describe('Length of the sliding window: a name, or a number of seconds.');

/** Maximum of a limit of calls: each call is stored for the length of the window. */
export const mostCalls = 10_000;

const maxSchema = z.int().min(0).max(mostCalls).describe('Calls allowed in every window; 0 allows none.');

/** Path of a value among the arguments of a call. */
export const argumentPath = /^args(?:\.[^.*[\]\s]+|\[\d+\])+$/;

export const pathSchema = z
  .string()
  .regex(
    argumentPath,
    'expected a path below args, such as args.options.language or args.actions[0].action; a list without an index stands for each of its items, without *',
  )
  .describe(
    'Path of the value, e.g. `args.options.language`; a list without an index stands for each of its items.',
  );

/** One limit: `max` calls are admitted in every window of that length, counted separately for each `scope`. */
export const limitSchema = z.strictObject({
  counter: z.string().min(1).max(100).describe('Name of the counter; limits with the same name share it.'),
  window: windowSchema,
  max: maxSchema,
  scope: z
    .enum(['session', 'grant', 'server'])
    .default('grant')
    .describe('Who shares the counter: one MCP connection, one grant, or all.'),
});

/** A limit of calls, which can add the value of an argument instead of 1. */
export const callLimitSchema = limitSchema.extend({
  increment_from: pathSchema
    .optional()
    .describe(
      'The argument whose value is added to the counter, instead of 1 per call: a whole number, 0 or more.',
    ),
});

const scalar = z.union([z.string(), z.number(), z.boolean()]);

export function conditionOn<Path extends z.ZodType<string>>(path: Path) {
  const base = {
    path,
    message: z.string().min(1).optional().describe('Shown to the agent if the condition decides.'),
  };
  return z.discriminatedUnion(
    'op',
    [
      z.strictObject({ ...base, op: z.enum(['eq', 'neq']), value: z.union([scalar, z.array(scalar)]) }),
      z.strictObject({ ...base, op: z.enum(['in', 'not_in']), value: z.array(scalar) }),
      z.strictObject({ ...base, op: z.enum(['lt', 'lte', 'gt', 'gte']), value: z.number() }),
      z.strictObject({ ...base, op: z.literal('regex'), value: z.string().min(1).max(1000) }),
      z.strictObject({ ...base, op: z.literal('contains'), value: scalar }),
      z.strictObject({ ...base, op: z.literal('exists'), value: z.boolean().default(true) }),
    ],
    { error: 'expected one of eq, neq, in, not_in, lt, lte, gt, gte, regex, contains, exists' },
  );
}

export const conditionSchema = conditionOn(pathSchema);

export const recordTool = 'record_codegen_session';

/** The action name for opening sessions in the user's own browser. */
export const attachAction = 'attach';

/** Actions that are denied unless a policy names them. */
export const restrictedActions: readonly string[] = ['evaluate', attachAction];

const names = z.array(z.string().min(1));
const conditions = z.array(conditionSchema).default([]);
const enforce = z.boolean().default(true);

export const toolRulesSchema = z.strictObject({
  action: z
    .enum(['allow', 'deny', 'require_approval'])
    .default('allow')
    .describe('Whether the tool may be called, or only after a person has approved the call.'),
  enforce: enforce.describe('false: a dry run. Decisions about this tool are logged, not applied.'),
  reason: z.string().optional().describe('Shown if the tool is denied or needs approval.'),
  require: conditions.describe('Conditions that must all be true; otherwise the call is denied.'),
  deny_if: conditions.describe('Conditions that each deny the call.'),
  approve_if: conditions.describe('Conditions that each require approval by a person.'),
  limits: z.array(callLimitSchema).default([]).describe('How often it may be called.'),
  rate_limit: z
    .strictObject({ max: maxSchema, window: windowSchema })
    .optional()
    .describe('Short form of a limit whose counter is named after the tool.'),
  actions: z
    .strictObject({
      deny: names.default([]).describe('Actions that are never performed.'),
      allow: names
        .default([])
        .describe(
          `The only actions that are performed. A list of only restricted actions (${restrictedActions.join(', ')}) allows them in addition to all others.`,
        ),
    })
    .optional()
    .describe(`Rules for single actions, only for ${recordTool}; * matches any text.`),
});

const toolsSchema = z.record(z.string(), toolRulesSchema).superRefine((tools, context) => {
  const refuse = (path: string[], message: string): void => {
    context.addIssue({ code: 'custom', path, message });
  };
  for (const [name, { actions }] of Object.entries(tools)) {
    if (name.includes('*'))
      refuse([name], 'tools are listed by name; use `all_tools` for rules that apply to all');
    if (name !== recordTool && actions !== undefined)
      refuse([name, 'actions'], `only ${recordTool} has rules for actions`);
  }
});

/** The policy document, version "1". Fails closed: an unknown key is an error. */
export const policySchema = z.strictObject({
  version: z.literal('1').describe('Version of the document.'),
  default: z.enum(['allow', 'deny']).describe('What happens to tools that are not listed.'),
  enforce: enforce.describe(
    'false: a dry run. Decisions are logged, not applied; `policy report` counts them.',
  ),
  hide: names.default([]).describe('Tools that are neither listed nor callable; * matches any text.'),
  all_tools: z
    .strictObject({
      limits: z.array(callLimitSchema).default([]).describe('How often all tools together may be called.'),
    })
    .optional()
    .describe('Rules for every tool.'),
  tools: toolsSchema.default({}).describe('Rules by name of the tool.'),
});

export type Limit = z.infer<typeof limitSchema>;
export type PolicyDocument = z.infer<typeof policySchema>;

/** The guard's decision about a call, and the rule in the policy or the configuration behind it. */
export interface Decision {
  kind: 'hidden' | 'denied' | 'approval' | 'limited' | 'allowed';
  /** E.g. `tools.end_codegen_session.deny_if[0]`. */
  rule: string;
  /** What it would have been without the dry run. */
  would?: Pick<Decision, 'kind' | 'rule'> | undefined;
  /** Id of the approval that it waits for. */
  approval?: string | undefined;
}
