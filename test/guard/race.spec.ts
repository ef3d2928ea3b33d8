import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from '@playwright/test';
import { inspect, withHeader } from '../../src/guard/header.js';
import type { OnConflict } from '../../src/guard/plan.js';
import { emitted, openGuard } from './workspace.js';

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
}

// Processes take their time to start, so the tests share them; the last one kills them.
test.describe.configure({ mode: 'default' });
let team: Worker[] = [];

test.beforeAll(async () => {
  test.setTimeout(120_000);
  team = await Promise.all(Array.from({ length: 8 }, startWorker));
});

test.afterAll(() => {
  for (const { child } of team) child.kill('SIGKILL');
});

async function startWorker(): Promise<Worker> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'test/guard/worker.ts'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.on('error', () => undefined);
  const waiting: ((line: string) => void)[] = [];
  const answers = createInterface({ input: child.stdout });
  answers.on('line', (line) => waiting.shift()?.(line.split(' ')[0] ?? ''));
  answers.on('close', () => {
    for (const resolve of waiting.splice(0)) resolve('killed');
  });
  const answer = (): Promise<string> => new Promise((resolve) => waiting.push(resolve));
  expect(await answer()).toBe('ready');
  return {
    child,
    write({ max, ...writing }) {
      const limits = max === undefined ? [] : [{ counter: 'writes', window: 'hour', max }];
      child.stdin.write(`${JSON.stringify({ workspace: workspace().root, limits, ...writing })}\n`);
      return answer();
    },
  };
}

function workspace(): { root: string; output: string; lock: string; backups: string } {
  const root = test.info().outputPath('workspace');
  const state = path.join(root, '.codegen');
  return {
    root,
    output: path.join(root, 'generated-tests'),
    lock: path.join(state, 'state.lock'),
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

test('also when holders of the lock are stopped, and go on after it was taken over', async () => {
  const max = 40;
  const { output, lock } = workspace();
  const holders = team.slice(0, 2);
  const others = team.slice(2);
  const outcomes: Promise<string>[] = [];
  for (const [index, { child, write }] of holders.entries()) {
    outcomes.push(...times(25, (n) => write({ file: `h${index}-${n}.spec.ts`, body: '', max })));
    await stopHolding(child, lock);
    for (let round = 0; existsSync(lock); round++) {
      const writings = others.map((other, n) =>
        other.write({ file: `o${index}-${round}-${n}.spec.ts`, body: '', max }),
      );
      outcomes.push(...writings);
      await Promise.all(writings);
    }
  }
  for (const { child } of holders) child.kill('SIGCONT');
  const all = await Promise.all(outcomes);
  expect(countOf(all, 'created')).toBe(max);
  expect(countOf(all, 'RATE_LIMITED')).toBe(all.length - max);
  expect(readdirSync(output)).toHaveLength(max);
});

test('eight processes that want one name: one creates it, or each gets its own', async () => {
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

test('a process killed at any moment leaves whole files only, and nobody reads half of one', async () => {
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

/** Stops a process at a moment when it, the only one at work, holds the lock. */
async function stopHolding(child: ChildProcess, lock: string): Promise<void> {
  for (;;) {
    await expect.poll(() => existsSync(lock), { intervals: [1] }).toBe(true);
    child.kill('SIGSTOP');
    await expect.poll(() => readFileSync(`/proc/${child.pid ?? 0}/stat`, 'utf8')).toContain(') T ');
    if (existsSync(lock)) return;
    child.kill('SIGCONT');
  }
}
