import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import type { ZodType } from 'zod';
import { CodegenError, messageOf } from '../model/errors.js';
import { systemClock, type Clock, type Instant } from './clock.js';
import { ensureStateDirectory, errorCode, isRunning, syncDirectory, syncFile } from './files.js';
import { batching, type Batch, type Committed, type StateStore } from './store.js';

const generationsKept = 16;
const maxAttempts = 100;
const stateFile = 'state.json';

/**
 * A store in files. Each generation of the state is a directory, written under a temporary name and renamed to the next
 * number. Renaming onto a directory that is not empty fails on every system, so of two processes exactly one creates a
 * number, and the other evaluates its changes again. A process that was suspended may find its number free because old
 * generations have been removed; it then sees a much higher one and evaluates again too. The lock is not needed for
 * correctness: it queues processes that have lost.
 */
export class FileStore<State> implements StateStore<State> {
  readonly update: StateStore<State>['update'];
  private readonly folder: string;
  private isClean = false;

  constructor(
    private readonly directory: string,
    private readonly schema: ZodType<State>,
    private readonly initial: State,
    private readonly clock: Clock = systemClock(),
  ) {
    this.folder = path.join(directory, 'state');
    const update = batching((batch: Batch<State>) => this.commit(batch));
    this.update = (change, options) => withFolder(() => update(change, options), this.folder);
  }

  read(): Promise<State> {
    return withFolder(() => Promise.resolve(this.newest().state), this.folder);
  }

  now(): Instant {
    return this.clock.now();
  }

  private numbers(): number[] {
    try {
      return readdirSync(this.folder)
        .filter((name) => /^\d+$/.test(name))
        .map(Number)
        .sort((a, b) => b - a);
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return [];
      throw error;
    }
  }

  /** The newest generation that can be read: a power failure can damage the last one. */
  private newest(): { number: number; state: State } {
    const found = this.numbers();
    const top = found[0];
    if (top === undefined) return { number: 0, state: this.initial };
    for (const number of found) {
      try {
        const text = readFileSync(path.join(this.folder, String(number), stateFile), 'utf8');
        return { number: top, state: this.schema.parse(JSON.parse(text)) };
      } catch (error) {
        if (isSystemFailure(error)) throw error;
      }
    }
    // This process may have been suspended while all listed generations were removed.
    if (this.numbers()[0] !== top) return this.newest();
    throw new CodegenError('WRITE_FAILED', `The state in ${this.folder} can't be read.`, {
      hint: `Remove ${this.folder}; limits then start counting from zero.`,
    });
  }

  /** Returns false if another process has already created that number. */
  private create(number: number, state: State): boolean {
    const temporary = path.join(this.folder, `.${process.pid}-${randomBytes(6).toString('hex')}`);
    const target = path.join(this.folder, String(number));
    try {
      mkdirSync(temporary, { recursive: true, mode: 0o700 });
      writeFileSync(path.join(temporary, stateFile), JSON.stringify(state), { flag: 'wx', mode: 0o600 });
      renameSync(temporary, target);
      return true;
    } catch (error) {
      rmSync(temporary, { recursive: true, force: true });
      if (errorCode(error) === 'ENOENT' || statSync(target, { throwIfNoEntry: false })) return false;
      throw error;
    }
  }

  /** Syncs a generation to the disk. Later generations contain one that was removed. */
  private async sync(number: number): Promise<void> {
    await syncFile(path.join(this.folder, String(number), stateFile)).catch((error: unknown) => {
      if (isSystemFailure(error)) throw error;
    });
    await syncDirectory(this.folder);
  }

  /** Removes old generations and the files of killed processes; another process may be doing the same. */
  private async clean(number: number): Promise<void> {
    // Otherwise a power failure could leave no readable generation.
    await this.sync(number);
    const old = (await readdir(this.folder)).filter((name) => {
      const pid = /^\.(\d+)-/.exec(name)?.[1];
      return pid ? !isRunning(Number(pid)) : Number(name) <= number - generationsKept;
    });
    await Promise.allSettled(
      old.map((name) => rm(path.join(this.folder, name), { recursive: true, force: true })),
    );
  }

  /** The number of the created generation, 0 if nothing changed; undefined if another process was faster. */
  private attempt({ apply }: Batch<State>): number | undefined {
    const head = this.newest();
    const state = apply(head.state, this.clock.now());
    if (state === head.state) return 0;
    const number = head.number + 1;
    if (!this.create(number, state)) return undefined;
    return (this.numbers()[0] ?? 0) < number + generationsKept ? number : undefined;
  }

  private async generationOf(batch: Batch<State>): Promise<number> {
    if (this.numbers().length === 0) await ensureStateDirectory(this.directory);
    let number = this.attempt(batch);
    for (let losses = 1; number === undefined && losses < maxAttempts; losses++)
      number = await withLock(this.directory, () => this.attempt(batch));
    if (number !== undefined) return number;
    const holder = await readFile(holderFile(this.directory), 'utf8').catch(() => 'nobody');
    const busy = `Other processes kept changing the state in ${this.folder}; the last to lock it was ${holder}.`;
    throw new CodegenError('LOCK_TIMEOUT', busy, {
      hint: 'Try again. If it keeps failing, end other servers that share this directory.',
    });
  }

  private async commit(batch: Batch<State>): Promise<Committed> {
    const number = await this.generationOf(batch);
    if (number === 0) return { durable: Promise.resolve() };
    // Not awaited: the next generation need not wait for the disk.
    const durable = batch.durable ? this.sync(number) : Promise.resolve();
    if (this.isClean && number % generationsKept !== 0) return { durable };
    this.isClean = true;
    return { durable, cleaned: this.clean(number) };
  }
}

/** Names the process that locked last, for the message of LOCK_TIMEOUT. */
function holderFile(directory: string): string {
  return path.join(directory, 'state.holder');
}

/** Runs `task` under the lock, or without it if the lock is not soon available: the task is safe either way. */
async function withLock<Result>(directory: string, task: () => Result): Promise<Result> {
  const { default: lockfile } = await import('proper-lockfile');
  const release = await lockfile
    .lock(directory, {
      lockfilePath: path.join(directory, 'state.lock'),
      realpath: false,
      stale: 2_000,
      retries: { retries: 25, minTimeout: 2, maxTimeout: 25, randomize: true },
      onCompromised: () => undefined,
    })
    .catch(() => undefined);
  const holder = `process ${process.pid} on ${hostname()}, since ${new Date().toISOString()}`;
  if (release) await writeFile(holderFile(directory), holder, { mode: 0o600 }).catch(() => undefined);
  try {
    return task();
  } finally {
    await release?.().catch(() => undefined);
  }
}

/** Whether the file system failed, rather than a generation being missing or damaged. */
function isSystemFailure(error: unknown): boolean {
  const code = errorCode(error);
  return code !== undefined && code !== 'ENOENT' && code !== 'ENOTDIR';
}

async function withFolder<Result>(task: () => Promise<Result>, folder: string): Promise<Result> {
  try {
    return await task();
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    throw new CodegenError('WRITE_FAILED', `The state in ${folder} can't be used: ${messageOf(error)}.`, {
      hint: 'Make the state directory writable, or free space on its disk.',
      cause: error,
    });
  }
}
