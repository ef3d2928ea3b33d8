import { z } from 'zod';
import type { Clock } from '../state/clock.js';
import { FileStore } from '../state/file-store.js';
import { RedisStore } from '../state/redis-store.js';
import type { Redis } from '../state/redis.js';
import { part, type StateStore } from '../state/store.js';
import { chainSchema, emptyChain, type Chain } from './chain.js';
import { countersSchema, noCounters, type Counters } from './counters.js';

/** A part that an earlier version did not know begins empty. */
const stateSchema = z.object({
  limits: countersSchema.default(noCounters),
  audit: chainSchema.default(emptyChain),
});

/** What the guard keeps and shares: in the state directory, and if there is one in Redis. */
export interface GuardState {
  limits: StateStore<Counters>;
  /** In the state directory: each machine has its own log. */
  audit: StateStore<Chain>;
  /** A number greater than `after` and all that were given before, on whatever machine; undefined without Redis. */
  nextOrder: ((after: number) => Promise<number>) | undefined;
}

/** Where a state is kept. */
export interface StatePlace {
  /** Absolute path of the state directory. */
  directory: string;
  redis?: Redis | undefined;
  clock?: Clock | undefined;
}

export function openState({ directory, redis, clock }: StatePlace): GuardState {
  const store = new FileStore(directory, stateSchema, stateSchema.parse({}), clock);
  return {
    limits:
      redis === undefined
        ? part(store, 'limits')
        : new RedisStore(redis, 'limits', countersSchema, noCounters),
    audit: part(store, 'audit'),
    nextOrder: redis && orderIn(redis),
  };
}

/** Goes on after the number given if Redis has lost its own. */
const takeNumber = `
local number = redis.call('INCR', KEYS[1])
if number <= tonumber(ARGV[1]) then
  number = tonumber(ARGV[1]) + 1
  redis.call('SET', KEYS[1], number)
end
return number
`;

function orderIn({ run, key }: Redis): (after: number) => Promise<number> {
  return async (after) =>
    z
      .number()
      .parse(
        await run((client) =>
          client.eval(takeNumber, { keys: [key('audit-order')], arguments: [String(after)] }),
        ),
      );
}
