import { expect, test } from '@playwright/test';
import { decide } from '../../src/guard/policy.js';
import { actions } from '../../src/actions/registry.js';
import { policySchema, restrictedActions } from '../../src/model/policy.js';

const limit = { counter: 'calls', window: 'minute', max: 5, scope: 'server' } as const;
const allowed = (rule: string, ...charges: object[]) => ({ kind: 'allowed', rule, charges });

for (const { name, policy, tool = 'end', decision } of [
  {
    name: 'default allow: a tool that is not listed',
    policy: { default: 'allow' },
    decision: allowed('default'),
  },
  {
    name: 'default deny: a tool that is not listed',
    policy: { default: 'deny' },
    decision: { kind: 'denied', rule: 'default' },
  },
  {
    name: 'default deny: a tool listed with {}',
    policy: { default: 'deny', tools: { end: {} } },
    decision: allowed('tools.end'),
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
    decision: allowed('tools.end'),
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
    decision: { kind: 'hidden', rule: 'hide[0]' },
  },
  {
    name: 'hidden goes before allow',
    policy: { default: 'allow', hide: ['end'], tools: { end: { action: 'allow' } } },
    decision: { kind: 'hidden', rule: 'hide[0]' },
  },
  {
    name: '* hides everything',
    policy: { default: 'allow', hide: ['*'] },
    decision: { kind: 'hidden', rule: 'hide[0]' },
  },
  {
    name: '* stands for any text',
    policy: { default: 'allow', hide: ['e*d'] },
    decision: { kind: 'hidden', rule: 'hide[0]' },
  },
  {
    name: 'a pattern fits whole names, and nothing but * is special in it',
    policy: { default: 'allow', hide: ['en', 'nd', 'e.d', '.*'] },
    decision: allowed('default'),
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
    decision: allowed(
      'tools.end',
      { rule: 'all_tools.limits[0]', count: 1, limit },
      {
        rule: 'tools.end.limits[0]',
        count: 1,
        limit: { counter: 'own', window: 7, max: 1, scope: 'grant' },
      },
      {
        rule: 'tools.end.rate_limit',
        count: 1,
        limit: { counter: 'end', window: 'hour', max: 2, scope: 'grant' },
      },
    ),
  },
]) {
  test(name, () => {
    expect(decide(policySchema.parse({ version: '1', ...policy }), { tool })).toEqual(decision);
  });
}

const actionsRule = 'tools.record_codegen_session.actions';

for (const [name, rules, performed, rule] of [
  ['evaluate is denied unless named', {}, ['click', 'evaluate'], 'allow'],
  ['an action that is not restricted is allowed', {}, ['click'], undefined],
  ['naming only evaluate adds it to all others', { allow: ['evaluate'] }, ['click', 'evaluate'], undefined],
  [
    'naming another narrows to what is named',
    { allow: ['evaluate', 'goto'] },
    ['evaluate', 'click'],
    'allow',
  ],
  ['what is named is allowed', { allow: ['evaluate', 'goto'] }, ['evaluate', 'goto'], undefined],
  ['deny goes before allow', { allow: ['*'], deny: ['goto', 'eval*'] }, ['click', 'evaluate'], 'deny[1]'],
  ['* stands for any text', { allow: ['*'] }, ['evaluate', 'mouse.down'], undefined],
  ['a pattern narrows', { allow: ['mouse.*'] }, ['mouse.down', 'click'], 'allow'],
] as const)
  test(`actions: ${name}`, () => {
    const policy = policySchema.parse({
      version: '1',
      default: 'allow',
      tools: { record_codegen_session: { actions: rules } },
    });
    const args = { actions: [7, ...performed.map((action) => ({ action })), { action: null }] };
    const verdict = decide(policy, { tool: 'record_codegen_session', args });
    expect(verdict).toMatchObject(
      rule === undefined ? { kind: 'allowed' } : { kind: 'denied', rule: `${actionsRule}.${rule}` },
    );
  });

test('actions: the url of a start is a goto', () => {
  const policy = policySchema.parse({
    version: '1',
    default: 'allow',
    tools: { record_codegen_session: { actions: { deny: ['goto'] } } },
  });
  const start = (args: object) => decide(policy, { tool: 'start_codegen_session', args }).kind;
  expect([start({}), start({ url: 'http://shop.example' })]).toEqual(['allowed', 'denied']);
});

test('restricted actions are actions', () => {
  for (const name of restrictedActions) expect(actions.has(name), name).toBe(true);
});

for (const [name, document] of [
  ['no version', { default: 'allow' }],
  ['another version', { version: '2', default: 'allow' }],
  ['a version that is a number', { version: 1, default: 'allow' }],
  ['no default', { version: '1' }],
  ['another default', { version: '1', default: 'ask' }],
  ['an unknown key', { version: '1', default: 'allow', deny: ['end'] }],
  ['an unknown key of a tool', { version: '1', default: 'allow', tools: { end: { denied: true } } }],
  ['actions of another tool', { version: '1', default: 'allow', tools: { end: { actions: {} } } }],
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
