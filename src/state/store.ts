import type { Instant } from './clock.js';

export interface Changed<State, Result> {
  state: State;
  result: Result;
}

/** State that lasts between calls and is shared by all processes that use the same place. */
export interface StateStore<State> {
  read(): Promise<State>;
  /**
   * Replaces the state and returns the result of `change`. If `change` returns the state that it got, nothing is written.
   * `now` is the time of the store's clock, which all processes share. `change` must not modify its state. It runs again
   * if another process was faster, even if it has already taken effect, so what it adds must carry an id. A `durable`
   * change (the default) is on disk when this returns; a power failure can lose others. Throws LOCK_TIMEOUT,
   * WRITE_FAILED.
   */
  update<Result>(
    change: (state: State, now: Instant) => Changed<State, Result>,
    options?: { durable?: boolean },
  ): Promise<Result>;
  /** The time of the store's clock, or slightly later if the clock is remote. */
  now(): Instant;
}

/** A part of a state as a separate store; concurrent changes of several parts are committed together. */
export function part<State extends object, Key extends keyof State>(
  store: StateStore<State>,
  key: Key,
): StateStore<State[Key]> {
  return {
    now: () => store.now(),
    read: async () => (await store.read())[key],
    update: (change, options) =>
      store.update((state, now) => {
        const { state: changed, result } = change(state[key], now);
        return { state: changed === state[key] ? state : { ...state, [key]: changed }, result };
      }, options),
  };
}

/** Changes that are committed together. */
export interface Batch<State> {
  /** Applies all changes in order; may be called several times. */
  apply: (state: State, now: Instant) => State;
  /** Whether its callers wait until it is on disk. */
  durable: boolean;
}

export interface Committed {
  /** Callers wait for this. */
  durable: Promise<unknown>;
  /** The next batch waits for this. */
  cleaned?: Promise<unknown> | undefined;
}

/** A change that waits for its batch. */
interface Waiting<State> extends Batch<State> {
  /** Resolves with the result of the last evaluation. */
  settle: () => void;
  fail: (error: unknown) => void;
}

/** The `update` of a store that commits batch after batch: changes that arrive meanwhile form the next batch. */
export function batching<State>(
  commit: (batch: Batch<State>) => Promise<Committed>,
): StateStore<State>['update'] {
  const waiting: Waiting<State>[] = [];
  let isWorking = false;

  async function work(): Promise<void> {
    while (waiting.length > 0) {
      const changes = waiting.splice(0);
      const settle = (): void => {
        for (const each of changes) each.settle();
      };
      const fail = (error: unknown): void => {
        for (const each of changes) each.fail(error);
      };
      try {
        const { durable, cleaned } = await commit({
          apply: (state, now) => changes.reduce((before, { apply }) => apply(before, now), state),
          durable: changes.some(({ durable }) => durable),
        });
        void durable.then(settle, fail);
        await cleaned?.catch(() => undefined);
      } catch (error) {
        fail(error);
      }
    }
    isWorking = false;
  }

  return (change, { durable = true } = {}) =>
    new Promise((resolve, reject) => {
      const own: Waiting<State> = {
        durable,
        fail: reject,
        settle: () => undefined,
        apply(before, now) {
          try {
            const { state, result } = change(before, now);
            own.settle = resolve.bind(undefined, result);
            return state;
          } catch (error) {
            own.settle = reject.bind(undefined, error);
            return before;
          }
        },
      };
      waiting.push(own);
      if (isWorking) return;
      isWorking = true;
      // Further changes in this turn join the batch.
      setImmediate(() => void work());
    });
}
