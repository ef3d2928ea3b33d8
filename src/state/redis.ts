import type { RedisClientType } from '@redis/client';
import { CodegenError, messageOf } from '../model/errors.js';
import { deadline } from '../model/within.js';

/** For connecting, and for each answer. */
const timeoutMs = 2_000;
const retryAfterMs = 1_000;

class LateError extends Error {}

/** The Redis that all servers with one prefix share. */
export interface Redis {
  /** Its URL without credentials. */
  place: string;
  /** The name of a key with the prefix. */
  key: (name: string) => string;
  /** Runs commands over a shared connection. If it is lost, they may run twice. Throws WRITE_FAILED. */
  run: <Result>(task: (client: RedisClientType) => Promise<Result>) => Promise<Result>;
}

/** The configured Redis; undefined if the state is only in files. */
export function redisOf({ url, prefix }: { url: string | null; prefix: string }): Redis | undefined {
  return url === null ? undefined : openRedis({ url, prefix });
}

/** Connects on first use. */
export function openRedis({ url, prefix }: { url: string; prefix: string }): Redis {
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
      socket: { connectTimeout: timeoutMs, reconnectStrategy: false },
    });
    client.on('error', onLost).on('end', onLost);
    // Only pending answers keep the process alive.
    client.unref();
    try {
      await inTime(client.connect());
      return client;
    } catch (error) {
      client.destroy();
      throw error;
    }
  }

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
      if (!(error instanceof ErrorReply)) {
        await giveUp(connection).catch(() => undefined);
        // An old connection may have been lost with a restart of Redis.
        if (!isNew && !(error instanceof LateError)) return run(task);
      }
      throw new CodegenError('WRITE_FAILED', `The state at ${place} can't be used: ${reasonOf(error)}.`, {
        hint: 'Try again: Redis is used as soon as it answers. If it keeps failing, check that it runs; `codegen-session-mcp doctor` reports whether it answers.',
        retryAfterMs,
      });
    }
  }

  return { place, key: (name) => `${prefix}:${name}`, run };
}

function inTime<Result>(answer: Promise<Result>): Promise<Result> {
  return deadline(timeoutMs, answer, () => new LateError(`no answer within ${timeoutMs} ms`));
}

/** A host with several addresses fails with one error for each. */
function reasonOf(error: unknown): string {
  return error instanceof AggregateError ? error.errors.map(messageOf).join(', ') : messageOf(error);
}
