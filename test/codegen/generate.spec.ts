import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { locatorOf } from '../../src/codegen/emitter.js';
import { generate, type Chunk, type GenerateInput } from '../../src/codegen/generate.js';
import { importsOf } from '../../src/codegen/imports.js';
import { findTemplate, type TestTemplate } from '../../src/codegen/templates.js';
import {
  call,
  expectThat,
  property,
  run,
  value,
  values,
  variable,
  wait,
  type Expression,
  type Import,
  type Statement,
} from '../../src/model/code.js';
import type { LocatorArgument } from '../../src/model/locator.js';
import { checkEmitted } from './emitted.js';
import { expect, test } from '../fixtures.js';
import { Rows } from '../rows.js';

const plain = await findTemplate('plain', undefined);

const page = variable('page');
const on = (method: string, ...args: LocatorArgument[]): Expression => locatorOf([{ method, args }], 'page');
const button = (name: string): Expression => on('getByRole', 'button', { name });
const asserted = (subject: Expression, matcher: string, ...expected: string[]): Statement =>
  expectThat(subject, matcher, expected.map(value), { retries: 'assertion' });

const input: GenerateInput = {
  language: 'typescript',
  template: plain,
  title: 'Buys milk',
  use: { device: 'iPhone 15', locale: 'it-IT', viewport: { width: 400, height: 800 } },
  body: [
    { code: [run(page, 'goto', value('/'))], note: 'The shop opens on the list.' },
    { code: [run(button('Milk'), 'click')] },
    { code: [asserted(page, 'toHaveURL', '/milk')] },
    { code: [asserted(on('getByRole', 'heading'), 'toHaveText', 'context: request')] },
    { code: [run(button('Add to cart'), 'click')] },
    {
      code: [run(on('getByLabel', 'Card'), 'fill', value('4242 4242 4242 4242 4242 4242 4242 4242'))],
      group: 'Pay',
    },
    { code: [run(button('Pay'), 'click')], group: 'Pay', note: 'Test card' },
    { code: [asserted(on('getByText', 'Thank you'), 'toBeVisible')], group: 'Leave' },
  ],
  includeComments: true,
};

const emitted = `import { test, expect, devices } from "@playwright/test";

test.use({
  ...devices["iPhone 15"],
  locale: "it-IT",
  viewport: { width: 400, height: 800 },
});

test("Buys milk", async ({ page }) => {
  // The shop opens on the list.
  await page.goto("/");
  await page.getByRole("button", { name: "Milk" }).click();
  await expect(page).toHaveURL("/milk");
  await expect(page.getByRole("heading")).toHaveText("context: request");

  await page.getByRole("button", { name: "Add to cart" }).click();

  await test.step("Pay", async () => {
    await page
      .getByLabel("Card")
      .fill("4242 4242 4242 4242 4242 4242 4242 4242");

    // Test card
    await page.getByRole("button", { name: "Pay" }).click();
  });

  await test.step("Leave", async () => {
    await expect(page.getByText("Thank you")).toBeVisible();
  });
});
`;

for (const [language, name] of [
  ['typescript', 'milk.spec.ts'],
  ['javascript', 'milk.spec.js'],
] as const) {
  test(`a ${language} spec reads as if written by hand`, async () => {
    const { source } = await generate({ ...input, language });
    expect(source).toBe(emitted);
    expect((await generate({ ...input, language })).source).toBe(source);
    await checkEmitted([{ name, content: source }]);
  });
}

test('imports and takes only what is used', async () => {
  const bare = { ...input, use: {}, includeComments: false };
  expect((await generate({ ...bare, body: [] })).source).toBe(
    'import { test } from "@playwright/test";\n\ntest("Buys milk", async () => {});\n',
  );
  const body: Chunk[] = [
    {
      code: [
        {
          kind: 'bind',
          name: 'response',
          value: wait(call(variable('request'), 'get', ...values('/page', { data: { page: 1 } }))),
        },
      ],
      note: 'not shown',
    },
    {
      code: [
        expectThat(property(variable('response'), 'browser'), 'toBe', [
          wait(call(variable('context'), 'cookies')),
        ]),
      ],
    },
  ];
  expect((await generate({ ...bare, body })).source).toBe(`import { test, expect } from "@playwright/test";

test("Buys milk", async ({ context, request }) => {
  const response = await request.get("/page", { data: { page: 1 } });
  expect(response.browser).toBe(await context.cookies());
});
`);
});

test('modules that statements need are imported: those of Node first, each once', async () => {
  const make = (className: string, module: Import): Statement =>
    expectThat({ kind: 'new', className, module, args: [] }, 'toBeTruthy', []);
  const body = [
    {
      code: [
        make('AxeBuilder', { from: '@axe-core/playwright', default: 'AxeBuilder' }),
        make('Mine', { from: './mine.js', names: ['Mine'] }),
      ],
    },
    { code: [run(page, 'setInputFiles', { kind: 'file', path: 'a.txt' })] },
    { code: [make('Yours', { from: './mine.js', names: ['Mine', 'Yours'] })] },
  ];
  expect((await generate({ ...input, use: {}, body })).source.split('\n\n')[0])
    .toBe(`import path from "node:path";
import { test, expect } from "@playwright/test";
import AxeBuilder from "@axe-core/playwright";
import { Mine, Yours } from "./mine.js";`);
});

const imports = new Rows();
for (const [module, language, style, expected] of [
  ['./a/index.ts', 'typescript', undefined, './a'],
  ['./a/index.ts', 'typescript', { importEnding: '.js' }, './a/index.js'],
  ['./a.ts', 'typescript', { importEnding: '.ts' }, './a.ts'],
  ['./a.mts', 'typescript', { importEnding: '' }, './a.mjs'],
  ['./a.page.js', 'typescript', { importEnding: '' }, './a.page'],
  ['#a/b.ts', 'typescript', { importEnding: '' }, '#a/b.ts'],
  ['./a.js', 'javascript', { importEnding: '' }, './a.js'],
  ['./a/index.js', 'javascript', { commonJs: true }, './a'],
] as const)
  imports.add(`${module} in ${language} of ${JSON.stringify(style)} is imported as ${expected}`, () => {
    const own = { commonJs: false, ...style };
    const [found] = importsOf([{ from: module, names: ['a'] }], { language, style: own });
    expect(found?.from).toBe(JSON.stringify(expected));
  });
test('modules are imported in the style of the project', () => imports.check());

/** A template of the user, with that text in it. */
async function templateOf(directory: string, text: string): Promise<TestTemplate> {
  await mkdir(directory, { recursive: true });
  await writeFile(path.join(directory, 'mine.eta'), text);
  return findTemplate('mine', directory);
}

test('a template of the user decides the style, and may include others', async ({}, testInfo) => {
  const text = '<%~ include("./head.part.eta", it) %>\r\nit(<%= it.title %>, (<%= it.parameters %>)=>{})';
  const template = await templateOf(testInfo.outputPath(), text);
  await writeFile(testInfo.outputPath('head.part.eta'), '// Ours: <%= it.language %>');
  expect((await generate({ ...input, template })).source).toBe(
    '// Ours: typescript\nit("Buys milk", ({ page }) => {});\n',
  );
});

for (const [what, text, message] of [
  ['fails', '\n<%= it.missing.name %>', /mine\.eta fails: .*mine\.eta:2/s],
  ['is not closed', '<% if (', /mine\.eta fails/],
  ['waits', '<%= await it.title %>', /mine\.eta fails/],
  ['yields no code', '\n\ntest(', /mine\.eta does not produce valid typescript: .*\(3:6\)/s],
] as const) {
  test(`a template that ${what} is a mistake in the configuration`, async ({}, testInfo) => {
    const template = await templateOf(testInfo.outputPath(), text);
    await expect(generate({ ...input, template })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(message),
      hint: expect.stringContaining('mine.eta'),
    });
  });
}

test('a missing template is reported with the existing ones', async ({}, testInfo) => {
  await templateOf(testInfo.outputPath(), '');
  for (const name of ['none', '../mine', 'mine.eta', './mine', 'pom.page'])
    await expect(findTemplate(name, testInfo.outputPath())).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      hint: expect.stringContaining('Templates: mine, plain, pom.'),
    });
  await expect(findTemplate('plain', testInfo.outputPath('none'))).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('output.templatesDir'),
  });
});
