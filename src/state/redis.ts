import type { RedisClientType } from '@redis/client';
import { CodegenError, messageOf } from '../model/errors.js';

/** Milliseconds to connect, and for each answer. */
const patienceMs = 2_000;
/** Milliseconds after which it is worth trying again. */
const retryAfterMs = 1_000;

/** Cause of the errors of answers that did not come in time. */
const lateness = Symbol('late');

/** Redis, as all servers of one prefix share it. */
export interface Redis {
  /** Where it is, without credentials. */
  place: string;
  /** The whole name of a key. */
  key: (name: string) => string;
  /**
   * Runs commands over a connection that is opened on first use, and again after it was lost: they may then
   * be done twice. Throws
   * WRITE_FAILED if Redis can't be reached, does not answer in time, or refuses.
   */
  run: <Result>(task: (client: RedisClientType) => Promise<Result>) => Promise<Result>;
}

/** Redis as configured; undefined if the state is kept in files alone. */
export function redisOf({ url, prefix }: { url: string | null; prefix: string }): Redis | undefined {
  return url === null ? undefined : openRedis({ url, prefix });
}

/** Names Redis at a `redis://` or `rediss://` URL; nothing is connected yet. */
export function openRedis(options: { url: string; prefix: string }): Redis {
  const { url, prefix } = options;
  const { protocol, host, pathname } = new URL(url);
  const place = `${protocol}//${host}${pathname}`;
  let connected: Promise<RedisClientType> | undefined;

  function connect(): Promise<RedisClientType> {
    const connection: Promise<RedisClientType> = open(() => {
      if (connected === connection) connected = undefined;
    });
    return connection;
  }

  async function open(onLost: () => void): Promise<RedisClientType> {
    const { createClient } = await import('@redis/client');
    const client: RedisClientType = createClient({
      url,
      disableOfflineQueue: true,
      socket: { connectTimeout: patienceMs, reconnectStrategy: false },
    });
    client.on('error', onLost).on('end', onLost);
    // Pending answers keep the process alive, the connection does not.
    client.unref();
    try {
      await inTime(client.connect());
      return client;
    } catch (error) {
      client.destroy();
      throw error;
    }
  }

  /** Abandons a connection. Redis may still execute what was sent over it. */
  async function giveUp(connection: Promise<RedisClientType>): Promise<void> {
    if (connected === connection) connected = undefined;
    (await connection).destroy();
  }

  async function run<Result>(task: (client: RedisClientType) => Promise<Result>): Promise<Result> {
    const isNew = connected === undefined;
    const connection = (connected ??= connect());
    try {
      const client = await connection;
      return await inTime(task(client));
    } catch (error) {
      if (error instanceof CodegenError) throw error;
      const { ErrorReply } = await import('@redis/client');
      // If Redis has answered, even with an error, the connection works.
      const isSound = error instanceof ErrorReply;
      if (!isSound) await giveUp(connection).catch(() => undefined);
      // A restart of Redis is sometimes noticed only here.
      if (!isSound && !isNew && !isLate(error)) return run(task);
      throw new CodegenError('WRITE_FAILED', `The state at ${place} can't be used: ${reasonOf(error)}.`, {
        hint: 'Try again: Redis is used as soon as it answers. If it keeps failing, check that it runs; `codegen-session-mcp doctor` reports whether it answers.',
        retryAfterMs,
      });
    }
  }

  return { place, key: (name) => `${prefix}:${name}`, run };
}

async function inTime<Result>(answer: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer within ${patienceMs} ms`, { cause: lateness }));
    }, patienceMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

function isLate(error: unknown): boolean {
  return error instanceof Error && error.cause === lateness;
}

/** A name that leads to several addresses fails with one error for each. */
function reasonOf(error: unknown): string {
  return error instanceof AggregateError ? error.errors.map(messageOf).join(', ') : messageOf(error);
}
