import { linesOf, syntaxOf } from '../../src/codegen/syntax.js';
import { expect, test } from '../fixtures.js';

test('each line of a formatted source belongs to its statement, whatever the template adds', async () => {
  const click = 'await page.click("#same");';
  const long = `await page.getByRole("button", { name: "${'a long name '.repeat(8)}" }).click();`;
  const parts = [
    click,
    click,
    `const row = page.locator("tr");\n${long}`,
    'await expect(row).toHaveText(/b/mi);',
  ];
  const { format } = await import('prettier');
  const source = await format(
    `import { test } from "@playwright/test";
    test("t", async ({ page }) => {
      const own = new Own(page);
      // ${click}
      ${parts[0]}
      ${parts[1]}
      const found = await test.step("s", async () => {
        ${parts[2]}
        return row;
      });
      try { ${parts[3]} } finally { await own.close(); }
    });`,
    { parser: 'babel-ts' },
  );
  const lines = await linesOf(source, parts);
  const texts = source.split('\n').map((text, index) => [lines.get(index + 1), text.trim()]);
  expect(texts.filter(([part]) => part !== undefined)).toEqual([
    [0, click],
    [1, click],
    [2, 'const row = page.locator("tr");'],
    [2, 'await page'],
    [2, '.getByRole("button", {'],
    [2, `name: "${'a long name '.repeat(8)}",`],
    [2, '})'],
    [2, '.click();'],
    [3, 'await expect(row).toHaveText(/b/im);'],
  ]);
});

test('statements that a template leaves out take no line from those that follow', async () => {
  const lines = await linesOf('await one();\nawait three();\n', [
    'await one();',
    'await two();',
    'await three();',
  ]);
  expect([...lines]).toEqual([
    [1, 0],
    [2, 2],
  ]);
});

test('the syntax of code does not depend on its format', () => {
  expect(syntaxOf(`call({ 'a': "b", 1: /x/mi })`)).toBe(syntaxOf(`call({a: 'b', '1': /x/im,})`));
  expect(syntaxOf('call(a)')).not.toBe(syntaxOf('call(b)'));
});
