import { mkdir, realpath, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { codeSteps } from '../../src/actions/registry.js';
import { writeTest } from '../../src/codegen/source.js';
import { findTemplate } from '../../src/codegen/templates.js';
import { withFixtures } from '../../src/session/fixture-pages.js';
import { expect, test as base } from '../fixtures.js';

const list = `import type { Page } from '@playwright/test';
export class ListPage {
  readonly field = this.page.getByLabel('Note');
  constructor(readonly page: Page) {}
  async open() { await this.page.goto('/list'); }
  async add(text: string) { await this.field.fill(text); await this.field.press('Enter'); }
}
export default class SettingsPage { constructor(readonly page: Page) {} readonly name = this.page.getByLabel('Name'); }
export const menu = (page: Page) => ({ close: page.getByRole('button', { name: 'Close' }) });
`;

/** Writes the modules of a project, and reads the fixtures of one. */
const test = base.extend<{
  read: (files: Record<string, string>, name?: string) => ReturnType<typeof withFixtures>;
}>({
  read: async ({}, use, testInfo) => {
    await use(async (files, name = 'test') => {
      const directory = testInfo.outputPath('project');
      for (const [file, text] of Object.entries({ 'pages/list.ts': list, ...files })) {
        await mkdir(path.dirname(path.join(directory, file)), { recursive: true });
        await writeFile(path.join(directory, file), text);
      }
      const file = path.join(await realpath(directory), Object.keys(files)[0] ?? '');
      return withFixtures(directory, [], { file, test: name });
    });
  },
});

test('fixtures that give page objects are read, with what they do first, along all modules', async ({
  read,
}) => {
  const { pages } = await read({
    'e2e/test.ts': `import { mergeTests } from '@playwright/test';
import { test as lists } from './lists';
import { test as menus } from './menus';
export { expect } from '@playwright/test';
export const test = mergeTests(lists, menus).extend({ overridden: async ({}, use) => use(1) });`,
    'e2e/lists.ts': `import { test as base } from '@playwright/test';
import SettingsPage, { ListPage as List } from '../pages/list';
const options = {
  listPage: async ({ page }, use) => {
    const listPage: List = new List(page);
    await listPage.open();
    await listPage.add('Milk');
    await use(listPage);
    await listPage.clear();
  },
  settings: [async ({ page, context }, use) => { await use(new SettingsPage(page)); }, { auto: true }],
  overridden: async ({ page }, use) => { await use(new List(page)); },
  shared: [async ({ page }, use) => { await use(new List(page)); }, { scope: 'worker' }],
  other: async ({ context }, use) => { await use(new List(await context.newPage())); },
};
export const test = base.extend<object>(options);`,
    'e2e/menus.ts': `export { menus as test } from './menus/base';`,
    'e2e/menus/base.ts': `const { test: base } = require('@playwright/test');
const { menu: makeMenu } = require('../../pages/list');
const menus = base.extend({ async menu({ page }, use) { await page.goto('/'); await use(makeMenu(page)); } });
module.exports = { menus };`,
  });
  expect(pages.map(({ file, className, fixtures }) => ({ file, className, fixtures }))).toEqual([
    {
      file: 'pages/list.ts',
      className: 'ListPage',
      fixtures: [
        {
          name: 'listPage',
          setup: [
            { method: 'open', args: '' },
            { method: 'add', args: "'Milk'" },
          ],
        },
      ],
    },
    { file: 'pages/list.ts', className: 'SettingsPage', fixtures: [{ name: 'settings', setup: [] }] },
    {
      file: 'pages/list.ts',
      className: 'menu',
      fixtures: [{ name: 'menu', setup: ["await page.goto('/')"] }],
    },
  ]);
});

const fixture = (setup: string): Record<string, string> => ({
  'test.ts': `import { test as base } from '@playwright/test';
import { ListPage } from './pages/list';
export const test = base.extend({
  listPage: async ({ page }, use) => {
    const listPage = new ListPage(page);
    ${setup}
    await use(listPage);
  },
});`,
});
const field = [{ method: 'getByLabel', args: ['Note'] }];
const enter = (text: string): Parameters<typeof codeSteps>[0] => [
  { action: 'fill', args: { value: text }, locator: field },
  { action: 'press', args: { key: 'Enter' }, locator: field },
];
const help = { action: 'click', args: {}, locator: [{ method: 'getByText', args: ['Help'] }] };
const nearField = [...field, { method: 'locator', args: ['..'] }];
const secret = { $template: [{ secret: 'NOTE' }] };
const open = { action: 'goto', args: { url: '/list' } };

/** The test of a flow in the project. */
async function written(
  steps: Parameters<typeof codeSteps>[0],
  { pages, starts }: Awaited<ReturnType<typeof withFixtures>>,
): Promise<string> {
  const { source } = await writeTest({
    language: 'typescript',
    title: 'notes',
    includeComments: true,
    template: await findTemplate('plain', undefined),
    use: {},
    spec: 'notes.spec.ts',
    baseURL: undefined,
    steps: codeSteps([...steps]),
    secrets: [],
    uniques: { note: 'qx7' },
    pages: new Map(),
    ownPages: pages,
    starts,
    style: { options: { singleQuote: true }, commonJs: false },
  });
  return source;
}

for (const [name, setup, steps, expected] of [
  [
    'does nothing first',
    '',
    [open, ...enter('Tea')],
    "async ({ listPage }) => {\n  await listPage.open();\n  await listPage.add('Tea');\n",
  ],
  [
    'has a field with which a longer locator begins',
    '',
    [open, { action: 'click', args: {}, locator: nearField }],
    "await listPage.open();\n  await listPage.field.locator('..').click();\n",
  ],
  [
    'has none of the elements that several steps use',
    '',
    [open, ...enter('Tea'), help, help, help],
    "const helpText = page.getByText('Help');\n  await helpText.click();\n",
  ],
  [
    'has a method that is given a secret',
    '',
    [
      open,
      { action: 'fill', args: { value: secret }, locator: field },
      { action: 'press', args: { key: 'Enter' }, locator: field },
    ],
    "await listPage.add(process.env.NOTE ?? '');\n",
  ],
  [
    'has a method that is given a word that is new in every run',
    '',
    [open, ...enter('note qx7')],
    'await listPage.add(`note ${uniqueNote}`);\n',
  ],
  [
    'does what the flow begins with',
    "await listPage.open(); await listPage.add('Milk');",
    [open, ...enter('Milk'), ...enter('Tea')],
    "async ({ listPage }) => {\n  await listPage.add('Tea');\n",
  ],
  [
    'does something else first',
    "await listPage.open(); await listPage.add('Bread');",
    [open, ...enter('Milk')],
    "async ({ page }) => {\n  const listPage = new ListPage(page);\n\n  await listPage.open();\n  await listPage.add('Milk');\n",
  ],
  [
    'does what can’t be read first',
    'await prepare(page);',
    [open, ...enter('Milk')],
    'const listPage = new ListPage(page);',
  ],
  [
    'is needed for nothing else',
    'await listPage.open();',
    [open, help],
    'async ({ page }) => {\n  const listPage = new ListPage(page);\n\n  await listPage.open();\n',
  ],
] as const)
  test(`a fixture that ${name} is requested only if the test then does what was recorded`, async ({
    read,
  }) => {
    const source = await written(steps, await read(fixture(setup)));
    expect(source).toContain(expected);
    expect(source.includes('import { ListPage }')).toBe(source.includes('new ListPage'));
  });

for (const [name, fixtures, isRepeated] of [
  [
    'the page of every test gets from its fixture',
    "start: ['/list', { option: true }], page: async ({ page, start }, use) => { await page.goto(start); note(start); await use(page); }",
    false,
  ],
  [
    'an automatic fixture does',
    "opened: [async ({ page }, use) => { await page.goto('/list'); await use(); }, { auto: true }]",
    false,
  ],
  [
    'a fixture does that only some tests request',
    "opened: async ({ page }, use) => { await page.goto('/list'); await use(); }",
    true,
  ],
  [
    'a fixture does and then something else',
    "page: async ({ page }, use) => { await page.goto('/list'); await closeBanner(page); await use(page); }",
    true,
  ],
  [
    'one of several fixtures does',
    "page: async ({ page }, use) => { await page.goto('/list'); await use(page); }, late: [async ({ page }, use) => { await page.reload(); await use(); }, { auto: true }]",
    true,
  ],
] as const)
  test(`a test ${isRepeated ? 'does itself' : 'does not repeat'} what ${name}`, async ({ read }) => {
    const modules = {
      'test.ts': `import { test as base } from '@playwright/test';\nexport const test = base.extend({ ${fixtures} });`,
    };
    const source = await written([open, ...enter('Tea')], await read(modules));
    expect(source.includes("goto('/list')")).toBe(isRepeated);
  });
