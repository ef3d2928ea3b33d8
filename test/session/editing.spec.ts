import { z } from 'zod';
import { expect, refOf, test } from '../fixtures.js';

const stepsSchema = z.array(z.looseObject({ index: z.number(), changed: z.boolean().optional() }));

/** Makes what fails fail soon. */
const soon = { browser: { actionTimeoutMs: 1000 } };

test('steps are numbered in the session, and a failure names the action of the call', async ({
  open,
  shared,
}) => {
  await shared.configure(soon);
  const { land, record } = await open('todo.html');
  const first = await land({ action: 'hover', target: 'h1' });
  expect(stepsSchema.parse(first.steps).map(({ index }) => index)).toEqual([1]);
  const failed = await record(
    { action: 'hover', target: 'h1', record: false },
    { action: 'hover', target: 'h1' },
    { action: 'click', target: '#nowhere' },
  );
  expect(stepsSchema.parse(failed.steps).map(({ index }) => index)).toEqual([2]);
  expect(failed.failed).toMatchObject({ action: 2, code: 'TARGET_NOT_FOUND' });
  expect(failed.failed?.index).toBeUndefined();
  expect(failed.text).toContain('Action 2 of this call failed with TARGET_NOT_FOUND');
});

test('a failure does not bring the snapshot that the call declined', async ({ open, shared }) => {
  await shared.configure(soon);
  const { started } = await open('todo.html');
  const failed = await shared.call('record_codegen_session', {
    sessionId: started.sessionId,
    actions: [{ action: 'click', target: '#nowhere' }],
    snapshot: 'none',
  });
  expect(failed.failed).toMatchObject({ action: 0 });
  expect(failed.snapshot).toBe('');
});

for (const autoAssert of [true, false])
  test(`an action that changed nothing visible says so${autoAssert ? '' : ', without automatic assertions'}`, async ({
    open,
    shared,
  }) => {
    await shared.configure({ autoAssert });
    const { started, land } = await open('todo.html');
    const idle = await land({ action: 'click', target: 'h1' });
    expect(stepsSchema.parse(idle.steps)).toMatchObject([{ changed: false }]);
    expect(idle.text).toContain('(changed nothing visible)');
    const deleted = await land({ action: 'click', target: refOf(started.snapshot, 'button "Delete"') });
    expect(stepsSchema.parse(deleted.steps)[0]?.changed).not.toBe(false);
    const expected = await land({ action: 'expect', target: 'h1', matcher: 'toBeVisible' });
    expect(stepsSchema.parse(expected.steps)[0]?.changed).toBeUndefined();
  });
