import { within } from '../model/within.js';

/** Milliseconds for cancelled calls to clean up. */
const cancellingMs = 5000;

/** The running calls of a process, on all its connections. */
export class RunningCalls {
  private readonly running = new Map<AbortController, Promise<unknown>>();

  /** Runs `work`, whose `signal` is also aborted if the process ends before it is done. */
  async run<Result>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const controller = new AbortController();
    const result = work(AbortSignal.any([signal, controller.signal]));
    this.running.set(controller, result);
    try {
      return await result;
    } finally {
      this.running.delete(controller);
    }
  }

  /** Resolves when all calls are done; those that are not after `milliseconds` are cancelled. */
  async drain(milliseconds: number): Promise<void> {
    await within(milliseconds, this.allDone());
    for (const controller of this.running.keys()) controller.abort();
    await within(cancellingMs, this.allDone());
  }

  private async allDone(): Promise<void> {
    while (this.running.size > 0) await Promise.allSettled(this.running.values());
  }
}
