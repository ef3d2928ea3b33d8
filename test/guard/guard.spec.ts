import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import type { Limit } from '../../src/model/policy.js';
import { manualClock, openGuard, outcomeOf, type Settings } from './workspace.js';
import { expect, test } from '../fixtures.js';

const perMinute = (max: number, scope: Limit['scope'] = 'grant'): Limit => ({
  counter: 'calls',
  window: 'minute',
  max,
  scope,
});
const open = (settings: Settings = {}) => openGuard(test.info().outputPath('workspace'), settings);
const limited = (...limits: Limit[]) => ({ tools: { end: { limits } } });

test('the documented policy admits one tool, 30 times a minute', async () => {
  const clock = manualClock();
  const policy = {
    version: '1',
    default: 'deny',
    tools: {
      end_codegen_session: {
        limits: [{ counter: 'end_codegen_session_rate', window: 'minute', max: 30, scope: 'grant' }],
      },
    },
  };
  const guard = open({ policy, clock });
  for (const tool of ['start_codegen_session', 'record_codegen_session', 'get_codegen_session', 'toString']) {
    await expect(guard.admit({ tool })).rejects.toMatchObject({ code: 'POLICY_DENIED' });
  }
  for (let call = 0; call < 30; call++) {
    await guard.admit({ tool: 'end_codegen_session' });
    clock.advance(1_000);
  }
  await expect(guard.admit({ tool: 'end_codegen_session' })).rejects.toMatchObject({
    code: 'RATE_LIMITED',
    message: 'Limit "end_codegen_session_rate" of 30 per minute is used up.',
    hint: 'Try again in 30 s.',
    retryAfterMs: 30_000,
    decision: { kind: 'limited', rule: 'tools.end_codegen_session.limits[0]' },
  });
  expect((await guard.left('end_codegen_session')).remaining).toEqual({ end_codegen_session_rate: 0 });
  clock.advance(29_999);
  expect(await outcomeOf(guard.admit({ tool: 'end_codegen_session' }))).toBe('RATE_LIMITED');
  clock.advance(1);
  await guard.admit({ tool: 'end_codegen_session' });
  expect(await outcomeOf(guard.admit({ tool: 'end_codegen_session' }))).toBe('RATE_LIMITED');
});

test("calls without a limit don't touch the disk", async () => {
  const guard = open();
  const admission = await guard.admit({ tool: 'end' });
  expect(admission.decision).toEqual({ kind: 'allowed', rule: 'default' });
  await admission.release();
  expect((await guard.left('end')).remaining).toEqual({});
  expect(existsSync(test.info().outputPath('workspace/.codegen'))).toBe(false);
});

test('a denial gives the reason; a hidden tool is neither seen nor called', async () => {
  const guard = open({
    policy: { hide: ['end'], tools: { start: { action: 'deny', reason: 'frozen' } } },
  });
  expect([guard.visible('end'), guard.visible('start'), guard.visible('get')]).toEqual([false, true, true]);
  await expect(guard.admit({ tool: 'start' })).rejects.toMatchObject({
    code: 'POLICY_DENIED',
    message: 'start is denied by the policy (tools.start.action): frozen',
  });
  await expect(guard.admit({ tool: 'end' })).rejects.toMatchObject({
    code: 'POLICY_DENIED',
    message: 'end is denied by the policy (hide[0]).',
    decision: { kind: 'hidden', rule: 'hide[0]' },
  });
});

test('released quota can be taken again, once', async () => {
  const guard = open({ policy: limited(perMinute(1)) });
  const admission = await guard.admit({ tool: 'end' });
  expect(await outcomeOf(guard.admit({ tool: 'end' }))).toBe('RATE_LIMITED');
  await admission.release();
  await admission.release();
  await guard.admit({ tool: 'end' });
  expect(await outcomeOf(guard.admit({ tool: 'end' }))).toBe('RATE_LIMITED');
});

test('all limits of a call are taken, or none', async () => {
  const policy = {
    tools: {
      end: { limits: [perMinute(5), { counter: 'rare', window: 'hour', max: 1 }] },
      get: { limits: [perMinute(5)] },
    },
  };
  const guard = open({ policy });
  await guard.admit({ tool: 'end' });
  await expect(guard.admit({ tool: 'end' })).rejects.toThrow('Limit "rare" of 1 per hour is used up.');
  expect((await guard.left('get')).remaining).toEqual({ calls: 4 });
});

test('limits that name one counter share it, each over its own window', async () => {
  const clock = manualClock();
  const policy = {
    tools: {
      quick: { limits: [{ counter: 'shared', window: 'second', max: 1 }] },
      slow: { limits: [{ counter: 'shared', window: 'hour', max: 3 }] },
    },
  };
  const guard = open({ policy, clock });
  for (let call = 0; call < 3; call++) {
    await guard.admit({ tool: 'quick' });
    clock.advance(60_000);
  }
  expect(await outcomeOf(guard.admit({ tool: 'slow' }))).toBe('RATE_LIMITED');
  await guard.admit({ tool: 'quick' });
});

test('scopes: a connection, a grant, everyone', async () => {
  for (const [scope, sameGrant, otherGrant] of [
    ['session', 'admitted', 'admitted'],
    ['grant', 'RATE_LIMITED', 'admitted'],
    ['server', 'RATE_LIMITED', 'RATE_LIMITED'],
  ] as const) {
    const workspace = test.info().outputPath(scope);
    const policy = limited(perMinute(1, scope));
    const admit = (grant: string, connection: string) =>
      outcomeOf(
        openGuard(workspace, { policy, grant, connection })
          .admit({ tool: 'end' })
          .then(() => 'admitted'),
      );
    expect(await admit('local', 'one')).toBe('admitted');
    expect(await admit('local', 'one')).toBe('RATE_LIMITED');
    expect(await admit('local', 'two')).toBe(sameGrant);
    expect(await admit('remote', 'three')).toBe(otherGrant);
  }
});

test('a limit of zero reports that waiting does not help', async () => {
  const guard = open({ policy: limited(perMinute(0)) });
  await expect(guard.admit({ tool: 'end' })).rejects.toMatchObject({
    code: 'RATE_LIMITED',
    retryAfterMs: undefined,
  });
});

test('limits survive a restart, and a reboot ages them by the wall clock alone', async () => {
  const clock = manualClock();
  const settings = { policy: limited(perMinute(1)), clock };
  await open(settings).admit({ tool: 'end' });
  clock.advance(20_000);
  expect(await outcomeOf(open(settings).admit({ tool: 'end' }))).toBe('RATE_LIMITED');
  clock.reboot();
  await expect(open(settings).admit({ tool: 'end' })).rejects.toMatchObject({ retryAfterMs: 40_000 });
  clock.advance(40_000);
  await open(settings).admit({ tool: 'end' });
});

test('a delayed admission is evaluated when it arrives', async () => {
  const clock = manualClock();
  let pause = 0;
  const slow = {
    now() {
      const instant = clock.now();
      clock.advance(pause);
      pause = 0;
      return instant;
    },
  };
  const policy = limited(perMinute(1));
  const held = open({ policy, clock: slow });
  pause = 50_000;
  await held.admit({ tool: 'end' });
  clock.advance(59_999);
  expect(await outcomeOf(open({ policy, clock }).admit({ tool: 'end' }))).toBe('RATE_LIMITED');
  clock.advance(1);
  await open({ policy, clock }).admit({ tool: 'end' });
});

test("a limit may count an argument's value", async () => {
  const limit = { ...perMinute(10), increment_from: 'args.amount' };
  const guard = open({ policy: { tools: { end: { limits: [limit, perMinute(10)] } } } });
  const pay = (amount: number) =>
    outcomeOf(guard.admit({ tool: 'end', args: { amount } }).then(() => 'admitted'));
  expect([await pay(6), await pay(5), await pay(4), await pay(0)]).toEqual([
    'admitted',
    'RATE_LIMITED',
    'admitted',
    'RATE_LIMITED',
  ]);
  expect((await guard.left('end')).remaining).toEqual({ calls: 0 });
  expect(await pay(-1)).toBe('POLICY_DENIED');
});

test('if the state is unreachable, failMode decides about limited calls', async () => {
  const policy = { ...limited(perMinute(1)), hide: ['hidden'] };
  for (const [failMode, outcome] of [
    ['closed', 'WRITE_FAILED'],
    ['open', 'admitted'],
  ] as const) {
    const workspace = test.info().outputPath(failMode);
    mkdirSync(workspace, { recursive: true });
    writeFileSync(`${workspace}/.codegen`, 'a file where the directory should be');
    const guard = openGuard(workspace, { policy, failMode });
    const admit = (tool: string) => outcomeOf(guard.admit({ tool }).then(() => 'admitted'));
    expect(await admit('end')).toBe(outcome);
    expect(await admit('get')).toBe('admitted');
    expect(await admit('hidden')).toBe('POLICY_DENIED');
  }
});
