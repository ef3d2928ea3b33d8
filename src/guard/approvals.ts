import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { z } from 'zod';
import { CodegenError } from '../model/errors.js';
import { sha256 } from '../model/text.js';
import type { Rule } from '../model/rules.js';
import { offsetBetween, type Instant } from '../state/clock.js';
import { createFileStore } from '../state/file-store.js';
import { createRedisStore } from '../state/redis-store.js';
import type { StatePlace } from './state.js';
import { subjectsIn } from './subjects.js';

/** Milliseconds after which a request, and what a person said to it, no longer counts. */
const validMs = 15 * 60_000;
/** Requests that are kept: the newest, so that no agent fills the disk with them. */
const keptAtMost = 100;
/** Characters that a client is given to show; what is longer is decided on the command line. */
const longestQuestion = 50_000;

const approvalSchema = z.object({
  id: z.string(),
  grant: z.string(),
  tool: z.string(),
  rule: z.string(),
  reason: z.string().optional(),
  /** Hash of all that it is bound to. */
  bound: z.string(),
  asked: z.object({ boot: z.string(), monotonic: z.number(), wall: z.number() }),
  /** What a person said, with a mark of the process that noted it. */
  decision: z.object({ mark: z.string(), approved: z.boolean(), reason: z.string().optional() }).optional(),
  /** The mark of the call that it let run. */
  usedBy: z.string().optional(),
});

export type Approval = z.infer<typeof approvalSchema>;

/** What a person said; undefined where they closed the question. */
export type Reply = { approved: boolean; reason?: string | undefined } | undefined;

/** The way to the person behind a call. */
export interface Person {
  /** Aborted where the call is cancelled. */
  signal: AbortSignal;
  /** Asks through the client; undefined where it can't. */
  ask: ((question: string) => Promise<Reply>) | undefined;
}

/** What is to be approved. */
export interface Demand {
  grant: string;
  tool: string;
  rule: Rule;
  /** All that the approval is bound to, besides grant and tool. */
  bound: readonly unknown[];
  /** What a person is shown: the difference of files, or arguments. */
  subject: string;
}

/** What a person has approved. */
export interface Consent {
  /** Uses it up, once. Throws APPROVAL_REQUIRED where another call was faster, or this one was cancelled. */
  use(): Promise<void>;
  /** Lets it be used again, where nothing came of it. */
  giveBack(): Promise<void>;
}

/** The requests for approval of all who share the state. */
export interface Approvals {
  /**
   * Returns where a person has approved. Throws POLICY_DENIED where they declined, and APPROVAL_REQUIRED where nobody
   * has said anything yet.
   */
  demand(demand: Demand, person: Person): Promise<Consent>;
  /** Those that have not expired, the oldest first. */
  list(): Promise<Approval[]>;
  /** What a person is shown of a request. */
  subjectOf(approval: Approval): Promise<string>;
  /** Notes what a person said, once. Throws INVALID_INPUT where no request of that id is open. */
  decide(id: string, approved: boolean, reason: string | undefined): Promise<Approval>;
}

const approvalsSchema = z.object({ approvals: z.array(approvalSchema) });

export function openApprovals({ directory: stateDirectory, redis, clock }: StatePlace): Approvals {
  const directory = path.join(stateDirectory, 'approvals');
  const store =
    redis === undefined
      ? createFileStore(directory, approvalsSchema, { approvals: [] }, clock)
      : createRedisStore(redis, 'approvals', approvalsSchema, { approvals: [] });
  const subjects = subjectsIn(directory, redis, validMs);

  function current(approvals: readonly Approval[], now: Instant): Approval[] {
    const isValid = ({ asked }: Approval): boolean =>
      now.monotonic - asked.monotonic - offsetBetween(asked, now) < validMs;
    return approvals.filter(isValid).slice(-keptAtMost);
  }

  /** Changes one request where `change` gives it anew; the result is as it is then. */
  function alter(id: string, change: (own: Approval) => Approval | undefined): Promise<Approval | undefined> {
    return store.update((state, now) => {
      const approvals = current(state.approvals, now);
      const own = approvals.find((each) => each.id === id);
      const altered = own && change(own);
      if (own === undefined || altered === undefined || altered === own) return { state, result: altered };
      return {
        state: { approvals: approvals.map((each) => (each === own ? altered : each)) },
        result: altered,
      };
    });
  }

  /** The open request of what is bound, made where there is none. */
  async function request({ grant, tool, rule, subject }: Demand, bound: string): Promise<string> {
    const id = randomBytes(4).toString('hex');
    const known = await store.update((state, now) => {
      const approval: Approval = { id, grant, tool, ...rule, bound, asked: now };
      const approvals = current(state.approvals, now);
      const open = approvals.find((each) => each.bound === bound && each.usedBy === undefined);
      return open
        ? { state, result: open.id }
        : { state: { approvals: current([...approvals, approval], now) }, result: id };
    });
    if (known === id) await subjects.write(id, subject);
    await subjects.keepOnly((await list()).map((each) => each.id));
    return known;
  }

  /** Uses an approval up, marked; of two calls that try, one succeeds. */
  async function use(id: string, mark: string): Promise<void> {
    const used = await alter(id, (own) => (own.usedBy === undefined ? { ...own, usedBy: mark } : own));
    if (used?.usedBy === mark) return;
    throw new CodegenError('APPROVAL_REQUIRED', `Approval ${id} has been used or has expired.`, {
      hint: 'Send the same call again to ask for another.',
    });
  }

  async function giveBack(id: string, mark: string): Promise<void> {
    await alter(id, (own) => (own.usedBy === mark ? { ...own, usedBy: undefined } : own));
  }

  function list(): Promise<Approval[]> {
    return store.update((state, now) => ({ state, result: current(state.approvals, now) }));
  }

  return {
    async demand(demand, { signal, ask }) {
      const { grant, tool, rule, subject } = demand;
      const decision = { kind: 'approval', rule: rule.rule } as const;
      const requireCall = (): void => {
        if (signal.aborted)
          throw new CodegenError('APPROVAL_REQUIRED', 'The call was cancelled before it was approved.', {
            decision,
          });
      };
      const declined = (reason: string | undefined): CodegenError =>
        new CodegenError(
          'POLICY_DENIED',
          `A person declined ${tool}${reason === undefined || reason === '' ? '.' : `: ${reason}`}`,
          { hint: 'Do what they say, or ask them; the same call is not approved by trying again.', decision },
        );

      const bound = hashOfJson([grant, tool, ...demand.bound]);
      const known = (await list()).find((each) => each.bound === bound && each.usedBy === undefined);
      if (known?.decision?.approved === false) throw declined(known.decision.reason);
      if (known?.decision?.approved === true) {
        const mark = randomBytes(8).toString('hex');
        return {
          use() {
            requireCall();
            return use(known.id, mark);
          },
          giveBack: () => giveBack(known.id, mark),
        };
      }

      const question = [`${tool} asks for approval (${titleOf(rule)}).`, '', escapeInvisible(subject)].join(
        '\n',
      );
      if (ask !== undefined && question.length <= longestQuestion) {
        const reply = await ask(question).catch(() => undefined);
        requireCall();
        if (reply?.approved === false) throw declined(reply.reason);
        if (reply?.approved === true)
          return {
            use() {
              requireCall();
              return Promise.resolve();
            },
            giveBack: () => Promise.resolve(),
          };
      }
      const id = await request(demand, bound);
      throw new CodegenError(
        'APPROVAL_REQUIRED',
        `${tool} needs the approval of a person: ${id} (${titleOf(rule)}).`,
        {
          hint: `Ask the user to run \`codegen-session-mcp approvals approve ${id}\` in a terminal, then send the same call again.`,
          decision,
        },
      );
    },

    list,
    subjectOf: ({ id }) => subjects.read(id),

    async decide(id, approved, reason) {
      const mark = randomBytes(8).toString('hex');
      const decided = await alter(id, (own) =>
        own.decision === undefined ? { ...own, decision: { mark, approved, reason } } : own,
      );
      if (decided?.decision?.mark === mark) return decided;
      throw new CodegenError('INVALID_INPUT', `No request ${JSON.stringify(id)} is open.`, {
        hint: 'It may have been decided, or have expired after 15 minutes; `codegen-session-mcp approvals list` shows those that are open.',
      });
    },
  };
}

/** The rule that asks, and what it says. */
export function titleOf({ rule, reason }: Rule): string {
  return reason === undefined ? rule : `${rule}: ${reason}`;
}

/** A text as a terminal can show it: what would move the cursor, or can't be seen, is escaped. */
export function escapeInvisible(text: string): string {
  return text.replace(
    /(?![\n\t])[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu,
    (unit) => `\\u{${(unit.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

/** SHA-256 of a value as JSON, whatever the order of its keys. */
export function hashOfJson(value: unknown): string {
  const sorted = JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
      : part,
  );
  return sha256(sorted);
}
