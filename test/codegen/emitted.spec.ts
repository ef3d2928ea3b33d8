import { checkEmitted, findingsIn } from './emitted.js';
import { expect, test } from '../fixtures.js';

const good = `import { test, expect } from "@playwright/test";

test("a page", async ({ page }) => {
  await page.goto("/");
  await expect(page).toHaveTitle("a");
});
`;

const unasserted = good.replace(/.*toHaveTitle.*\n/, '').replace(', expect', '');
/** Files by their names, with what is found in each. */
const files: Record<string, { content: string; found: RegExp[] }> = {
  good: { content: good, found: [] },
  'type-errors': {
    content: good.replace('goto("/")', 'goto(1)').replace('toHaveTitle', 'toHaveTitel'),
    found: [/^tsc type-errors\.spec\.[jt]s:4 .*number/, /^tsc type-errors\.spec\.[jt]s:5 .*toHaveTitel/],
  },
  'unused-import': {
    content: good.replace('{ test, expect }', '{ test, expect, devices }'),
    found: [/^tsc .*'devices' is declared/],
  },
  lint: {
    content: good
      .replace('await expect', 'expect')
      .replace('  await page', '  await page.waitForTimeout(5);\n  await page'),
    found: [/playwright\/no-wait-for-timeout/, /playwright\/missing-playwright-await/],
  },
  'silenced-rule': {
    content: good.replace('  await page', '  // eslint-disable-next-line playwright/no-eval\n  await page'),
    found: [/Unused eslint-disable directive/],
  },
  format: { content: good.replaceAll('"', "'"), found: [/^prettier format\.spec\.[jt]s$/] },
  unasserted: { content: unasserted, found: [/playwright\/expect-expect/] },
};

for (const extension of ['ts', 'js']) {
  test(`the checks of .${extension} files find what is wrong in each, and nothing in a good one`, async () => {
    // Together, since the compiler takes its time for any number of files.
    const findings = await findingsIn(
      Object.entries(files).map(([name, { content }]) => ({ name: `${name}.spec.${extension}`, content })),
    );
    for (const [name, { found }] of Object.entries(files))
      await test.step(name, () => {
        const own = findings.filter((finding) => finding.includes(` ${name}.spec.${extension}`));
        expect.soft(own).toEqual(found.map((pattern) => expect.stringMatching(pattern)));
      });
    expect(findings).toHaveLength(Object.values(files).flatMap(({ found }) => found).length);
  });

  test(`a syntax error in a .${extension} file is found; a session without assertions is good`, async () => {
    const name = `a.spec.${extension}`;
    const broken = findingsIn([{ name, content: good.replace('("/")', '("/"') }]);
    await expect(broken).rejects.toThrow(/SyntaxError|\)/);
    await checkEmitted([{ name, content: unasserted }], { asserted: false });
  });
}
