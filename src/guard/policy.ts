import { z } from 'zod';
import { recordTool, restrictedActions, type Limit, type Policy } from '../model/policy.js';
import type { Charge } from './quota.js';

/** A call as policies see it; its arguments need not be valid. */
export interface Call {
  tool: string;
  args?: unknown;
}

/** What a policy says of a call; limits are still to be asked. */
export type Verdict =
  | { kind: 'hidden' | 'denied'; rule: string; reason?: string | undefined }
  | { kind: 'allowed'; rule: string; charges: Charge[] };

/** Decides over a call. The most restrictive rule wins: hidden, then deny, then limits. */
export function decide(policy: Policy, call: Call): Verdict {
  const { tool } = call;
  const hidden = policy.hide.findIndex((pattern) => fits(pattern, tool));
  if (hidden !== -1) return { kind: 'hidden', rule: `hide[${hidden}]` };
  const rules = rulesOf(policy, tool);
  if (rules?.action === 'deny') {
    return { kind: 'denied', rule: `tools.${tool}.action`, reason: rules.reason };
  }
  if (!rules && policy.default === 'deny') return { kind: 'denied', rule: 'default' };
  const action = deniedAction(policy, actionsOf(call));
  if (action) return action;
  const rule = rules ? `tools.${tool}` : 'default';
  return { kind: 'allowed', rule, charges: chargesOf(policy, tool) };
}

/** The verdict on the first of these actions that may not be performed; undefined where all may. */
export function deniedAction(
  policy: Policy,
  names: readonly string[],
): { kind: 'denied'; rule: string; reason: string } | undefined {
  const { deny = [], allow = [] } = rulesOf(policy, recordTool)?.actions ?? {};
  const narrows = allow.some((pattern) => !restrictedActions.includes(pattern));
  for (const name of names) {
    const denied = deny.findIndex((pattern) => fits(pattern, name));
    const needsName = narrows || restrictedActions.includes(name);
    if (denied === -1 && !(needsName && !allow.some((pattern) => fits(pattern, name)))) continue;
    const rule = `tools.${recordTool}.actions.${denied === -1 ? 'allow' : `deny[${denied}]`}`;
    return { kind: 'denied', rule, reason: `the action ${JSON.stringify(name)} is not allowed (${rule}).` };
  }
  return undefined;
}

/** Every limit that a policy sets, for any tool. */
export function limitsOf(policy: Policy): Limit[] {
  const tools = ['', ...Object.keys(policy.tools)];
  return tools.flatMap((tool) => chargesOf(policy, tool).map(({ limit }) => limit));
}

function chargesOf(policy: Policy, tool: string): Charge[] {
  const { limits = [], rate_limit: short } = rulesOf(policy, tool) ?? {};
  const charge = (place: string) => (limit: Limit, index: number) => ({
    limit,
    rule: `${place}.limits[${index}]`,
    count: 1,
  });
  const ofShort: Charge[] = short
    ? [{ limit: { ...short, counter: tool, scope: 'grant' }, rule: `tools.${tool}.rate_limit`, count: 1 }]
    : [];
  return [
    ...(policy.all_tools?.limits ?? []).map(charge('all_tools')),
    ...limits.map(charge(`tools.${tool}`)),
    ...ofShort,
  ];
}

function rulesOf(policy: Policy, tool: string): Policy['tools'][string] | undefined {
  return Object.hasOwn(policy.tools, tool) ? policy.tools[tool] : undefined;
}

const named = z.object({ action: z.string() }).transform(({ action }) => [action]);
const actionsSchema = z
  .object({ actions: z.array(named.catch([])) })
  .transform(({ actions }) => actions.flat());
const opening = z.object({ url: z.string() }).transform(() => ['goto']);

/** The names of the actions that a call wants performed, as far as it names any. */
function actionsOf({ tool, args }: Call): string[] {
  if (tool === recordTool) return actionsSchema.catch([]).parse(args);
  return tool === 'start_codegen_session' ? opening.catch([]).parse(args) : [];
}

/** Whether a name fits a pattern in which `*` stands for any text. */
function fits(pattern: string, name: string): boolean {
  const parts = pattern.split('*').map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(name);
}
