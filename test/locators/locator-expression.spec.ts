import { isDeepStrictEqual } from 'node:util';
import type { Page } from '@playwright/test';
import fc from 'fast-check';
import {
  isLocatorExpression,
  parseLocatorExpression,
  toLocator,
} from '../../src/locators/locator-expression.js';
import { printedChain } from '../codegen/chains.js';
import { runs } from '../runs.js';
import { expect, test } from '../fixtures.js';
import { Rows } from '../rows.js';

/** Locators of every method, each option and each kind of argument. */
const locators: ((page: Page) => { toString(): string })[] = [
  (page) => page.getByRole('button'),
  (page) =>
    page.getByRole('checkbox', {
      name: 'a',
      exact: true,
      checked: true,
      disabled: false,
      includeHidden: true,
    }),
  (page) => page.getByRole('heading', { name: /a\/b "c"/i, description: 'd', level: 2 }),
  (page) => page.getByRole('tab', { expanded: true, pressed: false, selected: true }),
  (page) => page.getByText('it\'s "quoted"\n\\ `${x}` 😀'),
  (page) => page.getByText('Save', { exact: true }),
  (page) => page.getByLabel(/save/im),
  (page) => page.getByPlaceholder('p'),
  (page) => page.getByAltText('a', { exact: true }),
  (page) => page.getByTitle(/t/),
  (page) => page.getByTestId('id'),
  (page) => page.getByTestId(/id-\d/),
  (page) => page.locator('css=div >> text=a'),
  (page) => page.locator('//ul/li'),
  (page) =>
    page.locator('li', {
      has: page.getByText('a'),
      hasNot: page.locator('b'),
      hasText: 'c',
      hasNotText: /d/,
    }),
  (page) =>
    page.getByRole('row').filter({ hasText: 'a' }).filter({ hasNotText: /b/ }).filter({ visible: true }),
  (page) =>
    page.getByRole('row').filter({ visible: false, has: page.getByText('a').filter({ hasText: 'b' }) }),
  (page) => page.frameLocator('#frame').getByText('a'),
  (page) => page.locator('iframe').nth(2).contentFrame().frameLocator('iframe').locator('a'),
  (page) => page.getByText('a').first().last().nth(-2).visible(),
  (page) => page.getByText('a').and(page.getByRole('button')).or(page.getByText('b').first()),
  (page) => page.getByRole('list').locator(page.getByText('a')),
];

test('reads what Playwright prints', async ({ page }) => {
  const printed = new Rows();
  for (const make of locators) {
    const text = make(page).toString();
    printed.add(text, () => {
      const chain = parseLocatorExpression(text);
      expect(toLocator(page, chain).toString()).toBe(text);
      expect(parseLocatorExpression(`page.${text}`)).toEqual(chain);
    });
  }
  await printed.check();
});

test('a chain becomes the locator whose text is the same chain', ({ page }) => {
  fc.assert(
    fc.property(printedChain, (chain) => {
      return isDeepStrictEqual(parseLocatorExpression(toLocator(page, chain).toString()), chain);
    }),
    { numRuns: runs(1000) },
  );
});

test('a chain finds its elements from a page, a frame, a frame locator and a locator', async ({ page }) => {
  await page.setContent(`
    <ul><li>Milk <b>new</b></li><li>Bread</li></ul>
    <iframe srcdoc="<ul><li>Salt</li><li>Pepper <b>new</b></li></ul>"></iframe>`);
  const chain = parseLocatorExpression("getByRole('listitem').filter({ has: getByText('new') })");
  const frame = page.frames()[1];
  if (frame === undefined) throw new Error('The frame is missing.');
  await expect(toLocator(page, chain)).toHaveText('Milk new');
  await expect(toLocator(frame, chain)).toHaveText('Pepper new');
  await expect(toLocator(page.frameLocator('iframe'), chain)).toHaveText('Pepper new');
  await expect(toLocator(page.locator('ul'), chain)).toHaveText('Milk new');
});

test('leaves out the description of a locator and takes template literals as strings', () => {
  expect(parseLocatorExpression("page.getByText(`a\nb`).describe('the text').first();")).toEqual([
    { method: 'getByText', args: ['a\nb'] },
    { method: 'first', args: [] },
  ]);
});

const refused = new Rows();
for (const [expression, message] of [
  ['evaluate(() => 1)', '"evaluate" is not a locator method'],
  ["page.getByText('a').click()", '"click" is not a locator method'],
  ["getByText('a').constructor('b')", '"constructor" is not a locator method'],
  ["getByText('a').getByText('b')('c')", "\"getByText('a').getByText('b')\" is not a locator expression"],
  ["page['getByText']('a')", '"page[\'getByText\']" is not a locator expression'],
  ["getByText('a')?.first()", 'is not a locator expression'],
  ["context.getByText('a')", '"context" is not a locator expression'],
  ['page', '"page" is not a locator expression'],
  ["getByText('a'", 'is not a valid expression: Unexpected token'],
  ['getByText(/(/)', 'is not a valid expression: Invalid regular expression'],
  ["getByText('a'); alert()", 'is not a single expression'],
  ['getByText(name)', '"name" is not a plain value'],
  ['getByText(`a${1}`)', 'is not a plain value'],
  ["getByText(...['a'])", 'is not a plain value'],
  ["getByText('a' + 'b')", 'is not a plain value'],
  ["getByText('a', { ['exact']: true })", 'is not an option'],
  ["getByText('a', { ...x })", '"...x" is not an option'],
  ["getByText('a', { get exact() { return true } })", 'is not an option'],
  ['getByText()', 'getByText: expected at least 1 argument'],
  ["getByText('a').first(1)", 'first: expected at most 0 arguments'],
  ['getByText(1)', 'getByText, argument 1: expected a string or a regular expression'],
  ["getByText('a', 'b')", 'getByText, argument 2: expected an object of options'],
  ["getByText('a', { exact: 1 })", 'getByText, option exact: expected true or false'],
  ["getByText('a', { exat: true })", 'getByText, argument 2: unknown option exat; expected exact'],
  ["getByText('a', { __proto__: true })", 'unknown option __proto__'],
  [`getByText(/${'a'.repeat(1001)}/)`, 'getByText, option regex: '],
  ['getByText(/a/g)', 'expected flags from i, m, s, u'],
  ["getByRole('buton')", 'getByRole, argument 1: expected an ARIA role, such as "button"'],
  ["getByRole('heading', { level: 1.5 })", 'getByRole, option level: expected a whole number'],
  ["locator('a', { has: 'b' })", 'locator, option has: expected a locator'],
  ["locator('a').and('b')", 'and, argument 1: expected a locator'],
  ["locator(getByText('a'))", "locator(…) can't be called on a page"],
  ['first()', "first() can't be called on a page"],
  ["frameLocator('a').first()", "first() can't be called on a frame"],
  ["frameLocator('a')", 'The expression ends at a frame'],
  ["locator('a').filter({ has: frameLocator('a') })", 'The expression ends at a frame'],
  [`getByText('${'a'.repeat(5000)}')`, 'at most 5000 characters'],
  [`getByText('a')${'.first()'.repeat(50)}`, 'at most 50 calls'],
  [`${"locator('a').and(".repeat(8)}locator('a')${')'.repeat(8)}`, 'at most 8 deep'],
  ['('.repeat(4000), 'is not a valid expression'],
] as const) {
  refused.add(`refuses ${expression.slice(0, 60)}`, () => {
    expect(() => parseLocatorExpression(expression)).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', message: expect.stringContaining(message) }),
    );
  });
}
test('an expression that is none, or too large, is refused with the reason', () => refused.check());

test('suggests the likely method, and lists all of them', () => {
  expect(() => parseLocatorExpression("getByTestid('a')")).toThrow(
    expect.objectContaining({
      hint: expect.stringMatching(/^Did you mean getByTestId\? .*getByRole, getByText/),
    }),
  );
});

test('a chain that no expression produces is rejected too', ({ page }) => {
  expect(() => toLocator(page, [{ method: 'evaluate', args: [] }])).toThrow(
    '"evaluate" is not a locator method',
  );
  expect(() => toLocator(page, [{ method: 'getByText', args: [1] }])).toThrow('expected a string');
  expect(() => toLocator(page, [])).toThrow('ends at a page');
});

const expressions = new Rows();
for (const expression of [
  "getByRole('button')",
  " page.getByRole('button'",
  'page . locator("a")',
  'getByRole',
  'getByFoo("a")',
  'frameLocator("a")',
  'evaluate(() => 1)',
  'page.context().cookies()',
]) {
  expressions.add(`${expression} is an expression`, () => {
    expect(isLocatorExpression(expression)).toBe(true);
  });
}
test('a locator expression is told by its beginning', () => expressions.check());

const selectors = new Rows();
for (const selector of [
  ...[
    'e12',
    'f1e3',
    'button',
    'page.locator',
    'div.card',
    '#id',
    '[data-x="f()"]',
    'li:has(a)',
    '*',
    ':text("a")',
  ],
  ...[
    'text=f(x)',
    'xpath=//a',
    '//a[text()="x"]',
    '(//a)[1]',
    '..',
    'css=a',
    'role=button',
    '"Save (1)"',
    'a >> nth=0',
  ],
]) {
  selectors.add(`${selector} is not an expression`, () => {
    expect(isLocatorExpression(selector)).toBe(false);
  });
}
test('a reference or a selector is no expression', () => selectors.check());
