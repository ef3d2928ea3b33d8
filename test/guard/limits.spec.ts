import assert from 'node:assert/strict';
import fc from 'fast-check';
import { admit, counterOf, entriesOf, used, windowOf, type CounterEntry } from '../../src/guard/limits.js';
import { expect, test } from '../fixtures.js';

const calls = fc.array(fc.record({ pause: fc.nat(1_500), count: fc.integer({ min: 1, max: 3 }) }), {
  maxLength: 60,
});
const limits = fc.record({ max: fc.nat(6), window: fc.integer({ min: 1, max: 3 }) });

test('every stretch of the window holds at most max, and nothing with room is rejected', () => {
  fc.assert(
    fc.property(calls, limits, (sequence, limit) => {
      const length = windowOf(limit);
      const entries: CounterEntry[] = [];
      let now = 0;
      for (const { pause, count } of sequence) {
        now += pause;
        const verdict = admit(entries, limit, now, count);
        if (verdict.admitted) entries.push({ id: '', at: now, count });
        else expect(sumBetween(entries, now - length, now) + count).toBeGreaterThan(limit.max);
      }
      for (const { at } of entries)
        expect(sumBetween(entries, at - length, at)).toBeLessThanOrEqual(limit.max);
    }),
  );
});

test('retryAfterMs is the first moment with room', () => {
  fc.assert(
    fc.property(calls, limits, fc.integer({ min: 1, max: 3 }), (sequence, limit, count) => {
      const entries: CounterEntry[] = [];
      let now = 0;
      for (const call of sequence) {
        now += call.pause;
        if (admit(entries, limit, now, call.count).admitted)
          entries.push({ id: '', at: now, count: call.count });
      }
      const verdict = admit(entries, limit, now, count);
      if (verdict.admitted) return;
      if (verdict.retryAfterMs === undefined) {
        expect(count).toBeGreaterThan(limit.max);
        return;
      }
      expect(admit(entries, limit, now + verdict.retryAfterMs, count).admitted).toBe(true);
      expect(admit(entries, limit, now + verdict.retryAfterMs - 1, count).admitted).toBe(false);
    }),
  );
});

test('the order of the entries does not matter', () => {
  const entries = [
    { id: 'b', at: 700, count: 1 },
    { id: 'a', at: 200, count: 1 },
  ];
  expect(admit(entries, { max: 2, window: 'second' }, 1_000)).toEqual({
    admitted: false,
    left: 0,
    retryAfterMs: 200,
  });
  expect(used(entries, { window: 'second' }, 1_200)).toBe(1);
});

test('windows have names or a number of seconds', () => {
  const lengths = (['second', 'minute', 'hour', 'day', 90] as const).map((window) => windowOf({ window }));
  expect(lengths).toEqual([1_000, 60_000, 3_600_000, 86_400_000, 90_000]);
});

test('entries are stored unchanged and compactly, and expired ones are left out', () => {
  const entry = fc.record({
    id: fc.stringMatching(/^[\w-]{11}$/),
    pause: fc.nat(5_000_000),
    count: fc.integer({ min: 1, max: 10_000 }),
  });
  fc.assert(
    fc.property(fc.nat(1e9), fc.array(entry, { minLength: 1 }), fc.nat(1_000), (start, sequence, keepMs) => {
      let microseconds = start;
      const entries = sequence.map(({ id, pause, count }) => {
        return { id, count, at: (microseconds += pause) / 1_000 };
      });
      const now = microseconds / 1_000;
      const counter = counterOf(entries, keepMs);
      assert.deepEqual(
        entriesOf(counter, now),
        entries.filter(({ at }) => now - at < keepMs),
      );
    }),
  );
  const many = Array.from({ length: 10_000 }, (_, at) => ({ id: 'abcdefghijk', at: at * 6, count: 1 }));
  expect(JSON.stringify(counterOf(many, 60_000)).length).toBeLessThan(170_000);
});

/** Units admitted after `from`, up to and including `to`. */
function sumBetween(entries: CounterEntry[], from: number, to: number): number {
  return entries.filter(({ at }) => at > from && at <= to).reduce((sum, { count }) => sum + count, 0);
}
