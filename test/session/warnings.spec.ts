import type { LocatorChain } from '../../src/model/locator.js';
import type { Step } from '../../src/model/step.js';
import type { Use } from '../../src/model/use.js';
import { parseLocatorExpression } from '../../src/locators/locator-expression.js';
import { brittleness } from '../../src/locators/brittle.js';
import { sessionWarnings } from '../../src/session/warnings.js';
import { expect, test } from '../fixtures.js';
import { Rows } from '../rows.js';

const field: LocatorChain = [{ method: 'getByLabel', args: ['Email'] }];
const goto = (url = '/'): Step => ({ action: 'goto', args: { url } });
const click: Step = { action: 'click', locator: field, args: {} };
const asserted: Step = { action: 'expect', locator: field, args: { matcher: 'toBeVisible' } };
const automatic: Step = { ...click, assertions: [{ args: { matcher: 'toHaveURL', expected: '/next' } }] };
const group: Step = { action: 'step', args: { title: 'pays' } };
const wait: Step = { action: 'waitForURL', args: { url: '/next' } };
const fill: Step = { action: 'fill', locator: field, args: { value: 'ann@example.com' } };
const scroll: Step = { action: 'scrollIntoViewIfNeeded', locator: field, args: {} };

function warningsOf(steps: Step[], use: Use = {}): string[] {
  return sessionWarnings({ steps, use });
}

/** The warnings of a session that has an assertion after each step. */
function others(step: Step, use: Use = {}): string[] {
  return warningsOf([step, asserted], use);
}

const silent: [what: string, steps: Step[]][] = [
  ['each step is asserted', [goto(), asserted, click, asserted]],
  ['by automatic assertions', [automatic, automatic]],
  ['a group stands between', [goto(), group, asserted]],
  ['a wait notices', [click, wait, asserted]],
  ['a dialog has to come', [goto(), asserted, { action: 'onDialog', args: {} }, click]],
  ['a page has to open', [automatic, { ...click, signals: [{ type: 'popup', page: 'p2' }] }]],
  ['a later step depends on what was filled in', [automatic, fill, automatic]],
  ['a later step shows what a field changed', [automatic, { ...fill, changedPage: true }, automatic]],
  ['scrolling shows nothing', [goto(), scroll, asserted, scroll]],
];
const silentRows = new Rows();
for (const [what, steps] of silent)
  silentRows.add(`nothing to say: ${what}`, () => {
    expect(warningsOf(steps)).toEqual([]);
  });
test('there is nothing to say of steps whose changes are asserted', () => silentRows.check());

const blind: [which: string, steps: Step[]][] = [
  ['step 0', [goto(), click, asserted]],
  ['step 1', [automatic, click]],
  ['steps 0 and 3', [goto(), group, automatic, click, group, automatic]],
  ['steps 0, 1 and 3', [click, click, automatic, click]],
  ['step 1', [automatic, fill]],
  ['steps 0, 1, 2, 3, 4, 5, 6, 7 and 2 more', [...Array<Step>(10).fill(click), automatic]],
];
const blindRows = new Rows();
for (const [index, [which, steps]] of blind.entries())
  blindRows.add(`nothing is asserted after ${which} (row ${index})`, () => {
    expect(warningsOf(steps)).toEqual([
      `Nothing is asserted after ${which}: record an expect for what changed.`,
    ]);
  });
test('steps after which nothing is asserted are reported', () => blindRows.check());

test('what depends on the day of the run is reported, unless the test sets the clock', () => {
  const dated: Step = { ...automatic, showsToday: true };
  const clock: Step = { action: 'clock.setFixedTime', args: { time: '2026-01-15T10:00:00' } };
  expect(warningsOf([automatic, dated])).toEqual([
    'The page shows what depends on the day of the run after step 1: record clock.setFixedTime before the page opens, then an expect of it.',
  ]);
  expect(warningsOf([clock, automatic, dated])).toEqual([]);
});

test('a test without assertions is reported once', () => {
  expect(warningsOf([goto(), click, wait])).toEqual([
    'The test asserts nothing: record an expect for what the flow should show.',
  ]);
});

const positional = [
  'getByRole("listitem").nth(2)',
  'getByRole("listitem").first().getByRole("button")',
  'getByRole("listitem").filter({ has: getByRole("button").last() })',
  'locator("li:nth-child(3) > a")',
  'locator("li:first-child")',
  'locator("tr:nth-last-of-type(2)")',
  'locator(":nth-match(:text(\'Buy\'), 3)")',
  'locator("li >> nth=0")',
  'locator("//ul/li[2]")',
  'locator("xpath=(//li)[last()]")',
  'locator("(//li)[3]")',
  'frameLocator("iframe:nth-of-type(2)").getByRole("button")',
];
const generated = [
  'locator("#ember123")',
  'locator("#\\\\:r1\\\\:")',
  'locator("[id=\':R1ab:\']")',
  'locator("#_r_4_")',
  'locator("[aria-controls=\\"radix-«r3»\\"]")',
  'locator(".css-1q2w3e")',
  'locator("[id=ember12]")',
  'locator("div.sc-bdVaJa > span")',
  'locator(".Button_root__a1B2c")',
  'locator("#mui-1234")',
  'locator("#mat-input-0")',
  'locator(".svelte-1tky8bj")',
  'locator("#__next > div")',
  'locator("#row-550e8400-e29b-41d4-a716-446655440000")',
  'locator(".a1b2c3d4e5f6")',
  'locator("#field-1698765432")',
  'locator("//input[@id=\'ember44\']")',
  'locator("//div[contains(@class, \'css-1q2w3e\')]")',
  'locator("id=mui-12")',
  'getByRole("row").filter({ has: locator("#ember9") })',
];
const passing = [
  'getByRole("button", { name: "Model 123456789" })',
  'getByText("Due 2026-11-24")',
  'getByRole("row").filter({ hasText: "14:05" })',
];
const sound = [
  'getByRole("button", { name: /^Model \\d+$/ })',
  'locator("#email")',
  'locator(".card__title2")',
  'locator(".css-grid")',
  'locator("#css-editor")',
  'locator(".sc-button")',
  'locator("#step-2")',
  'locator("#iphone15")',
  'locator(".nav-item.is-active")',
  'locator("#radix")',
  'locator(".first-child")',
  'locator("[title=\':nth-child(2) #ember123\']")',
  'locator("text=nth=1 of #ember123")',
  'locator("//a[@title=\'[2] last()\']")',
  'locator("//a[@href=\'#ember123\']")',
  'getByText("the nth first last .css-1q2w3e")',
  'getByTestId("ember123")',
  'getByLabel("first", { exact: true })',
];
test('locators by position, generated name or transient text are recognized as brittle', () => {
  const on = (expression: string): unknown[] => [
    expression,
    ...brittleness(parseLocatorExpression(expression)),
  ];
  expect(positional.map(on)).toEqual(positional.map((expression) => [expression, 'position']));
  expect(generated.map(on)).toEqual(generated.map((expression) => [expression, 'generated name']));
  expect(passing.map(on)).toEqual(passing.map((expression) => [expression, 'volatile text']));
  expect(sound.map(on)).toEqual(sound.map((expression) => [expression]));
});

test('a brittle locator is reported with its step and a remedy, wherever it occurs', () => {
  const third = parseLocatorExpression('getByRole("listitem").nth(3)');
  const ember = parseLocatorExpression('locator("#ember123")');
  const steps: Step[] = [
    { ...automatic, locator: third },
    { ...automatic, assertions: [{ locator: ember, args: { matcher: 'toBeVisible' } }] },
    { ...asserted, locator: third },
  ];
  expect(warningsOf(steps)).toEqual([
    'Positional locator in steps 0 and 2: add a test id or a label to it.',
    'Locator with a generated id or class in step 1: add a test id or a label to it.',
  ]);
});

const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U';
const typed = (value: string, expression = 'getByLabel("Comment")'): Step => ({
  action: 'fill',
  locator: parseLocatorExpression(expression),
  args: { value },
});
const secrets: Step[] = [
  typed('hunter2', 'getByLabel("Password")'),
  typed('hunter2', 'getByPlaceholder("Your passphrase")'),
  typed('hunter2', 'locator("input[type=password]")'),
  typed('hunter2', 'getByRole("textbox", { name: "Passwort" }).filter({ visible: true })'),
  typed('4711-0815', 'getByLabel("API key")'),
  { ...typed('hunter2', 'getByLabel("Password")'), action: 'pressSequentially' },
  typed('sk-proj-4f8a9c2e7b1d6a3f5e8c'),
  typed('Use ghp_16C7e42F292c6912E7710c838347Ae178B4a please'),
  typed('AKIAIOSFODNN7EXAMPLE'),
  typed(`Bearer ${jwt}`),
  typed('-----BEGIN RSA PRIVATE KEY-----\nMIIE'),
  typed('xK7mP2vQ9sT4wB8nR3yL6hZ1'),
  typed('9f86d081884c7d659a2feaa0c55ad015'),
  goto('https://ann:hunter2@shop.example/'),
  goto('/login?access_token=4f8a9c2e7b1d'),
  { action: 'expect', locator: field, args: { matcher: 'toHaveValue', expected: jwt } },
  { ...asserted, assertions: [{ locator: field, args: { matcher: 'toHaveText', expected: jwt } }] },
];
const harmless: Step[] = [
  typed('', 'getByLabel("Password")'),
  typed('ann@shop.example', 'getByRole("dialog", { name: "Reset password" }).getByLabel("Email")'),
  typed('The quick brown fox jumps over the lazy dog, 12 times in 2024.'),
  typed('iPhone 15 Pro Max 256GB (Blue Titanium)'),
  typed('how-to-write-playwright-tests-in-2024-and-2025'),
  typed('getElementsByClassNameAndTagName'),
  typed('550e8400-e29b-41d4-a716-446655440000'),
  typed('task-list-with-a-long-name'),
  typed('+49 30 1234567890123456789012345'),
  typed('https://shop.example/products/teapot?page=2&sort=price#reviews'),
  goto('https://shop.example/a/9f86d081884c7d659a2feaa0c55ad015'),
  goto('/search?q=token&key=teapot-green'),
  { action: 'press', locator: parseLocatorExpression('getByLabel("Password")'), args: { key: 'Enter' } },
  { action: 'expect', args: { matcher: 'toHaveTitle', expected: 'Password reset' } },
];
const secretRows = new Rows();
for (const [index, step] of secrets.entries())
  secretRows.add(`a secret is reported without its value (${index})`, () => {
    const [told = '', ...more] = others(step);
    expect(told).toMatch(/looks like a secret, from step 0: write \{\{secret:NAME\}\} instead/);
    expect(more).toEqual([]);
    for (const text of ['hunter2', '4711', 'sk-', 'ghp_', 'AKIA', 'eyJ', 'MIIE', 'xK7', '9f86', '4f8a'])
      expect(told).not.toContain(text);
  });
test('what looks like a secret is reported without its value', () => secretRows.check());
test('ordinary values are not reported as secrets', () => {
  for (const step of harmless) expect(others(step), JSON.stringify(step)).toEqual([]);
});

test('very long texts are examined in bounded time', () => {
  const begin = performance.now();
  others(typed('eyJ-'.repeat(500_000)));
  others({ ...automatic, locator: [{ method: 'locator', args: [`#${'_'.repeat(500_000)}`] }] });
  others({ ...automatic, locator: [{ method: 'locator', args: ['"\\'.repeat(500_000)] }] });
  expect(performance.now() - begin).toBeLessThan(5000);
});

test('a header that contains a secret is reported, another is not', () => {
  const withHeader = (name: string, value: string): string[] =>
    others(automatic, { extraHTTPHeaders: { [name]: value } });
  expect(withHeader('Accept-Language', 'de')).toEqual([]);
  for (const [name, value] of [
    ['Authorization', 'Basic YW5uOmh1bnRlcjI='],
    ['X-Api-Key', 'abc'],
    ['X-Custom', jwt],
  ] as const)
    expect(withHeader(name, value)).toEqual([expect.stringContaining('use.extraHTTPHeaders')]);
});

const records = [
  '/orders/12345',
  'https://shop.example/orders/12345/edit?tab=notes',
  '/users/550e8400-e29b-41d4-a716-446655440000',
  '/items/507f1f77bcf86cd799439011',
  '/edit?orderId=12345',
  '/edit?id=12345#top',
  '/app#/orders/12345',
  '/app#!/orders/12345',
];
const places = [
  '/',
  '/orders',
  '/orders/new',
  '/page/123',
  '/list?page=12345',
  '/list?q=12345',
  '/blog/2024/05',
  '/blog/20240501/news',
  '/status/404',
  '/2048000',
  '/products/teapot-500',
  '/v1/orders',
  'http://127.0.0.1:8642/',
  '/app#section/12',
];
test('a flow that opens a record created elsewhere is reported', () => {
  const told =
    'Step 0 opens a record by its id, which must exist in every run: create it in the test or in a fixture.';
  for (const url of records) expect(others(goto(url)), url).toEqual([told]);
  for (const url of places) expect(others(goto(url)), url).toEqual([]);
  expect(warningsOf([goto(), asserted, goto('/orders/12345'), asserted])).toEqual([]);
});

test('a flow that starts from a saved state is reported', () => {
  expect(others(goto(), { storageState: 'auth.json' })).toEqual([
    expect.stringMatching(/use\.storageState: create it in a setup project or a fixture/),
  ]);
});
