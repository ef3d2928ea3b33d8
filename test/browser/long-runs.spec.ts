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
