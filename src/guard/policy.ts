import type { Limit, Policy } from '../model/policy.js';

/** What a policy says of one tool; `rule` is the place in the document that decided. */
export type Decision =
  | { kind: 'hidden' | 'denied'; rule: string; reason?: string | undefined }
  | { kind: 'allowed'; limits: Limit[] };

/** Decides over one tool. The most restrictive rule wins: hidden, then deny, then limits. */
export function decide(policy: Policy, tool: string): Decision {
  if (policy.hide.some((pattern) => matches(pattern, tool))) return { kind: 'hidden', rule: 'hide' };
  const rules = Object.hasOwn(policy.tools, tool) ? policy.tools[tool] : undefined;
  if (rules?.action === 'deny') {
    return { kind: 'denied', rule: `tools.${tool}.action`, reason: rules.reason };
  }
  if (!rules && policy.default === 'deny') return { kind: 'denied', rule: 'default' };
  return { kind: 'allowed', limits: [...(policy.all_tools?.limits ?? []), ...limitsOfTool(policy, tool)] };
}

/** Every limit that a policy sets, for any tool. */
export function limitsOf(policy: Policy): Limit[] {
  const tools = Object.keys(policy.tools);
  return [...(policy.all_tools?.limits ?? []), ...tools.flatMap((tool) => limitsOfTool(policy, tool))];
}

function limitsOfTool(policy: Policy, tool: string): Limit[] {
  const rules = Object.hasOwn(policy.tools, tool) ? policy.tools[tool] : undefined;
  const short = rules?.rate_limit;
  return [...(rules?.limits ?? []), ...(short ? [{ ...short, counter: tool, scope: 'grant' as const }] : [])];
}

/** Whether a name fits a pattern in which `*` stands for any text. */
function matches(pattern: string, name: string): boolean {
  const parts = pattern.split('*').map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(name);
}
