import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { z } from 'zod';
import { CodegenError } from '../model/errors.js';
import { sortedJson } from '../model/json.js';
import { escapeInvisible, sha256 } from '../model/text.js';
import type { Rule } from '../model/rules.js';
import { instantSchema, offsetBetween, type Instant } from '../state/clock.js';
import { FileStore } from '../state/file-store.js';
import { RedisStore } from '../state/redis-store.js';
import type { StateStore } from '../state/store.js';
import type { StatePlace } from './state.js';
import { subjectsIn, type Subjects } from './subjects.js';

/** Milliseconds until a request and its answer expire. */
export const validMs = 15 * 60_000;
/** Newest requests kept for each grant, so that no agent fills the disk or displaces the requests of another. */
const maxPerGrant = 100;
/** Characters in a question to the client; anything longer is decided on the command line. */
const maxQuestionLength = 50_000;

const approvalSchema = z.object({
  id: z.string(),
  grant: z.string(),
  tool: z.string(),
  rule: z.string(),
  reason: z.string().optional(),
  /** Hash of everything that it applies to. */
  bound: z.string(),
  asked: instantSchema,
  /** Hash of what the person is shown. */
  shown: z.string().default(''),
  /** The answer, with the mark of the call that saved it. */
  decision: z.object({ mark: z.string(), approved: z.boolean(), reason: z.string().optional() }).optional(),
  /** The mark of the call that it was used for. */
  usedBy: z.string().optional(),
});

export type Approval = z.infer<typeof approvalSchema>;

/** A person's answer; undefined if they closed the question. */
export type Reply = { approved: boolean; reason?: string | undefined } | undefined;

/** Asks the person behind a call. */
export interface Elicitor {
  /** Aborted when the call is cancelled. */
  signal: AbortSignal;
  /** Asks through the client; undefined if it doesn't support elicitation. `pending` if it answers with another call. */
  ask: ((question: string) => Promise<Reply | 'pending'>) | undefined;
}

/** What a person has to approve. */
interface Demand {
  grant: string;
  tool: string;
  rule: Rule;
  /** What the approval applies to besides grant and tool. */
  bound: readonly unknown[];
  /** What the person is shown: a diff of files, or arguments. */
  subject: string;
}

/** An approval that can be used once. */
export interface Consent {
  /** Throws APPROVAL_REQUIRED if another call has used it, or this one was cancelled. */
  use(): Promise<void>;
  /** Makes it usable again after the call failed. */
  giveBack(): Promise<void>;
}

const approvalsSchema = z.object({ approvals: z.array(approvalSchema) });

type State = z.infer<typeof approvalsSchema>;

export function openApprovals({ directory: stateDirectory, redis, clock }: StatePlace): Approvals {
  const directory = path.join(stateDirectory, 'approvals');
  const store =
    redis === undefined
      ? new FileStore(directory, approvalsSchema, { approvals: [] }, clock)
      : new RedisStore(redis, 'approvals', approvalsSchema, { approvals: [] });
  return new Approvals(store, subjectsIn(directory, redis, validMs));
}

/** The requests for approval of all processes that share the state. */
export class Approvals {
  constructor(
    private readonly store: StateStore<State>,
    private readonly subjects: Subjects,
  ) {}

  /** Returns what a person has approved. Throws POLICY_DENIED if they declined, APPROVAL_REQUIRED while it is pending. */
  async demand(demand: Demand, { signal, ask }: Elicitor): Promise<Consent> {
    const { grant, tool, rule, subject } = demand;
    const decision = { kind: 'approval', rule: rule.rule } as const;
    const requireCall = (): void => {
      const message = 'The call was cancelled before it was approved.';
      if (signal.aborted) throw new CodegenError('APPROVAL_REQUIRED', message, { decision });
    };
    const declined = (reason = ''): CodegenError =>
      new CodegenError('POLICY_DENIED', `A person declined ${tool}${reason === '' ? '.' : `: ${reason}`}`, {
        hint: 'Follow their reason or ask them; retrying does not help.',
        decision,
      });

    const bound = sha256(sortedJson([grant, tool, ...demand.bound]));
    const known = (await this.list()).find((each) => each.bound === bound && each.usedBy === undefined);
    if (known?.decision?.approved === false) throw declined(known.decision.reason);
    if (known?.decision?.approved === true) {
      const mark = newMark();
      return {
        use: async () => {
          requireCall();
          await this.use(known.id, mark);
        },
        giveBack: () => this.giveBack(known.id, mark),
      };
    }

    const question = `${tool} asks for approval (${titleOf(rule)}).\n\n${escapeInvisible(subject)}`;
    if (ask !== undefined && question.length <= maxQuestionLength) {
      const reply = await ask(question).catch(() => undefined);
      requireCall();
      if (reply === 'pending')
        throw new CodegenError('APPROVAL_REQUIRED', `${tool} is pending approval.`, {
          decision,
        });
      if (reply?.approved === false) throw declined(reply.reason);
      if (reply?.approved === true)
        return { use: () => Promise.resolve().then(requireCall), giveBack: () => Promise.resolve() };
    }
    const id = await this.request(demand, bound);
    const message = `${tool} needs the approval of a person: ${id} (${titleOf(rule)}).`;
    throw new CodegenError('APPROVAL_REQUIRED', message, {
      hint: `Ask the user to run \`codegen-session-mcp approvals approve ${id}\` in a terminal, then send the same call again.`,
      decision: { ...decision, approval: id },
    });
  }

  /** Requests that have not expired, the oldest first. */
  list(): Promise<Approval[]> {
    return this.store.update((state, now) => ({ state, result: current(state.approvals, now) }));
  }

  /**
   * What the person is shown of a request, with nothing invisible in it; undefined if it is not whole, because its server
   * was killed.
   */
  async subjectOf({ id, shown }: Approval): Promise<string | undefined> {
    const subject = await this.subjects.read(id);
    return subject !== undefined && sha256(subject) === shown ? escapeInvisible(subject) : undefined;
  }

  /**
   * Saves a person's decision, once. Throws INVALID_INPUT if no such request is pending, or if what would be approved
   * can't be shown.
   */
  async decide(id: string, approved: boolean, reason: string | undefined): Promise<Approval> {
    const mark = newMark();
    const known = (await this.list()).find((each) => each.id === id);
    if (approved && known !== undefined && (await this.subjectOf(known)) === undefined)
      throw new CodegenError('INVALID_INPUT', `What ${id} asks for can't be shown.`, {
        hint: 'Its server was killed while it asked. The same call asks again.',
      });
    const decided = await this.change(id, (own) =>
      own.decision === undefined ? { ...own, decision: { mark, approved, reason } } : own,
    );
    if (decided?.decision?.mark === mark) return decided;
    throw new CodegenError('INVALID_INPUT', `No request ${JSON.stringify(id)} is pending.`, {
      hint: 'It may have been decided, or have expired after 15 minutes; `codegen-session-mcp approvals list` shows those that are pending.',
    });
  }

  /** The pending request for the same subject; creates it if there is none. */
  private async request({ grant, tool, rule, subject }: Demand, bound: string): Promise<string> {
    const id = randomBytes(4).toString('hex');
    const known = await this.store.update((state, now) => {
      const approval: Approval = { id, grant, tool, ...rule, bound, asked: now, shown: sha256(subject) };
      const approvals = current(state.approvals, now);
      const pending = approvals.find((each) => each.bound === bound && each.usedBy === undefined);
      return pending
        ? { state, result: pending }
        : { state: { approvals: current([...approvals, approval], now) }, result: approval };
    });
    // Also that of a server which was killed before it had written it.
    if ((await this.subjectOf(known)) === undefined) await this.subjects.write(known.id, subject);
    await this.subjects.keepOnly(async () => (await this.list()).map((each) => each.id));
    return known.id;
  }

  /** Uses an approval; of two calls that try, one succeeds. */
  private async use(id: string, mark: string): Promise<void> {
    const used = await this.change(id, (own) => (own.usedBy === undefined ? { ...own, usedBy: mark } : own));
    if (used?.usedBy === mark) return;
    throw new CodegenError('APPROVAL_REQUIRED', `Approval ${id} has been used or has expired.`, {
      hint: 'Repeat the call to request another approval.',
    });
  }

  private async giveBack(id: string, mark: string): Promise<void> {
    await this.change(id, (own) => (own.usedBy === mark ? { ...own, usedBy: undefined } : own));
  }

  /** Replaces one request by what `alter` returns, and returns that. */
  private change(id: string, alter: (own: Approval) => Approval): Promise<Approval | undefined> {
    return this.store.update((state, now) => {
      const approvals = current(state.approvals, now);
      const own = approvals.find((each) => each.id === id);
      const result = own && alter(own);
      if (own === undefined || result === undefined || result === own) return { state, result };
      return { state: { approvals: approvals.map((each) => (each === own ? result : each)) }, result };
    });
  }
}

/** The newest requests of each grant that have not expired. */
function current(approvals: readonly Approval[], now: Instant): Approval[] {
  const counts = new Map<string, number>();
  return approvals
    .toReversed()
    .filter(({ asked, grant }) => {
      const count = counts.get(grant) ?? 0;
      counts.set(grant, count + 1);
      return count < maxPerGrant && now.monotonic - asked.monotonic - offsetBetween(asked, now) < validMs;
    })
    .reverse();
}

function newMark(): string {
  return randomBytes(8).toString('hex');
}

export function titleOf({ rule, reason }: Rule): string {
  return reason === undefined ? rule : `${rule}: ${reason}`;
}
