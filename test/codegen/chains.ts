import fc from 'fast-check';
import type { LocatorCall, LocatorChain } from '../../src/model/locator.js';
import { hostileString } from './hostile.js';

const selector = fc.constantFrom(
  '#main',
  '.card > a',
  'input[name="q"]',
  'li:nth-child(2)',
  "a[title='x y']",
);
/** None with quotes or `>>`, which Playwright escapes for its selectors and does not print as they were. */
const pattern = fc.constantFrom(
  { regex: 'Order #\\d+', flags: 'i' },
  { regex: '^a\\/b$' },
  { regex: '[/]|\\.', flags: 'ms' },
  { regex: '\\p{L}', flags: 'u' },
);
const text = fc.oneof(hostileString, pattern);
const filled = fc.oneof(
  hostileString.filter((value) => value !== ''),
  pattern,
);
const flag = fc.boolean();
const states = {
  checked: flag,
  disabled: flag,
  expanded: flag,
  includeHidden: flag,
  pressed: flag,
  selected: flag,
};
const textMethod = fc.constantFrom(
  'getByText',
  'getByLabel',
  'getByPlaceholder',
  'getByAltText',
  'getByTitle',
);
const role = fc.constantFrom('button', 'heading', 'row');

function call(method: string, ...args: LocatorCall['args']): LocatorCall {
  return { method, args };
}

function chain(...calls: LocatorCall[]): LocatorChain {
  return calls;
}

/** Calls that lead to elements from anywhere, as `toString` prints them: what changes nothing is left out. */
const printedStart = fc.oneof(
  fc.tuple(textMethod, hostileString).map(([method, value]) => call(method, value, { exact: true })),
  fc.tuple(textMethod, text).map(([method, value]) => call(method, value)),
  fc
    .tuple(
      role,
      fc.record(
        { ...states, name: text, description: pattern, level: fc.nat(6) },
        { requiredKeys: ['level'], noNullPrototype: true },
      ),
    )
    .map(([name, options]) => call('getByRole', name, options)),
  fc.tuple(role, hostileString).map(([value, name]) => call('getByRole', value, { name, exact: true })),
  role.map((name) => call('getByRole', name)),
  text.map((value) => call('getByTestId', value)),
  selector.map((value) => call('locator', value)),
);

/** Calls that narrow down a locator, as `toString` prints them. */
function printedRest(depth: number): fc.Arbitrary<LocatorChain> {
  const plain = fc.oneof(
    printedStart.map((start) => chain(start)),
    fc.constantFrom('first', 'last', 'visible').map((method) => chain(call(method))),
    fc.integer({ min: 1, max: 99 }).map((index) => chain(call('nth', index))),
    fc
      .tuple(fc.constantFrom('hasText', 'hasNotText'), filled)
      .map(([name, value]) => chain(call('filter', { [name]: value }))),
    fc.constant(chain(call('filter', { visible: false }))),
  );
  if (depth === 0) return plain;
  const inner = printed(depth - 1).map((locator) => ({ locator }));
  return fc.oneof(
    plain,
    fc
      .tuple(fc.constantFrom('has', 'hasNot'), inner)
      .map(([name, value]) => chain(call('filter', { [name]: value }))),
    fc
      .tuple(fc.constantFrom('and', 'or', 'locator'), inner)
      .map(([method, value]) => chain(call(method, value))),
  );
}

function printed(depth: number): fc.Arbitrary<LocatorChain> {
  return fc
    .tuple(printedStart, fc.array(printedRest(depth), { maxLength: 3 }))
    .map(([start, rest]) => chain(start, ...rest.flat()));
}

/** Chains in the one form in which Playwright prints them. */
export const printedChain = fc
  .tuple(fc.option(selector, { nil: undefined }), printed(2))
  .map(([frame, rest]) =>
    frame === undefined ? rest : chain(call('locator', frame), call('contentFrame'), ...rest),
  );

const nested = printed(1).map((locator) => ({ locator }));
const anyFilter = fc.record(
  { has: nested, hasNot: nested, hasText: text, hasNotText: text },
  { requiredKeys: [], noNullPrototype: true },
);

/** Chains in every form that an expression can have. */
export const anyChain = fc
  .tuple(
    printedChain,
    fc.array(
      fc.oneof(
        anyFilter.map((options) => call('filter', { ...options, visible: true })),
        fc.tuple(selector, anyFilter).map(([value, options]) => call('locator', value, options)),
        fc.tuple(textMethod, text, flag).map(([method, value, exact]) => call(method, value, { exact })),
        fc.integer({ min: -9, max: 9 }).map((index) => call('nth', index)),
      ),
      { maxLength: 3 },
    ),
    fc.option(selector, { nil: undefined }),
  )
  .map(([start, rest, frame]) =>
    chain(...(frame === undefined ? [] : [call('frameLocator', frame)]), ...start, ...rest),
  );
