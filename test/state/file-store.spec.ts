import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { FileStore } from '../../src/state/file-store.js';
import { expect, test } from '../fixtures.js';

const schema = z.object({ value: z.number() });

function open() {
  const directory = test.info().outputPath('.codegen');
  return {
    directory,
    folder: path.join(directory, 'state'),
    store: new FileStore(directory, schema, { value: 0 }),
  };
}

const increment = (state: { value: number }) => ({
  state: { value: state.value + 1 },
  result: state.value + 1,
});

function generations(folder: string): number[] {
  return readdirSync(folder)
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

test('stores its content for the owner alone, ignored by git', async () => {
  const { directory, store } = open();
  expect(await store.read()).toEqual({ value: 0 });
  expect(await store.update(increment)).toBe(1);
  expect(await new FileStore(directory, schema, { value: 0 }).read()).toEqual({ value: 1 });
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
  expect(await readFile(path.join(directory, '.gitignore'), 'utf8')).toBe('*\n');
});

test('writes nothing if nothing changes', async () => {
  const { folder, store } = open();
  await store.update(increment);
  expect(await store.update((state) => ({ state, result: state.value }))).toBe(1);
  expect(generations(folder)).toEqual([1]);
});

test('loses none of many concurrent updates, and keeps few generations', async () => {
  const { directory, folder, store } = open();
  const other = new FileStore(directory, schema, { value: 0 });
  for (let round = 0; round < 40; round++)
    await Promise.all([store.update(increment), other.update(increment, { durable: false })]);
  expect(await store.read()).toEqual({ value: 80 });
  await expect.poll(() => generations(folder).length).toBeLessThanOrEqual(32);
});

test('evaluates again if another process was faster', async () => {
  const { folder, store } = open();
  await store.update(increment);
  const seen: number[] = [];
  await store.update((state) => {
    seen.push(state.value);
    if (seen.length === 1) generation(folder, 2, '{"value":100}');
    return increment(state);
  });
  expect(seen).toEqual([1, 100]);
  expect(await store.read()).toEqual({ value: 101 });
});

test('is not deceived by a number that was released while it was stopped', async () => {
  const { folder, store } = open();
  await store.update(increment);
  let evaluations = 0;
  await store.update((state) => {
    evaluations++;
    if (evaluations === 1) {
      // Others went on to 60 and removed the old generations, so that the number 2 can be created.
      generation(folder, 60, '{"value":60}');
      rmSync(path.join(folder, '1'), { recursive: true });
    }
    return increment(state);
  });
  expect(evaluations).toBe(2);
  expect(await store.read()).toEqual({ value: 61 });
  expect(generations(folder).at(-1)).toBe(61);
});

test('returns to the generation before a truncated one, and continues from it', async () => {
  const { folder, store } = open();
  await store.update(increment);
  await store.update(increment);
  await writeFile(path.join(folder, '2', 'state.json'), '{"val');
  expect(await store.read()).toEqual({ value: 1 });
  expect(await store.update(increment)).toBe(2);
  expect(generations(folder)).toEqual([1, 2, 3]);
});

test('fails instead of starting from zero if nothing can be read', async () => {
  const { folder, store } = open();
  await store.update(increment);
  await writeFile(path.join(folder, '1', 'state.json'), '');
  await expect(store.update(increment)).rejects.toMatchObject({ code: 'WRITE_FAILED' });
});

test('fails if the state directory is a file', async () => {
  const { directory, store } = open();
  await writeFile(directory, 'here already');
  await expect(store.update(increment)).rejects.toMatchObject({ code: 'WRITE_FAILED' });
});

test('gives up if others are always faster', async () => {
  const { folder, store } = open();
  let number = 0;
  const always = store.update((state) => {
    generation(folder, ++number, '{"value":1}');
    return increment(state);
  });
  await expect(always).rejects.toMatchObject({
    code: 'LOCK_TIMEOUT',
    message: expect.stringMatching(`was process ${process.pid} on ${hostname()}, since \\d{4}-`),
  });
});

test('takes over the lock and the remains of a dead process', async () => {
  const { directory, folder, store } = open();
  const lock = await holdLock(directory, new Date(0));
  await mkdir(path.join(folder, '.999999999-abc'), { recursive: true });
  expect(await store.update(losing(folder))).toBe(101);
  expect(existsSync(lock)).toBe(false);
  await expect.poll(() => readdirSync(folder)).toEqual(['1', '2']);
});

test('continues without a lock that another process holds', async () => {
  const { directory, folder, store } = open();
  const lock = await holdLock(directory, new Date(Date.now() + 60_000));
  expect(await store.update(losing(folder))).toBe(101);
  expect(existsSync(lock)).toBe(true);
});

test('survives a lock that is taken from it', async () => {
  const { directory, folder, store } = open();
  const lose = losing(folder);
  const value = await store.update((state) => {
    const changed = lose(state);
    // As if stopped: longer than the lock goes without being refreshed.
    if (state.value === 100) {
      rmSync(path.join(directory, 'state.lock'), { recursive: true });
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_100);
    }
    return changed;
  });
  expect(value).toBe(101);
});

/** `increment` that another process overtakes the first time, with 100. */
function losing(folder: string): typeof increment {
  let evaluations = 0;
  return (state) => {
    if (evaluations++ === 0) generation(folder, 1, '{"value":100}');
    return increment(state);
  };
}

async function holdLock(directory: string, touched: Date): Promise<string> {
  const lock = path.join(directory, 'state.lock');
  await mkdir(lock, { recursive: true });
  await utimes(lock, touched, touched);
  return lock;
}

function generation(folder: string, number: number, text: string): void {
  mkdirSync(path.join(folder, String(number)), { recursive: true });
  writeFileSync(path.join(folder, String(number), 'state.json'), text);
}
