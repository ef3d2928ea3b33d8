import { randomBytes } from 'node:crypto';
import { CodegenError, messageOf } from '../model/errors.js';
import { log } from '../model/log.js';
import type { Decision } from '../model/policy.js';
import { ensureStateDirectory } from '../state/files.js';
import { mayBeRunning, processName } from '../state/process-name.js';
import type { StateStore } from '../state/store.js';
import { fileNumbers, writePending } from './audit-files.js';
import { beginLine, endLine, moveOn, type Begun, type Chain } from './chain.js';
import type { WrittenFile } from './plan.js';
import type { Caller } from './quota.js';
import type { GuardSecrets } from './context.js';
import type { GuardState } from './state.js';

/** The result of a call, without its arguments and without text of pages. */
export interface CallOutcome {
  /** Code of the error that it failed with. */
  error?: string | undefined;
  /** The session that it started. */
  session?: string | undefined;
  cancelled?: true | undefined;
  files: readonly WrittenFile[];
}

/** A call that gets one line in the log. */
export interface AuditedCall {
  /** Notes that it begins, before it takes effect. Throws if the log can't be written, unless the fail mode is open. */
  begin(decision: Decision): Promise<void>;
  /** Writes its line. What can't be written now is, before the next call begins. */
  end(outcome: CallOutcome, decision?: Decision): Promise<void>;
}

/** The log of all calls, to which every process of the state directory writes. */
export interface Audit {
  /** Writes that this server has begun, and before it what killed processes have left to write. */
  start(): Promise<void>;
  /** Writes that it stops, if it has begun. */
  stop(): Promise<void>;
  call(call: { tool: string; session?: string | undefined }): AuditedCall;
  /** Writes a line about something that is not a call; reports a failure on stderr. */
  event(event: string, details?: object): Promise<void>;
}

/** A line on its way: what is known when it begins, and whether the state has it. */
interface Line {
  id: string;
  begun: Begun;
  isOpen: boolean;
}

const maxAttempts = 5;

interface AuditOptions {
  directory: string;
  store: StateStore<Chain>;
  /** Gives lines their order among those of other machines; undefined if there are none. */
  nextOrder?: GuardState['nextOrder'];
  caller: Caller;
  secrets?: GuardSecrets | undefined;
  /** Whether calls run if the log can't be written. */
  failMode: () => 'open' | 'closed';
}

/**
 * Opens the log in `directory`. The order of lines is the state's: a line is made, and counted, in one change of it,
 * which also keeps the line until it is known to be in its file. So a kill at any moment loses none: the next process
 * writes what was counted and not written.
 */
export function openAudit(options: AuditOptions): Audit {
  const { caller, secrets, failMode } = options;
  const redacted = <Value extends object>(value: Value): Value => secrets?.redactAll(value) ?? value;
  const log = new Log(options);
  const lineOf = (event: string, details: object = {}): Line => {
    const { grant, connection } = caller;
    const begun = { event, time: new Date().toISOString(), grant, connection, ...redacted(details) };
    return { id: randomBytes(8).toString('base64url'), begun, isOpen: false };
  };

  let started: Promise<void> | undefined;
  /** Before the first line of this process, those of killed ones are written. */
  const start = (): Promise<void> =>
    (started ??= (async () => {
      await ensureStateDirectory(options.directory);
      const calls = await log.settleDead();
      if (calls > 0) await log.close(lineOf('recovery'), { calls });
      await log.close(lineOf('start'), { pid: process.pid });
    })().catch((error: unknown) => {
      started = undefined;
      throw unwritable(error);
    }));

  return {
    start: () => start().catch(report),

    async stop() {
      await started?.then(() => log.close(lineOf('stop'), {})).catch(report);
    },

    async event(event, details = {}) {
      await start()
        .then(() => log.close(lineOf(event), redacted(details)))
        .catch(report);
    },

    call(call) {
      const began = performance.now();
      const line = lineOf('call', call);
      let decided: Decision | undefined;
      return {
        async begin(decision) {
          decided = decision;
          line.begun = { ...line.begun, ...decisionFields(decision) };
          try {
            await start();
            await log.closeOwed();
            await log.open(line);
          } catch (error) {
            if (failMode() === 'closed') throw error;
            report(error);
          }
        },
        async end({ files, ...outcome }, decision = decided) {
          const whole = redacted({
            ...decisionFields(decision),
            ...outcome,
            ...(files.length > 0 ? { files: files.map(changed) } : {}),
            durationMs: Math.round(performance.now() - began),
          });
          log.owed.set(line, whole);
          await start()
            .then(() => log.close(line, whole))
            .catch(report);
        },
      };
    },
  };
}

/** The lines in the state and their files. */
class Log {
  /** Lines that could not be written when they should have been. */
  readonly owed = new Map<Line, object>();
  /** Number of the last line that this process knows to be in its file. */
  private known = 0;
  private readonly holder = processName();

  constructor(private readonly options: AuditOptions) {}

  async open(line: Line): Promise<void> {
    const { store } = this.options;
    const chain = await store.update(
      (state) => beginLine(state, line.id, line.begun, this.holder),
      notSynced,
    );
    line.isOpen = true;
    await this.write(chain);
  }

  async close(line: Line, outcome: object): Promise<void> {
    if (!line.isOpen) await this.open(line);
    let chain: Chain | undefined;
    // Another line may have come in between with a later number.
    while (chain === undefined || line.id in chain.open) {
      const order = await this.orderAfter(chain?.order ?? 0);
      chain = await this.options.store.update(
        (state) => endLine(state, line.id, outcome, { known: this.known, order }),
        notSynced,
      );
    }
    this.owed.delete(line);
    await this.write(chain);
  }

  async closeOwed(): Promise<void> {
    for (const [line, outcome] of this.owed) await this.close(line, outcome);
  }

  /** Writes the lines of calls whose processes died. Resolves to their number. */
  async settleDead(): Promise<number> {
    const dead = Object.entries((await this.options.store.read()).open).filter(
      ([, { holder, begun }]) => !mayBeRunning(holder, Date.now() - Date.parse(begun.time)),
    );
    for (const [id, { begun }] of dead) await this.close({ id, begun, isOpen: true }, { interrupted: true });
    return dead.length;
  }

  /** Without Redis, and while it is away, a line has no order among those of other machines. */
  private async orderAfter(after: number): Promise<number | undefined> {
    return this.options.nextOrder?.(after).catch((error: unknown) => {
      report(error);
      return undefined;
    });
  }

  /** Writes what the state says to the files, or continues in a new file if another program changed the last. */
  private async write(chain: Chain): Promise<void> {
    const { directory, store } = this.options;
    try {
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const shape = writePending(directory, chain);
        const now = shape === 'whole' ? chain : await store.read();
        // A file is also longer if others have added lines since.
        if (shape === 'whole' || (shape === 'long' && (now.file !== chain.file || now.bytes > chain.bytes))) {
          this.known = Math.max(this.known, chain.count);
          return;
        }
        const left = chain.file;
        const free = Math.max(left, ...fileNumbers(directory)) + 1;
        chain =
          now.file === left
            ? await store.update((state) => moveOn(state, left, free, shape === 'short'), notSynced)
            : now;
      }
    } catch (error) {
      throw unwritable(error);
    }
    throw unwritable('its files keep changing');
  }
}

/** Not synced to the disk: only a power failure can lose it, and `verify` then says so. */
const notSynced = { durable: false };

function report(error: unknown): void {
  log(messageOf(error));
}

function decisionFields(decision: Decision | undefined): object {
  if (decision === undefined) return {};
  const { kind, rule, would, approval } = decision;
  return {
    decision: kind,
    rule,
    ...(approval === undefined ? {} : { approval }),
    ...(would && { wouldBe: would.kind, wouldBeRule: would.rule }),
  };
}

function changed({ path, change, sha256, sha256Before }: WrittenFile): object {
  return { path, change, before: sha256Before, after: sha256 };
}

function unwritable(error: unknown): CodegenError {
  if (error instanceof CodegenError) return error;
  return new CodegenError('WRITE_FAILED', `The audit log can't be written: ${messageOf(error)}.`, {
    hint: "Calls that can't be logged are rejected. Make the state directory writable, or free space on its disk.",
    cause: error,
  });
}
