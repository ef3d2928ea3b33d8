import type { Globals } from './watcher.js';

/**
 * Runs in the page. Tracks whether the page has changed or received input since the mark, and whether the tasks that it
 * then queued have run: frameworks may render in messages, which nothing else reveals.
 */
export function trackActivity({ apply, methodOf, now }: Globals) {
  /** The consequences of a change follow within this many milliseconds. */
  const quietTime = 10;
  /** Queued tasks run before the first message, and the tasks that those queue before the second. */
  const rounds = 2;
  const post = methodOf(MessagePort.prototype, 'postMessage');
  const { port1, port2 } = new MessageChannel();
  let latest = 0;
  let left = 0;
  let hasRun = false;
  let changedAt = -Infinity;
  // When the action was marked, or its latest input arrived; for a document that an action loads, its start.
  let actedAt = 0;

  port1.onmessage = ({ data }) => {
    if (data !== latest) return;
    if (--left > 0) apply(post, port2, [latest]);
    else hasRun = true;
  };
  const begin = (messages: number): void => {
    latest++;
    left = messages;
    hasRun = false;
  };
  /** Until `left` messages have arrived, queued tasks may not have run. */
  const queue = (): void => {
    begin(rounds);
    apply(post, port2, [latest]);
  };

  return {
    input: (): void => {
      actedAt = now();
      queue();
    },
    note: (): void => {
      changedAt = now();
      queue();
    },
    reset: (): void => {
      begin(0);
      changedAt = -Infinity;
      actedAt = now();
    },
    isLate: (seconds: number): boolean => changedAt - actedAt >= 1000 * seconds,
    isRecent: (): boolean => left > 0 || now() - changedAt < quietTime,
    /** Whether a page that is not busy may still start something: no input or change has been seen. */
    isUnsure: (): boolean => !hasRun,
  };
}
