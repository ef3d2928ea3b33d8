import assert from 'node:assert/strict';
import fc from 'fast-check';
import { enterCharges, leftOf, noCounters, release, type Counters } from '../../src/guard/counters.js';
import { windowOf } from '../../src/guard/limits.js';
import type { Limit } from '../../src/model/policy.js';
import type { Instant } from '../../src/state/clock.js';
import { expect, test } from '../fixtures.js';

const limits = fc.array(
  fc.record({
    counter: fc.constantFrom('a', 'b'),
    window: fc.integer({ min: 1, max: 3 }),
    max: fc.nat(6),
    scope: fc.constant('grant' as const),
  }),
  { minLength: 1, maxLength: 4 },
);
const operations = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ take: fc.nat(), also: fc.nat(), count: fc.integer({ min: 1, max: 3 }) }),
    },
    { weight: 4, arbitrary: fc.record({ advance: fc.nat(1_200_000) }) },
    { weight: 1, arbitrary: fc.record({ release: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ setWall: fc.integer({ min: -9_000, max: 9_000 }) }) },
    { weight: 1, arbitrary: fc.record({ reboot: fc.nat(4_000) }) },
  ),
  { minLength: 50, maxLength: 150 },
);
const keyOf = ({ counter }: Limit): string => counter;

/** What a counter must do, said as simply as it can be: every admission is kept, and those in the window are added. */
function createModel() {
  let admissions: { key: string; at: number; count: number; id: string }[] = [];
  let written: { instant: Instant; at: number } | undefined;
  const time = (now: Instant): number => {
    if (written === undefined) return 0;
    const { instant, at } = written;
    return instant.boot === now.boot
      ? at + now.monotonic - instant.monotonic
      : at + Math.max(0, now.wall - instant.wall);
  };
  const usedBy = (limit: Limit, now: number): number =>
    admissions
      .filter(({ key, at }) => key === limit.counter && now - at < windowOf(limit))
      .reduce((sum, { count }) => sum + count, 0);
  return {
    usedBy: (limit: Limit, now: Instant) => usedBy(limit, time(now)),
    take(id: string, charged: Limit[], count: number, now: Instant): boolean {
      const at = time(now);
      if (charged.some((limit) => usedBy(limit, at) + count > limit.max)) return false;
      admissions.push(...[...new Set(charged.map(keyOf))].map((key) => ({ key, at, count, id })));
      written = { instant: now, at };
      return true;
    },
    release(id: string): void {
      admissions = admissions.filter((admission) => admission.id !== id);
    },
  };
}

test('counters agree with a simple model, whatever the clocks do', () => {
  let admitted = 0;
  let refused = 0;
  fc.assert(
    fc.property(limits, operations, (configured, sequence) => {
      const model = createModel();
      let state: Counters = noCounters;
      let now: Instant = { boot: 'boot0', monotonic: 0, wall: 1_700_000_000_000 };
      for (const [index, operation] of sequence.entries()) {
        const id = `call-${index}-`;
        if ('advance' in operation) {
          const milliseconds = operation.advance / 1_000;
          now = { ...now, monotonic: now.monotonic + milliseconds, wall: now.wall + milliseconds };
        } else if ('setWall' in operation) {
          now = { ...now, wall: now.wall + operation.setWall };
        } else if ('reboot' in operation) {
          now = { boot: `boot${index}`, monotonic: 7, wall: now.wall + operation.reboot };
        } else if ('release' in operation) {
          const released = `call-${operation.release % (index + 1)}-`;
          state = release(state, released).state;
          model.release(released);
        } else {
          const { take, also, count } = operation;
          const charged = [...new Set([take, also].map((number) => number % configured.length))].flatMap(
            (number) => configured.slice(number, number + 1),
          );
          const charges = charged.map((limit) => ({ limit, rule: '', count }));
          const outcome = enterCharges(state, now, { id, charges }, { keyOf, configured });
          // What has taken effect and is evaluated again counts once.
          assert.equal(
            enterCharges(outcome.state, now, { id, charges }, { keyOf, configured }).state,
            outcome.state,
          );
          assert.equal(outcome.result.refused === undefined, model.take(id, charged, count, now));
          if (outcome.result.refused === undefined) admitted++;
          else refused++;
          state = outcome.state;
        }
        const { remaining } = leftOf(state, now, configured, keyOf);
        for (const counter of new Set(configured.map(keyOf)))
          assert.equal(
            remaining[counter],
            Math.min(
              ...configured
                .filter((limit) => limit.counter === counter)
                .map((limit) => Math.max(0, limit.max - model.usedBy(limit, now))),
            ),
          );
      }
    }),
    { numRuns: 200 },
  );
  expect(Math.min(admitted, refused)).toBeGreaterThan(1_000);
});

test('the remaining quota comes with its reset time, from the tightest limit', () => {
  const instant = { boot: '', monotonic: 1_000, wall: 0 };
  const minute: Limit = { counter: 'calls', window: 'minute', max: 3, scope: 'grant' };
  const hour: Limit = { ...minute, window: 'hour', max: 2 };
  const charges = [{ limit: minute, rule: '', count: 1 }];
  const { state } = enterCharges(
    noCounters,
    instant,
    { id: 'first', charges },
    { keyOf, configured: [minute, hour] },
  );
  const later = { ...instant, monotonic: 21_000 };
  expect(leftOf(state, later, [minute], keyOf)).toEqual({
    remaining: { calls: 2 },
    resets: { calls: 40_000 },
  });
  expect(leftOf(state, later, [minute, hour], keyOf)).toEqual({
    remaining: { calls: 1 },
    resets: { calls: 3_580_000 },
  });
  expect(leftOf(noCounters, later, [minute], keyOf)).toEqual({ remaining: { calls: 3 }, resets: {} });
});

test('ten thousand entries are counted in milliseconds, and kept no longer than they matter', () => {
  const limit: Limit = { counter: 'calls', window: 'minute', max: 10_000, scope: 'grant' };
  const charges = [{ limit, rule: '', count: 1 }];
  const at = (monotonic: number): Instant => ({ boot: '', monotonic, wall: 0 });
  let state = noCounters;
  for (let call = 0; call < 100; call++)
    ({ state } = enterCharges(
      state,
      at(call),
      { id: `call-${call}`, charges: [{ limit, rule: '', count: 100 }] },
      { keyOf, configured: [limit] },
    ));
  expect(
    enterCharges(state, at(59_999), { id: 'one-more', charges }, { keyOf, configured: [limit] }).result
      .refused,
  ).toMatchObject({
    left: 0,
    retryAfterMs: 1,
  });
  const later = enterCharges(
    state,
    at(60_050),
    { id: 'later', charges },
    { keyOf, configured: [limit] },
  ).state;
  expect(later.counters['calls']?.entries.split(' ')).toHaveLength(50);
  expect(
    enterCharges(later, at(999_999), { id: 'last', charges }, { keyOf: () => 'other', configured: [limit] })
      .state.counters,
  ).toEqual({
    other: expect.objectContaining({ keepMs: 60_000 }),
  });
});
