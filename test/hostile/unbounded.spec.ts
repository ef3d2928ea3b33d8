import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ESLint } from 'eslint';
import { z } from 'zod';
import { expect, test } from '../fixtures.js';

const configSchema = z.object({
  default: z.array(
    z.looseObject({
      files: z.unknown().optional(),
      plugins: z.object({ bounded: z.custom<ESLint.Plugin>() }).optional().catch(undefined),
      rules: z.looseObject({ 'bounded/pages': z.string().optional() }).optional(),
    }),
  ),
});

test('a lint rule finds what waits for a page without a limit', async () => {
  test.slow();
  // Loaded here: every worker loads this file.
  const [{ ESLint }, { parser }] = await Promise.all([import('eslint'), import('typescript-eslint')]);
  const waits = [
    'return page.title();',
    'const element = await page.locator("a").elementHandle(); return String(element);',
    'const [title] = await Promise.all([page.title()]); return title ?? "";',
    'return (await within(1, page.title())) ?? "";',
    'page.reload().catch(() => undefined); return Promise.resolve("");',
  ];
  const head =
    "import type { Page } from 'playwright';\ndeclare const within: <T>(ms: number, work: Promise<T>) => Promise<T>;\n";
  const functions = waits.map(
    (body, index) => `export async function wait${index}(page: Page): Promise<string> { ${body} }`,
  );
  const { default: entries } = configSchema.parse(await import(pathToFileURL('eslint.config.js').href));
  const room = entries.find(({ files }) => [files].flat().includes('src/browser/**'));
  expect(room?.rules?.['bounded/pages']).toBe('error');

  // A program of one file: that of the whole project takes long.
  const directory = test.info().outputPath('project');
  await mkdir(directory);
  const compilerOptions = { module: 'NodeNext', lib: ['ES2023', 'DOM'], types: ['node'], skipLibCheck: true };
  await writeFile(path.join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  const file = path.join(directory, 'waits.ts');
  await writeFile(file, head + functions.join('\n'));
  const [result] = await new ESLint({
    cwd: directory,
    overrideConfigFile: true,
    overrideConfig: {
      files: ['*.ts'],
      plugins: { bounded: room?.plugins?.bounded ?? {} },
      rules: { 'bounded/pages': 'error' },
      languageOptions: { parser, parserOptions: { projectService: true, tsconfigRootDir: directory } },
    },
  }).lintFiles(file);
  expect(result?.messages.map(({ line, ruleId }) => [line - 3, ruleId])).toEqual(
    [0, 1, 2].map((index) => [index, 'bounded/pages']),
  );
});
