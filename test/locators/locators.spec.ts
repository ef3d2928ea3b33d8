import { expect, refOf, test } from '../fixtures.js';

/** Page, a part of the element's line in the snapshot, and the locator that a good engineer would write. */
const cases: [page: string, line: string, locator: string][] = [
  ['similar.html', 'button "Save"', 'getByRole("button", { name: "Save", exact: true })'],
  ['similar.html', 'checkbox "Email"', 'getByRole("checkbox", { name: "Email", exact: true })'],
  ['similar.html', 'link "Orders"', 'getByRole("link", { name: "Orders" })'],
  [
    'similar.html',
    'article/Tea/button',
    'getByRole("article").filter({ has: page.getByText("Tea", { exact: true }) }).getByRole("button", { name: "Add to cart" })',
  ],
  [
    'similar.html',
    'article/Teapot/button',
    'getByRole("article").filter({ hasText: "Teapot" }).getByRole("button", { name: "Add to cart" })',
  ],
  [
    'similar.html',
    'row/Anna/button',
    'getByRole("row").filter({ hasText: "Anna" }).getByRole("button", { name: "Edit" })',
  ],
  [
    'similar.html',
    'listitem/Dark red/button',
    'getByRole("listitem").filter({ hasText: "Dark red" }).getByRole("button", { name: "Remove" })',
  ],
  ['similar.html', 'link "notes.txt"', 'locator(".panel-left").getByRole("link", { name: "notes.txt" })'],
  [
    'similar.html',
    'maps/Trains/button "Install"',
    'locator(".ui-card").filter({ hasText: "Trains" }).getByRole("button", { name: "Install" })',
  ],
  [
    'similar.html',
    'At work/checkbox',
    'locator("section").filter({ hasText: "At work" }).getByLabel("Call Ann")',
  ],
  [
    'similar.html',
    'Children/button "Book"',
    'locator("seat-counter").filter({ hasText: "Children:" }).getByRole("button", { name: "Book" })',
  ],
  [
    'similar.html',
    'Screw/gridcell',
    'getByRole("row").filter({ hasText: "Screw" }).getByRole("gridcell").nth(1)',
  ],
  [
    'similar.html',
    '1156/Ann/gridcell "7"',
    'getByRole("row", { name: "1156" }).getByRole("gridcell", { name: "7" })',
  ],
  ['similar.html', '1156/checkbox', 'getByRole("row", { name: "1156" }).getByLabel("Select")'],
  ['similar.html', ': Release', 'getByText("Release")'],
  ['similar.html', ': inject', 'locator(".palette-node").filter({ hasText: "inject" })'],
  [
    'frames.html',
    'button "Subscribe"',
    'locator(\'iframe[name="newsletter"]\').contentFrame().getByRole("button", { name: "Subscribe" })',
  ],
  [
    'frames.html',
    'button "Pay"',
    'locator(\'iframe[title="Payment"]\').contentFrame().getByRole("button", { name: "Pay" })',
  ],
  [
    'frames.html',
    'button "Feedback"',
    'locator(\'iframe[src="frame-button.html?label=Feedback"]\').contentFrame().getByRole("button", { name: "Feedback" })',
  ],
  ['frames.html', 'button "Chat"', 'locator("#chat").contentFrame().getByRole("button", { name: "Chat" })'],
  [
    'frames.html',
    'button "Innermost"',
    'locator(\'iframe[title="Outer"]\').contentFrame().locator(\'iframe[title="Inner"]\').contentFrame().getByRole("button", { name: "Innermost" })',
  ],
  ['machine-made.html', 'heading "Order', 'getByRole("heading", { name: /^Order #\\d+$/ })'],
  ['machine-made.html', 'button "Cart', 'getByRole("button", { name: /^Cart \\(\\d+\\)$/ })'],
  ['machine-made.html', 'link "Inbox', 'getByRole("link", { name: /^Inbox \\d+ unread$/ })'],
  ['machine-made.html', 'button "Updated', 'getByRole("button", { name: /^Updated .+$/ })'],
  ['machine-made.html', 'button "Teapot', 'getByRole("button", { name: /^Teapot \\$[\\d.,]+$/ })'],
  ['machine-made.html', 'textbox "Email"', 'getByRole("textbox", { name: "Email" })'],
  ['machine-made.html', 'checkbox "I agree"', 'getByRole("checkbox", { name: "I agree" })'],
  [
    'machine-made.html',
    'Black tea/button "Add"',
    'getByText("Black tea", { exact: true }).locator("..").getByRole("button", { name: "Add" })',
  ],
  [
    'machine-made.html',
    'Iced tea/class=fa-pen',
    'getByText("Iced tea", { exact: true }).locator("..").getByRole("button").filter({ has: page.locator(".fa-pen") })',
  ],
  [
    'machine-made.html',
    'Iced tea/class=fa-trash',
    'getByText("Iced tea", { exact: true }).locator("..").getByTestId(/^remove-[\\w-]+$/)',
  ],
  ...['Chapter 2', 'Issue #8', 'iPhone 15', 'Top 100', 'Step 1 of 3', 'Dune (2021)'].map(
    (name): [string, string, string] => [
      'machine-made.html',
      `button "${name}"`,
      `getByRole("button", { name: "${name}" })`,
    ],
  ),
  ['shadow.html', 'button "One more of Plums"', 'getByRole("button", { name: "One more of Plums" })'],
];

/** The reference of `article/Teapot/button`: the first button after the first line with Teapot after one with article. */
function refAt(snapshot: string, line: string): string {
  const parts = line.split('/');
  const last = parts.pop() ?? '';
  const from = parts.reduce((at, part) => {
    const found = snapshot.slice(at).search(new RegExp(`\\b${part}(?![\\w ])`));
    return found < 0 ? at : at + found;
  }, 0);
  return refOf(snapshot.slice(from), last);
}

test('locators are those a good engineer would write', async ({ open }) => {
  test.slow();
  for (const page of new Set(cases.map(([name]) => name))) {
    const { started, land } = await open(page);
    for (const [, line, locator] of cases.filter(([name]) => name === page)) {
      const { codes } = await land({ action: 'hover', target: refAt(started.snapshot, line) });
      expect.soft(codes, line).toEqual([`await page.${locator}.hover();`]);
    }
  }
});

test('a field without a name is not identified by its typed value', async ({ open }) => {
  const { started, land } = await open('nameless.html');
  const target = refOf(started.snapshot, 'textbox');
  const { codes } = await land({ action: 'fill', target, value: 'new text' });
  expect(codes[0]).not.toContain('old text');
  await land({ action: 'fill', target, value: 'other text' });
});

test('generated ids and classes are in no locator', async ({ open }) => {
  const { started, land } = await open('nameless.html');
  const { codes } = await land({ action: 'click', target: refOf(started.snapshot, 'button') });
  expect(codes[0]).not.toMatch(/x7f3|css-/);
});

test('highlighted words of a text are not its icons', async ({ open }) => {
  const { started, land } = await open('similar.html');
  const target = refAt(started.snapshot, 'Response body/code');
  const { codes } = await land({ action: 'expect', target, matcher: 'toContainText', expected: 'total' });
  expect(codes).toEqual([
    'await expect(page.getByRole("row").filter({ hasText: "Response body" }).getByRole("code")).toContainText("total");',
  ]);
});

test("an agent's position is replaced only by something better", async ({ open }) => {
  const { land } = await open('similar.html');
  const inRow = 'getByRole("row", { name: "Bolt" }).getByRole("gridcell").nth(1)';
  const anywhere = 'getByRole("gridcell").nth(1)';
  const { codes } = await land(...[inRow, anywhere].map((target) => ({ action: 'hover', target })), {
    action: 'hover',
    target: 'getByRole("article").first().getByRole("button")',
  });
  expect(codes).toEqual([
    `await page.${inRow}.hover();`,
    'await page.getByRole("row").filter({ hasText: "Bolt" }).getByRole("gridcell").nth(1).hover();',
    'await page.getByRole("article").filter({ has: page.getByText("Tea", { exact: true }) }).getByRole("button", { name: "Add to cart" }).hover();',
  ]);
});
