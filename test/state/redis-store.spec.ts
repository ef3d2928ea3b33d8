import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { z } from 'zod';
import { RedisStore } from '../../src/state/redis-store.js';
import { openRedis } from '../../src/state/redis.js';
import { startRedis, type RedisServer } from '../fixtures/redis.js';
import { expect, test } from '../fixtures.js';

const schema = z.object({ value: z.number() });
let redis: RedisServer;
let opened = 0;

test.describe.configure({ mode: 'default' });
test.beforeAll(async () => {
  redis = await startRedis(path.join(test.info().project.outputDir, 'redis-own'), { persistent: true });
});
test.afterAll(() => redis.kill());

/** A key of its own, and two servers that share it. */
function open(prefix = `test-${++opened}`) {
  const store = () => new RedisStore(openRedis({ url: redis.url, prefix }), 'state', schema, { value: 0 });
  return { key: `${prefix}:state`, store: store(), other: store() };
}

const increment = (state: { value: number }) => ({
  state: { value: state.value + 1 },
  result: state.value + 1,
});

/** A command that is through when this returns. */
function atOnce(...words: string[]): string {
  return execFileSync('redis-cli', ['-u', redis.url, ...words], { encoding: 'utf8' });
}

test('a concurrent commit has the change evaluated again; a change without effect writes nothing', async () => {
  const { key, store, other } = open();
  await store.update(increment);
  const seen: number[] = [];
  const result = await other.update((state) => {
    seen.push(state.value);
    if (seen.length === 1) atOnce('HSET', key, 'version', 'x', 'state', '{"value":100}');
    return increment(state);
  });
  expect([seen, result]).toEqual([[1, 100], 101]);
  const version = await redis.command('HGET', key, 'version');
  expect(await store.update((state) => ({ state, result: state.value }))).toBe(101);
  expect(await redis.command('HGET', key, 'version')).toBe(version);
});

test('a writer that keeps losing gets a turn, and one without a turn gives up', async () => {
  const { key, store } = open();
  await store.update(increment);
  let evaluations = 0;
  const always = (state: { value: number }) => {
    // Another commits first, unless it is not its turn.
    if (atOnce('HGET', key, 'turn').trim() === '')
      atOnce('HSET', key, 'version', `${++evaluations}`, 'state', '{"value":7}');
    return increment(state);
  };
  expect(await store.update(always)).toBe(8);
  expect(evaluations).toBe(4);
  atOnce('HSET', key, 'turn', 'another', 'turnEnds', '9e15');
  await expect(store.update(increment)).rejects.toMatchObject({ code: 'LOCK_TIMEOUT' });
});

test('a decision that is too old is not committed', async () => {
  const { store } = open();
  const times: number[] = [];
  await store.update((state, now) => {
    times.push(now.monotonic);
    if (times.length === 1) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600);
    return increment(state);
  });
  expect(times).toHaveLength(2);
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(500);
  expect(await store.read()).toEqual({ value: 1 });
});

test("if Redis's clock is set back, time continues from its last value", async () => {
  const { key, store } = open();
  const timeOf = () => store.update((state, now) => ({ ...increment(state), result: now.monotonic }));
  const before = await timeOf();
  // As if the clock had been an hour ahead when that was written.
  const ahead = (before + 3_600_000) * 1_000;
  await redis.command('HSET', key, 'time', ahead.toFixed(0));
  const [first, second] = [await timeOf(), await timeOf()];
  expect(first).toBeGreaterThanOrEqual(before + 3_600_000);
  expect(second).toBeGreaterThan(first);
  expect(second).toBeLessThan(first + 2_000);
});

test('keys of newer servers, of others, and damaged ones are left alone', async () => {
  for (const [words, why] of [
    [['HSET', 'format', '2', 'version', 'x', 'state', '{}'], 'format 2, and this server supports format 1'],
    [['HSET', 'name', 'Ann'], 'it is not from codegen-session-mcp'],
    [['SET', 'Ann'], 'WRONGTYPE'],
    [['HSET', 'format', '1', 'version', 'x', 'state', '{"value":"much"}'], 'it is corrupt'],
  ] as const) {
    const { key, store } = open();
    const [name, ...rest] = words;
    await redis.command(name, key, ...rest);
    const before = await redis.command('DUMP', key);
    for (const use of [() => store.read(), () => store.update(increment)])
      await expect(use()).rejects.toMatchObject({
        code: 'WRITE_FAILED',
        message: expect.stringContaining(why),
      });
    expect(await redis.command('DUMP', key)).toEqual(before);
  }
});

test('data that Redis lost is restored by the server that saw it last', async () => {
  const { key, store, other } = open();
  await store.update(increment);
  await store.update(increment);
  await redis.command('DEL', key);
  expect(await store.read()).toEqual({ value: 2 });
  expect(await store.update(increment)).toBe(3);
  expect(await other.update(increment)).toBe(4);
});

test('while Redis is down, calls fail in bounded time without showing its password; when it returns, it is used again', async () => {
  const prefix = 'away';
  const url = redis.url.replace('://', '://default:hunter2@');
  const { store } = open(prefix);
  const named = new RedisStore(openRedis({ url, prefix }), 'state', schema, { value: 0 });
  await redis.command('CONFIG', 'SET', 'requirepass', 'hunter2');
  expect(await named.update(increment)).toBe(1);
  await expect(store.read()).rejects.toMatchObject({
    code: 'WRITE_FAILED',
    message: expect.stringContaining('NOAUTH'),
  });

  const refused = async () => {
    const began = performance.now();
    const error: unknown = await named.update(increment).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'WRITE_FAILED', retryAfterMs: 1_000 });
    expect(JSON.stringify(error) + String(error)).not.toContain('hunter2');
    return { ms: performance.now() - began, message: String(error) };
  };
  redis.pause();
  // Over the connection that there is, and while another is made.
  for (let attempt = 0; attempt < 2; attempt++) {
    const paused = await refused();
    expect(paused.message).toMatch(/no answer within 2000 ms|[Tt]imeout/);
    expect(paused.ms).toBeLessThan(5_000);
  }
  redis.proceed();
  // What was sent while it was paused comes too late to count.
  expect(await named.update(increment)).toBe(2);

  await redis.kill();
  for (let attempt = 0; attempt < 2; attempt++) {
    const { ms, message } = await refused();
    expect(ms).toBeLessThan(1_000);
    expect(message).toMatch(/The state at redis:\/\/127\.0\.0\.1:\d+ can't be used: .*ECONNREFUSED/);
  }
  await redis.start();
  expect(await open(prefix).store.update(increment)).toBe(3);
});
