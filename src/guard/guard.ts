import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { artifactBytes, requireArtifactSize } from '../model/artifact.js';
import { CodegenError, messageOf } from '../model/errors.js';
import { recordTool, type Decision, type Limit } from '../model/policy.js';
import type { Policy } from '../model/rules.js';
import type { Clock } from '../state/clock.js';
import type { Redis } from '../state/redis.js';
import {
  artifactsDirectory,
  checkArtifactPath,
  checkPagePath,
  checkPicturePath,
  checkReadablePath,
  checkSpecPath,
  ownArtifact,
  requireElsewhere,
  requireInside,
  type CheckedPath,
  type Language,
} from './paths.js';
import type { Amount, Budget } from './budget.js';
import { decide, deniedAction, limitsOf, limitsOfTool, type ToolCall, type Denial } from './policy.js';
import type { Audit } from './audit.js';
import type { Charge, Left } from './counters.js';
import type { Caller, Hold, Quota } from './quota.js';
import type { GuardState, StatePlace } from './state.js';
import type { Consent, Demand, Person } from './approvals.js';
import type { OnConflict, OutputFile, FilePlan, PlanOptions, StateFile, WrittenFile } from './plan.js';
import type { WriteOptions } from './writer.js';

/** What the guard reads of the configuration, anew at every call. */
export interface GuardConfig {
  policy: Policy;
  writes: Pick<WriteOptions, 'overwrite' | 'maxFileBytes' | 'backups'> & Budget & { limits: Limit[] };
  output: { dir: string; language: Language };
  /** Whether calls that a limit covers run where the state can't be reached. */
  state: { failMode: 'closed' | 'open' };
  /** Set for a grant beside others: it keeps to its output directory, and counts as they do what they share. */
  others?:
    | {
        /** Their output directories, relative to the workspace, as far as they are not its own. */
        directories: readonly string[];
        limits: readonly Limit[];
        policies: readonly Policy[];
      }
    | undefined;
}

/** Where a call wants its output; what is missing is as configured. */
export interface OutputPlace {
  /** Directory relative to the workspace. */
  outputPath?: string | undefined;
  language?: Language | undefined;
}

export interface WriteRequest extends OutputPlace {
  /** `content` makes the whole text, whose header depends on the path, relative to the workspace. One with a `basis` is a page object. */
  files: ({ file: string } & Pick<OutputFile, 'content' | 'basis'>)[];
  /** Pictures that the files compare with, by their paths relative to the workspace. */
  pictures?: { path: string; data: Buffer }[];
  onConflict: OnConflict;
  dryRun?: boolean | undefined;
  /** A file of the state directory that is written with them, made for the path of the first. */
  beside?: ((path: string) => StateFile) | undefined;
  /** The session that writes: what it has written already counts. */
  session?: object;
  /** Asks for the approval that the call needs, with exactly what is to be written. */
  confirm?: Confirm | undefined;
}

/** Asks a person to approve what is to be written. Throws APPROVAL_REQUIRED, POLICY_DENIED. */
export type Confirm = (plans: readonly FilePlan[], onConflict: OnConflict) => Promise<Consent>;

/** The tool whose approval is asked for what it writes, when that is known. */
const writingTool = 'end_codegen_session';

/** A call that may run; `release` gives its quota back where nothing took effect. */
export interface Admission extends Hold {
  decision: Decision;
  /** Set where a person still has to approve what the call writes. */
  confirm?: Confirm;
}

/** Stands between the calls of one MCP connection and everything that they could harm. */
export interface Guard {
  /** Whether a tool is listed. */
  visible(tool: string): boolean;
  /**
   * Lets a call run and counts it. Throws POLICY_DENIED, APPROVAL_REQUIRED, RATE_LIMITED; the error's `decision` says
   * by which rule.
   */
  admit(call: ToolCall, person?: Person): Promise<Admission>;
  /** Checks actions that no call names, e.g. those of a saved session. Throws POLICY_DENIED. */
  checkActions(names: readonly string[]): void;
  /** The log of calls. */
  audit(): Promise<Audit>;
  /** Settles what killed processes have left; called before anything is served. */
  recover(): Promise<void>;
  /** Resolves the file of a call. Throws PATH_NOT_ALLOWED. */
  checkPath(file: string, place?: OutputPlace): Promise<CheckedPath>;
  /** Writes all files or none. Throws what `checkPath` and `writeFiles` throw, and RATE_LIMITED. */
  write(request: WriteRequest): Promise<WrittenFile[]>;
  /**
   * Writes an artifact of a session, in the place of an earlier one of that name. Throws PATH_NOT_ALLOWED,
   * FILE_TOO_LARGE, QUOTA_EXCEEDED, RATE_LIMITED, WRITE_FAILED.
   */
  writeArtifact(file: string, data: Buffer, session: object): Promise<WrittenFile[]>;
  /** Resolves a file that a page may be given. Throws PATH_NOT_ALLOWED, INVALID_INPUT. */
  checkReadable(file: string): Promise<CheckedPath>;
  /** Quota left for writing and for a tool. */
  left(tool: string): Promise<Left>;
  /** How far the limits are used that outlast this connection. */
  used(): Promise<{ limit: Limit; used: number }[]>;
  /** Throws where the state can't be reached. */
  checkState(): Promise<void>;
}

/** What each session has written, through whichever connection. */
const writtenBy = new WeakMap<object, Amount>();

export function createGuard(options: {
  /** Absolute path of the workspace. */
  workspace: string;
  /** Absolute path of the state directory. */
  stateDirectory: string;
  config: () => GuardConfig;
  caller: Caller;
  /** Where state that several machines share is kept. */
  redis?: Redis | undefined;
  clock?: Clock;
  /** What the guards of one process share; each opens its own where this is not given. */
  state?: () => Promise<GuardState>;
}): Guard {
  const { workspace, stateDirectory, config, caller, redis, clock } = options;
  const territory = { workspace: path.resolve(workspace), stateDirectory: path.resolve(stateDirectory) };
  const statePlace = { directory: territory.stateDirectory, redis, clock };
  const state = options.state ?? sharedState(statePlace);
  const ownLimits = (): Limit[] => [...limitsOf(config().policy), ...config().writes.limits];
  const sharedLimits = (): Limit[] => {
    const { limits = [], policies = [] } = config().others ?? {};
    return [...limits, ...policies.flatMap(limitsOf)];
  };
  let opened: Promise<Quota> | undefined;
  /** Loaded when something is first counted, so that a server starts with little. */
  const quota = (): Promise<Quota> =>
    (opened ??= Promise.all([import('./quota.js'), state()]).then(([{ openQuota }, { limits }]) =>
      openQuota({
        store: limits,
        caller,
        configured: () => [...ownLimits(), ...sharedLimits()],
      }),
    ));

  let log: Promise<Audit> | undefined;
  const audit = (): Promise<Audit> =>
    (log ??= Promise.all([import('./audit.js'), state()]).then(
      ([{ openAudit }, { audit: store, nextOrder }]) =>
        openAudit({
          directory: territory.stateDirectory,
          store,
          nextOrder,
          caller,
          failMode: () => config().state.failMode,
        }),
    ));

  /** Takes quota; where the state can't be reached, `state.failMode` says whether the call runs without. */
  async function take(charges: readonly Charge[], id?: string): Promise<Hold> {
    try {
      return await (await quota()).take(charges, id);
    } catch (error) {
      const isRefused = error instanceof CodegenError && error.decision !== undefined;
      if (isRefused || config().state.failMode === 'closed') throw error;
      process.stderr.write(`A call runs uncounted, since state.failMode is open: ${messageOf(error)}\n`);
      return { release: () => Promise.resolve() };
    }
  }

  async function demandApproval(demand: Omit<Demand, 'grant'>, person: Person): Promise<Consent> {
    const { openApprovals } = await import('./approvals.js');
    return openApprovals(statePlace).demand({ ...demand, grant: caller.grant }, person);
  }

  async function checkPath(
    file: string,
    place: OutputPlace = {},
    checkFile = checkSpecPath,
  ): Promise<CheckedPath> {
    const { output, others } = config();
    const directory = place.outputPath ?? output.dir;
    if (others) requireInside(output.dir, directory);
    return checked(checkFile(territory, directory, place.language ?? output.language, file));
  }

  async function recover(): Promise<void> {
    const journal = path.join(territory.stateDirectory, 'journal');
    if ((await readdir(journal).catch(() => [])).length === 0) return;
    const { recover } = await import('./recovery.js');
    const settled = await recover({
      territory,
      release: async (id) => (await quota()).release(id),
      report: (line) => process.stderr.write(`codegen-session-mcp: ${line}\n`),
    });
    for (const { outcome, files } of settled)
      await (await audit()).event('recovery', { outcome, files: files.map((file) => file.path) });
  }

  /** Writes what a session wants to, where it and the directory, relative to the workspace, have room. */
  async function writeFor(
    session: object,
    directory: string,
    files: readonly OutputFile[],
    options: PlanOptions & Pick<WriteOptions, 'dryRun' | 'confirm' | 'beside'>,
  ): Promise<WrittenFile[]> {
    const { writes } = config();
    const { writeFiles } = await import('./writer.js');
    const { checkDirectoryBudget, checkSessionBudget, dailyCharges } = await import('./budget.js');
    if (!options.dryRun) await recover();
    const before = writtenBy.get(session) ?? { files: 0, bytes: 0 };
    const written = await writeFiles(files, {
      ...options,
      territory,
      backups: writes.backups,
      async allow(plans) {
        checkSessionBudget(plans, before, writes);
        await checkDirectoryBudget(plans, path.join(territory.workspace, directory), writes);
      },
      async reserve(plans, id) {
        const limits = writes.limits.map((limit, index) => ({
          limit,
          rule: `writes.limits[${index}]`,
          count: plans.length,
        }));
        return take([...limits, ...dailyCharges(plans, writes)], id);
      },
    });
    const changed = options.dryRun ? [] : written.filter(({ change }) => change !== 'unchanged');
    writtenBy.set(session, {
      files: before.files + changed.length,
      bytes: changed.reduce((sum, { bytes }) => sum + bytes, before.bytes),
    });
    return written;
  }

  async function checked(check: Promise<CheckedPath>): Promise<CheckedPath> {
    try {
      return await check;
    } catch (error) {
      const { writeFailure } = await import('./writer.js');
      throw writeFailure(error);
    }
  }

  return {
    checkPath: (file, place) => checkPath(file, place),

    visible: (tool) => decide(config().policy, { tool }).kind !== 'hidden',

    async admit(call, person = { signal: new AbortController().signal, ask: undefined }) {
      const { policy } = config();
      const verdict = decide(policy, call);
      if (!('charges' in verdict)) throw denied(call.tool, verdict);
      const { kind, rule, reason, charges } = verdict;
      const decision = { kind, rule };
      if (kind === 'allowed') return { ...(await take(charges)), decision };

      const demand = (bound: readonly unknown[], subject: string): Promise<Consent> =>
        demandApproval(
          { tool: call.tool, rule: { rule, reason }, bound: [policy.hash, ...bound], subject },
          person,
        );
      if (call.tool === writingTool)
        return {
          ...(await take(charges)),
          decision,
          async confirm(plans, onConflict) {
            const { boundFiles, differenceOf } = await import('./difference.js');
            return demand([onConflict, boundFiles(plans)], differenceOf(plans));
          },
        };
      const { args = {} } = call;
      const approval = await demand([args], JSON.stringify(args, null, 2));
      const hold = await take(charges);
      try {
        await approval.use();
      } catch (error) {
        await hold.release();
        throw error;
      }
      return { ...hold, decision };
    },

    checkActions(names) {
      const denial = deniedAction(config().policy, names);
      if (denial) throw denied(recordTool, denial);
    },

    audit,

    recover,

    async write({
      files,
      pictures = [],
      onConflict,
      dryRun = false,
      beside,
      session = {},
      confirm,
      ...place
    }) {
      const { writes, output } = config();
      const targets: OutputFile[] = [];
      for (const { file, content, basis } of files) {
        const check = basis === undefined ? checkSpecPath : checkPagePath;
        targets.push({ target: await checkPath(file, place, check), content, basis });
      }
      for (const { path: file, data } of pictures) {
        const target = await checked(checkPicturePath(territory, file));
        targets.push({ target, content: () => data, maxFileBytes: artifactBytes });
      }
      return writeFor(session, place.outputPath ?? output.dir, targets, {
        ...writes,
        onConflict,
        dryRun,
        beside,
        check: (relativePath) => checkPath(relativePath, place),
        confirm: confirm && ((plans) => confirm(plans, onConflict)),
      });
    },

    async writeArtifact(file, data, session) {
      requireArtifactSize(data.length);
      const owner = config().others === undefined ? undefined : caller.grant;
      const check = (given: string): Promise<CheckedPath> =>
        checked(checkArtifactPath(territory, ownArtifact(given, owner)));
      return writeFor(session, artifactsDirectory, [{ target: await check(file), content: () => data }], {
        maxFileBytes: artifactBytes,
        onConflict: 'overwrite',
        overwrite: 'always',
        dryRun: false,
        check,
      });
    },

    async checkReadable(file) {
      const found = await checkReadablePath(territory, file);
      await requireElsewhere(territory, config().others?.directories ?? [], found, file);
      return found;
    },

    async left(tool) {
      const { policy, writes } = config();
      return (await quota()).left([...writes.limits, ...limitsOfTool(policy, tool)]);
    },

    async used() {
      const limits = ownLimits().filter(({ scope }) => scope !== 'session');
      const used = await (await quota()).used(limits);
      return limits.map((limit, index) => ({ limit, used: used[index] ?? 0 }));
    },

    async checkState() {
      await (await state()).limits.read();
    },
  };
}

/** The state in a place, opened when it is first needed, so that a server starts with little. */
export function sharedState(place: StatePlace): () => Promise<GuardState> {
  let opened: Promise<GuardState> | undefined;
  return () => (opened ??= import('./state.js').then(({ openState }) => openState(place)));
}

function denied(tool: string, { kind, rule, reason }: Denial): CodegenError {
  const why = reason === undefined ? '.' : `: ${reason}`;
  return new CodegenError('POLICY_DENIED', `${tool} is denied by the policy (${rule})${why}`, {
    hint: 'Trying again does not help; ask the person who runs this server to change the policy.',
    decision: { kind, rule },
  });
}
