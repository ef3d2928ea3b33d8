import fc from 'fast-check';
import { conditionSchema } from '../../src/model/policy.js';
import { decide, matchesWildcard } from '../../src/guard/policy.js';
import { policyOf } from './workspace.js';
import { runs } from '../runs.js';
import { expect, test } from '../fixtures.js';

const args = {
  file: 'e2e/login.spec.ts',
  amount: 7,
  text: '7',
  deep: { er: { flag: false, none: null } },
  include: ['code', 'network'],
  empty: [],
  actions: [
    { action: 'goto', url: 'https://shop.example/' },
    { action: 'click', position: { x: 5 } },
  ],
};

/** What a policy with this one condition says of a call with these arguments. */
function outcome(list: 'require' | 'deny_if', condition: object): string {
  return decide(policyOf({ default: 'allow', tools: { end: { [list]: [condition] } } }), {
    tool: 'end',
    args,
  }).kind;
}

// A condition that holds satisfies `require` and triggers `deny_if`.
const single = [
  ['args.file', 'eq', 'e2e/login.spec.ts', true],
  ['args.file', 'eq', 'e2e', false],
  ['args.amount', 'eq', 7, true],
  ['args.amount', 'eq', '7', true],
  ['args.text', 'eq', 7, true],
  ['args.deep.er.flag', 'eq', false, true],
  ['args.deep.er', 'eq', '[object Object]', false],
  ['args.include', 'eq', ['code', 'network'], true],
  ['args.include', 'eq', ['network', 'code'], false],
  ['args.file', 'neq', 'x', true],
  ['args.amount', 'neq', '7', false],
  ['args.include', 'neq', ['code'], true],
  ['args.amount', 'in', [6, 7], true],
  ['args.amount', 'in', [], false],
  ['args.file', 'not_in', ['a', 'b'], true],
  ['args.amount', 'not_in', [7], false],
  ['args.amount', 'lt', 8, true],
  ['args.amount', 'lt', 7, false],
  ['args.amount', 'lte', 7, true],
  ['args.amount', 'gt', 6.5, true],
  ['args.amount', 'gt', 7, false],
  ['args.amount', 'gte', 7, true],
  ['args.text', 'lte', 7, false],
  ['args.text', 'gt', 0, false],
  ['args.file', 'regex', '^e2e/', true],
  ['args.file', 'regex', 'login', true],
  ['args.file', 'regex', '^login', false],
  ['args.amount', 'regex', '7', false],
  ['args.file', 'contains', 'login', true],
  ['args.file', 'contains', 'logout', false],
  ['args.amount', 'contains', 7, false],
  ['args.include', 'contains', 'code', true],
  ['args.include', 'contains', 'cod', false],
  ['args.deep', 'contains', 'er', false],
  ['args.file', 'exists', true, true],
  ['args.file', 'exists', false, false],
  ['args.empty', 'exists', true, true],
  ['args.nothing', 'exists', false, true],
  ['args.deep.er.none', 'exists', true, false],
  ['args.deep.er.none', 'exists', false, true],
  // Paths through lists and objects.
  ['args.deep.er.flag', 'exists', true, true],
  ['args.deep.er.flag.more', 'exists', true, false],
  ['args.file.length', 'exists', true, false],
  ['args.constructor', 'exists', true, false],
  ['args.deep.__proto__', 'exists', true, false],
  ['args.actions[0].action', 'eq', 'goto', true],
  ['args.actions.1.position.x', 'eq', 5, true],
  ['args.actions[2].action', 'exists', true, false],
] as const;

test('a true condition satisfies require and triggers deny_if', () => {
  for (const [path, op, value, holds] of single) {
    const condition = { path, op, value };
    expect
      .soft([outcome('require', condition), outcome('deny_if', condition)], JSON.stringify(condition))
      .toEqual(holds ? ['allowed', 'denied'] : ['denied', 'allowed']);
  }
});

test('a missing argument satisfies only exists: false, so require fails closed', () => {
  for (const [op, value] of [
    ['eq', ''],
    ['neq', 'x'],
    ['in', ['x']],
    ['not_in', ['x']],
    ['lt', 1],
    ['lte', 1],
    ['gt', -1],
    ['gte', 0],
    ['regex', '.*'],
    ['contains', ''],
    ['exists', true],
  ] as const)
    for (const path of ['args.nothing', 'args.nothing.at.all', 'args.deep.er.none', 'args.actions.none']) {
      expect.soft(outcome('require', { path, op, value }), `${path} ${op}`).toBe('denied');
      expect.soft(outcome('deny_if', { path, op, value }), `${path} ${op}`).toBe('allowed');
    }
});

test('through a list, require wants all of the elements, and deny_if any', () => {
  for (const [path, op, value, required, denying] of [
    ['args.actions.action', 'in', ['goto', 'click'], 'allowed', 'denied'],
    ['args.actions.action', 'eq', 'goto', 'denied', 'denied'],
    ['args.actions.action', 'eq', 'fill', 'denied', 'allowed'],
    ['args.actions.url', 'regex', '^https:', 'denied', 'denied'],
    ['args.actions.url', 'exists', false, 'denied', 'denied'],
    ['args.include', 'in', ['code', 'network', 'steps'], 'allowed', 'denied'],
    ['args.include', 'eq', 'network', 'denied', 'denied'],
    ['args.include', 'not_in', ['network'], 'denied', 'denied'],
    ['args.include', 'regex', '^(?:code|network)$', 'allowed', 'denied'],
    ['args.empty', 'not_in', ['x'], 'denied', 'allowed'],
  ] as const) {
    const condition = { path, op, value };
    expect
      .soft([outcome('require', condition), outcome('deny_if', condition)], JSON.stringify(condition))
      .toEqual([required, denying]);
  }
});

test('an invalid condition does not load', () => {
  for (const condition of [
    { path: 'file', op: 'exists', value: true },
    { path: 'args', op: 'exists', value: true },
    { path: 'args.', op: 'exists', value: true },
    { path: 'args.actions[*].action', op: 'exists', value: true },
    { path: 'args.*.action', op: 'exists', value: true },
    { path: 'args.file', op: 'is', value: 'x' },
    { path: 'args.file', op: 'eq' },
    { path: 'args.file', op: 'eq', value: null },
    { path: 'args.file', op: 'in', value: 'x' },
    { path: 'args.file', op: 'lt', value: '7' },
    { path: 'args.file', op: 'regex', value: '' },
    { path: 'args.file', op: 'contains', value: ['x'] },
    { path: 'args.file', op: 'exists', value: 'yes' },
    { path: 'args.file', op: 'exists', values: true },
  ])
    expect.soft(conditionSchema.safeParse(condition).success, JSON.stringify(condition)).toBe(false);
});

test('a regular expression takes linear time', () => {
  const condition = { path: 'args.file', op: 'regex', value: '^(a+)+$' };
  const policy = policyOf({ default: 'allow', tools: { end: { require: [condition] } } });
  const file = `${'a'.repeat(50_000)}!`;
  expect(decide(policy, { tool: 'end', args: { file } }).kind).toBe('denied');
});

test('lookarounds and backreferences are no part of a policy', () => {
  for (const value of ['(?=a)', '(?<!a)b', '(a)\\1', '['])
    expect(() =>
      policyOf({ default: 'allow', tools: { end: { deny_if: [{ path: 'args.a', op: 'regex', value }] } } }),
    ).toThrow();
});

const amounts = {
  version: '1',
  default: 'allow',
  tools: { end: { limits: [{ counter: 'spent', window: 'day', max: 100, increment_from: 'args.amount' }] } },
};

test("increment_from counts an argument's value, which must be one whole number", () => {
  const verdict = (amount: unknown) => decide(policyOf(amounts), { tool: 'end', args: { amount } });
  for (const amount of [0, 1, 100])
    expect(verdict(amount)).toMatchObject({
      kind: 'allowed',
      charges: [{ count: amount, rule: 'tools.end.limits[0]', limit: { counter: 'spent' } }],
    });
  for (const amount of [-1, 0.5, '5', NaN, Infinity, 2 ** 53, null, undefined, [1, 2], [], {}])
    expect(verdict(amount), JSON.stringify(amount)).toEqual({
      kind: 'denied',
      rule: 'tools.end.limits[0]',
      reason: 'args.amount must be one whole number, 0 or more, because a limit counts it',
    });
});

test('property: a pattern matches the same as the equivalent regular expression', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '*', '.'), maxLength: 8 });
  fc.assert(
    fc.property(text, text, (pattern, name) => {
      const source = pattern.split('*').map((part) => part.replaceAll('.', '\\.'));
      // Playwright's `expect` would take too long for so many.
      return matchesWildcard(pattern, name) === new RegExp(`^${source.join('.*')}$`).test(name);
    }),
    { numRuns: runs(5000) },
  );
});

test('property: the evaluation never throws, whatever the arguments', () => {
  const policy = policyOf({
    default: 'allow',
    tools: {
      end: {
        require: [{ path: 'args.a.b', op: 'regex', value: '^x' }],
        deny_if: [
          { path: 'args.a', op: 'eq', value: ['x'] },
          { path: 'args.a[0].b', op: 'contains', value: 'x' },
        ],
        approve_if: [{ path: 'args.b', op: 'not_in', value: [1] }],
        limits: [{ counter: 'a', window: 1, max: 1, increment_from: 'args.c' }],
      },
    },
  });
  const anything = fc.anything({
    key: fc.constantFrom('a', 'b', 'c', '0', '__proto__'),
    withNullPrototype: true,
  });
  fc.assert(
    fc.property(anything, (value) =>
      ['allowed', 'approval', 'denied'].includes(decide(policy, { tool: 'end', args: value }).kind),
    ),
    { numRuns: runs(2000) },
  );
});
