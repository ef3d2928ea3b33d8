import { mkdir, writeFile } from 'node:fs/promises';
import { loadPolicy } from '../../src/config/load.js';
import { CodegenError } from '../../src/model/errors.js';
import { decide } from '../../src/guard/policy.js';
import { expect, test } from '../fixtures.js';

/** Loads a policy with this text. */
async function load(text: string, name = 'policy.yaml') {
  const file = test.info().outputPath('policies', name);
  await mkdir(test.info().outputPath('policies'), { recursive: true });
  await writeFile(file, text);
  return loadPolicy(file);
}

async function refusal(text: string): Promise<{ message: string; hint: string | undefined }> {
  const refused: unknown = await load(text).catch((error: unknown) => error);
  if (!(refused instanceof CodegenError)) throw new Error(`Loads: ${text}`);
  expect(refused.code).toBe('CONFIG_INVALID');
  return refused;
}

test('a rule file of Intercept means the same here', async () => {
  const policy = await load(`
version: "1"
description: "Payments"
hide:
  - list_webhooks
tools:
  create_charge:
    rules:
      - name: "max single charge"
        conditions:
          - path: "args.amount"
            op: "lte"
            value: 50000
          - { path: args.currency, op: in, value: [usd, eur] }
        on_deny: "Single charge cannot exceed $500.00"
      - name: "daily spend cap"
        conditions:
          - path: "state.create_charge.daily_spend"
            op: "lt"
            value: 1000000
        on_deny: "Daily spending cap of $10,000.00 reached"
        state: { counter: daily_spend, window: day, increment_from: args.amount }
  create_issue:
    rules:
      - { name: "hourly", rate_limit: 5/hour }
      - name: "bulk"
        conditions: [{ path: state.create_issue.weight, op: lte, value: 25 }]
        state: { counter: weight, window: minute, increment: 10 }
  delete_customer:
    rules:
      - { name: "block", action: deny, on_deny: "Not by agents" }
  list_customers:
    rules: []
  "*":
    rules:
      - { name: "global", rate_limit: 60/minute }
      - name: "no dry runs"
        conditions: [{ path: args.dryRun, op: exists, value: false }]
`);
  const call = (tool: string, args: object = {}) => decide(policy, { tool, args });
  const everyMinute = {
    rule: 'tools.*.rules[0]',
    count: 1,
    limit: { counter: '_global._rate_minute', window: 'minute', max: 60, scope: 'server' },
  };
  expect(call('create_charge', { amount: 500, currency: 'usd' })).toEqual({
    kind: 'allowed',
    rule: 'tools.create_charge',
    charges: [
      {
        rule: 'tools.create_charge.rules[1]',
        reason: 'Daily spending cap of $10,000.00 reached',
        count: 500,
        limit: { counter: 'create_charge.daily_spend', window: 'day', max: 999_999, scope: 'server' },
      },
      everyMinute,
    ],
  });
  for (const args of [{ amount: 50_001, currency: 'usd' }, { amount: 1, currency: 'gbp' }, { amount: 1 }])
    expect(call('create_charge', args)).toEqual({
      kind: 'denied',
      rule: 'tools.create_charge.rules[0]',
      reason: 'Single charge cannot exceed $500.00',
    });
  expect(call('create_issue')).toMatchObject({
    kind: 'allowed',
    charges: [
      { rule: 'tools.create_issue.rules[0]', limit: { max: 5, window: 'hour' } },
      { rule: 'tools.create_issue.rules[1]', limit: { max: 2, window: 'minute' } },
      everyMinute,
    ],
  });
  expect(call('delete_customer')).toEqual({
    kind: 'denied',
    rule: 'tools.delete_customer.rules[0]',
    reason: 'Not by agents',
  });
  expect(call('list_webhooks').kind).toBe('hidden');
  expect(call('list_customers')).toMatchObject({ kind: 'allowed', rule: 'tools.list_customers' });
  expect(call('any_other', { dryRun: true })).toMatchObject({ kind: 'denied', rule: 'tools.*.rules[1]' });
  expect(call('any_other')).toMatchObject({ kind: 'allowed', rule: 'default', charges: [everyMinute] });
});

test('under default: deny, the rules for every tool of Intercept allow none that is not listed', async () => {
  const policy = await load(
    '{ "version": "1", "default": "deny", "tools": { "a": { "rules": null }, "*": { "rules": [] } } }',
    'policy.json',
  );
  expect([decide(policy, { tool: 'a' }).kind, decide(policy, { tool: 'b' }).kind]).toEqual([
    'allowed',
    'denied',
  ]);
});

test('fields that Intercept does not define are rejected', async () => {
  const rule = (text: string): string =>
    `version: "1"\ntools:\n  a:\n    rules:\n      - { name: x, ${text} }\n`;
  for (const [text, message] of [
    ['rate_limit: 5/week', 'tools.a.rules.0.rate_limit is "5/week": expected calls per minute, hour or day'],
    ['rate_limit: 0/day', 'rate_limit is "0/day"'],
    ['rate_limit: 10001/day', 'expected at most 10000 calls'],
    [
      'rate_limit: 5/day, conditions: [{ path: args.a, op: exists, value: true }]',
      'a rule with rate_limit has no conditions',
    ],
    ['action: deny, rate_limit: 5/day', 'a rule with "action": "deny" has no conditions'],
    ['action: allow', 'tools.a.rules.0.action is "allow": expected one of "evaluate"|"deny"'],
    ['on_deny: never', 'expected conditions, a rate_limit or "action": "deny"'],
    [
      'conditions: [{ path: env.a, op: exists, value: true }]',
      'expected args.<field> or state.<tool>.<counter>',
    ],
    ['conditions: [{ path: state.a.n, op: lte, value: 5 }]', 'expected a counter of a rule of a'],
    [
      'conditions: [{ path: state.a.n, op: gt, value: 5 }], state: { counter: n, window: day }',
      'counters can only be compared with lt or lte',
    ],
    ['require: []', 'tools.a.rules.0.require is []: unknown key'],
  ] as const)
    expect.soft((await refusal(rule(text))).message, text).toContain(message);
});

test('an expression that needs more than linear time is rejected with a hint', async () => {
  const condition = 'require: [{ path: args.file, op: regex, value: "^(?!e2e)" }]';
  const refused = await refusal(`{ version: "1", default: deny, tools: { end: { ${condition} } } }`);
  expect(refused.message).toContain("tools.end.require[0] has a regular expression that can't be used: ");
  expect(refused.message).toContain('(?!');
  expect(refused.hint).toContain('without lookarounds and backreferences');
});
