import path from 'node:path';
import fc from 'fast-check';
import { z } from 'zod';
import { FileStore } from '../../src/state/file-store.js';
import { RedisStore } from '../../src/state/redis-store.js';
import { openRedis } from '../../src/state/redis.js';
import { part, type StateStore } from '../../src/state/store.js';
import { startRedis, type RedisServer } from '../fixtures/redis.js';
import { expect, test } from '../fixtures.js';

const schema = z.object({ one: z.array(z.number()), other: z.array(z.number()) });
type State = z.infer<typeof schema>;
const empty: State = { one: [], other: [] };

let redis: RedisServer;
test.describe.configure({ mode: 'default' });
test.beforeAll(async () => {
  redis = await startRedis(path.join(test.info().project.outputDir, 'redis-store'));
});
test.afterAll(() => redis.kill());

/** What opens one place any number of times, as processes do. */
const kinds: Record<string, (place: string) => StateStore<State>> = {
  files: (place) => new FileStore(test.info().outputPath(place), schema, empty),
  Redis: (place) => new RedisStore(openRedis({ url: redis.url, prefix: place }), 'state', schema, empty),
};

const add = (number: number) => (state: State) => ({
  state: { ...state, one: [...state.one, number] },
  result: state.one.length + 1,
});

for (const [kind, open] of Object.entries(kinds)) {
  test(`${kind}: concurrent changes of several processes are all kept, in one order`, async () => {
    const stores = [1, 2, 3].map(() => open('many'));
    const results: number[] = [];
    for (let round = 0; round < 10; round++)
      results.push(
        ...(await Promise.all(
          stores.flatMap((store, index) =>
            [1, 2].map((n) => store.update(add(100 * round + 10 * index + n))),
          ),
        )),
      );
    expect(results.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
    const [state] = await Promise.all(stores.map((store) => store.read()));
    expect(new Set(state?.one)).toHaveProperty('size', 60);
  });

  test(`${kind}: simultaneous changes are committed as one; one that throws fails alone`, async () => {
    const store = open('at-once');
    let evaluations = 0;
    const failing = store.update(() => {
      evaluations++;
      throw new Error('no');
    });
    const unchanged = store.update((state) => ({ state, result: state.one.length }));
    const results = Promise.all([1, 2, 3].map((number) => store.update(add(number))));
    await expect(failing).rejects.toThrow('no');
    expect([await unchanged, ...(await results)]).toEqual([0, 1, 2, 3]);
    expect(evaluations).toBe(1);
  });

  test(`${kind}: a part is changed by itself; times run forward, and now is never behind`, async () => {
    const store = open('part');
    const one = part(store, 'one');
    const times = [];
    for (let round = 0; round < 3; round++)
      times.push(await one.update((state, now) => ({ state: [...state, round], result: now.monotonic })));
    times.push(one.now().monotonic);
    expect(times.toSorted((a, b) => a - b)).toEqual(times);
    expect(await one.update((state) => ({ state, result: state.length }))).toBe(3);
    expect(await part(open('part'), 'one').read()).toEqual([0, 1, 2]);
    expect(await store.read()).toEqual({ one: [0, 1, 2], other: [] });
  });

  test(`${kind}: any mix of changes by several processes equals the same changes by one`, async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(2), fc.constantFrom('add', 'drop', 'look', 'move'), fc.nat(9)), {
          maxLength: 12,
        }),
        async (changes) => {
          const place = `mix-${run++}`;
          const stores = [0, 1, 2].map(() => open(place));
          let model = empty;
          for (const [who, what, number] of changes) {
            const change = (state: State): State =>
              ({
                add: { ...state, one: [...state.one, number] },
                drop: { ...state, one: state.one.slice(1) },
                look: state,
                move: { one: state.other, other: state.one },
              })[what];
            const before = model;
            model = change(model);
            const seen = await stores[who]?.update((state) => ({ state: change(state), result: state }));
            expect(seen).toEqual(before);
          }
          for (const store of stores) expect(await store.read()).toEqual(model);
        },
      ),
      { numRuns: 15 },
    );
  });
}
