import type { Globals } from './watcher.js';

/**
 * Runs in the page. Follows whether a page has changed or got input since the mark, and whether all tasks that it queued
 * then have run: a page renders by messages, which nothing else reveals.
 */
export function trackActivity({ apply, methodOf, now }: Globals) {
  /** A change is followed by its consequences within this many milliseconds. */
  const quietTime = 20;
  /** The tasks that were queued run before the first message, those that they queue before the second. */
  const rounds = 2;
  const post = methodOf(MessagePort.prototype, 'postMessage');
  const { port1, port2 } = new MessageChannel();
  let latest = 0;
  let left = 0;
  let hasRun = false;
  let changedAt = -Infinity;
  // The mark of a document that an action loads is its own beginning.
  let markedAt = 0;

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
  /** From now on it is not known what the page has queued, until `left` messages have come. */
  const queue = (): void => {
    begin(rounds);
    apply(post, port2, [latest]);
  };

  return {
    queue,
    note: (): void => {
      changedAt = now();
      queue();
    },
    reset: (): void => {
      begin(0);
      changedAt = -Infinity;
      markedAt = now();
    },
    isLate: (seconds: number): boolean => changedAt - markedAt >= 1000 * seconds,
    isRecent: (): boolean => left > 0 || now() - changedAt < quietTime,
    /** Whether a page that is not busy may still begin something, since neither input nor a change is known. */
    isUnsure: (): boolean => !hasRun,
  };
}
