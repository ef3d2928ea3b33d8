import { setTimeout as sleep } from 'node:timers/promises';
import { expect, refOf, test } from '../fixtures.js';

test('a page that replaces globals and DOM prototypes is observed all the same', async ({ open }) => {
  const { started, land, code } = await open('tampered.html', { autoAssert: true });
  const added = await land({ action: 'click', target: refOf(started.snapshot, 'button "Add"') });
  expect(added.snapshot).toContain('Added');
  await land(
    { action: 'fill', target: refOf(started.snapshot, 'textbox "Name"'), value: 'Ann' },
    { action: 'press', target: refOf(started.snapshot, 'textbox "Name"'), key: 'Enter' },
    { action: 'click', target: '.wrench' },
  );
  const written = await code();
  for (const line of [
    '"aria-pressed"',
    'toHaveText("Added")',
    'toHaveText("Hello Ann")',
    'page.locator(".wrench").click()',
    'toHaveText("Repaired")',
  ])
    expect(written).toContain(line);
});

test('a form whose field hides its parentElement fails in bounded time, and the answer says so', async ({
  open,
}) => {
  const { started, record } = await open('clobbered.html');
  expect(started.snapshot).toContain("can't be read");
  const begun = performance.now();
  const { failed } = await record({ action: 'click', target: 'button' });
  expect(failed?.code).toBe('ACTION_FAILED');
  expect(performance.now() - begun).toBeLessThan(15_000);
});

test('an endless script delays no call for long', async ({ open, shared }) => {
  test.slow();
  const { started, land, record } = await open('endless.html');
  const { sessionId } = started;
  await land({ action: 'click', target: refOf(started.snapshot, 'button "Start"') });
  await sleep(1500);
  const begun = performance.now();
  const { error } = await record({ action: 'click', target: refOf(started.snapshot, 'button "Other"') });
  expect(error?.message).toContain('does not respond');
  for (const tool of ['get_codegen_session', 'clear_codegen_session'])
    expect(await shared.call(tool, { sessionId })).not.toHaveProperty('error.code');
  expect(performance.now() - begun).toBeLessThan(40_000);
});
