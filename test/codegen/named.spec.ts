import { expect, test } from '@playwright/test';
import { codeSteps } from '../../src/actions/registry.js';
import { emitNamed } from '../../src/codegen/named-locators.js';
import { print } from '../../src/codegen/printer.js';
import type { LocatorChain } from '../../src/model/locator.js';
import type { Step } from '../../src/model/step.js';

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
  return emitNamed(codeSteps(steps), undefined).flatMap(({ names, action, assertedNames, assertions }) =>
    [names, action.length === 0 ? ['—'] : action, assertedNames, ...assertions]
      .flat()
      .map((each) => (typeof each === 'string' ? each : print([each]))),
  );
}

const named = `const shippingSelect = ${code};`;

test('a long locator that is used three times on a page gets a name', () => {
  expect(textOf([focus(save), asserted(shipping), focus(shipping), focus(save), focus(save)])).toEqual([
    'await page.getByText("Save").focus();',
    named,
    'await shippingSelect.focus();',
    'await expect(shippingSelect).toBeFocused();',
    'await shippingSelect.focus();',
    'await page.getByText("Save").focus();',
    'await page.getByText("Save").focus();',
  ]);
});

test('a name ends with the page', () => {
  const leave: Step = { ...focus(shipping), loads: true };
  expect(textOf([focus(shipping), leave, focus(shipping), focus(shipping)]).join('\n')).not.toContain(
    'const',
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
