import { expect, refOf, test } from '../fixtures.js';

const button = (name: string): string => `getByRole('button', { name: '${name}', exact: true })`;

test('a dialog that never appears is a failure, and the step that expects it is not recorded', async ({
  shared: server,
  pages,
}) => {
  await server.configure({ browser: { actionTimeoutMs: 500 } });
  const { sessionId } = await server.start({ url: `${pages.url}/dialogs.html` });
  const code = async () => (await server.call('get_codegen_session', { sessionId, include: ['code'] })).code;
  const failed = await server.record(sessionId, { action: 'onDialog' }, { action: 'check', target: 'input' });
  expect(failed.failed).toMatchObject({ action: 1, code: 'ACTION_FAILED' });
  expect(failed.failed?.message).toContain('No dialog opened');
  expect(failed.recorded).toBe(0);
  expect(await code()).not.toMatch(/dialog"|check/);

  // It is disarmed, too: the next dialog is dismissed as if nothing had been expected.
  const { events } = await server.record(sessionId, { action: 'click', target: button('Confirm') });
  expect(events).toContainEqual(expect.objectContaining({ type: 'dialog', answer: 'dismissed' }));
  expect(await code()).toMatch(/goto.*\n.*Confirm/);
});

test('a dialog with another message is a failure that quotes it', async ({ open }) => {
  const { record } = await open('dialogs.html');
  const { failed, recorded, events } = await record(
    { action: 'onDialog', message: 'Delete this?' },
    { action: 'click', target: button('Confirm') },
  );
  expect(failed).toMatchObject({ action: 1, code: 'ACTION_FAILED' });
  expect(failed?.message).toContain('Delete everything?');
  expect(recorded).toBe(0);
  expect(events).toContainEqual(
    expect.objectContaining({ message: 'Delete everything?', answer: 'accepted' }),
  );
});

test('what a dialog said is asserted automatically', async ({ open }) => {
  const { land, code } = await open('dialogs.html', { autoAssert: true });
  await land({ action: 'onDialog' }, { action: 'click', target: button('Confirm') });
  expect(await code()).toContain('expect(dialog.message()).toBe("Delete everything?");');
});

test('an expected event waits for the action of a later call, and is undone with it', async ({ open }) => {
  const { land, code } = await open('dialogs.html');
  const before = await code();
  await land({ action: 'onDialog' });
  expect(await code()).toBe(before);
  const { codes } = await land({ action: 'click', target: button('Confirm') });
  expect(codes).toEqual([expect.stringMatching(/^await page\..*\.click\(\);\nawait dialogPromise;$/)]);
  expect(await code()).toMatch(/const dialogPromise = page[^]*await dialogPromise;/);
  await land({ action: 'undo' });
  expect(await code()).toBe(before);
});

test('undo right after a step that expects an event removes only that step', async ({ open }) => {
  const { land, code } = await open('dialogs.html');
  const two = { action: 'click', target: button('Two in a row') };
  const one = { action: 'click', target: button('Confirm') };
  await land(
    { action: 'onDialog', message: 'Delete everything?' },
    { action: 'onDialog' },
    { action: 'undo' },
    one,
  );
  await land({ action: 'onDialog' }, { action: 'step', title: 'Sure' }, { action: 'onDialog' }, two);
  const source = await code();
  expect(source.match(/dialogPromise\d* =/g)).toHaveLength(2);
  expect(source).toMatch(
    /"Sure", async[^]*dialogPromise2 =[^]*Two in a row[^]*await dialogPromise2;\n {2}}\);/,
  );

  // An action removes the steps that expect its events, even if something else was recorded in between.
  await land({ action: 'onDialog' }, { action: 'expect', target: 'h1', matcher: 'toBeVisible' }, one);
  await land({ action: 'undo' }, { action: 'hover', target: button('Confirm') });
  expect((await code()).match(/dialogPromise\d* =/g)).toHaveLength(2);
});

test('a step that expects an event of an unrecorded action is not recorded either', async ({ open }) => {
  const { record, land, code } = await open('dialogs.html');
  const looked = await record(
    { action: 'onDialog' },
    { action: 'click', target: button('Confirm'), record: false },
  );
  expect(looked.failed).toBeUndefined();
  expect(looked.recorded).toBe(0);
  await land({ action: 'hover', target: button('Confirm') });
  expect(await code()).not.toContain('dialogPromise');
});

test('refs belong to the page whose snapshot showed them', async ({ open }) => {
  const { started, land, record } = await open('popup.html');
  await land({ action: 'click', target: button('Open a popup') });
  const ref = refOf(started.snapshot, 'Open a slow popup');
  const { failed, page, snapshot } = await record(
    { action: 'switchPage', page: 'p2' },
    { action: 'click', target: ref },
  );
  expect(failed).toMatchObject({ action: 1, code: 'TARGET_NOT_FOUND' });
  expect(failed?.message).toContain('belongs to page p1');
  expect(page).toBe('p2');
  expect(snapshot).toContain('Landing');
});

test('a test has only pages that its own steps opened', async ({ open }) => {
  const { land, record, code } = await open('popup.html');
  await land({ action: 'click', target: button('Open a popup'), record: false });
  await land({ action: 'switchPage', page: 'p2', record: false });
  const { failed } = await record({ action: 'click', target: 'h1' });
  expect(failed).toMatchObject({ code: 'ACTION_FAILED' });
  expect(failed?.message).toContain('No recorded step has opened page "p2"');

  await land({ action: 'switchPage', page: 'p1' }, { action: 'click', target: button('Open a popup') });
  await land({ action: 'switchPage', page: 'p3' });
  // The page stays as it is, but nothing can be recorded there any more.
  await land({ action: 'undo', count: 2 });
  expect((await record({ action: 'click', target: 'h1' })).failed?.code).toBe('ACTION_FAILED');
  expect(await code()).not.toMatch(/popupPromise|click/);
});

test('an unknown page is refused, with those there are; a closed one, with the way on', async ({ open }) => {
  const { land, record } = await open('popup.html');
  const { failed } = await record({ action: 'switchPage', page: 'p7' });
  expect(failed).toMatchObject({ code: 'INVALID_INPUT', hint: expect.stringContaining('p1') });

  await land({ action: 'click', target: button('Open a popup that talks back') });
  await land({ action: 'switchPage', page: 'p2' });
  await record({ action: 'click', target: button('Answer') });
  const closed = await record({ action: 'hover', target: 'h1' });
  expect(closed.failed).toMatchObject({ code: 'ACTION_FAILED', message: 'The page has been closed.' });
  expect(closed.failed?.hint).toContain('switchPage: p1');
  await land({ action: 'switchPage', page: 'p1' });
});

test('a popup that comes after the result belongs to the step that opened it', async ({ open }) => {
  const { land, code } = await open('popup.html');
  const { pages: known } = await land({
    action: 'click',
    target: button('Open a popup much later'),
  });
  expect(known).toHaveLength(0);
  await expect(async () => {
    const { events } = await land({ action: 'expect', target: 'h1', matcher: 'toBeVisible' });
    expect(events).toContainEqual({ type: 'popup', page: 'p2' });
  }).toPass();
  await land({ action: 'switchPage', page: 'p2' });
  expect(await code()).toMatch(
    /const popupPromise = [^]*much later[^]*const popup = await popupPromise;[^]*h1/,
  );
});

test("a popup's effect on its opener is asserted when the flow returns to the opener", async ({ open }) => {
  const { land } = await open('popup.html', { autoAssert: true });
  await land({ action: 'click', target: button('Open a popup that talks back') });
  await land({ action: 'switchPage', page: 'p2' }, { action: 'click', target: button('Answer') });
  const { assertions } = await land({ action: 'switchPage', page: 'p1' });
  expect(assertions).toEqual([['await expect(page.getByRole("status")).toHaveText("answered");']]);
});
