import { recordTool, restrictedActions, type Limit } from '../model/policy.js';
import type { CallLimit, Policy, Rule, Rules } from '../model/rules.js';
import { holdsForAll, holdsForAny, phrase, valuesAt } from './conditions.js';
import type { Charge } from './counters.js';

/** A call as policies see it; its arguments need not be valid. */
export interface PolicyCall {
  tool: string;
  args?: unknown;
}

export interface Denial extends Rule {
  kind: 'hidden' | 'denied';
}

/** The policy lets a call run, if its limits and, for `approval`, a person do too. */
export interface Permission extends Rule {
  kind: 'approval' | 'allowed';
  charges: Charge[];
}

/**
 * Decides about a call. The most restrictive rule wins: hidden, then deny, then failed conditions, then approval, then
 * limits.
 */
export function decide(policy: Policy, call: PolicyCall): Denial | Permission {
  const { tool, args } = call;
  const hidden = policy.hide.findIndex((pattern) => matchesWildcard(pattern, tool));
  if (hidden !== -1) return { kind: 'hidden', rule: `hide[${hidden}]` };

  const own = policy.tools.get(tool);
  if (own === undefined && policy.default === 'deny') return { kind: 'denied', rule: 'default' };
  const all = own === undefined ? [policy.all] : [own, policy.all];
  const charges = all.flatMap(({ limits }) => limits).map((limit) => chargeOf(limit, args));
  const denial =
    firstOf(all, ({ deny }) => deny) ??
    deniedAction(policy, actionsOf(call)) ??
    firstOf(all, (rules) => failedCondition(rules, args)) ??
    charges.find((charge) => charge.count === undefined);
  if (denial) return { kind: 'denied', rule: denial.rule, reason: denial.reason };

  const counted = charges.flatMap(({ count, ...charge }) =>
    count === undefined ? [] : [{ ...charge, count }],
  );
  const approval = firstOf(all, (rules) => neededApproval(rules, args));
  if (approval) return { kind: 'approval', ...approval, charges: counted };
  return { kind: 'allowed', rule: own ? `tools.${tool}` : 'default', charges: counted };
}

/** Whether the decisions about a tool are applied; otherwise they are only logged. */
export function isEnforced({ enforce, tools }: Policy, tool: string): boolean {
  return enforce && tools.get(tool)?.enforce !== false;
}

/** The denial of an action that a policy has to allow by name, in a dry run too. */
export function restrictedDenial(policy: Policy, call: PolicyCall): Denial | undefined {
  return deniedAction(
    policy,
    actionsOf(call).filter((name) => restrictedActions.includes(name)),
  );
}

/** Why the first of these actions that may not be performed is denied; undefined if all may. */
function deniedAction(policy: Policy, names: readonly string[]): Denial | undefined {
  const { deny = [], allow = [] } = policy.tools.get(recordTool)?.actions ?? {};
  const narrows = allow.some((pattern) => !restrictedActions.includes(pattern));
  for (const name of names) {
    const denied = deny.findIndex((pattern) => matchesWildcard(pattern, name));
    const needsName = narrows || restrictedActions.includes(name);
    if (denied === -1 && !(needsName && !allow.some((pattern) => matchesWildcard(pattern, name)))) continue;
    const rule = `tools.${recordTool}.actions.${denied === -1 ? 'allow' : `deny[${denied}]`}`;
    return { kind: 'denied', rule, reason: `the action ${JSON.stringify(name)} is not allowed` };
  }
  return undefined;
}

/** Every limit that a policy sets, for any tool. */
export function limitsOf({ all, tools }: Policy): Limit[] {
  return [all, ...tools.values()].flatMap(({ limits }) => limits.map(({ limit }) => limit));
}

/** The limits that hold for a tool, whatever its arguments. */
export function limitsOfTool({ all, tools }: Policy, tool: string): Limit[] {
  return [...(tools.get(tool)?.limits ?? []), ...all.limits].map(({ limit }) => limit);
}

function firstOf(all: readonly Rules[], find: (rules: Rules) => Rule | undefined): Rule | undefined {
  return all.map(find).find((rule) => rule !== undefined);
}

function failedCondition({ require, denyIf }: Rules, args: unknown): Rule | undefined {
  const denying = denyIf.find((condition) => holdsForAny(condition, args));
  if (denying) return { rule: denying.rule, reason: denying.reason ?? phrase(denying) };
  const failed = require.find((condition) => !holdsForAll(condition, args));
  return failed && { rule: failed.rule, reason: failed.reason ?? `required: ${phrase(failed)}` };
}

function neededApproval({ approve, approveIf }: Rules, args: unknown): Rule | undefined {
  if (approve) return approve;
  const asking = approveIf.find((condition) => holdsForAny(condition, args));
  return asking && { rule: asking.rule, reason: asking.reason ?? phrase(asking) };
}

/** How much of a limit a call uses; no `count` if the argument that sets it is not a whole number. */
function chargeOf(
  { limit, incrementFrom, rule, reason }: CallLimit,
  args: unknown,
): Omit<Charge, 'count'> & { count: number | undefined } {
  const [amount, ...others] = incrementFrom === undefined ? [1] : valuesAt(incrementFrom, args);
  if (typeof amount === 'number' && Number.isSafeInteger(amount) && amount >= 0 && others.length === 0)
    return { limit, rule, reason, count: amount };
  const unfit = `${incrementFrom ?? ''} must be one whole number, 0 or more, because a limit counts it`;
  return { limit, rule, count: undefined, reason: unfit };
}

/** The names of the actions that a call would perform. */
function actionsOf({ tool, args }: PolicyCall): string[] {
  if (tool === recordTool)
    return valuesAt('args.actions.action', args).filter((name) => typeof name === 'string');
  const opens = tool === 'start_codegen_session' && typeof valuesAt('args.url', args)[0] === 'string';
  return opens ? ['goto'] : [];
}

/** Whether a name matches a pattern in which `*` matches any text; in linear time, since names come from calls. */
export function matchesWildcard(pattern: string, name: string): boolean {
  const [first = '', ...parts] = pattern.split('*');
  const last = parts.pop();
  if (last === undefined) return name === pattern;
  let at = first.length;
  if (!name.startsWith(first)) return false;
  for (const part of parts) {
    const found = name.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at + last.length <= name.length && name.endsWith(last);
}
