import { messageOf } from '../model/errors.js';
import type { Instant } from './clock.js';

/** The state after a change, and the result for its caller. */
export interface Changed<State, Result> {
  state: State;
  result: Result;
}

/** State that is kept between calls and shared by all processes that use the same place. */
export interface StateStore<State> {
  /** The newest state. */
  read(): Promise<State>;
  /**
   * Replaces the state by what `change` makes of it and returns its result; returning the state it was given writes
   * nothing. `now` is the time by the store's own clock, of which all who share it have the same. `change` must not
   * modify the state it gets. It is evaluated again whenever another process was faster, and may be after it has already
   * taken effect: what it adds carries an id, so that it finds its own. A `durable` change (the
   * default) is on the disk when this returns; only a power failure can lose another one.
   * Throws LOCK_TIMEOUT if other processes keep winning, WRITE_FAILED if the place can't be used.
   */
  update<Result>(
    change: (state: State, now: Instant) => Changed<State, Result>,
    options?: { durable?: boolean },
  ): Promise<Result>;
  /** The time by that clock. It may be a little ahead if the clock is far away, and is never behind. */
  now(): Instant;
}

/** A part of a state as a separate store; concurrent changes of several parts are one change of the whole. */
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
  /** Applies all changes in order; may be called again. */
  apply: (state: State, now: Instant) => State;
  /** Whether any of them must be on disk before its caller continues. */
  durable: boolean;
}

/** The outcome of a batch; the next one is committed once this is known. */
export interface Committed {
  /** Callers continue when this is settled. */
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
  let waiting: Waiting<State>[] = [];
  let working = false;

  function take(): Waiting<State>[] {
    const batch = waiting;
    waiting = [];
    working = batch.length > 0;
    return batch;
  }

  /** Commits waiting changes until there are none. */
  async function work(): Promise<void> {
    for (let batch = take(); batch.length > 0; batch = take()) {
      const changes = batch;
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
  }

  return (change, { durable = true } = {}) =>
    new Promise((resolve, reject) => {
      let settle = (): void => undefined;
      waiting.push({
        durable,
        fail: reject,
        settle: () => {
          settle();
        },
        apply(before, now) {
          try {
            const { state, result } = change(before, now);
            settle = () => {
              resolve(result);
            };
            return state;
          } catch (error) {
            settle = () => {
              reject(error instanceof Error ? error : new Error(messageOf(error)));
            };
            return before;
          }
        },
      });
      if (working) return;
      working = true;
      // Further changes in this turn join the batch.
      setImmediate(() => void work());
    });
}
