import { CodegenError, messageOf } from '../model/errors.js';
import { log } from '../model/log.js';
import type { Decision } from '../model/policy.js';
import type { Consent, Elicitor } from './approvals.js';
import type { GuardContext } from './context.js';
import type { Charge } from './counters.js';
import type { FilePlan, OnConflict } from './plan.js';
import {
  decide,
  isEnforced,
  restrictedDenial,
  type Denial,
  type Permission,
  type PolicyCall,
} from './policy.js';
import { nothingHeld, type Hold } from './quota.js';

/** Asks a person to approve what is to be written. Throws APPROVAL_REQUIRED, POLICY_DENIED. */
export type Confirm = (plans: readonly FilePlan[], onConflict: OnConflict) => Promise<Consent>;

/** A call that may run; `release` returns its quota if nothing was begun. */
export interface Admission extends Hold {
  decision: Decision;
  /** Set if a person must approve what the call writes. */
  confirm?: Confirm;
}

/** The tool that asks for approval when its files are known. */
const writingTool = 'end_codegen_session';

/** Decides on a call, asks for the approval that it needs, and counts it. */
export async function admitCall(
  context: GuardContext,
  call: PolicyCall,
  person: Elicitor,
): Promise<Admission> {
  const { policy } = context.config();
  const { tool, args = {} } = call;
  const verdict = decide(policy, call);
  if (!isEnforced(policy, tool)) {
    const denial = restrictedDenial(policy, call);
    if (denial !== undefined) throw denied(tool, denial);
    return tryOut(context, verdict);
  }
  if (!('charges' in verdict)) throw denied(tool, verdict);
  const { kind, rule, reason, charges } = verdict;
  const decision = { kind, rule };
  if (kind === 'allowed') return { ...(await takeQuota(context, charges)), decision };

  const demand = async (bound: readonly unknown[], subject: string): Promise<Consent> => {
    const { openApprovals } = await import('./approvals.js');
    const { grant } = context.caller;
    return openApprovals(context.statePlace).demand(
      { grant, tool, rule: { rule, reason }, bound: [policy.hash, ...bound], subject },
      person,
    );
  };
  if (tool === writingTool)
    return {
      ...(await takeQuota(context, charges)),
      decision,
      async confirm(plans, onConflict) {
        const { boundFiles, differenceOf } = await import('./difference.js');
        return demand([onConflict, boundFiles(plans)], differenceOf(plans));
      },
    };
  const approval = await demand([args], JSON.stringify(args, null, 2));
  const hold = await takeQuota(context, charges);
  try {
    await approval.use();
  } catch (error) {
    await hold.release();
    throw error;
  }
  return { ...hold, decision };
}

/** Lets a call run in a dry run, and notes the decision that would have applied. Counts it while limits admit it. */
async function tryOut(context: GuardContext, verdict: Denial | Permission): Promise<Admission> {
  const { kind, rule } = verdict;
  const allowed = { kind: 'allowed', rule: 'enforce' } as const;
  if (!('charges' in verdict)) return { ...nothingHeld, decision: { ...allowed, would: { kind, rule } } };
  try {
    const hold = await takeQuota(context, verdict.charges);
    return { ...hold, decision: kind === 'allowed' ? { kind, rule } : { ...allowed, would: { kind, rule } } };
  } catch (error) {
    if (!(error instanceof CodegenError) || error.decision === undefined) throw error;
    return { ...nothingHeld, decision: { ...allowed, would: error.decision } };
  }
}

/** Takes quota. If the state can't be reached, `state.failMode` decides whether the call runs uncounted. */
export async function takeQuota(
  { quota, config }: GuardContext,
  charges: readonly Charge[],
  id?: string,
): Promise<Hold> {
  try {
    return await (await quota()).take(charges, id);
  } catch (error) {
    const isRefused = error instanceof CodegenError && error.decision !== undefined;
    if (isRefused || config().state.failMode === 'closed') throw error;
    log(`A call runs uncounted, since state.failMode is open: ${messageOf(error)}`);
    return nothingHeld;
  }
}

function denied(tool: string, { kind, rule, reason }: Denial): CodegenError {
  const why = reason === undefined ? '.' : `: ${reason}`;
  return new CodegenError('POLICY_DENIED', `${tool} is denied by the policy (${rule})${why}`, {
    hint: 'Retrying does not help. Ask the operator to change the policy.',
    decision: { kind, rule },
  });
}
