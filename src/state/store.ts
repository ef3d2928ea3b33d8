import { randomBytes } from 'node:crypto';
import { mkdir, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { ZodType } from 'zod';
import { CodegenError, messageOf } from '../model/errors.js';
import { createDurably, ensureStateDirectory, errnoOf, isRunning, syncDirectory } from './files.js';

/** What is kept between calls and shared by all processes that name the same directory. */
export interface StateStore<State> {
  /** The newest state. */
  read(): Promise<State>;
  /**
   * Replaces the state by what `change` makes of it and returns its result; returning the state it was given writes
   * nothing. `change` must not modify the state it gets. It is evaluated anew whenever another process was faster, and
   * may be after it has already taken effect: what it adds carries an id, so that it finds its own.
   * Throws LOCK_TIMEOUT where others are faster again and again, WRITE_FAILED where the directory can't be used.
   */
  update<Result>(change: (state: State) => { state: State; result: Result }): Promise<Result>;
}

const generationsKept = 16;
const attemptsAtMost = 100;
const stateFile = 'state.json';

/**
 * A store in files. Each generation of the state is a directory, made complete under a temporary name and renamed to
 * the next number: renaming onto a directory that is not empty fails, so of two processes exactly one creates a
 * number, and the other evaluates again. A process that was stopped may find its number free once more, because old
 * generations are removed; it then sees a higher one, and evaluates again too. The lock is courtesy: it only spares
 * processes that meet the second evaluation.
 */
export function createFileStore<State>(
  directory: string,
  schema: ZodType<State>,
  initial: State,
): StateStore<State> {
  const folder = path.join(directory, 'state');
  let previous: Promise<unknown> = Promise.resolve();

  async function numbers(): Promise<number[]> {
    const names = await readdir(folder).catch((error: unknown) => {
      if (errnoOf(error) === 'ENOENT') return [];
      throw error;
    });
    return names
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .sort((a, b) => b - a);
  }

  /** The newest generation that can be read: one torn by a power failure gives way to the one before. */
  async function newest(): Promise<{ number: number; state: State }> {
    const found = await numbers();
    const top = found[0];
    if (top === undefined) return { number: 0, state: initial };
    for (const number of found) {
      try {
        const text = await readFile(path.join(folder, String(number), stateFile), 'utf8');
        return { number: top, state: schema.parse(JSON.parse(text)) };
      } catch (error) {
        if (isSystemFailure(error)) throw error;
      }
    }
    // All that were listed may have been removed since, while this process was stopped.
    if ((await numbers())[0] !== top) return newest();
    throw new CodegenError('WRITE_FAILED', `The state in ${folder} can't be read.`, {
      hint: `Remove ${folder}; limits then start counting from zero.`,
    });
  }

  /** False where another process has that number already. */
  async function create(number: number, state: State): Promise<boolean> {
    const temporary = path.join(folder, `.${process.pid}-${randomBytes(6).toString('hex')}`);
    const target = path.join(folder, String(number));
    await ensureStateDirectory(directory);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    try {
      await mkdir(temporary, { mode: 0o700 });
      await createDurably(path.join(temporary, stateFile), JSON.stringify(state), 0o600);
      await rename(temporary, target);
    } catch (error) {
      await rm(temporary, { recursive: true, force: true });
      if (errnoOf(error) === 'ENOENT' || (await stat(target).catch(() => undefined))) return false;
      throw error;
    }
    await syncDirectory(folder);
    return true;
  }

  /** Removes old generations and what killed processes left; another process may be doing the same. */
  async function clean(number: number): Promise<void> {
    const names = await readdir(folder);
    const old = names.filter((name) => {
      const pid = /^\.(\d+)-/.exec(name)?.[1];
      return pid ? !isRunning(Number(pid)) : Number(name) <= number - generationsKept;
    });
    await Promise.allSettled(
      old.map((name) => rm(path.join(folder, name), { recursive: true, force: true })),
    );
  }

  async function swap<Result>(change: (state: State) => { state: State; result: Result }): Promise<Result> {
    for (let attempt = 0; attempt < attemptsAtMost; attempt++) {
      const head = await newest();
      const { state, result } = change(head.state);
      if (state === head.state) return result;
      const number = head.number + 1;
      if ((await create(number, state)) && (await numbers())[0] === number) {
        await clean(number).catch(() => undefined);
        return result;
      }
    }
    throw new CodegenError('LOCK_TIMEOUT', `Other processes kept changing the state in ${folder}.`, {
      hint: 'Try again; if it goes on, end other servers that share this directory.',
    });
  }

  return {
    read: () => wrapped(async () => (await newest()).state, folder),
    update(change) {
      const turn = previous.then(() => wrapped(() => courteously(directory, () => swap(change)), folder));
      previous = turn.catch(() => undefined);
      return turn;
    },
  };
}

/** Runs `task` under the lock, or without it where it can't be had soon: the task is safe either way. */
async function courteously<Result>(directory: string, task: () => Promise<Result>): Promise<Result> {
  await ensureStateDirectory(directory);
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
  try {
    return await task();
  } finally {
    await release?.().catch(() => undefined);
  }
}

/** True where the disk refuses, rather than one generation being gone or damaged. */
function isSystemFailure(error: unknown): boolean {
  const code = errnoOf(error);
  return code !== undefined && code !== 'ENOENT' && code !== 'ENOTDIR';
}

async function wrapped<Result>(task: () => Promise<Result>, folder: string): Promise<Result> {
  try {
    return await task();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    throw new CodegenError('WRITE_FAILED', `The state in ${folder} can't be used: ${messageOf(error)}.`, {
      hint: 'Make the state directory writable, or free space on its disk.',
      cause: error,
    });
  }
}
