import { CodegenError } from './errors.js';

const retryAfterMs = 5000;

/** Limits how many tasks run at once; the others wait in a queue. */
export class Slots {
  private readonly waiting = new Set<() => void>();
  private running = 0;

  constructor(
    private readonly atOnce: number,
    private readonly maxWaiting: number,
  ) {}

  /** Runs `work` when it is its turn; `onWait` gets the number of tasks before it. Throws SESSION_LIMIT, VERIFY_FAILED. */
  async run<Result>(
    signal: AbortSignal,
    work: () => Promise<Result>,
    onWait: (before: number) => void = () => undefined,
  ): Promise<Result> {
    await this.take(signal, onWait);
    try {
      return await work();
    } finally {
      const [give] = this.waiting;
      if (give === undefined) this.running--;
      else give();
    }
  }

  private async take(signal: AbortSignal, onWait: (before: number) => void): Promise<void> {
    if (signal.aborted) throw cancelled();
    const { waiting, running } = this;
    if (running < this.atOnce) {
      this.running++;
      return;
    }
    if (waiting.size >= this.maxWaiting)
      throw new CodegenError('SESSION_LIMIT', `${waiting.size} test runs are waiting; the queue is full.`, {
        hint: 'Try again when some have finished.',
        retryAfterMs,
      });
    onWait(running + waiting.size);
    if (!(await this.turn(signal))) throw cancelled();
  }

  /** Resolves to false if the call is cancelled first. */
  private turn(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (isGiven: boolean): void => {
        this.waiting.delete(give);
        signal.removeEventListener('abort', cancel);
        resolve(isGiven);
      };
      const give = settle.bind(undefined, true);
      const cancel = settle.bind(undefined, false);
      this.waiting.add(give);
      signal.addEventListener('abort', cancel);
    });
  }
}

function cancelled(): CodegenError {
  return new CodegenError('VERIFY_FAILED', 'The call was cancelled before its test ran.', {
    hint: 'Call again to run it.',
  });
}
