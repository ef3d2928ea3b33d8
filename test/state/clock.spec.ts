import { offsetBetween, systemClock } from '../../src/state/clock.js';
import { expect, test } from '../fixtures.js';
import { Rows } from '../rows.js';

const hour = 3_600_000;

const offsets = new Rows();
for (const { name, then, now, offset } of [
  {
    name: 'a wall clock that jumps ahead changes nothing',
    then: { boot: 'a', monotonic: 1_000, wall: 0 },
    now: { boot: 'a', monotonic: 2_000, wall: 10 * hour },
    offset: 0,
  },
  {
    name: 'a wall clock that jumps back changes nothing',
    then: { boot: 'a', monotonic: 1_000, wall: 10 * hour },
    now: { boot: 'a', monotonic: 2_000, wall: 0 },
    offset: 0,
  },
  {
    name: 'across a boot, times age by the wall clock',
    then: { boot: 'a', monotonic: 9_000, wall: 0 },
    now: { boot: 'b', monotonic: 500, wall: hour },
    offset: 500 - 9_000 - hour,
  },
  {
    name: 'across a boot, a wall clock set back does not make times younger',
    then: { boot: 'a', monotonic: 9_000, wall: hour },
    now: { boot: 'b', monotonic: 500, wall: 0 },
    offset: 500 - 9_000,
  },
  {
    name: 'without a boot identity, a monotonic clock that ran backwards is a boot',
    then: { boot: '', monotonic: 9_000, wall: 0 },
    now: { boot: '', monotonic: 500, wall: hour },
    offset: 500 - 9_000 - hour,
  },
]) {
  offsets.add(name, () => {
    expect(offsetBetween(then, now)).toBe(offset);
  });
}
test('the offset between two clocks', () => offsets.check());

test('the system clock runs forwards, within one boot', () => {
  const clock = systemClock();
  const first = clock.now();
  const second = systemClock().now();
  expect(second.monotonic).toBeGreaterThan(first.monotonic);
  expect(second.boot).toBe(first.boot);
});
