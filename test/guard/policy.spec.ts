import { decide } from '../../src/guard/policy.js';
import { actions } from '../../src/actions/registry.js';
import { attachAction, policySchema, restrictedActions } from '../../src/model/policy.js';
import { policyOf } from './workspace.js';
import { expect, test } from '../fixtures.js';
import { Rows } from '../rows.js';

const limit = { counter: 'calls', window: 'minute', max: 5, scope: 'server' } as const;
/** Holds where a file is given, which is what the calls here leave out. */
const missing = { path: 'args.file', op: 'exists', value: true };
const allowed = (rule: string, ...charges: object[]) => ({ kind: 'allowed', rule, charges });

const decisions = new Rows();
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
    name: 'deny goes before failed conditions',
    policy: { default: 'allow', tools: { end: { action: 'deny', require: [missing] } } },
    decision: { kind: 'denied', rule: 'tools.end.action' },
  },
  {
    name: 'a tool that is not listed fails no condition: it is denied by default',
    policy: { default: 'deny', tools: { start: { require: [missing] } } },
    decision: { kind: 'denied', rule: 'default' },
  },
  {
    name: 'failed conditions go before approval',
    policy: { default: 'allow', tools: { end: { action: 'require_approval', require: [missing] } } },
    decision: {
      kind: 'denied',
      rule: 'tools.end.require[0]',
      reason: 'required: args.file is given',
    },
  },
  {
    name: 'of failed conditions, deny_if goes before require',
    policy: {
      default: 'allow',
      tools: { end: { require: [missing], deny_if: [{ ...missing, value: false, message: 'no file' }] } },
    },
    decision: { kind: 'denied', rule: 'tools.end.deny_if[0]', reason: 'no file' },
  },
  {
    name: 'approval goes before limits, which still count',
    policy: {
      default: 'allow',
      tools: { end: { action: 'require_approval', reason: 'ask Ann', limits: [limit] } },
    },
    decision: {
      kind: 'approval',
      rule: 'tools.end.action',
      reason: 'ask Ann',
      charges: [{ rule: 'tools.end.limits[0]', count: 1, limit }],
    },
  },
  {
    name: 'approve_if asks only where it holds',
    policy: {
      default: 'allow',
      tools: { end: { approve_if: [missing, { ...missing, value: false }] } },
    },
    decision: {
      kind: 'approval',
      rule: 'tools.end.approve_if[1]',
      reason: 'args.file is not given',
      charges: [],
    },
  },
  {
    name: 'action: allow allows what no condition denies',
    policy: {
      default: 'deny',
      tools: { end: { action: 'allow', deny_if: [missing], approve_if: [missing] } },
    },
    decision: allowed('tools.end'),
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
      { rule: 'all_tools.limits[0]', count: 1, limit },
    ),
  },
]) {
  decisions.add(name, () => {
    expect(decide(policyOf(policy), { tool })).toEqual(decision);
  });
}
test('policies decide as documented', () => decisions.check());

const actionsRule = 'tools.record_codegen_session.actions';

const actionRules = new Rows();
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
  actionRules.add(`actions: ${name}`, () => {
    const policy = policyOf({
      default: 'allow',
      tools: { record_codegen_session: { actions: rules } },
    });
    const args = { actions: [7, ...performed.map((action) => ({ action })), { action: null }] };
    const verdict = decide(policy, { tool: 'record_codegen_session', args });
    expect(verdict).toMatchObject(
      rule === undefined ? { kind: 'allowed' } : { kind: 'denied', rule: `${actionsRule}.${rule}` },
    );
  });
test('rules for single actions', () => actionRules.check());

test('actions: the url of a start is a goto', () => {
  const policy = policyOf({
    default: 'allow',
    tools: { record_codegen_session: { actions: { deny: ['goto'] } } },
  });
  const start = (args: object) => decide(policy, { tool: 'start_codegen_session', args }).kind;
  expect([start({}), start({ url: 'http://shop.example' })]).toEqual(['allowed', 'denied']);
});

test('restricted actions are actions', () => {
  for (const name of restrictedActions.filter((each) => each !== attachAction))
    expect(actions.has(name), name).toBe(true);
});

test('an invalid policy does not load', () => {
  for (const [name, document] of [
    ['no version', { default: 'allow' }],
    ['another version', { version: '2', default: 'allow' }],
    ['a version that is a number', { version: 1, default: 'allow' }],
    ['no default', { version: '1' }],
    ['another default', { version: '1', default: 'ask' }],
    ['an unknown key', { version: '1', default: 'allow', deny: ['end'] }],
    ['an unknown key of a tool', { version: '1', default: 'allow', tools: { end: { denied: true } } }],
    ['actions of another tool', { version: '1', default: 'allow', tools: { end: { actions: {} } } }],
    ['an action not known', { version: '1', default: 'allow', tools: { end: { action: 'ask' } } }],
    ['a tool that is a pattern', { version: '1', default: 'allow', tools: { '*': {} } }],
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
  ] as const)
    expect.soft(policySchema.safeParse(document).success, name).toBe(false);
});

test('a limit of zero admits nothing, and loads', () => {
  expect(policySchema.safeParse(limited({ max: 0 })).success).toBe(true);
});

function limited(change: object) {
  return { version: '1', default: 'allow', tools: { end: { limits: [{ ...limit, ...change }] } } } as const;
}
