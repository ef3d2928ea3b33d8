import fc from 'fast-check';
import { parseLocatorExpression } from '../../src/locators/locator-expression.js';
import { locatorOf } from '../../src/codegen/emitter.js';
import { Printer } from '../../src/codegen/printer.js';
import type { LocatorChain } from '../../src/model/locator.js';
import { anyChain } from './chains.js';
import { runs } from '../runs.js';
import { expect, test } from '../fixtures.js';
import { Rows } from '../rows.js';

const locatorCode = (chain: LocatorChain): string => new Printer().expression(locatorOf(chain, 'page'));

test('the parser reads a printed locator back as the same chain', () => {
  fc.assert(
    fc.property(anyChain, (chain) => {
      const copy = parseLocatorExpression(locatorCode(chain).replace(/^page\./, ''));
      return JSON.stringify(copy) === JSON.stringify(chain);
    }),
    { numRuns: runs(1500) },
  );
});

const written = new Rows();
for (const source of [
  'getByRole("button", { name: "Save", exact: true }).first()',
  'getByText(/Order #\\d+/i).nth(-1)',
  'getByRole("listitem").filter({ has: page.getByText("Milk"), hasNotText: "sold out" })',
  'locator("iframe").contentFrame().getByLabel(\'say "hi"\')',
  'getByRole("button").and(page.getByTitle("Send")).or(page.locator("#send", { hasText: "x" }))',
]) {
  written.add(`writes ${source}`, () => {
    expect(locatorCode(parseLocatorExpression(source))).toBe(`page.${source}`);
  });
}
test('locators are written as source', () => written.check());
