import { assertionKey, type Assertion } from '../../src/model/step.js';
import { expect, test } from '../fixtures.js';

const locator: Assertion['locator'] = [{ method: 'getByRole', args: ['button', { name: 'Save' }] }];

test('assertions that mean the same have one key, whatever the order of their fields', () => {
  const key = assertionKey({
    locator,
    args: { matcher: 'toHaveText', expected: { regex: 'a', flags: 'i' } },
  });
  expect(
    assertionKey({
      args: { expected: { flags: 'i', regex: 'a' }, options: {}, not: false, matcher: 'toHaveText' },
      locator,
    }),
  ).toBe(key);
});

for (const [what, other] of [
  ['element', { args: { matcher: 'toBeVisible' } }],
  ['matcher', { locator, args: { matcher: 'toBeHidden' } }],
  ['negation', { locator, args: { matcher: 'toBeVisible', not: true } }],
  ['option', { locator, args: { matcher: 'toBeVisible', options: { visible: false } } }],
] as const satisfies [string, Assertion][]) {
  test(`assertions that differ in the ${what} have keys of their own`, () => {
    expect(assertionKey(other)).not.toBe(assertionKey({ locator, args: { matcher: 'toBeVisible' } }));
  });
}
