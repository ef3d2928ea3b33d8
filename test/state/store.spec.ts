import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, readdir, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from '@playwright/test';
import { z } from 'zod';
import { createFileStore } from '../../src/state/store.js';

const schema = z.object({ value: z.number() });

function open() {
  const directory = test.info().outputPath('.codegen');
  return {
    directory,
    folder: path.join(directory, 'state'),
    store: createFileStore(directory, schema, { value: 0 }),
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

test('keeps what it was given, for its owner alone and out of git', async () => {
  const { directory, store } = open();
  expect(await store.read()).toEqual({ value: 0 });
  expect(await store.update(increment)).toBe(1);
  expect(await createFileStore(directory, schema, { value: 0 }).read()).toEqual({ value: 1 });
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
  expect(await readFile(path.join(directory, '.gitignore'), 'utf8')).toBe('*\n');
});

test('writes nothing where nothing changes', async () => {
  const { folder, store } = open();
  await store.update(increment);
  expect(await store.update((state) => ({ state, result: state.value }))).toBe(1);
  expect(generations(folder)).toEqual([1]);
});

test('loses no update of many at once, and keeps few generations', async () => {
  const { directory, folder, store } = open();
  const other = createFileStore(directory, schema, { value: 0 });
  await Promise.all(Array.from({ length: 40 }, (_, index) => (index % 2 ? store : other).update(increment)));
  expect(await store.read()).toEqual({ value: 40 });
  expect(generations(folder).length).toBeLessThanOrEqual(16);
});

test('evaluates again where another process was faster', async () => {
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

test('is not deceived by a number that came free while it was stopped', async () => {
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
  expect(generations(folder)).toEqual([60, 61]);
});

test('goes back to the generation before a torn one, and on from there', async () => {
  const { folder, store } = open();
  await store.update(increment);
  await store.update(increment);
  await writeFile(path.join(folder, '2', 'state.json'), '{"val');
  expect(await store.read()).toEqual({ value: 1 });
  expect(await store.update(increment)).toBe(2);
  expect(generations(folder)).toEqual([1, 2, 3]);
});

test('refuses rather than begin anew where nothing can be read', async () => {
  const { folder, store } = open();
  await store.update(increment);
  await writeFile(path.join(folder, '1', 'state.json'), '');
  await expect(store.update(increment)).rejects.toMatchObject({ code: 'WRITE_FAILED' });
});

test('refuses where the state directory is a file', async () => {
  const { directory, store } = open();
  await writeFile(directory, 'here already');
  await expect(store.update(increment)).rejects.toMatchObject({ code: 'WRITE_FAILED' });
});

test('gives up where others are faster for ever', async () => {
  const { folder, store } = open();
  let number = 0;
  const always = store.update((state) => {
    generation(folder, ++number, '{"value":1}');
    return increment(state);
  });
  await expect(always).rejects.toMatchObject({ code: 'LOCK_TIMEOUT' });
});

test('takes over the lock and the remains of a dead process', async () => {
  const { directory, folder, store } = open();
  const lock = path.join(directory, 'state.lock');
  await mkdir(lock, { recursive: true });
  await utimes(lock, new Date(0), new Date(0));
  await mkdir(path.join(folder, '.999999999-abc'), { recursive: true });
  expect(await store.update(increment)).toBe(1);
  expect(await readdir(directory)).not.toContain('state.lock');
  expect(await readdir(folder)).toEqual(['1']);
});

test('goes on without a lock that is held', async () => {
  const { directory, store } = open();
  const lock = path.join(directory, 'state.lock');
  await mkdir(lock, { recursive: true });
  const ahead = new Date(Date.now() + 60_000);
  await utimes(lock, ahead, ahead);
  expect(await store.update(increment)).toBe(1);
  expect(await readdir(directory)).toContain('state.lock');
});

test('survives a lock that is taken from it', async () => {
  const { directory, store } = open();
  const value = await store.update((state) => {
    rmSync(path.join(directory, 'state.lock'), { recursive: true });
    // As if stopped: longer than the lock goes without being refreshed.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_100);
    return increment(state);
  });
  expect(value).toBe(1);
});

function generation(folder: string, number: number, text: string): void {
  mkdirSync(path.join(folder, String(number)), { recursive: true });
  writeFileSync(path.join(folder, String(number), 'state.json'), text);
}
