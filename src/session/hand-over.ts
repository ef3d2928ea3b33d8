import { CodegenError } from '../model/errors.js';
import type { OpenSession } from './session.js';

/** A session that a person has taken over, while its calls wait. */
export interface Control {
  readonly open: OpenSession;
  /** Saves the steps so far. */
  save: () => Promise<void>;
  release: () => void;
  /** Whether control was returned or the time is up. */
  isOver: () => boolean;
}

export interface HandOverLimits {
  timeoutMs: number;
  signal: AbortSignal;
  /** Called periodically while the agent waits. */
  onWaiting: () => void;
  /** Shows the user the session in the web UI. Resolves to false if they decline. */
  invite?: (() => Promise<boolean>) | undefined;
}

/** Milliseconds between two calls of `onWaiting`. */
const waitingMs = 5000;

/** An agent's request during a call that a person takes over. */
export class HandOver {
  private person: string | undefined;
  private isOver = false;
  private settle: (outcome: string | CodegenError) => void = () => undefined;

  constructor(
    readonly reason: string,
    private readonly held: Pick<Control, 'open' | 'save'>,
  ) {}

  /** Lets a person take over the session. */
  take(person: string): Control {
    this.person = person;
    return {
      ...this.held,
      release: () => {
        this.settle(`${person} returned control of the session.`);
      },
      isOver: () => this.isOver,
    };
  }

  decline(person: string, why: string | undefined): void {
    this.settle(
      new CodegenError('ACTION_FAILED', `${person} declined${why === undefined ? '.' : `: ${why}`}`, {
        hint: 'Continue without a person, or ask the user.',
      }),
    );
  }

  /** Resolves to the outcome. Throws ACTION_FAILED if the person declines, or nobody takes over in time. */
  async wait({ timeoutMs, signal, onWaiting }: HandOverLimits): Promise<string> {
    onWaiting();
    const waiting = setInterval(onWaiting, waitingMs);
    const outcome = new Promise<string | CodegenError>((resolve) => (this.settle = resolve));
    const end = setTimeout(() => {
      this.settle(this.late(timeoutMs));
    }, timeoutMs);
    const abort = (): void => {
      this.settle(new CodegenError('ACTION_FAILED', 'The call was cancelled.'));
    };
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    const result = await outcome;
    this.isOver = true;
    clearInterval(waiting);
    clearTimeout(end);
    signal.removeEventListener('abort', abort);
    if (result instanceof CodegenError) throw result;
    return result;
  }

  private late(timeoutMs: number): string | CodegenError {
    if (this.person !== undefined) return `Timed out: ${this.person} did not return control of the session.`;
    return new CodegenError('ACTION_FAILED', `Nobody took over within ${timeoutMs} ms.`, {
      hint: 'Ask the user to open the web UI, then hand over again.',
    });
  }
}
