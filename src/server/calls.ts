import { within } from '../model/within.js';

/** Milliseconds for calls that are cancelled to end what they have started. */
const cancellingMs = 5000;

/** The running calls of a process, on all its connections. */
export interface RunningCalls {
  /** Does the work of a call, whose `signal` is aborted too if the process ends before it is done. */
  run<Result>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<Result>): Promise<Result>;
  /** Resolves when all are done; those that are not after `milliseconds` are cancelled. */
  drain(milliseconds: number): Promise<void>;
}

export function createCalls(): RunningCalls {
  const running = new Map<AbortController, Promise<unknown>>();

  async function allDone(): Promise<void> {
    while (running.size > 0) await Promise.allSettled(running.values());
  }

  return {
    async run(signal, work) {
      const controller = new AbortController();
      const abort = (): void => {
        controller.abort(signal.reason);
      };
      if (signal.aborted) abort();
      signal.addEventListener('abort', abort);
      const result = work(controller.signal);
      running.set(controller, result);
      try {
        return await result;
      } finally {
        signal.removeEventListener('abort', abort);
        running.delete(controller);
      }
    },

    async drain(milliseconds) {
      await within(milliseconds, allDone());
      for (const controller of running.keys()) controller.abort();
      await within(cancellingMs, allDone());
    },
  };
}
