import { expect, test } from '@playwright/test';

test('a lint rule finds what waits for a page without a limit', async () => {
  test.slow();
  // Loaded here: every worker loads this file.
  const { ESLint } = await import('eslint');
  const waits = [
    'return page.title();',
    'const element = await page.locator("a").elementHandle(); return String(element);',
    'const [title] = await Promise.all([page.title()]); return title ?? "";',
    'return (await within(1, page.title())) ?? "";',
    'page.reload().catch(() => undefined); return Promise.resolve("");',
  ];
  const head = "import type { Page } from 'playwright';\nimport { within } from '../model/within.js';\n";
  const functions = waits.map(
    (body, index) => `export async function wait${index}(page: Page): Promise<string> { ${body} }`,
  );
  const [result] = await new ESLint({ ruleFilter: ({ ruleId }) => ruleId === 'bounded/pages' }).lintText(
    head + functions.join('\n'),
    {
      filePath: 'src/browser/settle.ts',
    },
  );
  const found = result?.messages
    .filter(({ ruleId }) => ruleId === 'bounded/pages')
    .map(({ line }) => line - 3);
  expect(found).toEqual([0, 1, 2]);
});
