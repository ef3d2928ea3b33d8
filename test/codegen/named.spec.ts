import { codeSteps } from '../../src/actions/registry.js';
import { elementName, variableName } from '../../src/codegen/identifiers.js';
import { emitNamed } from '../../src/codegen/named-locators.js';
import { print } from '../../src/codegen/printer.js';
import type { LocatorChain } from '../../src/model/locator.js';
import type { Step } from '../../src/model/step.js';
import { expect, test } from '../fixtures.js';
import { Rows } from '../rows.js';

const shipping: LocatorChain = [{ method: 'getByRole', args: ['combobox', { name: 'Shipping' }] }];
const save: LocatorChain = [{ method: 'getByText', args: ['Save'] }];
const code = 'page.getByRole("combobox", { name: "Shipping" })';
const focus = (locator: LocatorChain): Step => ({ action: 'focus', locator, args: {} });
const asserted = (locator: LocatorChain): Step => ({
  ...focus(locator),
  assertions: [{ locator, args: { matcher: 'toBeFocused' } }],
});
const group = (title: string): Step => ({ action: 'step', args: { title } });

function textOf(steps: Step[]): string[] {
  return emitNamed(codeSteps(steps)).flatMap(({ names, action, assertedNames, assertions }) =>
    [names, action.length === 0 ? ['—'] : action, assertedNames, ...assertions]
      .flat()
      .map((each) => (typeof each === 'string' ? each : print([each]))),
  );
}

const named = `const shippingSelect = ${code};`;

test('a locator that is used three times gets a name, however short it is', () => {
  expect(textOf([focus(save), asserted(shipping), focus(shipping), focus(save), focus(save)])).toEqual([
    'const saveText = page.getByText("Save");',
    'await saveText.focus();',
    named,
    'await shippingSelect.focus();',
    'await expect(shippingSelect).toBeFocused();',
    'await shippingSelect.focus();',
    'await saveText.focus();',
    'await saveText.focus();',
  ]);
});

test('a locator that is longer than a line gets a name if it is used twice', () => {
  const name = 'Shipping to an address outside of the country';
  const long: LocatorChain = [{ method: 'getByRole', args: ['combobox', { name }] }];
  expect(textOf([focus(long), focus(shipping), focus(long), focus(shipping)])).toEqual([
    `const shippingToAddressOutsideSelect = page.getByRole("combobox", { name: "${name}" });`,
    'await shippingToAddressOutsideSelect.focus();',
    `await ${code}.focus();`,
    'await shippingToAddressOutsideSelect.focus();',
    `await ${code}.focus();`,
  ]);
});

test('a shared container gets a name, and its locators continue from it', () => {
  const card: LocatorChain = [
    { method: 'locator', args: ['.card'] },
    { method: 'filter', args: [{ hasText: 'iPad case' }] },
  ];
  const inCard = (role: string): LocatorChain => [...card, { method: 'getByRole', args: [role] }];
  const row: LocatorChain = [
    ...inCard('row'),
    { method: 'filter', args: [{ has: { locator: save } }] },
    { method: 'getByRole', args: ['button'] },
  ];
  expect(textOf([focus(inCard('combobox')), focus(inCard('spinbutton')), focus(row)])).toEqual([
    'const iPadCaseCard = page.locator(".card").filter({ hasText: "iPad case" });',
    'await iPadCaseCard.getByRole("combobox").focus();',
    'await iPadCaseCard.getByRole("spinbutton").focus();',
    'await iPadCaseCard.getByRole("row").filter({ has: page.getByText("Save") }).getByRole("button").focus();',
  ]);
});

test('a locator keeps its name on the next page', () => {
  const leave: Step = { ...focus(shipping), loads: true };
  expect(textOf([focus(shipping), leave, focus(shipping)]).join('\n')).toContain(
    'await shippingSelect.focus();',
  );
});

test('a locator of which a list is asserted has a name in the plural', () => {
  const titles: LocatorChain = [{ method: 'locator', args: ['.list-group-item-heading'] }];
  const list: Step = {
    ...focus(titles),
    assertions: [{ locator: titles, args: { matcher: 'toHaveText', expected: ['A'] } }],
  };
  expect(textOf([list, list])[0]).toBe(
    'const listGroupItemHeadings = page.locator(".list-group-item-heading");',
  );
});

test('variables that several groups use are declared before the first of them', () => {
  const steps = [group('One'), focus(save), focus(shipping), group('Two'), asserted(shipping)];
  expect(textOf(steps).slice(0, 4)).toEqual([
    named,
    '—',
    'await page.getByText("Save").focus();',
    'await shippingSelect.focus();',
  ]);
  expect(textOf([group('One'), focus(save), ...[1, 2, 3].map(() => focus(shipping))])[2]).toBe(named);
});

const selectors = new Rows();
for (const [selector, name] of [
  ['.curl-command', 'curlCommand'],
  ['input.tc-titlebar', 'tcTitlebarField'],
  ['#form', 'form'],
  ['my-card', 'myCard'],
  ['[data-palette-type="inject"]', 'inject'],
  ['textarea', 'field'],
  ['h2', 'heading'],
  ['.a:has-text("b c")', 'a'],
  ['//div[1]', 'element'],
] as const)
  selectors.add(`${selector} is called ${name}`, () => {
    expect(variableName(elementName([{ method: 'locator', args: [selector] }]))).toBe(name);
  });
test('elements are called after their selectors', () => selectors.check());

test('long JSON input becomes a named object', () => {
  const value = '{"petId": 3, "quantity": 2, "message": "It\'s for Ann"}';
  const fill = (given: string): Step => ({ ...focus(shipping), action: 'fill', args: { value: given } });
  expect(textOf([fill(value), fill(value.replace('3', '3.0')), fill('{"petId": 3}')])).toEqual([
    'const shippingData = { petId: 3, quantity: 2, message: "It\'s for Ann" };',
    named,
    'await shippingSelect.fill(JSON.stringify(shippingData));',
    `await shippingSelect.fill('{"petId": 3.0, "quantity": 2, "message": "It\\'s for Ann"}');`,
    `await shippingSelect.fill('{"petId": 3}');`,
  ]);
});
