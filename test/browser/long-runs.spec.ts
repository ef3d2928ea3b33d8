import { expect, refOf, test } from '../fixtures.js';

test('a snapshot of a page of 20,000 elements visits a part of them, and says how many it left out', async ({
  open,
}) => {
  const { started, record } = await open('large.html', { autoAssert: true });
  const leftOut = /table.*\n *- text: (\d+) elements are left out here\./.exec(started.snapshot)?.[1];
  expect(Number(leftOut)).toBe(2300);
  for (const text of ['Order 0"', 'Order 2499"']) expect(started.snapshot).toContain(text);

  const last = refOf(started.snapshot, 'button "Open 2499"');
  const middle = "getByRole('button', { name: 'Open 1200', exact: true })";
  const { recorded, snapshot } = await record(
    { action: 'click', target: last },
    { action: 'click', target: middle },
    { action: 'click', target: refOf(started.snapshot, 'button "Cover"') },
  );
  expect(recorded).toBe(3);
  expect(snapshot).not.toContain('Order');

  const { failed } = await record({ action: 'click', target: middle, timeout: 3000 });
  expect(failed?.message).toContain('intercepts pointer events');
});

test('`find` and `target` see what a snapshot leaves out, in little time, and say what they did not search', async ({
  open,
  shared,
}) => {
  const { started, record } = await open('large.html');
  const { sessionId } = started;
  const get = (args: object) =>
    shared.call('get_codegen_session', { sessionId, include: ['snapshot'], ...args });
  const begun = performance.now();
  const byText = await get({ find: 'order 1200' });
  expect(byText.snapshot).toContain('Order 1200');
  const row = 'tr:nth-child(1301)';
  const part = await get({ target: row });
  expect(part.error).toBeUndefined();
  expect(part.snapshot).toContain('Open 1300');
  const inPart = refOf(part.snapshot, 'button "Open 1300"');
  const { recorded } = await record(
    { action: 'hover', target: inPart },
    { action: 'hover', target: refOf(started.snapshot, 'button "Open 2499"') },
  );
  expect(recorded).toBe(2);
  const byExpression = await get({ find: { regex: 'Order 1[2]00' } });
  expect(byExpression.snapshot).toContain(
    'No line matches. The page is large, so not all of it was searched',
  );
  const inRow = await get({ target: row, find: { regex: '^button "Open 13' } });
  expect(inRow.snapshot).toContain('Open 1300');
  expect(performance.now() - begun).toBeLessThan(30_000);
});
