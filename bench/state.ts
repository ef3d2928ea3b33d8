/**
 * Calls per second that a limit admits, with the state in files and in Redis, by one process and by several:
 * `npx tsx bench/state.ts`. Each child process gets a Redis URL, or none, and a number of calls.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { startRedis } from '../test/fixtures/redis.js';
import { openGuard } from '../test/guard/workspace.js';

const calls = 600;
/** Concurrent calls per process. */
const atOnce = 8;

const [workspace, url, own] = process.argv.slice(2);
if (workspace === undefined) await measureAll();
else await admit(workspace, url === '-' ? undefined : url, Number(own));

async function admit(workspace: string, redis: string | undefined, count: number): Promise<void> {
  const limit = { counter: 'calls', window: 'hour', max: 10_000, scope: 'server' };
  const guard = openGuard(workspace, { redis, policy: { tools: { end: { limits: [limit] } } } });
  await guard.admit({ tool: 'end' });
  process.send?.('ready');
  await once(process, 'message');
  let left = count;
  const slowest: number[] = [];
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (left-- > 0) {
        const began = performance.now();
        await guard.admit({ tool: 'end' });
        slowest.push(performance.now() - began);
      }
    }),
  );
  slowest.sort((a, b) => a - b);
  process.send?.(slowest[Math.floor(slowest.length * 0.99)] ?? 0);
  process.disconnect();
}

async function measureAll(): Promise<void> {
  const directory = await mkdtemp(path.join(tmpdir(), 'codegen-bench-'));
  const [forgetful, lasting] = await Promise.all([
    startRedis(path.join(directory, 'forgetful')),
    startRedis(path.join(directory, 'lasting'), { persistent: true }),
  ]);
  const places = {
    files: '-',
    'Redis, in memory': forgetful.url,
    'Redis, each change synced to disk': lasting.url,
  };
  for (const [name, url] of Object.entries(places))
    for (const processes of [1, 2, 4]) {
      for (const redis of [forgetful, lasting]) await redis.command('FLUSHALL');
      const { perSecond, slowMs } = await measure(
        path.join(directory, `${name}-${processes}`),
        url,
        processes,
      );
      console.log(
        `${name}, ${processes} processes: ${Math.round(perSecond)} calls/s, 99 of 100 within ${Math.round(slowMs)} ms`,
      );
    }
  await Promise.all([forgetful.kill(), lasting.kill()]);
  await rm(directory, { recursive: true });
}

async function measure(
  workspace: string,
  url: string,
  processes: number,
): Promise<{ perSecond: number; slowMs: number }> {
  const each = calls / processes;
  const children = Array.from({ length: processes }, () =>
    fork(fileURLToPath(import.meta.url), [workspace, url, String(each)], { execArgv: ['--import', 'tsx'] }),
  );
  await Promise.all(children.map((child) => once(child, 'message')));
  const began = performance.now();
  const slow = await Promise.all(
    children.map(async (child) => {
      child.send('go');
      const told: unknown[] = await once(child, 'message');
      return Number(told[0]);
    }),
  );
  return { perSecond: (1000 * calls) / (performance.now() - began), slowMs: Math.max(...slow) };
}
