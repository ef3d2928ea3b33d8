import { expect, test, type Recording } from '../fixtures.js';

const click = (name: string): Record<string, unknown> => ({
  action: 'click',
  target: `getByRole('button', { name: '${name}' })`,
});

async function asserted({ land }: Recording, name: string): Promise<string[]> {
  const { assertions } = await land(click(name));
  return assertions.flat().map((code) => code.replace(/\s+/g, ' ').replace('await expect(page.', ''));
}

test('an automatic assertion was false before its step', async ({ open }) => {
  const recording = await open('outcomes.html', { autoAssert: true });
  expect(await asserted(recording, 'Apply')).toEqual(['getByText("Total: $9.00")).toBeVisible();']);
  expect(await asserted(recording, 'Next')).toEqual([
    'getByRole("heading", { name: "Chapter 2" })).toBeVisible();',
  ]);
});

test('a class around an element is not asserted beside its own ARIA state', async ({ open }) => {
  const recording = await open('outcomes.html', { autoAssert: true });
  expect(await asserted(recording, 'Details')).toEqual([
    'getByRole("button", { name: "Details" })).toHaveAttribute("aria-expanded", "true");',
  ]);
});

test('a text in plain markup and an element that moved are outcomes', async ({ open }) => {
  const recording = await open('outcomes.html', { autoAssert: true });
  expect(await asserted(recording, 'Check')).toEqual([
    'getByText("Please enter a valid address")).toBeVisible();',
  ]);
  expect(await asserted(recording, 'Move')).toContain(
    'getByRole("region", { name: "Done" }).getByText("Write spec")).toBeVisible();',
  );
});

test('the new options of a closed field are asserted, and what a dialog did before that it closed', async ({
  open,
}) => {
  const recording = await open('outcomes.html', { autoAssert: true });
  expect(await asserted(recording, 'Fiat')).toEqual(['getByRole("option")).toHaveText(["500", "Panda"]);']);
  await asserted(recording, 'Delete a project');
  expect(await asserted(recording, 'Delete it')).toEqual([
    'locator("#projects").getByRole("listitem")).toContainText(["Gemini"]);',
    'locator("#projects").getByRole("listitem")).toHaveCount(1);',
  ]);
});

test('a new document is compared with the one before', async ({ open }) => {
  const recording = await open('outcomes.html', { autoAssert: true });
  await recording.land({ action: 'fill', target: "getByLabel('Task')", value: 'Buy tea' });
  const after = await asserted(recording, 'Add');
  expect(after).toContain('locator("#tasks").getByRole("listitem")).toHaveText(["Buy milk", "Buy tea"]);');
  expect(after.join('\n')).not.toContain('"Orders"');
});

test('a value that a step set is not asserted if a later step depends on it', async ({ open }) => {
  const recording = await open('outcomes.html', { autoAssert: true });
  await recording.land({ action: 'fill', target: "getByLabel('Task')", value: 'Buy tea' });
  expect(await recording.code()).toContain('toHaveValue("Buy tea")');
  await asserted(recording, 'Apply');
  expect(await recording.code()).not.toContain('toHaveValue');
});

test('an automatic assertion that the next expect implies is left out', async ({ open }) => {
  const recording = await open('outcomes.html', { autoAssert: true });
  await recording.land(click('Apply'), {
    action: 'expect',
    target: "getByText('Total:')",
    matcher: 'toHaveText',
    expected: 'Total: $9.00',
  });
  expect(await recording.code()).not.toContain('getByText("Total: $9.00")');
});

test('a form that opens is asserted by its title, and a message by its container', async ({ open }) => {
  const recording = await open('outcomes.html', { autoAssert: true });
  await recording.land({ action: 'fill', target: "getByLabel('Task')", value: 'inject' });
  expect(await asserted(recording, 'Edit node')).toEqual(['getByText("Edit inject node")).toBeVisible();']);
  const [message, ...others] = await asserted(recording, 'Deploy');
  expect(message).toBe('getByText("Successfully deployed")).toBeVisible();');
  expect(others.join()).not.toMatch(/row|notifications/);
});

test('an action that leads to an error page of the browser fails', async ({ open }) => {
  const recording = await open('outcomes.html', { autoAssert: true });
  const link = { action: 'click', target: "getByRole('link', { name: 'Partner' })" };
  const { failed } = await recording.record(link);
  expect(failed).toMatchObject({ code: 'NAVIGATION_FAILED' });
  expect(await recording.code()).not.toContain('chrome-error');
});

test('the new order of rows is asserted, though they begin with numbers', async ({ open }) => {
  const recording = await open('lists.html', { autoAssert: true });
  expect((await asserted(recording, 'Sort')).join()).toContain(
    '- /children: equal - row "3 7" - row "2 12" - row "1 30"',
  );
});

test('elements without a role are a list, by the titles in them', async ({ open }) => {
  const recording = await open('lists.html', { autoAssert: true });
  expect(await asserted(recording, 'Add')).toContain(
    'locator(".name")).toHaveText(["Plum", "Pear", "Fig"]);',
  );
});

test('the only new sentence, a table of which most is new, and found links are asserted', async ({
  open,
}) => {
  const recording = await open('lists.html', { autoAssert: true });
  expect(await asserted(recording, 'Restock')).toEqual([
    'getByText("Three fruits came in.")).toBeVisible();',
    'locator(".name")).toHaveText(["Plum", "Kiwi", "Lime"]);',
  ]);
  expect((await asserted(recording, 'Import')).join()).toContain('- row "1 30" - row "5 12" - row "6 7"');
  expect(await asserted(recording, 'Search')).toEqual([
    'getByRole("link")).toHaveText(["Plan", "Seeds", "Tools"]);',
  ]);
});

test('groups of rows are a list, and a text is not located by the one beside it', async ({ open }) => {
  const recording = await open('lists.html', { autoAssert: true });
  expect(await asserted(recording, 'Group')).toEqual([
    'locator(".fruit-group")).toHaveText(["Pomes (2)", "Stone fruit (1)"]);',
  ]);
  expect(await asserted(recording, 'Ripen')).toEqual([
    'getByText("Pears are ripe, help yourself.")).toBeVisible();',
  ]);
});

test('several new texts in one element are one snapshot, without what changes', async ({ open }) => {
  const recording = await open('lists.html', { autoAssert: true });
  const [snapshot = '', ...others] = await asserted(recording, 'Open order');
  expect(snapshot).toMatch(/^locator\("(?:#facts|\.order)"\)\)\.toMatchAriaSnapshot/);
  expect(snapshot).toMatch(/Order #\\\\d\+ Pears Total: \\\\\$9/);
  expect(others).toEqual([]);
});

test('an assertion that takes any id is not repeated, and contains no glyph of an icon font', async ({
  open,
}) => {
  const recording = await open('lists.html', { autoAssert: true });
  const once = await asserted(recording, 'Select node');
  expect(once.join()).toContain('getByRole("row", { name: "Type inject" })).toBeVisible()');
  expect(once.join()).not.toMatch(/\p{Co}|\\ue900/u);
  expect((await asserted(recording, 'Select node')).join()).not.toContain('inject');
});

test('a date that the test typed is asserted, and a message about waiting is not', async ({ open }) => {
  const recording = await open('lists.html', { autoAssert: true });
  await recording.land({ action: 'fill', target: "getByLabel('Arrival')", value: '2026-02-28' });
  expect(await asserted(recording, 'Book')).toEqual([
    'getByRole("status")).toHaveText("Booked for 2026-02-28");',
  ]);
  expect(await asserted(recording, 'Run')).toEqual([]);
});

test('an item that changed is asserted by itself, located by its heading', async ({ open }) => {
  const recording = await open('panels.html', { autoAssert: true });
  const item = "locator('.item').filter({ hasText: 'Backpack' }).getByRole('button')";
  const { assertions } = await recording.land({ action: 'click', target: item });
  const [first = ''] = assertions.flat();
  expect(first.replace(/\s+/g, ' ')).toBe(
    'await expect(page.locator(".item").filter({ hasText: "Backpack" })).toMatchAriaSnapshot(` - spinbutton: "2" - text: "$72.00 $144.00" `);',
  );
});

test('messages beside several fields are one list', async ({ open }) => {
  const recording = await open('panels.html', { autoAssert: true });
  expect(await asserted(recording, 'Send')).toEqual([
    'locator(".hint")).toHaveText(["Please enter your first name", "Please enter your last name"]);',
  ]);
  await recording.land({ action: 'fill', target: "getByLabel('Last')", value: 'Lee' });
  expect(await asserted(recording, 'Send')).toEqual(['locator(".hint")).toBeHidden();']);
});

test('the content of a panel that a click opens or closes is not asserted beside its state', async ({
  open,
}) => {
  const recording = await open('panels.html', { autoAssert: true });
  const state = (isOpen: string): string[] => [
    `getByRole("button", { name: "GET /pets" })).toHaveAttribute("aria-expanded", "${isOpen}");`,
  ];
  expect(await asserted(recording, 'GET /pets')).toEqual(state('true'));
  await recording.land({ action: 'expect', target: "getByText('Code 404')", matcher: 'toBeVisible' });
  expect(await asserted(recording, 'GET /pets')).toEqual(state('false'));
});

test('a click on a field is not asserted by the focus that it moves', async ({ open }) => {
  const recording = await open('panels.html', { autoAssert: true });
  const { assertions } = await recording.land({ action: 'click', target: "getByLabel('First')" });
  expect(assertions.flat()).toEqual([]);
});

test('the focus that Tab moves is asserted only if nothing else changed', async ({ open }) => {
  const recording = await open('panels.html', { autoAssert: true });
  const tab = (label: string): Record<string, unknown> => ({
    action: 'press',
    target: `getByLabel('${label}')`,
    key: 'Tab',
  });
  expect((await recording.land(tab('First'))).assertions.join()).toContain('toBeFocused');
  expect((await recording.land(tab('Code'))).assertions.flat()).toEqual([
    'await expect(page.getByText("Enter a code")).toBeVisible();',
  ]);
});

test('beside another effect, neither what was asserted before nor what a click does anyway is asserted', async ({
  open,
}) => {
  const todos = await open('todomvc.html', { autoAssert: true });
  const field = "getByPlaceholder('What needs to be done?')";
  const add = async (value: string): Promise<string> => {
    await todos.land({ action: 'fill', target: field, value });
    return (await todos.land({ action: 'press', target: field, key: 'Enter' })).assertions.join();
  };
  expect(await add('Buy milk')).toContain('toHaveValue("")');
  expect(await add('Call Ann')).not.toContain('toHaveValue("")');
  const toggle = "getByRole('listitem').filter({ hasText: 'Ann' }).getByRole('checkbox')";
  const done = (await todos.land({ action: 'check', target: toggle })).assertions.join();
  expect(done).toContain('toContainClass("completed")');
  expect(done).not.toContain('toBeChecked');
  const users = await open('admin.html', { autoAssert: true });
  const selected = await users.land({ action: 'click', target: "getByLabel('Select Ben')" });
  expect(selected.assertions.join()).toContain('toBeChecked');
  expect(selected.assertions.join()).not.toContain('toContainClass');
  const plans = await open('wizard.html', { autoAssert: true });
  const fill = (label: string, value: string): Record<string, unknown> => ({
    action: 'fill',
    target: `getByLabel('${label}', { exact: true })`,
    value,
  });
  await plans.land(fill('Full name', 'Ann'), fill('Email', 'ann@example.com'), click('Next'));
  const plan = await plans.land({ action: 'check', target: "getByLabel('Team – $12 a month')" });
  expect(plan.assertions.join()).not.toContain('toBeChecked');
});

test('what a step typed is asserted again only if nothing else is', async ({ open }) => {
  const recording = await open('conduit.html', { autoAssert: true });
  const fill = (placeholder: string, value: string): Record<string, unknown> => ({
    action: 'fill',
    target: `getByPlaceholder('${placeholder}')`,
    value,
  });
  const signIn = await recording.land({ action: 'click', target: "getByRole('link', { name: 'Sign in' })" });
  // The heading and the URL say more than the class of the link.
  expect(signIn.assertions.join()).not.toContain('toContainClass');
  await recording.land(
    fill('Email', 'jane@example.com'),
    fill('Password', 'secret'),
    click('Sign in'),
    { action: 'click', target: "getByRole('link', { name: 'New Article' })" },
    fill('Article Title', 'Hedge care'),
    fill('Write your article (in markdown)', 'Use sharp scissors.'),
  );
  const body = 'getByText("Use sharp scissors.")).toBeVisible();';
  expect(await asserted(recording, 'Publish Article')).toContain(body);
  await recording.land(
    { action: 'click', target: "getByRole('link', { name: 'Edit Article' })" },
    fill('Article Title', 'Hedges in spring'),
  );
  const again = await asserted(recording, 'Publish Article');
  expect(again).toContain('getByRole("heading", { name: "Hedges in spring" })).toBeVisible();');
  expect(again).not.toContain(body);
});

test('a grid cell that a click moves the focus to is asserted', async ({ open }) => {
  const recording = await open('panels.html', { autoAssert: true });
  const { assertions } = await recording.land({
    action: 'click',
    target: "getByRole('gridcell', { name: '8' })",
  });
  expect(assertions.flat()).toEqual([
    'await expect(page.getByRole("gridcell", { name: "8" })).toBeFocused();',
  ]);
});

test('a value that a cell shows after it was edited is asserted as its text', async ({ open }) => {
  const recording = await open('panels.html', { autoAssert: true });
  await recording.land({ action: 'dblclick', target: "getByRole('cell', { name: '7', exact: true })" });
  const { assertions } = await recording.land(
    { action: 'fill', target: "getByRole('cell').getByRole('textbox')", value: '9' },
    { action: 'press', key: 'Enter' },
  );
  expect(assertions.flat()).toContain('await expect(page.getByText("9", { exact: true })).toBeVisible();');
  expect(await recording.code()).not.toContain('row "Fig 9"');
});

test('an element has one locator: that by which a step acts on it', async ({ open }) => {
  const recording = await open('todomvc.html', { autoAssert: true });
  const field = { target: "getByPlaceholder('What needs to be done?')" };
  await recording.land(
    { ...field, action: 'fill', value: 'Call Ann' },
    { ...field, action: 'press', key: 'Enter' },
  );
  const edit = { target: "locator('.edit')" };
  const { assertions } = await recording.land({ action: 'dblclick', target: "getByText('Call Ann')" });
  expect(assertions.join()).toContain('getByRole("textbox"');
  await recording.land({ ...edit, action: 'fill', value: 'Call Bob' });
  const code = await recording.code();
  expect(code).toContain('expect(edit).toHaveValue("Call Ann")');
  expect(code).not.toContain('getByRole("textbox"');
});

test('what a step typed is not asserted beside what it caused', async ({ open }) => {
  const recording = await open('panels.html', { autoAssert: true });
  const field = "getByLabel('Find')";
  const { assertions } = await recording.land({ action: 'fill', target: field, value: 'Kumquat' });
  expect(assertions.join()).toContain('No fruit has this name');
  expect(assertions.join()).not.toContain('Kumquat');
});

test('that a tab is selected is asserted once, and its panel by what it says', async ({ open }) => {
  const recording = await open('panels.html', { autoAssert: true });
  const { assertions } = await recording.land({ action: 'click', target: "getByRole('tab')" });
  expect(assertions.flat()).toEqual([
    'await expect(page.getByRole("tab")).toHaveAttribute("aria-selected", "true");',
    'await expect(page.getByText("Two rooms face the garden.")).toBeVisible();',
  ]);
});

test('what an alert, a dialog, a list and a table are for is asserted once, and plainly', async ({
  open,
}) => {
  const recording = await open('manager.html', { autoAssert: true });
  expect(await asserted(recording, 'Mail')).toContain(
    'getByRole("heading", { name: "Inbox", level: 1 })).toBeVisible();',
  );
  expect(await asserted(recording, 'New folder')).toEqual([
    'locator(".left-pane").getByRole("link")).toHaveText(["archive", "docs", "notes"]);',
  ]);
  expect((await asserted(recording, 'Only light ones')).at(-1)).toBe(
    'getByRole("table")).toMatchAriaSnapshot(` - rowgroup: - /children: equal - row "Fig 50" - row "Plum 66" `);',
  );
  expect(await asserted(recording, 'Save')).toEqual([
    'getByRole("alert")).toContainText("Not saved There is no room on the disk.");',
  ]);
  expect(await asserted(recording, 'Send')).toEqual([
    'locator(".error")).toHaveText(["Enter a name", "Enter a city"]);',
  ]);
  expect(await asserted(recording, 'Transform')).toEqual([
    'getByRole("dialog")).toContainText("Transform data");',
  ]);
  const { assertions } = await recording.land({ action: 'press', key: 'F8' });
  expect(assertions.flat()).toEqual([
    'await expect(page.getByRole("button", { name: "OK" })).toBeFocused();',
    'await expect(page.getByText("Delete notes?")).toBeVisible();',
  ]);
});

test('a new document is asserted by its title, and by no heading of a sidebar', async ({ open }) => {
  const recording = await open('manager.html', { autoAssert: true });
  const { assertions } = await recording.land({
    action: 'click',
    target: "getByRole('link', { name: 'Archive' })",
  });
  expect(assertions.join()).toContain('getByRole("heading", { name: "Archive" })');
  expect(assertions.join()).not.toContain('Folders');
});

test('a text in wrappers is located by the test id of the element that contains it', async ({ open }) => {
  const recording = await open('components.html', { autoAssert: true });
  expect(await asserted(recording, 'Add')).toEqual(['getByTestId("badge")).toHaveText("1");']);
  const cart = await asserted(recording, 'Open cart');
  expect(cart).toContain('getByTestId("price")).toHaveText(["$7.99", "$9.99", "$8.50"]);');
  expect(cart).toContain('getByTestId("name")).toHaveText(["Plum", "Pear", "Fig"]);');
  await recording.land({ action: 'click', target: '[data-testid="open-cart"]' });
  expect(await recording.code()).toContain('getByTestId("open-cart").click()');
});

test('a dialog that takes no clicks itself is asserted by its name', async ({ open }) => {
  const recording = await open('components.html', { autoAssert: true });
  expect(await asserted(recording, 'New person')).toEqual([
    'getByRole("dialog", { name: "New person" })).toBeVisible();',
  ]);
});

test('what was picked from a list that hid the dialog below is asserted, and the open list by its options', async ({
  open,
}) => {
  const recording = await open('components.html', { autoAssert: true });
  await recording.land(click('Configure'));
  const opened = await recording.land({ action: 'click', target: "getByLabel('Column')" });
  expect(opened.assertions.flat()).toEqual([
    'await expect(page.getByRole("option")).toHaveText(["To do", "Doing"]);',
  ]);
  const picked = await recording.land({ action: 'click', target: "getByRole('option', { name: 'Doing' })" });
  expect(picked.assertions.flat()).toEqual([
    'await expect(page.getByRole("combobox", { name: "Column" })).toHaveText("Doing");',
  ]);
  expect(picked.snapshot).toContain('~   - combobox "Column"');
  expect(picked.snapshot).not.toContain('heading');
});

test('what was picked from a list is asserted as what a step put in', async ({ open }) => {
  const recording = await open('components.html', { autoAssert: true });
  await recording.land({ action: 'click', target: "getByLabel('Assignees')" });
  const picked = await recording.land({ action: 'click', target: "getByRole('option', { name: 'Bob' })" });
  expect(picked.assertions.flat()).toEqual([
    'await expect(page.getByRole("button", { name: "Bob" })).toBeVisible();',
  ]);
});

test('each outcome in plain markup is asserted, and what the step itself did is not', async ({ open }) => {
  const recording = await open('plain.html', { autoAssert: true });
  const dropped = await recording.land({
    action: 'dragTo',
    target: "getByText('Fix login')",
    to: '#closed',
  });
  expect
    .soft(dropped.assertions.flat())
    .toEqual(['await expect(page.locator("#closed")).toContainText("Fix login");']);
  const outcomes: Record<string, string[]> = {
    Register: ['locator(".err")).toHaveText(["Enter an address", "Use 8 letters or more"]);'],
    Leave: ['locator(".member")).toContainText(["Ann", "Ben"]);', 'locator(".member")).toHaveCount(2);'],
    Find: [
      'locator(".hit").getByRole("link")).toHaveText(["Berlin Guide", "Berlin Hotels", "Berlin Food"]);',
    ],
    Upgrade: [
      'getByText("Upgrade to Pro?")).toBeVisible();',
      'getByText("You pay €29 a month.")).toBeVisible();',
    ],
    Archive: [
      'getByText("One mail archived.")).toBeVisible();',
      'getByRole("listitem")).toHaveText(["Invoice"]);',
    ],
  };
  for (const [name, expected] of Object.entries(outcomes))
    expect.soft(await asserted(recording, name), name).toEqual(expected);
  const gift = await recording.land({ action: 'check', target: "getByLabel('Gift')" });
  expect
    .soft(gift.assertions.flat())
    .toEqual(['await expect(page.locator("#wrapping")).toHaveText("Red paper");']);
  await recording.land({ action: 'click', target: "getByText('photo.png')" });
  expect.soft(await asserted(recording, 'Delete')).toEqual(['getByText("photo.png")).toBeHidden();']);
  const { assertions } = await recording.land({
    action: 'click',
    target: "locator('#chat').contentFrame().getByRole('button')",
  });
  expect
    .soft(assertions.flat())
    .toEqual([
      'await expect(page.locator("#chat").contentFrame().getByText("Word is missing")).toBeVisible();',
    ]);
});

test('a page of utility classes is asserted by its messages, labelled amounts and lists', async ({
  open,
}) => {
  const recording = await open('utilities.html', { autoAssert: true });
  const after = async (action: Record<string, unknown>): Promise<string[]> =>
    (await recording.land(action)).assertions.flat().map((code) => code.replace(/\s+/g, ' '));
  const visible = (text: string): string => `await expect(page.getByText(${text})).toBeVisible();`;
  expect(await asserted(recording, 'Send')).toEqual(
    ['Enter your full address', 'Choose a delivery time'].map(
      (text) => `getByText(${JSON.stringify(text)})).toBeVisible();`,
    ),
  );
  // "1" alone could be anything.
  expect(await asserted(recording, 'Add to basket')).toEqual([
    'getByText("Total€13.80", { exact: true })).toBeVisible();',
  ]);
  expect(await after({ action: 'fill', target: "getByLabel('Search')", value: 'ann' })).toContain(
    'await expect(page.locator(".room-name")).toHaveText(["Announcements"]);',
  );
  const slot = await recording.land({ action: 'click', target: "getByText('14:00')" });
  expect(slot.codes).toEqual(['await page.getByText("14:00", { exact: true }).click();']);
  expect(slot.assertions.flat()).toEqual([visible('"Colour at 14:00"')]);
  expect(await asserted(recording, 'More')).toEqual(['getByText("6–10 of 12")).toBeVisible();']);
  const asked = (await asserted(recording, 'Pay')).join();
  expect(asked).toMatch(/toMatchAriaSnapshot\(`.*Grace.*\$950\.00.*Savings/);
  await recording.land({ action: 'fill', target: "getByLabel('Coupon')", value: 'FRESH' });
  expect(await asserted(recording, 'Apply')).toEqual(['getByLabel("Coupon")).toHaveValue("");']);
});
