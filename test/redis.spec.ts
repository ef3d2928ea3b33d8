import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { approvals } from '../src/cli/approvals.js';
import { loadConfig } from '../src/config/load.js';
import { binary, configure, connect, expect, test } from './fixtures.js';
import { startRedis } from './fixtures/redis.js';

const lineSchema = z.looseObject({ order: z.number().optional(), event: z.string(), grant: z.string() });

/** The command line's output, whatever its status. */
async function run(cwd: string, ...args: string[]): Promise<string> {
  const ran = promisify(execFile)(process.execPath, [binary, ...args], { cwd });
  return (await ran.catch((error: unknown) => z.object({ stdout: z.string() }).parse(error))).stdout;
}

test('servers of two machines share limits, approvals and the order of their logs; while Redis is down they reject calls, and continue when it returns', async () => {
  const redis = await startRedis(test.info().outputPath('redis'), { persistent: true });
  const places = ['one', 'two'].map((name) => test.info().outputPath(name));
  const limit = { counter: 'looks', window: 'hour', max: 5, scope: 'server' };
  const config = {
    // So that `doctor` has none to start.
    browser: { executablePath: '/nowhere' },
    state: { url: redis.url.replace('://', '://default:hunter2@'), prefix: 'shop' },
    policy: {
      version: '1',
      default: 'allow',
      tools: {
        get_codegen_session: { limits: [limit] },
        run_generated_test: { action: 'require_approval' },
      },
    },
  };
  await redis.command('CONFIG', 'SET', 'requirepass', 'hunter2');
  const servers = await Promise.all(
    places.map(async (place, index) => {
      await mkdir(place);
      await configure(place, config);
      return connect(place, { args: ['--grant', `g${index}`] });
    }),
  );
  try {
    const look = async (server = servers[0]) => (await server?.call('get_codegen_session'))?.error;
    const answers = await Promise.all([...servers, ...servers, ...servers].map(look));
    expect(answers.filter((error) => error === undefined)).toHaveLength(5);
    expect(answers.find((error) => error !== undefined)).toMatchObject({ code: 'RATE_LIMITED' });

    const [first, second] = servers;
    const [one = '', two = ''] = places;
    const asked = await first?.call('run_generated_test', { grep: 'any' });
    const id = /person: (\w+)/.exec(asked?.error?.message ?? '')?.[1] ?? '';
    const printed: string[] = [];
    const terminal = { ask: () => Promise.resolve('yes') };
    await approvals({ workspace: two }, { command: 'approve', id, reason: undefined }, terminal, (line) =>
      printed.push(line),
    );
    expect(printed.join('\n')).toMatch(/run_generated_test by g0[^]*"grep": "any"[^]*Approved/);
    expect((await second?.call('run_generated_test', { grep: 'any' }))?.error?.code).toBe(
      'APPROVAL_REQUIRED',
    );
    expect((await first?.call('run_generated_test', { grep: 'any' }))?.error?.code).toBe('INVALID_INPUT');

    expect(await run(one, 'doctor')).toMatch(/ok {7}Redis: redis:\/\/127\.0\.0\.1:\d+, version \d/);
    await redis.kill();
    const began = performance.now();
    const refused = await look();
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(refused).toMatchObject({ code: 'WRITE_FAILED', retryAfterMs: 1_000 });
    expect(JSON.stringify(refused)).not.toContain('hunter2');
    // What no limit covers needs no Redis.
    expect((await second?.call('clear_codegen_session', { sessionId: 'none' }))?.error?.code).toBe(
      'SESSION_NOT_FOUND',
    );
    expect(await run(one, 'doctor')).toMatch(/problem {2}Redis: .*ECONNREFUSED[^]*calls with limits/);
    await redis.start();
    await redis.command('CONFIG', 'SET', 'requirepass', 'hunter2');
    expect(await look()).toMatchObject({ code: 'RATE_LIMITED' });

    const logs = places.map((place) => path.join(place, '.codegen', 'audit.jsonl'));
    const lines = logs.map((log) =>
      readFileSync(log, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => lineSchema.parse(JSON.parse(line))),
    );
    const orders = lines.map((each) => each.flatMap(({ order }) => order ?? []));
    for (const each of orders) expect(each.toSorted((a, b) => a - b)).toEqual(each);
    const all = orders.flat().toSorted((a, b) => a - b);
    expect(new Set(all)).toHaveProperty('size', all.length);
    // The lines of the two while Redis was away have none.
    expect(lines.flat().filter(({ order }) => order === undefined)).toHaveLength(2);
    expect(Math.min(...(orders[0] ?? []))).toBeLessThan(Math.max(...(orders[1] ?? [])));
    expect(Math.min(...(orders[1] ?? []))).toBeLessThan(Math.max(...(orders[0] ?? [])));
    for (const place of places) expect(await run(place, 'audit', 'verify')).toMatch(/^ok {7}\d+ lines/);
    for (const server of servers) expect(server.stderr()).not.toContain('hunter2');
  } finally {
    await Promise.all(servers.map((server) => server.close()));
    await redis.kill();
  }
});

test('an invalid Redis URL is rejected without showing its password', async ({ workspace }) => {
  for (const url of ['http://ann:hunter2@redis.example', 'redis://ann:hunter2@redis.example/shop']) {
    await configure(workspace, { state: { url } });
    const problem = await loadConfig({ workspace }).catch(String);
    expect(problem).toMatch(/state\.url is ".*…@redis\.example.*": expected a URL such as redis:/);
    expect(problem).not.toContain('hunter2');
  }
});
