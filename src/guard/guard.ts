import type { Limit } from '../model/policy.js';
import { admitCall, type Admission } from './admission.js';
import type { Elicitor } from './approvals.js';
import type { Audit } from './audit.js';
import { createContext, type GuardOptions } from './context.js';
import type { Left } from './counters.js';
import { checkOutput, recoverWrites, reportPath, writeArtifact, writeOutput, writeReport } from './output.js';
import type { OutputPlace, WriteRequest } from './output.js';
import { loginDirectory } from '../model/artifact.js';
import { checkReadablePath, ownFile, requireElsewhere, type CheckedPath } from './paths.js';
import type { WrittenFile } from './plan.js';
import type { LimitUsage } from './quota.js';
import { decide, isEnforced, limitsOfTool, restrictedDenial, type PolicyCall } from './policy.js';

/** Protects what the calls of one MCP connection could harm. */
export interface Guard {
  /** Whether a tool is listed. */
  visible(tool: string): boolean;
  /** Whether a policy allows a call with these arguments; missing ones are unknown. */
  permits(tool: string, args: unknown): boolean;
  /**
   * Lets a call run and counts it. Throws POLICY_DENIED, APPROVAL_REQUIRED, RATE_LIMITED; the error's `decision` names
   * the rule.
   */
  admit(call: PolicyCall, person?: Elicitor): Promise<Admission>;
  /** The log of calls. */
  audit(): Promise<Audit>;
  /** Resolves what killed processes left; called before anything is served. */
  recover(): Promise<void>;
  /** Resolves the file of a call. Throws PATH_NOT_ALLOWED. */
  checkPath(file: string, place?: OutputPlace): Promise<CheckedPath>;
  /** Writes all files or none. Throws what `checkPath` and `writeFiles` throw, and RATE_LIMITED. */
  write(request: WriteRequest): Promise<WrittenFile[]>;
  /**
   * Writes an artifact or a login of a session, replacing an earlier one of that name. Throws PATH_NOT_ALLOWED, FILE_TOO_LARGE,
   * QUOTA_EXCEEDED, RATE_LIMITED, WRITE_FAILED.
   */
  writeArtifact(file: string, data: Buffer, session: object): Promise<WrittenFile[]>;
  /** Writes the report of a session's verification, in HTML. Throws what `writeArtifact` throws. */
  writeReport(data: Buffer, session: { id: string }): Promise<WrittenFile[]>;
  /** Where that report is, relative to the workspace. */
  reportPath(session: { id: string }): string;
  /** Resolves a file that a page may be given. Throws PATH_NOT_ALLOWED, INVALID_INPUT. */
  checkReadable(file: string, options?: { mayBeLogin?: boolean }): Promise<CheckedPath>;
  /** Quota left for writing and for a tool. */
  left(tool: string): Promise<Left>;
  /** The usage of each limit that outlasts this connection. */
  used(): Promise<({ limit: Limit } & LimitUsage)[]>;
  /** Throws if the state can't be reached. */
  checkState(): Promise<void>;
}

export function createGuard(options: GuardOptions): Guard {
  const context = createContext(options);
  const { caller, config, territory, quota, state } = context;
  return {
    visible: (tool) =>
      !isEnforced(config().policy, tool) || decide(config().policy, { tool }).kind !== 'hidden',
    permits: (tool, args) => {
      const { policy } = config();
      if (!isEnforced(policy, tool)) return restrictedDenial(policy, { tool, args }) === undefined;
      return decide(policy, { tool, args }).kind !== 'denied';
    },
    admit: (call, person = { signal: new AbortController().signal, ask: undefined }) =>
      admitCall(context, call, person),

    audit: context.audit,
    recover: () => recoverWrites(context),
    checkPath: (file, place = {}) => checkOutput(context, file, place),
    write: (request) => writeOutput(context, request),
    writeArtifact: (file, data, session) => writeArtifact(context, file, data, session),
    writeReport: (data, session) => writeReport(context, data, session),
    reportPath: (session) => reportPath(context, session),

    async checkReadable(file, options) {
      const own = ownFile(loginDirectory, file, caller.grant);
      if (options?.mayBeLogin && config().others !== undefined) {
        const saved = await checkReadablePath(territory, own, options).catch(() => undefined);
        if (saved !== undefined) return saved;
      }
      const found = await checkReadablePath(territory, file, options);
      const { others, operatorFiles = [] } = config();
      await requireElsewhere(territory, others?.directories ?? [], found, [
        file,
        'was not written by this session',
      ]);
      await requireElsewhere(territory, operatorFiles, found, [file, 'belongs to the configuration']);
      return found;
    },

    async left(tool) {
      const { policy, writes } = config();
      return (await quota()).left([...writes.limits, ...limitsOfTool(policy, tool)]);
    },

    async used() {
      const limits = context.ownLimits().filter(({ scope }) => scope !== 'session');
      const used = await (await quota()).used(limits);
      return limits.flatMap((limit, index) => (used[index] === undefined ? [] : [{ limit, ...used[index] }]));
    },

    async checkState() {
      await (await state()).limits.read();
    },
  };
}
