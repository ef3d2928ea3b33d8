import { expect, test } from '@playwright/test';
import { decide } from '../../src/guard/policy.js';
import { policySchema } from '../../src/model/policy.js';

const limit = { counter: 'calls', window: 'minute', max: 5, scope: 'server' } as const;
const allowed = { kind: 'allowed', limits: [] };

for (const { name, policy, tool = 'end', decision } of [
  { name: 'default allow: a tool that is not listed', policy: { default: 'allow' }, decision: allowed },
  {
    name: 'default deny: a tool that is not listed',
    policy: { default: 'deny' },
    decision: { kind: 'denied', rule: 'default' },
  },
  {
    name: 'default deny: a tool listed with {}',
    policy: { default: 'deny', tools: { end: {} } },
    decision: allowed,
  },
  {
    name: 'default deny: a name that every object has',
    policy: { default: 'deny' },
    tool: 'constructor',
    decision: { kind: 'denied', rule: 'default' },
  },
  {
    name: 'default deny: a tool listed with allow',
    policy: { default: 'deny', tools: { end: { action: 'allow' } } },
    decision: allowed,
  },
  {
    name: 'deny with a reason',
    policy: { default: 'allow', tools: { end: { action: 'deny', reason: 'frozen' } } },
    decision: { kind: 'denied', rule: 'tools.end.action', reason: 'frozen' },
  },
  {
    name: 'deny goes before limits',
    policy: {
      default: 'allow',
      all_tools: { limits: [limit] },
      tools: { end: { action: 'deny', limits: [limit] } },
    },
    decision: { kind: 'denied', rule: 'tools.end.action', reason: undefined },
  },
  {
    name: 'hidden goes before deny',
    policy: { default: 'deny', hide: ['end'], tools: { end: { action: 'deny' } } },
    decision: { kind: 'hidden', rule: 'hide' },
  },
  {
    name: 'hidden goes before allow',
    policy: { default: 'allow', hide: ['end'], tools: { end: { action: 'allow' } } },
    decision: { kind: 'hidden', rule: 'hide' },
  },
  {
    name: '* hides everything',
    policy: { default: 'allow', hide: ['*'] },
    decision: { kind: 'hidden', rule: 'hide' },
  },
  {
    name: '* stands for any text',
    policy: { default: 'allow', hide: ['e*d'] },
    decision: { kind: 'hidden', rule: 'hide' },
  },
  {
    name: 'a pattern fits whole names, and nothing but * is special in it',
    policy: { default: 'allow', hide: ['en', 'nd', 'e.d', '.*'] },
    decision: allowed,
  },
  {
    name: 'limits of all tools, of the tool and its short form add up',
    policy: {
      default: 'allow',
      all_tools: { limits: [limit] },
      tools: {
        end: { limits: [{ counter: 'own', window: 7, max: 1 }], rate_limit: { max: 2, window: 'hour' } },
      },
    },
    decision: {
      kind: 'allowed',
      limits: [
        limit,
        { counter: 'own', window: 7, max: 1, scope: 'grant' },
        { counter: 'end', window: 'hour', max: 2, scope: 'grant' },
      ],
    },
  },
]) {
  test(name, () => {
    expect(decide(policySchema.parse({ version: '1', ...policy }), tool)).toEqual(decision);
  });
}

for (const [name, document] of [
  ['no version', { default: 'allow' }],
  ['another version', { version: '2', default: 'allow' }],
  ['a version that is a number', { version: 1, default: 'allow' }],
  ['no default', { version: '1' }],
  ['another default', { version: '1', default: 'ask' }],
  ['an unknown key', { version: '1', default: 'allow', deny: ['end'] }],
  ['an unknown key of a tool', { version: '1', default: 'allow', tools: { end: { denied: true } } }],
  ['a condition', { version: '1', default: 'allow', tools: { end: { deny_if: [] } } }],
  ['an action not known', { version: '1', default: 'allow', tools: { end: { action: 'require_approval' } } }],
  [
    'a limit without a window',
    { version: '1', default: 'allow', all_tools: { limits: [{ counter: 'a', max: 1 }] } },
  ],
  ['a limit over 10,000', limited({ max: 10_001 })],
  ['a limit below zero', limited({ max: -1 })],
  ['half a call', limited({ max: 0.5 })],
  ['a window of no length', limited({ window: 0 })],
  ['a window not known', limited({ window: 'week' })],
  ['a scope not known', limited({ scope: 'world' })],
  ['a counter without a name', limited({ counter: '' })],
] as const) {
  test(`a policy with ${name} does not load`, () => {
    expect(policySchema.safeParse(document).success).toBe(false);
  });
}

test('a limit of zero admits nothing, and loads', () => {
  expect(policySchema.safeParse(limited({ max: 0 })).success).toBe(true);
});

function limited(change: object) {
  return { version: '1', default: 'allow', tools: { end: { limits: [{ ...limit, ...change }] } } } as const;
}
