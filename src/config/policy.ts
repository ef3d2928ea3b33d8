import type { z } from 'zod';
import type { callLimitSchema, conditionSchema, toolRulesSchema } from '../model/policy.js';
import { type PolicyDocument } from '../model/policy.js';
import { sha256 } from '../model/text.js';
import type { CallLimit, Condition, Policy, Rules } from '../model/rules.js';

/**
 * Compiles the regular expression of the condition at `rule` to a function that searches a text for it. Throws if
 * it is not valid.
 */
export type CompileExpression = (source: string, rule: string) => (text: string) => boolean;

/** The policy that a document describes. Throws what `compile` throws. */
export function compilePolicy(document: PolicyDocument, compile: CompileExpression): Policy {
  const conditionsOf = (conditions: readonly z.infer<typeof conditionSchema>[], place: string): Condition[] =>
    conditions.map(({ message: reason, ...condition }, index) => {
      const rule = `${place}[${index}]`;
      const matches = condition.op === 'regex' ? compile(condition.value, rule) : undefined;
      return { ...condition, reason, rule, matches };
    });
  const limitsOf = (limits: readonly z.infer<typeof callLimitSchema>[], place: string): CallLimit[] =>
    limits.map(({ increment_from: incrementFrom, ...limit }, index) => ({
      limit,
      incrementFrom,
      rule: `${place}.limits[${index}]`,
    }));
  const rulesOf = (tool: string, rules: z.infer<typeof toolRulesSchema>): Rules => {
    const place = `tools.${tool}`;
    const { action, enforce, reason, rate_limit: short, actions } = rules;
    const decided = { rule: `${place}.action`, reason };
    return {
      enforce,
      deny: action === 'deny' ? decided : undefined,
      approve: action === 'require_approval' ? decided : undefined,
      require: conditionsOf(rules.require, `${place}.require`),
      denyIf: conditionsOf(rules.deny_if, `${place}.deny_if`),
      approveIf: conditionsOf(rules.approve_if, `${place}.approve_if`),
      limits: [
        ...limitsOf(rules.limits, place),
        ...(short === undefined
          ? []
          : [{ limit: { ...short, counter: tool, scope: 'grant' as const }, rule: `${place}.rate_limit` }]),
      ],
      actions,
    };
  };
  const { all_tools: all } = document;
  return {
    default: document.default,
    enforce: document.enforce,
    hide: document.hide,
    all: { ...noRules, limits: limitsOf(all?.limits ?? [], 'all_tools') },
    tools: new Map(Object.entries(document.tools).map(([tool, rules]) => [tool, rulesOf(tool, rules)])),
    hash: sha256(JSON.stringify(document)),
  };
}

export const noRules: Rules = { enforce: true, require: [], denyIf: [], approveIf: [], limits: [] };
