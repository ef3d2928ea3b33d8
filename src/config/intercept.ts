import { z } from 'zod';
import { argumentPath, conditionOn, mostCalls, pathSchema, type Limit } from '../model/policy.js';
import type { CallLimit, Condition, Policy, Rules } from '../model/rules.js';
import { sha256 } from '../model/text.js';
import { noRules, type CompileExpression } from './policy.js';

// The rule files of PolicyLayer's Intercept: https://github.com/PolicyLayer/Intercept/blob/main/POLICY.md. Its windows
// begin with the calendar's minute, hour or day; here they slide, and admit no more.

/** The tool whose rules are those of all tools, and what its counters are called after. */
const everyTool = '*';
const global = '_global';

/** A counter as conditions name it: `state.create_issue.hourly_count`. */
const counterPath = /^state\.([^.]+)\.(.+)$/;

const windowSchema = z.enum(['minute', 'hour', 'day']);

const ruleSchema = z.strictObject({
  name: z.string().optional(),
  action: z.enum(['evaluate', 'deny']).default('evaluate'),
  rate_limit: z
    .string()
    .regex(/^[1-9]\d*\/(?:minute|hour|day)$/, 'expected calls per minute, hour or day, e.g. 5/hour')
    .optional(),
  conditions: z
    .array(
      conditionOn(
        z
          .string()
          .refine(
            (path) => argumentPath.test(path) || counterPath.test(path),
            'expected args.<field> or state.<tool>.<counter>',
          ),
      ),
    )
    .default([]),
  on_deny: z.string().optional(),
  state: z
    .strictObject({
      counter: z.string().min(1),
      window: windowSchema,
      increment: z.int().positive().default(1),
      increment_from: pathSchema.optional(),
    })
    .optional(),
});

type InterceptRule = z.infer<typeof ruleSchema>;

const toolSchema = z.strictObject({
  rules: z
    .array(ruleSchema)
    .nullish()
    .transform((rules) => rules ?? []),
});

const toolsSchema = z.record(z.string(), toolSchema).superRefine((tools, context) => {
  for (const [tool, { rules }] of Object.entries(tools))
    for (const [index, rule] of rules.entries()) {
      const place = [tool, 'rules', index];
      const refuse = (message: string, ...path: PropertyKey[]): void => {
        context.addIssue({ code: 'custom', path: [...place, ...path], message });
      };
      const isShort = rule.rate_limit !== undefined;
      const others = rule.conditions.length > 0 || rule.state !== undefined;
      if (isShort && others)
        refuse('a rule with rate_limit has no conditions or state; put them into another rule');
      if (rule.action === 'deny' && (isShort || others))
        refuse('a rule with "action": "deny" has no conditions');
      if (rule.action === 'evaluate' && !isShort && rule.conditions.length === 0)
        refuse('expected conditions, a rate_limit or "action": "deny"');
      for (const [number, condition] of rule.conditions.entries()) {
        if (!counterPath.test(condition.path)) continue;
        const at = ['conditions', number];
        if (condition.op !== 'lt' && condition.op !== 'lte')
          refuse('counters can only be compared with lt or lte', ...at, 'op');
        if (stateOf(rules, tool, condition.path) === undefined)
          refuse(`expected a counter of a rule of ${tool}`, ...at, 'path');
      }
      for (const { limit, incrementFrom } of limitsOf(rules, rule, tool))
        if (limit.max > mostCalls && incrementFrom === undefined)
          refuse(`expected at most ${mostCalls} calls`);
    }
});

/** A rule file of Intercept. */
export const interceptSchema = z.strictObject({
  version: z.literal('1'),
  description: z.string().optional(),
  default: z.enum(['allow', 'deny']).default('allow'),
  hide: z.array(z.string().min(1)).default([]),
  tools: toolsSchema,
});

/** Whether a document is one of Intercept's: only those have lists of `rules`, or a description. */
export function isIntercept(document: unknown): boolean {
  const shape = z.looseObject({
    description: z.unknown().optional(),
    tools: z.record(z.string(), z.unknown()).catch({}),
  });
  const { success, data } = shape.safeParse(document);
  if (!success) return false;
  const hasRules = (tool: unknown): boolean => typeof tool === 'object' && tool !== null && 'rules' in tool;
  return data.description !== undefined || Object.values(data.tools).some(hasRules);
}

/** The policy that a rule file describes. Throws what `compile` throws. */
export function translateIntercept(
  document: z.infer<typeof interceptSchema>,
  compile: CompileExpression,
): Policy {
  const rulesOf = (tool: string, rules: readonly InterceptRule[]): Rules => {
    const placed = rules.map((rule, index) => ({
      ...rule,
      rule: `tools.${tool}.rules[${index}]`,
      all: rule,
    }));
    const denying = placed.find(({ action }) => action === 'deny');
    return {
      ...noRules,
      deny: denying && { rule: denying.rule, reason: denying.on_deny },
      require: placed.flatMap(({ conditions, rule, on_deny: reason }) =>
        conditions
          .filter(({ path }) => !counterPath.test(path))
          .map((condition): Condition => {
            const matches = condition.op === 'regex' ? compile(condition.value, rule) : undefined;
            return { ...condition, matches, rule, reason };
          }),
      ),
      limits: placed.flatMap(({ all, rule, on_deny: reason }) =>
        limitsOf(rules, all, tool).map((limit) => ({ ...limit, rule, reason })),
      ),
    };
  };
  const { [everyTool]: all, ...tools } = document.tools;
  return {
    default: document.default,
    enforce: true,
    hide: document.hide,
    all: rulesOf(everyTool, all?.rules ?? []),
    tools: new Map(Object.entries(tools).map(([tool, { rules }]) => [tool, rulesOf(tool, rules)])),
    hash: sha256(JSON.stringify(document)),
  };
}

/** The limits that a rule sets on the counters of its tool. */
function limitsOf(
  rules: readonly InterceptRule[],
  { rate_limit: short, conditions }: InterceptRule,
  tool: string,
): Omit<CallLimit, 'rule'>[] {
  const counterOf = (name: string): string => `${tool === everyTool ? global : tool}.${name}`;
  if (short !== undefined) {
    const [max, name] = short.split('/');
    const { data: window } = windowSchema.safeParse(name);
    return window ? [{ limit: limitOn(counterOf(`_rate_${window}`), window, Number(max)) }] : [];
  }
  return conditions.flatMap(({ path, op, value }) => {
    const state = stateOf(rules, tool, path);
    if (state === undefined || typeof value !== 'number') return [];
    const { counter, window, increment, increment_from: incrementFrom } = state;
    const most = op === 'lt' ? Math.ceil(value) - 1 : Math.floor(value);
    const max = Math.max(0, incrementFrom === undefined ? Math.floor(most / increment) : most);
    return [{ limit: limitOn(counterOf(counter), window, max), incrementFrom }];
  });
}

function limitOn(counter: string, window: Limit['window'], max: number): Limit {
  return { counter, window, max, scope: 'server' };
}

/** The counter at a condition's path; undefined if the tool has none there. */
function stateOf(rules: readonly InterceptRule[], tool: string, path: string): InterceptRule['state'] {
  const [, scope, counter] = counterPath.exec(path) ?? [];
  if (scope !== (tool === everyTool ? global : tool)) return undefined;
  return rules.find(({ state }) => state?.counter === counter)?.state;
}
