import { expect, refOf, test } from '../fixtures.js';

for (const [name, result] of [
  ['"Timer"', 'timer done'],
  ['"Animation frame"', 'animation frame done'],
  ['"Message channel"', 'message channel done'],
  ['"Web socket"', 'socket done'],
  ['"Worker"', 'worker done'],
  ['"Database"', 'database done'],
  ['"Transition"', 'transition done'],
  ['"Animation"', 'animation done'],
  ['"Chain of timers"', 'timer 4 of 4 done'],
  ['"Fetch"', 'fetched 10 items'],
  ['"Load report"', 'Best seller'],
]) {
  test(`late effects of ${name} are in the result of its call`, async ({ open }) => {
    const { started, land } = await open('late.html');
    const { snapshot } = await land({ action: 'click', target: refOf(started.snapshot, name ?? '') });
    expect(snapshot).toContain(result);
  });
}

test('a debounced search is in the result of its call', async ({ open }) => {
  const { started, land } = await open('late.html');
  const target = refOf(started.snapshot, 'searchbox');
  const { snapshot } = await land({ action: 'pressSequentially', target, value: 'pea' });
  expect(snapshot).toContain('peach');
});

test('a navigation that a script begins late is waited for', async ({ open }) => {
  const { land } = await open('navigation.html');
  const { url } = await land({ action: 'click', target: 'text=/later|delayed|soon/i' });
  expect(url).toContain('landing.html');
});

test('a page that never settles delays a call only briefly, and its changes are seen', async ({ open }) => {
  const { started, land } = await open('noisy.html');
  const { snapshot } = await land({ action: 'click', target: refOf(started.snapshot, '"Approve"') });
  expect(snapshot).toContain('approved');
});
