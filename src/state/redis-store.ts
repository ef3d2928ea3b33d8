import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { z, type ZodType } from 'zod';
import { CodegenError, messageOf } from '../model/errors.js';
import { log } from '../model/log.js';
import type { Instant } from './clock.js';
import type { Redis } from './redis.js';
import { batching, type Batch, type Committed, type StateStore } from './store.js';

/** Version of the stored format; servers with another one reject it. */
const format = '1';
const maxAttempts = 100;
/** Maximum pause before another attempt while it is another server's turn. */
const pauseMs = 10;

/**
 * Commits a state if it was computed from the current version; otherwise returns the current state. Uses Redis's clock,
 * corrected so that it never runs backwards. Rejects a state that was computed too long ago, so that a delayed command
 * changes nothing. A server that has lost three times gets a turn: otherwise nearby servers would starve distant ones.
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

/** A state and its version in Redis, which is empty if there is none yet. */
interface Known<State> {
  version: string;
  state: State;
}

/** Redis's answer about a key. `time` is in microseconds. */
interface Seen<State> extends Known<State> {
  time: number;
  isCommitted: boolean;
}

/**
 * A store under one key of Redis: compare-and-swap by an atomic script, with Redis's clock. The last state seen is cached,
 * so that it need not be sent again, and restored if Redis has lost it.
 */
export class RedisStore<State> implements StateStore<State> {
  readonly update = batching((batch: Batch<State>) => this.commit(batch));
  private readonly key: string;
  private readonly asker = randomUUID();
  private known: Known<State>;
  /** The last time that Redis reported, in microseconds, and when it was asked. */
  private latest = { time: Date.now() * 1_000, askedAt: performance.now() };

  constructor(
    private readonly redis: Redis,
    name: string,
    private readonly schema: ZodType<State>,
    initial: State,
  ) {
    this.key = redis.key(name);
    this.known = { version: '', state: initial };
  }

  async read(): Promise<State> {
    return (await this.ask(this.known)).state;
  }

  now(): Instant {
    return instantOf(this.latest.time + 1_000 * (performance.now() - this.latest.askedAt));
  }

  private async ask(
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
      this.asker,
      String(losses),
    ];
    const reply = await this.redis.run((client) =>
      client.eval(exchange, { keys: [this.key], arguments: args }),
    );
    const [kind, version, text, time] = replySchema.parse(reply);
    this.latest = { time: Number(time), askedAt };
    // Also true if the command ran twice and was committed the first time.
    const isCommitted = next !== undefined && version === next.version;
    if (isCommitted) this.known = next;
    else if (kind === 'unknown') throw this.unusable('it is not from codegen-session-mcp');
    else if (kind !== '' && kind !== format)
      throw this.unusable(`it has format ${kind}, and this server supports format ${format}`);
    else if (version === '' && this.known.version !== '')
      log(`Redis has lost ${this.key}; restoring what this server last saw.`);
    else if (version !== seen.version) this.known = { version, state: this.stateOf(text) };
    else this.known = seen;
    return { version, state: this.known.state, time: this.latest.time, isCommitted };
  }

  private stateOf(text: string): State {
    try {
      return this.schema.parse(JSON.parse(text));
    } catch (error) {
      throw this.unusable(`it is corrupt: ${messageOf(error)}`);
    }
  }

  private unusable(why: string): CodegenError {
    const problem = `The key ${this.key} at ${this.redis.place} can't be used: ${why}.`;
    return new CodegenError('WRITE_FAILED', problem, {
      hint: 'Run the same version of codegen-session-mcp everywhere, or set another state.prefix; limits then start counting from zero.',
    });
  }

  private async commit({ apply }: Batch<State>): Promise<Committed> {
    let seen = await this.ask(this.known);
    for (let losses = 0; losses < maxAttempts; losses++) {
      const state = apply(seen.state, instantOf(seen.time));
      if (state === seen.state) return { durable: Promise.resolve() };
      const before = seen;
      seen = await this.ask(before, { version: randomUUID(), state }, before.time, losses);
      if (seen.isCommitted) return { durable: Promise.resolve() };
      // Rejected although nothing changed: it is another server's turn.
      if (seen.version === before.version) await setTimeout(pauseMs * Math.random());
    }
    const busy = `Other servers kept changing ${this.key} at ${this.redis.place}.`;
    throw new CodegenError('LOCK_TIMEOUT', busy, {
      hint: 'Try again. If it keeps failing, share this state.prefix between fewer servers.',
    });
  }
}

/** The time continues across restarts of Redis, so there is only one boot. */
function instantOf(microseconds: number): Instant {
  const milliseconds = microseconds / 1_000;
  return { boot: 'redis', monotonic: milliseconds, wall: milliseconds };
}
