import { restrictedActions } from '../model/policy.js';
import type { CallLimit, Policy, Rules } from '../model/rules.js';
import { phrase } from './conditions.js';
import { periodOf } from './limits.js';
import { isEnforced, matchesWildcard } from './policy.js';

/** Summarizes a policy's rule for a tool. */
export function summaryOf(policy: Policy, tool: string): string {
  return `${decided(policy, tool)}${isEnforced(policy, tool) ? '' : ' (dry run: logged, not applied)'}`;
}

function decided(policy: Policy, tool: string): string {
  if (policy.hide.some((pattern) => matchesWildcard(pattern, tool))) return 'hidden';
  const rules = policy.tools.get(tool);
  if (rules === undefined) return policy.default === 'deny' ? 'denied' : 'allowed';
  if (rules.deny) return 'denied';
  const needsApproval = rules.approve === undefined ? '' : ', after a person has approved the call';
  const limited = rules.limits.length > 0 ? ', limited' : '';
  return `allowed${needsApproval}${limited}`;
}

/** Rules in plain words, one a line. */
export function explainRules({ deny, approve, require, denyIf, approveIf, limits }: Rules): string[] {
  const because = (reason: string | undefined): string => (reason === undefined ? '' : ` ("${reason}")`);
  return [
    ...(deny ? [`denied${because(deny.reason)}`] : []),
    ...(approve ? [`needs approval${because(approve.reason)}`] : []),
    ...denyIf.map((each) => `denied if ${phrase(each)}${because(each.reason)}`),
    ...require.map((each) => `denied unless ${phrase(each)}${because(each.reason)}`),
    ...approveIf.map((each) => `needs approval if ${phrase(each)}${because(each.reason)}`),
    ...limits.map((each) => `limited to ${amountOf(each)}${because(each.reason)}`),
  ];
}

/** Which actions may be recorded. */
export function explainActions(rules: Rules | undefined): string[] {
  const { deny = [], allow = [] } = rules?.actions ?? {};
  const others = allow.filter((name) => !restrictedActions.includes(name));
  const named = restrictedActions.filter((name) => allow.some((pattern) => matchesWildcard(pattern, name)));
  return [
    ...(deny.length > 0 ? [`denied actions: ${deny.join(', ')}`] : []),
    others.length > 0
      ? `allowed actions: only ${allow.join(', ')}`
      : `allowed actions: all${deny.length > 0 ? ' others' : ''}${named.length > 0 ? `, ${named.join(' and ')} too` : ` except ${restrictedActions.join(' and ')}`}`,
  ];
}

function amountOf({ limit, incrementFrom }: CallLimit): string {
  const what = incrementFrom === undefined ? 'calls' : `of ${incrementFrom}`;
  return `${limit.max} ${what} per ${periodOf(limit)} for ${owners[limit.scope]}, counted as "${limit.counter}"`;
}

/** Who shares a limit, by its scope. */
export const owners = { session: 'each connection', grant: 'each grant', server: 'everyone' };
