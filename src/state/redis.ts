import type { RedisClientType } from '@redis/client';
import { CodegenError, messageOf } from '../model/errors.js';

/** Milliseconds for a connection to be made, and for each answer. */
const patienceMs = 2_000;
/** Milliseconds after which it is worth trying again. */
const retryAfterMs = 1_000;

/** Redis, as all servers of one prefix share it. */
export interface Redis {
  /** Where it is, without credentials. */
  place: string;
  /** The whole name of a key. */
  key: (name: string) => string;
  /**
   * Runs commands over a connection that is made when it is first needed, and anew after it was lost. Throws
   * WRITE_FAILED where Redis can't be reached, does not answer in time, or refuses.
   */
  run: <Result>(task: (client: RedisClientType) => Promise<Result>) => Promise<Result>;
}

/** Redis as configured; undefined where the state is kept in files alone. */
export function redisOf({ url, prefix }: { url: string | null; prefix: string }): Redis | undefined {
  return url === null ? undefined : openRedis({ url, prefix });
}

/** Names Redis at a `redis://` or `rediss://` URL; nothing is connected yet. */
export function openRedis(options: { url: string; prefix: string }): Redis {
  const { url, prefix } = options;
  const { protocol, host, pathname } = new URL(url);
  const place = `${protocol}//${host}${pathname}`;
  let connected: Promise<RedisClientType> | undefined;

  async function connect(): Promise<RedisClientType> {
    const { createClient } = await import('@redis/client');
    const client: RedisClientType = createClient({
      url,
      disableOfflineQueue: true,
      socket: { connectTimeout: patienceMs, reconnectStrategy: false },
    });
    const forget = (): void => {
      connected = undefined;
    };
    client.on('error', forget).on('end', forget);
    // What waits for an answer keeps the process alive, not the connection.
    client.unref();
    try {
      await inTime(client.connect());
      return client;
    } catch (error) {
      client.destroy();
      throw error;
    }
  }

  /** What was sent over a connection that is given up may still be done; nothing is sent over it again. */
  async function giveUp(connection: Promise<RedisClientType>): Promise<void> {
    if (connected === connection) connected = undefined;
    (await connection).destroy();
  }

  return {
    place,
    key: (name) => `${prefix}:${name}`,
    async run(task) {
      const connection = (connected ??= connect());
      try {
        const client = await connection;
        return await inTime(task(client));
      } catch (error) {
        if (error instanceof CodegenError) throw error;
        const { ErrorReply } = await import('@redis/client');
        // Where Redis has answered, if with an error, the connection is sound.
        if (!(error instanceof ErrorReply)) await giveUp(connection).catch(() => undefined);
        throw new CodegenError('WRITE_FAILED', `The state at ${place} can't be used: ${reasonOf(error)}.`, {
          hint: 'Try again: Redis is used again as soon as it answers. If it goes on, see that it runs; `codegen-session-mcp doctor` tells whether it answers.',
          retryAfterMs,
          cause: error,
        });
      }
    },
  };
}

async function inTime<Result>(answer: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer within ${patienceMs} ms`));
    }, patienceMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A name that leads to several addresses fails with one error for each. */
function reasonOf(error: unknown): string {
  return error instanceof AggregateError ? error.errors.map(messageOf).join(', ') : messageOf(error);
}
