import { z } from 'zod';
import { expect, refOf, test, type Connection, type Result } from '../fixtures.js';

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
  expect(failed.failed?.step).toBeUndefined();
  expect(failed.text).toContain('Failed with TARGET_NOT_FOUND.\nAction 2 of this call failed');
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
    expect(idle.text).toContain('changed: false');
    const deleted = await land({ action: 'click', target: refOf(started.snapshot, 'button "Delete"') });
    expect(stepsSchema.parse(deleted.steps)[0]?.changed).toBe(autoAssert || undefined);
    expect(deleted.text).not.toContain('changed:');
    const expected = await land({ action: 'expect', target: 'h1', matcher: 'toBeVisible' });
    expect(stepsSchema.parse(expected.steps)[0]?.changed).toBeUndefined();
  });

test.describe('remove', () => {
  test('removes steps and single automatic assertions anywhere, and says that the page stays', async ({
    open,
    shared,
  }) => {
    await shared.configure({ autoAssert: true });
    const { land, code } = await open('widgets.html');
    await land(
      { action: 'hover', target: 'h1' },
      { action: 'click', target: 'getByRole("button", { name: "Mute" })' },
      { action: 'hover', target: 'h1', note: 'stays' },
    );
    expect(await code()).toContain('aria-pressed');
    const { events, text } = await land({
      action: 'remove',
      steps: [1],
      assertions: [{ step: 2, index: 0 }],
    });
    expect(events).toContainEqual(
      expect.objectContaining({ text: expect.stringContaining('The page was not rolled back') }),
    );
    expect(text).toContain('Removed steps: 1. Removed assertion 0 of step 2.');
    const source = await code();
    expect(source).toMatch(/goto[^]*"Mute" }\)\.click\(\);\s+\/\/ stays\n.*hover/);
    expect(source).not.toContain('aria-pressed');
    // Nor does the next call bring it back.
    const { steps } = await land({ action: 'hover', target: 'h1' });
    expect(stepsSchema.parse(steps)).toMatchObject([{ index: 3 }]);
    expect(await code()).not.toContain('aria-pressed');
  });

  test('undo says that the page stays as it is', async ({ open }) => {
    const { land } = await open('todo.html');
    const { events } = await land({ action: 'hover', target: 'h1' }, { action: 'undo' });
    expect(events).toMatchObject([
      { type: 'result', action: 'undo', text: expect.stringContaining('The page was not rolled back') },
    ]);
  });

  test('a step that others need can only be removed with them', async ({ open }) => {
    const { land, record, code } = await open('popup.html');
    await land({ action: 'click', target: 'getByRole("button", { name: "Open a popup", exact: true })' });
    await land({ action: 'switchPage', page: 'p2' }, { action: 'hover', target: 'h1' });
    const refusals: [steps: number[], message: string][] = [
      [[1], 'Step 2 uses page "p2", which step 1 opens, so step 1 was not removed.'],
      [[1, 2], 'Step 3 uses page "p2", which step 1 opens, so step 1 was not removed.'],
      [[0], 'Step 1 acts in the document that step 0 opens, so step 0 was not removed.'],
    ];
    for (const [steps, message] of refusals) {
      const { failed } = await record({ action: 'remove', steps });
      expect(failed).toMatchObject({ code: 'INVALID_INPUT', message });
      expect(failed?.hint).toContain('in the same action');
    }
    expect((await code()).match(/hover|popupPromise;/g)).toHaveLength(2);
    await land({ action: 'remove', steps: [1, 2, 3] });
    expect(await code()).not.toMatch(/popupPromise|hover/);
  });

  test('a download that a later step saves is needed', async ({ open }) => {
    const { land, record, code } = await open('files.html');
    await land(
      { action: 'click', target: 'getByRole("link").first()' },
      { action: 'saveDownload', path: 'report.txt' },
    );
    expect((await record({ action: 'remove', steps: [1] })).failed).toMatchObject({
      code: 'INVALID_INPUT',
      message: 'Step 2 saves the download of step 1, so step 1 was not removed.',
    });
    await land({ action: 'remove', steps: [2, 1] });
    expect(await code()).not.toContain('download');
  });

  test('a step that expects an event goes with its action', async ({ open }) => {
    const { land, code } = await open('dialogs.html');
    const confirm = 'getByRole("button", { name: "Confirm", exact: true })';
    await land(
      { action: 'onDialog' },
      { action: 'click', target: confirm },
      { action: 'hover', target: 'h1' },
    );
    const { text } = await land({ action: 'remove', steps: [2] });
    expect(text).toContain('Removed steps: 1, 2.');
    expect(await code()).not.toMatch(/dialog"|click/);
  });

  const inexistent: [title: string, removal: object, message: string][] = [
    ['a step', { steps: [9] }, 'There is no step 9; the session has 1 steps.'],
    [
      'an assertion',
      { assertions: [{ step: 0, index: 2 }] },
      'Step 0 has 0 automatic assertions, and none with index 2.',
    ],
  ];
  for (const [title, removal, message] of inexistent)
    test(`${title} that does not exist is refused`, async ({ open }) => {
      const { record } = await open('todo.html');
      const { failed } = await record({ action: 'remove', ...removal });
      expect(failed).toMatchObject({
        code: 'INVALID_INPUT',
        message,
        hint: expect.stringContaining('steps'),
      });
    });
});

test.describe('at', () => {
  type Insert = (at: number, ...actions: object[]) => Promise<Result>;
  const inserter =
    (shared: Connection, { sessionId }: Result): Insert =>
    (at, ...actions) =>
      shared.call('record_codegen_session', { sessionId, at, actions });

  test('inserts steps, performed in the current page if they can be', async ({ open, shared }) => {
    const { started, land, code } = await open('todo.html');
    const insert = inserter(shared, started);
    await land({ action: 'click', target: 'getByRole("link", { name: "Active" })' });
    const { steps, text } = await insert(
      1,
      { action: 'step', title: 'looks' },
      { action: 'expect', target: 'h1', matcher: 'toHaveText', expected: 'Todos' },
      { action: 'expect', matcher: 'toHaveURL', expected: { regex: 'todo\\.html$' } },
      { action: 'expect', target: 'getByText("Water the plants")', matcher: 'toBeVisible' },
    );
    expect(steps).toMatchObject([
      { index: 1 },
      { index: 2 },
      { index: 3, unchecked: true },
      { index: 4, unchecked: true },
    ]);
    expect(text).toContain('unchecked: true');
    expect((await code()).replace(/\s+/g, ' ')).toMatch(
      /goto\([^)]+\); await test\.step\("looks", async \(\) => \{ .*toHaveText\("Todos"\); .*toHaveURL\(.*toBeVisible\(\); .*click/,
    );
    // Appending goes on as before.
    expect((await land({ action: 'hover', target: 'h1' })).steps).toMatchObject([{ index: 6 }]);
  });

  test('unchecked assertions are proven by verification, which names the step', async ({ open, shared }) => {
    test.slow();
    await shared.configure({ verify: { mode: 'require', sensitivity: 'off' } });
    const { started, land } = await open('todo.html');
    const insert = inserter(shared, started);
    const { sessionId } = started;
    await land({ action: 'click', target: 'getByRole("link", { name: "Active" })' });
    const water = { action: 'expect', target: 'getByText("Water the plants")', matcher: 'toBeVisible' };
    await insert(1, water);
    await insert(3 - 1, { ...water, target: 'getByText("Water the flowers")' });
    const refused = await shared.call('end_codegen_session', { sessionId });
    expect(refused.verification).toMatchObject({ status: 'failed', failure: { step: 2 } });
    expect(refused.verification).toMatchObject({
      failure: { hint: expect.stringContaining('inserted without being performed') },
    });
    await land({ action: 'remove', steps: [2] });
    const ended = await shared.call('end_codegen_session', { sessionId });
    expect(ended.verification).toMatchObject({ status: 'passed' });
    // A replay performs it at its place.
    const resumed = await shared.start({ resume: ended.files[0]?.path });
    expect(resumed.resumed).toBe(3);
  });

  test('inserts into another page than the current one', async ({ open, shared }) => {
    const { started, land, code } = await open('popup.html');
    const insert = inserter(shared, started);
    await land({ action: 'click', target: 'getByRole("button", { name: "Open a popup", exact: true })' });
    const { snapshot } = await land({ action: 'switchPage', page: 'p2' }, { action: 'hover', target: 'h1' });
    const { steps } = await insert(1, {
      action: 'expect',
      target: 'h1',
      matcher: 'toHaveText',
      expected: 'Popups',
    });
    expect(steps).toMatchObject([
      { index: 1, code: expect.stringContaining('expect(page.'), unchecked: true },
    ]);
    const { failed } = await insert(1, { action: 'hover', target: refOf(snapshot, 'heading') });
    expect(failed).toMatchObject({ code: 'TARGET_NOT_FOUND', hint: expect.stringContaining('locator') });
    const early = await insert(1, { action: 'switchPage', page: 'p2' });
    expect(early.failed).toMatchObject({ message: 'No recorded step has opened page "p2".' });
    expect((await code()).match(/bringToFront/g)).toHaveLength(1);
  });

  test('a step that expects an event is inserted before the step that causes it', async ({
    open,
    shared,
  }) => {
    test.slow();
    const { started, land } = await open('dialogs.html');
    const insert = inserter(shared, started);
    await land(
      { action: 'click', target: 'getByRole("button", { name: "Confirm", exact: true })' },
      { action: 'hover', target: 'h1' },
    );
    const { steps } = await insert(1, { action: 'onDialog', message: 'Delete everything?' });
    expect(steps).toMatchObject([{ index: 1, unchecked: true }]);
    await insert(
      3,
      { action: 'onDialog' },
      { action: 'click', target: 'getByRole("button", { name: "Confirm", exact: true })' },
    );
    const { sessionId } = started;
    const ended = await shared.call('end_codegen_session', { sessionId, verify: 'require' });
    expect(ended.verification).toMatchObject({ status: 'passed' });
    expect(ended.testCode.match(/await dialogPromise/g)).toHaveLength(2);
  });

  test('an index beyond the end is rejected, and so is an edit of the numbering', async ({
    open,
    shared,
  }) => {
    const { started } = await open('todo.html');
    const insert = inserter(shared, started);
    const beyond = await insert(2, { action: 'hover', target: 'h1' });
    expect(beyond.error).toMatchObject({
      code: 'INVALID_INPUT',
      message: '`at` is 2, but the session has 1 steps.',
      hint: expect.stringContaining('at most 1'),
    });
    const undone = await insert(0, { action: 'undo' });
    expect(undone.error).toMatchObject({
      code: 'INVALID_INPUT',
      message: "undo can't be combined with `at`.",
    });
    // At the end it appends.
    expect((await insert(1, { action: 'hover', target: 'h1' })).steps).toMatchObject([{ index: 1 }]);
  });
});
