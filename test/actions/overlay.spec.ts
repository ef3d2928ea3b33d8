import { expect, test } from '../fixtures.js';
import { button, label } from './flows.js';

const handler = { action: 'addLocatorHandler', target: 'getByRole("dialog")', click: button('Reject all') };
const add = (note: string) => [
  { action: 'fill', target: label('New note'), value: note },
  { action: 'click', target: button('Add') },
];

/** The assertions about the overlay. */
const linesOf = (source: string) =>
  source.split('\n').filter((line) => line.includes('expect(') && /Cookies|privacy|Reject|dialog/.test(line));

test('an overlay that a handler dismisses is no effect of a step', async ({ open, shared }) => {
  await shared.configure({ autoAssert: true });
  const { land, record, code } = await open('consent.html?ms=0');
  const covered = await record({
    action: 'click',
    target: button('Add'),
    timeout: 500,
    record: false,
  });
  expect(covered.failed?.code).toBe('ACTION_FAILED');

  await land(handler, ...add('milk'));
  await land(...add('bread'));
  const source = await code();
  expect(source).toContain(
    [
      '  await page.addLocatorHandler(page.getByRole("dialog"), async () => {',
      '    await page.getByRole("button", { name: "Reject all", exact: true }).click();',
      '  });',
    ].join('\n'),
  );
  expect(source).toContain('fill("bread")');
  expect(linesOf(source)).toEqual([]);
});

test('an overlay that appears between two calls is no effect of the next step', async ({ open, shared }) => {
  await shared.configure({ autoAssert: true });
  const { started, land, code } = await open('consent.html?ms=3000');
  await land(handler, ...add('milk').slice(0, 1));
  const { sessionId } = started;
  await expect(async () => {
    const { text } = await shared.call('get_codegen_session', { sessionId, include: ['console'] });
    expect(text).toContain('The banner is shown');
  }).toPass();
  await land(...add('milk').slice(1));
  expect(linesOf(await code())).toEqual([]);
});

test('a removed handler no longer dismisses the overlay', async ({ open }) => {
  const { land, record, code } = await open('consent.html?ms=0');
  await land(handler, ...add('milk'));
  await land({ action: 'remove', steps: [1] });
  expect(await code()).not.toContain('addLocatorHandler');
  const { failed } = await record({ action: 'click', target: button('Add'), timeout: 500 });
  expect(failed?.code).toBe('ACTION_FAILED');
});

test('a handler whose click fails is reported, and the step fails in time', async ({ open, shared }) => {
  await shared.configure({ browser: { actionTimeoutMs: 1000 } });
  const { land, record } = await open('consent.html?ms=0');
  await land({ ...handler, click: button('Accept nothing') });
  const { failed, events } = await record({ action: 'click', target: button('Add') });
  expect(failed).toBeDefined();
  expect(JSON.stringify(events)).toContain('The overlay was not dismissed');
});

test('a handler needs a target and what it clicks', async ({ open }) => {
  const { record } = await open('consent.html?ms=5000');
  const { target, click, ...bare } = handler;
  expect((await record({ ...bare, click })).error?.message).toContain('needs a target');
  expect((await record({ ...bare, target })).error?.message).toContain('needs `click`');
});
