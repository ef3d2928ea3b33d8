import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { heldUpAfterMs } from '../../src/guard/counters.js';
import { entriesOf } from '../../src/guard/limits.js';
import { openState } from '../../src/guard/state.js';
import type { Limit } from '../../src/model/policy.js';
import { inspect, withHeader } from '../../src/model/header.js';
import type { OnConflict } from '../../src/guard/plan.js';
import { openRedis } from '../../src/state/redis.js';
import { startRedis } from '../fixtures/redis.js';
import { emitted, openGuard } from './workspace.js';
import { bundleWorker } from './bundled.js';
import { expect, test } from '../fixtures.js';

interface Writing {
  file: string;
  body: string;
  onConflict?: OnConflict;
  /** What the limit `writes` admits; none without. */
  max?: number;
}

interface Worker {
  child: ChildProcess;
  /** Asks for a write in the test's workspace; its outcome comes when it has been tried. */
  write: (writing: Writing) => Promise<string>;
  /** Has it make calls; comes when all have been answered. */
  admit: (calls: Calls) => Promise<Made[]>;
}

interface Calls {
  limits: Limit[];
  calls: number;
  atOnce: number;
  stopEvery?: number;
  /** URL of the Redis that keeps the state. */
  redis?: string;
}

const madeSchema = z.array(z.object({ began: z.number(), ended: z.number(), outcome: z.string() }));
type Made = z.infer<typeof madeSchema>[number];

// Processes take their time to start, so the tests share them; the last one kills them.
test.describe.configure({ mode: 'default' });
let team: Worker[] = [];

test.beforeAll(async () => {
  test.setTimeout(120_000);
  const worker = await bundleWorker(test.info().outputPath());
  team = await Promise.all(Array.from({ length: 8 }, () => startWorker(worker)));
});

test.afterAll(() => {
  for (const { child } of team) child.kill('SIGKILL');
});

async function startWorker(worker: string): Promise<Worker> {
  const child = spawn(process.execPath, [worker], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.on('error', () => undefined);
  const waiting: ((line: string) => void)[] = [];
  const answers = createInterface({ input: child.stdout });
  answers.on('line', (line) => waiting.shift()?.(line));
  answers.on('close', () => {
    for (const resolve of waiting.splice(0)) resolve('killed');
  });
  const answer = (): Promise<string> => new Promise((resolve) => waiting.push(resolve));
  expect(await answer()).toBe('ready');
  const ask = (request: object): void => {
    child.stdin.write(`${JSON.stringify({ workspace: workspace().root, ...request })}\n`);
  };
  return {
    child,
    write({ max, ...writing }) {
      const limits = max === undefined ? [] : [{ counter: 'writes', window: 'hour', max }];
      ask({ limits, ...writing });
      return answer().then((line) => line.split(' ')[0] ?? '');
    },
    admit(calls) {
      ask(calls);
      return answer().then((line) => madeSchema.parse(JSON.parse(line)));
    },
  };
}

function workspace(): { root: string; output: string; state: string; backups: string } {
  const root = test.info().outputPath('workspace');
  const state = path.join(root, '.codegen');
  return {
    root,
    output: path.join(root, 'generated-tests'),
    state: path.join(state, 'state'),
    backups: path.join(state, 'backups'),
  };
}

const countOf = (outcomes: string[], outcome: string): number =>
  outcomes.filter((one) => one === outcome).length;
const times = <Item>(count: number, make: (index: number) => Item): Item[] =>
  Array.from({ length: count }, (_, index) => make(index));

test('eight processes racing for ten writes get ten', async () => {
  const outcomes = await Promise.all(
    team.flatMap(({ write }, index) =>
      times(5, (n) => write({ file: `w${index}-${n}.spec.ts`, body: '', max: 10 })),
    ),
  );
  expect(countOf(outcomes, 'created')).toBe(10);
  expect(countOf(outcomes, 'RATE_LIMITED')).toBe(30);
  expect(readdirSync(workspace().output)).toHaveLength(10);
});

test('two thousand calls of eight processes, two of them stopped at every step: each limit holds exactly', async () => {
  const { root } = workspace();
  const every: Limit = { counter: 'every', window: 'hour', max: 10_000, scope: 'server' };
  const burst: Limit = { counter: 'burst', window: 'second', max: 25, scope: 'server' };
  const total: Limit = { counter: 'total', window: 'hour', max: 500, scope: 'server' };
  const running = team.map(({ admit }, index) =>
    index < 2
      ? // Not a multiple of the steps that a call takes, so that it is each one's turn.
        admit({ limits: [burst, every], calls: 25, atOnce: 1, stopEvery: 5 })
      : admit({
          limits: index % 2 === 0 ? [burst, every] : [total],
          calls: 325,
          atOnce: 5,
        }),
  );
  const stops = await continueStopped(running);
  const made = await Promise.all(running);
  const outcomes = made.flat().map(({ outcome }) => outcome);
  expect(outcomes).toHaveLength(2_000);
  expect(new Set(outcomes)).toEqual(new Set(['admitted', 'RATE_LIMITED']));
  expect(stops).toBeGreaterThan(20);

  const totals = made.filter((_, index) => index >= 2 && index % 2 === 1).flat();
  expect(totals.filter(({ outcome }) => outcome === 'admitted')).toHaveLength(500);

  // The counter that admits all tells when each was admitted.
  const { counters } = await openState({ directory: path.join(root, '.codegen') }).limits.read();
  const times = entriesOf(counters[JSON.stringify(['server', '', 'every'])], 0).map(({ at }) => at);
  const bursts = made.filter((_, index) => index < 2 || index % 2 === 0).flat();
  expect(times).toHaveLength(bursts.filter(({ outcome }) => outcome === 'admitted').length);
  const usedAt = (now: number): number => times.filter((at) => at <= now && now - at < 1_000).length;
  expect(Math.max(...times.map(usedAt))).toBe(burst.max);
  // A delayed call is decided again: until then it has a place that no list shows.
  const heldUp = bursts.filter(({ began, ended }) => ended - began > heldUpAfterMs);
  const hadRoom = bursts.filter(
    ({ outcome, began, ended }) =>
      outcome === 'RATE_LIMITED' &&
      !heldUp.some((other) => other.began < ended && began < other.ended) &&
      ![began, ...times.filter((at) => at > began && at <= ended)].some((now) => usedAt(now) >= burst.max),
  );
  expect(hadRoom).toEqual([]);
});

test('over Redis, which is stopped for a while, limits of eight processes hold exactly', async () => {
  const redis = await startRedis(test.info().outputPath('redis'));
  try {
    const every: Limit = { counter: 'every', window: 'hour', max: 10_000, scope: 'server' };
    const burst: Limit = { counter: 'burst', window: 'second', max: 25, scope: 'server' };
    const total: Limit = { counter: 'total', window: 'hour', max: 60, scope: 'server' };
    const running = team.map(({ admit }, index) =>
      admit({
        limits: index % 2 === 0 ? [burst, every] : [total],
        calls: 30,
        atOnce: 5,
        redis: redis.url,
      }),
    );
    await setTimeout(100);
    redis.pause();
    await setTimeout(200);
    redis.proceed();
    const made = await Promise.all(running);
    const outcomes = made.flat().map(({ outcome }) => outcome);
    expect(outcomes).toHaveLength(240);
    expect(new Set(outcomes)).toEqual(new Set(['admitted', 'RATE_LIMITED']));
    const admitted = (parity: number): number =>
      made
        .filter((_, index) => index % 2 === parity)
        .flat()
        .filter(({ outcome }) => outcome === 'admitted').length;
    expect(admitted(1)).toBe(60);

    const state = openState({
      directory: workspace().state,
      redis: openRedis({ url: redis.url, prefix: 'test' }),
    });
    const { counters } = await state.limits.read();
    const times = entriesOf(counters[JSON.stringify(['server', '', 'every'])], 0).map(({ at }) => at);
    expect(times).toHaveLength(admitted(0));
    const usedAt = (now: number): number => times.filter((at) => at <= now && now - at < 1_000).length;
    expect(Math.max(...times.map(usedAt))).toBe(burst.max);
  } finally {
    redis.proceed();
    await redis.kill();
  }
});

test('eight processes that want one name: one creates it, or each gets another name', async () => {
  const { output } = workspace();
  for (const file of times(5, (n) => `r${n}.spec.ts`)) {
    const outcomes = await Promise.all(team.map(({ write }, index) => write({ file, body: `w${index}` })));
    expect(countOf(outcomes, 'created')).toBe(1);
    expect(countOf(outcomes, 'FILE_EXISTS')).toBe(7);
    const winner = outcomes.indexOf('created');
    expect(readFileSync(path.join(output, file), 'utf8')).toBe(
      withHeader(`generated-tests/${file}`, `w${winner}`),
    );
  }
  const outcomes = await Promise.all(
    team.map(({ write }, index) =>
      write({ file: 'same.spec.ts', body: `w${index}`, onConflict: 'rename', max: 8 }),
    ),
  );
  expect(countOf(outcomes, 'created')).toBe(8);
  const bodies = readdirSync(output)
    .filter((name) => name.startsWith('same'))
    .map((name) => readFileSync(path.join(output, name), 'utf8').split('\n')[1]);
  expect(bodies.sort()).toEqual(times(8, (index) => `w${index}`));
});

test('a process killed at any moment leaves only complete files, and nobody reads a partial one', async () => {
  const { root, output, backups } = workspace();
  const bodies = ['a', 'b'].map((letter) => letter.repeat(250_000));
  const expectWhole = (file: string): void => {
    const relative = `generated-tests/${file}`;
    const absolute = path.join(root, relative);
    if (existsSync(absolute)) expect(inspect(relative, readFileSync(absolute, 'utf8'))).toBe('untouched');
  };
  await Promise.all(
    team.map(async ({ child, write }, index) => {
      const file = `k${index}.spec.ts`;
      await write({ file, body: bodies[0] ?? '' });
      const writings = times(40, (n) => {
        return write({ file, body: bodies[(n + 1) % 2] ?? '', onConflict: 'overwrite' });
      });
      // The moments of the kills are spread over a write or two.
      const end = performance.now() + 10 * index + 10 * Math.random();
      while (performance.now() < end) {
        expectWhole(file);
        await setImmediate();
      }
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
      expectWhole(file);
      expect(await writings.at(-1)).toBe('killed');
    }),
  );

  const guard = openGuard(root);
  for (const file of times(8, (index) => `k${index}.spec.ts`)) {
    const [written] = await guard.write({
      files: [{ file, content: emitted('after') }],
      onConflict: 'overwrite',
    });
    expect(['created', 'replaced']).toContain(written?.change);
  }
  expect(readdirSync(output).sort()).toEqual(times(8, (index) => `k${index}.spec.ts`));
  for (const name of existsSync(backups) ? readdirSync(backups) : []) {
    const [, body] = readFileSync(path.join(backups, name), 'utf8').split('\n');
    expect(bodies.includes(body ?? '')).toBe(true);
  }
});

/** Lets each process that stopped itself go on once the others have left its generation far behind. */
async function continueStopped(running: Promise<unknown>[]): Promise<number> {
  const { root, state } = workspace();
  const newest = (): number => Math.max(0, ...readdirSync(state).map((name) => Number(name) || 0));
  const stoppedAt = new Map<string, number>();
  let working = running.length;
  for (const each of running) void each.then(() => working--);
  let stops = 0;
  while (working > 0) {
    await setTimeout(2);
    for (const mark of readdirSync(root).filter((name) => name.startsWith('stopped-'))) {
      const since = stoppedAt.get(mark) ?? newest();
      stoppedAt.set(mark, since);
      if (newest() < since + 20 && working > 2) continue;
      process.kill(Number(mark.slice('stopped-'.length)), 'SIGCONT');
      if (stoppedAt.delete(mark)) stops++;
    }
  }
  return stops;
}
