import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { z, type ZodType } from 'zod';
import { CodegenError, messageOf } from '../model/errors.js';
import type { Instant } from './clock.js';
import type { Redis } from './redis.js';
import { batching, type Batch, type Committed, type StateStore } from './store.js';

/** What is written to Redis, and how: a server that knows another format leaves it alone. */
const format = '1';
const attemptsAtMost = 100;
/** Milliseconds between two tries of one who is not in turn, at most. */
const pauseMs = 10;

/**
 * Commits a state if the version is the one that it was made from, and tells what is there if it is not. The time
 * is Redis's own and never runs backwards: what the clock is set back by is added from then on. What was evaluated too
 * long ago is refused, so that a command which was held up on its way changes nothing. Who has lost three times gets
 * a turn, so that servers far away get through beside near ones.
 */
const exchange = `
local expected, version, state, evaluated, asker, losses = unpack(ARGV)
local found = redis.call('HMGET', KEYS[1], 'format', 'version', 'time', 'behind', 'turn', 'turnEnds')
local clock = redis.call('TIME')
local behind = tonumber(found[4] or 0)
local now = clock[1] * 1000000 + clock[2] + behind
local last = tonumber(found[3] or 0)
if now < last then
  behind = behind + last - now
  now = last
end
local time = string.format('%.0f', now)
local current = found[2] or ''
local mayCommit = not found[5] or found[5] == asker or tonumber(found[6]) <= now
if version ~= '' and current == expected and now - evaluated <= 500000 and mayCommit then
  redis.call('HSET', KEYS[1], 'format', '${format}', 'version', version, 'state', state, 'time', time,
    'behind', string.format('%.0f', behind))
  redis.call('HDEL', KEYS[1], 'turn', 'turnEnds')
  return {'${format}', version, '', time}
end
if tonumber(losses) >= 3 and found[2] and mayCommit then
  redis.call('HSET', KEYS[1], 'turn', asker, 'turnEnds', string.format('%.0f', now + 200000))
end
local kind = found[1] or redis.call('EXISTS', KEYS[1]) == 1 and 'unknown' or ''
local text = current ~= expected and redis.call('HGET', KEYS[1], 'state') or ''
return {kind, current, text, time}
`;

const replySchema = z.tuple([z.string(), z.string(), z.string(), z.string()]);

/** A state, and the version that Redis knows it by; empty if there is none yet. */
interface Known<State> {
  version: string;
  state: State;
}

/** What Redis says of a key. `time` is in microseconds. */
interface Seen<State> extends Known<State> {
  time: number;
  isCommitted: boolean;
}

/**
 * A store under one key of Redis, shared by all machines that use it: compare and swap by an atomic script, dated by
 * Redis's clock. What was seen last is remembered, so that it need not be sent again, and is put back if Redis has
 * lost it.
 */
export function createRedisStore<State>(
  redis: Redis,
  name: string,
  schema: ZodType<State>,
  initial: State,
): StateStore<State> {
  const key = redis.key(name);
  const asker = randomUUID();
  let known: Known<State> = { version: '', state: initial };
  /** The latest time that Redis reported, in microseconds, and when it was asked. */
  let told = { time: Date.now() * 1_000, askedAt: performance.now() };

  async function ask(
    seen: Known<State>,
    next?: Known<State>,
    evaluated = 0,
    losses = 0,
  ): Promise<Seen<State>> {
    const askedAt = performance.now();
    const args = [
      seen.version,
      next?.version ?? '',
      next === undefined ? '' : JSON.stringify(next.state),
      String(evaluated),
      asker,
      String(losses),
    ];
    const reply = await redis.run((client) => client.eval(exchange, { keys: [key], arguments: args }));
    const [kind, version, text, time] = replySchema.parse(reply);
    told = { time: Number(time), askedAt };
    // Also if it was asked twice, and had been committed the first time.
    const isCommitted = next !== undefined && version === next.version;
    if (isCommitted) known = next;
    else if (kind !== '' && kind !== format) throw foreign(kind);
    else if (version === '' && known.version !== '')
      process.stderr.write(`Redis has lost ${key}; restoring what this server last saw.\n`);
    else if (version !== seen.version) known = { version, state: stateOf(text) };
    else known = seen;
    return { version, state: known.state, time: told.time, isCommitted };
  }

  function stateOf(text: string): State {
    try {
      return schema.parse(JSON.parse(text));
    } catch (error) {
      throw unreadable(`it is damaged: ${messageOf(error)}`);
    }
  }

  function foreign(kind: string): CodegenError {
    return unreadable(
      kind === 'unknown'
        ? 'it is not from codegen-session-mcp'
        : `it has format ${kind}, and this server knows format ${format}`,
    );
  }

  function unreadable(why: string): CodegenError {
    return new CodegenError('WRITE_FAILED', `The key ${key} at ${redis.place} can't be used: ${why}.`, {
      hint: 'Run the same version of codegen-session-mcp everywhere, or set another state.prefix; limits then start counting from zero.',
    });
  }

  async function commit({ apply }: Batch<State>): Promise<Committed> {
    let seen = await ask(known);
    for (let losses = 0; losses < attemptsAtMost; losses++) {
      const state = apply(seen.state, instantOf(seen.time));
      if (state === seen.state) return { lasting: Promise.resolve() };
      const before = seen;
      seen = await ask(before, { version: randomUUID(), state }, before.time, losses);
      if (seen.isCommitted) return { lasting: Promise.resolve() };
      // Nothing changed, so it is another's turn.
      if (seen.version === before.version) await setTimeout(pauseMs * Math.random());
    }
    throw new CodegenError('LOCK_TIMEOUT', `Other servers kept changing ${key} at ${redis.place}.`, {
      hint: 'Try again; if it goes on, let fewer servers share this state.prefix.',
    });
  }

  return {
    async read() {
      return (await ask(known)).state;
    },
    update: batching(commit),
    now: () => instantOf(told.time + 1_000 * (performance.now() - told.askedAt)),
  };
}

/** Redis keeps counting across restarts of its machine, so there is one boot. */
function instantOf(microseconds: number): Instant {
  const milliseconds = microseconds / 1_000;
  return { boot: 'redis', monotonic: milliseconds, wall: milliseconds };
}
