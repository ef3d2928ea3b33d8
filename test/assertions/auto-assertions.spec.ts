import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, refOf, runTests, test, type Recording } from '../fixtures.js';

const button = (name: string): string => `getByRole('button', { name: '${name}' })`;
const add = `getByRole('button', { name: 'Add', exact: true })`;
const click = (target: string): Record<string, unknown> => ({ action: 'click', target });

/** The automatic assertions of a step, on a line each, without what all of them begin with. */
async function asserted({ land }: Recording, action: Record<string, unknown>): Promise<string[]> {
  const { assertions } = await land(action);
  return assertions
    .flat()
    .map((code) => code.replace(/^await expect\(page(?:\.|\)\.)/, '').replace(/\s+/g, ' '));
}

const rows: { does: string; action: Record<string, unknown>; asserts: string[] }[] = [
  {
    does: 'opens a disclosure',
    action: click(button('What is it?')),
    asserts: [
      'getByRole("button", { name: "What is it?" })).toHaveAttribute("aria-expanded", "true");',
      'getByText("A collection of widgets.")).toBeVisible();',
    ],
  },
  {
    does: 'presses a toggle button',
    action: click(button('Mute')),
    asserts: ['getByRole("button", { name: "Mute" })).toHaveAttribute("aria-pressed", "true");'],
  },
  {
    does: 'flips a switch',
    action: click("getByRole('switch', { name: 'Wi-Fi' })"),
    asserts: ['getByRole("switch", { name: "Wi-Fi" })).toBeChecked();'],
  },
  {
    does: 'moves a slider',
    action: { action: 'press', target: "getByRole('slider', { name: 'Red' })", key: 'ArrowRight' },
    asserts: ['getByRole("slider", { name: "Red" })).toHaveAttribute("aria-valuenow", "129");'],
  },
  {
    does: 'moves along radio buttons',
    action: { action: 'press', target: "getByRole('radio', { name: 'Regular' })", key: 'ArrowDown' },
    asserts: [
      'getByRole("radio", { name: "Deep dish" })).toBeChecked();',
      'getByRole("radio", { name: "Deep dish" })).toBeFocused();',
    ],
  },
  {
    does: 'counts and announces',
    action: click(add),
    asserts: [
      'getByRole("status")).toHaveText("1 times");',
      'getByRole("alert")).toHaveText("Added to your list");',
    ],
  },
  {
    does: 'opens a dialog',
    action: click(button('Add address')),
    asserts: ['getByRole("dialog", { name: "Delivery address" })).toBeVisible();'],
  },
  {
    does: 'filters a list',
    action: { action: 'fill', target: "getByLabel('Filter')", value: 'ba' },
    asserts: ['getByRole("listitem")).toHaveText(["Banana"]);'],
  },
  {
    does: 'enables a button',
    action: { action: 'check', target: "getByRole('checkbox', { name: 'I agree' })" },
    asserts: ['getByRole("button", { name: "Order" })).toBeEnabled();'],
  },
  {
    does: 'selects an option',
    action: { action: 'selectOption', target: 'select', values: 'Large' },
    asserts: ['getByRole("combobox", { name: "Size" })).toHaveValue("Large");'],
  },
  {
    does: 'renames the button that was clicked',
    action: click(button('Show details')),
    asserts: ['getByRole("button", { name: "Hide details" })).toBeVisible();'],
  },
  { does: 'does nothing', action: click(button('Nothing')), asserts: [] },
];

test('visible effects of steps are asserted: the test passes, and fails if the page breaks', async ({
  open,
  workspace,
}) => {
  test.slow();
  const recording = await open('widgets.html', { autoAssert: true });
  for (const { does, action, asserts } of rows)
    expect.soft(await asserted(recording, action), `a step that ${does}`).toEqual(asserts);
  const code = await recording.code();
  await writeFile(path.join(workspace, 'whole.spec.ts'), code);
  const broken = code
    .replace('expect }', 'expect as patient }')
    .replace(
      'test(',
      'const expect = patient.configure({ timeout: 500 });\ntest.use({ javaScriptEnabled: false });\n\ntest(',
    );
  await writeFile(path.join(workspace, 'broken.spec.ts'), broken);
  const { output } = await runTests(workspace);
  expect(output).toMatch(/1 failed\s+broken\.spec\.ts.+\s+1 passed/);
  expect(output).toContain('toHaveAttribute("aria-expanded", "true")');
});

test("a new page's heading is asserted, and a URL that was not requested", async ({ open, pages }) => {
  const recording = await open('navigation.html', { autoAssert: true });
  expect(await recording.code()).toContain('toBeVisible();');
  const redirected = await asserted(recording, { action: 'goto', url: `${pages.url}/redirect` });
  expect(redirected).toContain(`toHaveURL("${pages.url}/landing.html");`);
});

test('absence is asserted only after presence was asserted', async ({ open }) => {
  const recording = await open('widgets.html', { autoAssert: true });
  await recording.land(click(button('Add address')), {
    action: 'fill',
    target: "getByLabel('Street')",
    value: 'Main St',
  });
  const closed = await asserted(recording, click(button('Cancel')));
  expect(closed[0]).toContain('"Delivery address" })).toBeHidden();');
  // The banner has not been asserted: the step before says that it was there.
  await recording.land(click(button('Remove banner')));
  expect(await recording.code()).toMatch(
    /"Banner" \}\)\)\.toBeVisible\(\);\s+await page\.getByRole\("button", \{ name: "Remove banner" \}\)\.click\(\);\s+await expect\(page\.getByRole\("region", \{ name: "Banner" \}\)\)\.toBeHidden/,
  );
});

test('nothing is asserted that the next action needs anyway, or that the agent asserts', async ({ open }) => {
  const widgets = await open('widgets.html', { autoAssert: true });
  await widgets.land(click(button('Show details')), click(button('Hide details')));
  expect(await widgets.code()).not.toContain('"Hide details" })).toBeVisible()');
  await widgets.land(click(add), {
    action: 'expect',
    target: "getByRole('alert')",
    matcher: 'toHaveText',
    expected: 'Added to your list',
  });
  expect((await widgets.code()).match(/Added to your list/g)).toHaveLength(1);
});

test('late effects are credited to the last step', async ({ open }) => {
  const recording = await open('widgets.html', { autoAssert: true });
  await recording.land(click(button('Load')));
  await expect
    .poll(() => recording.code())
    .toMatch(
      /"Load" \}\)\.click\(\);\s+await expect\(page\.getByText\("Everything is loaded"\)\)\.toBeVisible/,
    );
});

test('a message that disappeared before the next call is still recorded', async ({ open, shared }) => {
  const recording = await open('widgets.html', { autoAssert: true });
  const { sessionId } = recording.started;
  expect(await asserted(recording, click(button('Save')))).toEqual([
    'getByText("Changes saved")).toBeVisible();',
  ]);
  const shown = async (): Promise<string> =>
    (await shared.call('get_codegen_session', { sessionId, include: ['snapshot'] })).snapshot;
  await expect.poll(shown).not.toContain('Changes saved');
  expect(await recording.code()).toContain('Changes saved');
});

test('a typed value that the page overwrites is not asserted, on either side', async ({ open }) => {
  const { land, code } = await open('overwrites.html', { autoAssert: true });
  const fill = (label: string, value: string) => ({
    action: 'fill',
    target: `getByLabel('${label}')`,
    value,
  });
  const values = async (): Promise<string[] | null> => (await code()).match(/(?<=toHaveValue\(\s*)"\w*"/g);
  await land(fill('Font', 'Ada'), fill('Size', 'small'), fill('Colour', 'red'));
  expect(await values()).toEqual(['"small"']);
  // A click that empties a field does what it is for, and shows what it does with the other.
  await land(click(button('Reset')));
  expect(await values()).toEqual(['""']);
});

test('self-changing content is not asserted', async ({ open }) => {
  const recording = await open('clock.html', { autoAssert: true });
  for (let count = 0; count < 6; count++) await recording.land(click(button('Alarm')));
  // Once it has changed twice while nothing was done, it is known.
  const [, , , ...later] = (await recording.code()).split('.click()');
  expect(later.join('')).toContain('aria-pressed');
  expect(later.join('')).not.toContain('tick');
});

test('automatic assertions are marked, and can be removed without their step', async ({ open, shared }) => {
  const recording = await open('widgets.html', { autoAssert: true });
  const { sessionId } = recording.started;
  await recording.land(click(button('Mute')));
  const { steps } = await shared.call('get_codegen_session', { sessionId, include: ['steps'] });
  expect(Array.isArray(steps) ? steps.at(-1) : undefined).toMatchObject({
    action: 'click',
    assertions: [{ automatic: true, code: expect.stringContaining('aria-pressed') }],
  });
  await recording.record({ action: 'remove', assertions: [{ step: 1, index: 0 }] });
  const code = await recording.code();
  expect(code).toContain('"Mute" }).click()');
  expect(code).not.toContain('aria-pressed');
});

test('a session or the configuration can switch automatic assertions off', async ({ open }) => {
  const recording = await open('widgets.html', { autoAssert: false });
  await recording.land(click(button('Mute')));
  expect(await recording.code()).not.toContain('expect');
});

test('generated text is in no test: its stable part is asserted', async ({ open, shared }) => {
  test.slow();
  await shared.configure({ verify: { mode: 'off', sensitivity: 'off' } });
  const { started, land } = await open('machine-made.html', { autoAssert: true });
  const { sessionId } = started;
  const counted = await land(click("getByText('Green tea').locator('..').getByRole('button')"));
  expect(counted.assertions.flat().join()).toMatch(
    /name: \/\^Cart .+\/ \}\),?\s*\)\.toHaveText\(\s*"Cart \(\d+\)"/,
  );
  await land({ action: 'undo' }, click(button('Place')), click(button('Track')));
  // The run of the test sees other numbers.
  const ended = await shared.call('end_codegen_session', { sessionId, verify: 'require' });
  expect(ended.verification).toMatchObject({ status: 'passed' });
  expect(ended.verification).not.toHaveProperty('dropped');
  const code = ended.testCode.replace(/\s+/g, ' ');
  expect(code).toContain('"heading", { name: /Order #\\d+/ })).toBeVisible()');
  expect(code).toContain('getByRole("status")).toHaveText( /Order \\d+ was placed at .+\\./, )');
  expect(code).toContain('toHaveURL(/\\/machine-made\\.html#\\/orders\\/\\d+$/)');
  expect(code).not.toMatch(/css-|Mui|mui|:r|mat-|mdc|ng-|sc-|flex|svelte|ember|headlessui|locator\(/);
});

test('an element identified only by position is named in a warning, with its siblings', async ({
  open,
  shared,
}) => {
  const { started, land } = await open('similar.html', { title: 'selects the cell of a screw' });
  const { sessionId, snapshot } = started;
  await land(click(refOf(snapshot.slice(snapshot.indexOf('Screw')), 'gridcell')));
  const { warnings, text } = await shared.call('end_codegen_session', { sessionId, dryRun: true });
  const named = 'Step 1 uses gridcell near "Screw": add a test id or a label to it.';
  expect(warnings).toContain(named);
  expect(warnings).toContain('Positional locator in step 1: add a test id or a label to it.');
  // The page's words stand in the block of what the page said.
  const block = text.indexOf('<page-content-');
  expect(block).toBeGreaterThan(0);
  expect(text.indexOf(named)).toBeGreaterThan(block);
});

test('before acting on an element by position, the test waits for all counted siblings', async ({ open }) => {
  const { land, code } = await open('position.html', { autoAssert: true });
  await land({ action: 'pressSequentially', target: 'getByLabel("Search")', value: 'a' });
  await land(click('button >> nth=0'));
  const source = (await code()).replace(/\s+/g, ' ');
  expect(source).toContain(
    'expect(page.getByRole("button")).toHaveCount(2); await page.getByRole("button").first().click(',
  );
});
