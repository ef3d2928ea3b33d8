import type { Globals, WorkTracker } from './watcher.js';

/**
 * Runs in the page. Counts messages to a server or worker until it answers, and transactions of databases. Takes its
 * timer before timers are watched.
 */
export function watchMessages(
  { SafeWeakMap, apply, intercept, addEventListener }: Globals,
  { begin, end, cancel }: WorkTracker,
): void {
  /** Milliseconds for an answer; one that comes later does not count. */
  const longestAnswer = 250;
  const { EventTarget } = window;
  const schedule = window.setTimeout.bind(window);
  /** Those that have not answered. They are not waited for again until they do: perhaps they never will. */
  const asked = new SafeWeakMap<object, true>();

  const watchAnswers = (owner: object, name: string): void => {
    intercept(owner, name, (args, call, self) => {
      if (self instanceof EventTarget && !asked.has(self)) {
        const work = begin(`message ${name}`);
        asked.set(self, true);
        const onAnswer = (): void => {
          asked.delete(self);
          end(work);
        };
        apply(addEventListener, self, ['message', onAnswer, { once: true }]);
        schedule(() => cancel(work), longestAnswer);
      }
      return call(args);
    });
  };
  watchAnswers(WebSocket.prototype, 'send');
  watchAnswers(Worker.prototype, 'postMessage');

  intercept(IDBDatabase.prototype, 'transaction', (args, call) => {
    const transaction = call(args);
    if (transaction instanceof EventTarget) {
      const work = begin('transaction');
      const onEnd = (): void => {
        end(work);
      };
      apply(addEventListener, transaction, ['complete', onEnd]);
      apply(addEventListener, transaction, ['abort', onEnd]);
    }
    return transaction;
  });
}
