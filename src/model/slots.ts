import { CodegenError } from './errors.js';

/** Pieces of work that may go on at once; the others wait their turn. */
export interface Slots {
  /**
   * Does a piece of work when it is its turn; `onWait` hears how many are before it, if there are any. Throws
   * SESSION_LIMIT where too many wait, VERIFY_FAILED where the call is cancelled.
   */
  run<Result>(
    signal: AbortSignal,
    work: () => Promise<Result>,
    onWait?: (before: number) => void,
  ): Promise<Result>;
}

/** Milliseconds after which there may be room again. */
const retryAfterMs = 5000;

export function createSlots(atOnce: number, waitingAtMost: number): Slots {
  const waiting = new Set<() => void>();
  let running = 0;

  /** Resolves with whether a slot was given, rather than the call cancelled. */
  function turn(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (isGiven: boolean): void => {
        waiting.delete(give);
        signal.removeEventListener('abort', cancel);
        resolve(isGiven);
      };
      const give = (): void => {
        settle(true);
      };
      const cancel = (): void => {
        settle(false);
      };
      waiting.add(give);
      signal.addEventListener('abort', cancel);
    });
  }

  async function take(signal: AbortSignal, onWait: (before: number) => void): Promise<void> {
    if (signal.aborted) throw cancelled();
    if (running < atOnce) {
      running++;
      return;
    }
    if (waiting.size >= waitingAtMost)
      throw new CodegenError('SESSION_LIMIT', `${waiting.size} runs of tests wait; no more are taken.`, {
        hint: 'Call again when some have ended.',
        retryAfterMs,
      });
    onWait(running + waiting.size);
    if (!(await turn(signal))) throw cancelled();
  }

  return {
    async run(signal, work, onWait = () => undefined) {
      await take(signal, onWait);
      try {
        return await work();
      } finally {
        const [give] = waiting;
        if (give === undefined) running--;
        else give();
      }
    },
  };
}

function cancelled(): CodegenError {
  return new CodegenError('VERIFY_FAILED', 'The call was cancelled before its test ran.', {
    hint: 'Call again to run it.',
  });
}
