import { checkEmitted, findingsIn } from './emitted.js';
import { expect, test } from '../fixtures.js';

const good = `import { test, expect } from "@playwright/test";

test("a page", async ({ page }) => {
  await page.goto("/");
  await expect(page).toHaveTitle("a");
});
`;

for (const name of ['a.spec.ts', 'a.spec.js']) {
  test.describe(name, () => {
    const findings = (content: string) => findingsIn([{ name, content }]);

    test('a good file has no findings', async () => {
      await checkEmitted([{ name, content: good }]);
    });

    test('a type error is found', async () => {
      const content = good.replace('goto("/")', 'goto(1)').replace('toHaveTitle', 'toHaveTitel');
      expect(await findings(content)).toEqual([
        expect.stringMatching(/^tsc a\.spec\.[jt]s:4 .*number/),
        expect.stringMatching(/^tsc a\.spec\.[jt]s:5 .*toHaveTitel/),
      ]);
    });

    test('an unused import is found', async () => {
      const content = good.replace('{ test, expect }', '{ test, expect, devices }');
      expect(await findings(content)).toEqual([expect.stringContaining("'devices' is declared")]);
    });

    test('a syntax error is found', async () => {
      await expect(findings(good.replace('("/")', '("/"'))).rejects.toThrow(/SyntaxError|\)/);
    });

    test('a lint error and a lint warning are found', async () => {
      const content = good
        .replace('await expect', 'expect')
        .replace('  await page', '  await page.waitForTimeout(5);\n  await page');
      expect(await findings(content)).toEqual([
        expect.stringContaining('playwright/no-wait-for-timeout'),
        expect.stringContaining('playwright/missing-playwright-await'),
      ]);
    });

    test('a directive that silences a rule is found', async () => {
      const content = good.replace(
        '  await page',
        '  // eslint-disable-next-line playwright/no-eval\n  await page',
      );
      expect(await findings(content)).toEqual([expect.stringContaining('Unused eslint-disable directive')]);
    });

    test('a file that Prettier would change is found', async () => {
      expect(await findings(good.replaceAll('"', "'"))).toEqual([`prettier ${name}`]);
    });

    test('a test without an assertion is found, unless the session made none', async () => {
      const content = good.replace(/.*toHaveTitle.*\n/, '').replace(', expect', '');
      expect(await findings(content)).toEqual([expect.stringContaining('playwright/expect-expect')]);
      await checkEmitted([{ name, content }], { asserted: false });
    });
  });
}
