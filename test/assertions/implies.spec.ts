import { implies } from '../../src/assertions/check.js';
import type { AssertionArgs } from '../../src/assertions/forms.js';
import type { Assertion } from '../../src/model/step.js';
import type { LocatorChain } from '../../src/model/locator.js';
import { expect, test } from '../fixtures.js';
import { Rows } from '../rows.js';

const table: LocatorChain = [{ method: 'getByRole', args: ['table'] }];
const panel: LocatorChain = [{ method: 'locator', args: ['#itemData'] }];

const of = (locator: LocatorChain, matcher: string, rest: AssertionArgs = {}): Assertion => ({
  locator,
  args: { matcher, ...rest },
});
const snapshot = (locator: LocatorChain, ...lines: string[]): Assertion =>
  of(locator, 'toMatchAriaSnapshot', { expected: lines.join('\n') });

const whole = snapshot(panel, '- text: "Type: List"', '- table:', '  - row "0 a"', '  - row "1 b"');
const row = of([{ method: 'getByRole', args: ['row', { name: 'Ann 41' }] }], 'toBeVisible');
const cell = of([{ method: 'getByRole', args: ['cell', { name: 'Ann' }] }], 'toBeVisible');
const amount = of(
  [{ method: 'getByRole', args: ['cell', { name: '-$950.00', exact: true }] }],
  'toBeVisible',
);
const pattern = snapshot(table, '- rowgroup:', String.raw`  - row /.+ Grace -\$950\.00/`);
const messages = of(panel, 'toHaveText', { expected: ['I want it.', 'It takes 3 days.'] });
const message = snapshot(table, String.raw`- text: /Bot, .+ It takes 3 days\./`);
const selected = of(table, 'toHaveAttribute', { name: 'aria-selected', expected: 'true' });
const focused = of(table, 'toBeFocused');

const implications = new Rows();
for (const [what, one, other, expected] of [
  ['a snapshot implies one of its lines', whole, snapshot(table, '- row "0 a"', '- row "1 b"'), true],
  ['a snapshot does not imply other lines', whole, snapshot(table, '- row "0 a"', '- row "2 c"'), false],
  ['a row implies its cells', row, cell, true],
  ['a pattern of a row implies its cells', pattern, amount, true],
  ['a list implies a snapshot of one of its items', messages, message, true],
  ['a cell does not imply its row', cell, row, false],
  ['what is selected has the focus', selected, focused, true],
  ['what has the focus may not be selected', focused, selected, false],
] satisfies [string, Assertion, Assertion, boolean][])
  implications.add(what, () => {
    expect(implies(one, other)).toBe(expected);
  });
test('an assertion implies another, or does not', () => implications.check());
