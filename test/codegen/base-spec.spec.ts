import type { BaseSpec } from '../../src/codegen/base-spec.js';
import { expect, test } from '../fixtures.js';
import { Rows } from '../rows.js';

// They load TypeScript: only one worker does, and only when it runs these tests.
test.describe.configure({ mode: 'default' });
const baseSpec = () => import('../../src/codegen/base-spec.js');
const extendedSpec = () => import('../../src/codegen/extend-spec.js');

const spec = `import { test } from '../fixtures'; // ours

test.use({ locale: 'de' });

test.describe('Shop', () => {
  test.beforeEach(async ({ page }) => {
    await page.goto('/');
  });

  test('buys', async ({ cart }) => {
    await cart.add(
      'Apples',
    );
    await test.step('pays', async () => {
      await cart.pay(); // by card

      await cart.confirm();
    });
  });

  // Needs a login.
  test('logs in', async () => {});
});
`;

function at(line: number | undefined, kind: BaseSpec['kind'] = 'spec', text = spec): BaseSpec {
  return { file: 'e2e/shop.spec.ts', text, kind, ...(line === undefined ? {} : { line }) };
}

const insertion = {
  text: '      await page.reload();',
  fixtures: ['page'],
  usesExpect: false,
  imports: [],
  title: "'buys more'",
  spec: 'e2e/shop.spec.ts',
};

/** The line that inserted text comes after. */
async function after(line: number): Promise<string | undefined> {
  const { extendSpec } = await extendedSpec();
  const { source, line: inserted } = extendSpec(at(line), insertion);
  const lines = source.split('\n');
  expect(lines[inserted - 1]).toBe(insertion.text);
  return lines[inserted - 2]?.trim();
}

const lines = new Rows();
for (const [line, before] of [
  [10, '});'],
  [13, ');'],
  [14, "await test.step('pays', async () => {"],
  [15, 'await cart.pay(); // by card'],
  [16, 'await cart.pay(); // by card'],
  [17, 'await cart.confirm();'],
  [19, '});'],
] as const)
  lines.add(`steps for line ${line} come after ${before}`, async () => {
    expect(await after(line)).toBe(before);
  });
test('steps for a line come after what is before it', () => lines.check());

const noPlaces = new Rows();
for (const [name, base, message, hint] of [
  ['no line, with two tests', at(undefined), 'e2e/shop.spec.ts has 2 tests.', 'e2e/shop.spec.ts:10'],
  [
    'the middle of a statement',
    at(11),
    'Line 11 of e2e/shop.spec.ts is in the middle of a statement.',
    '10 or 13',
  ],
  ['a line outside of tests', at(3), 'Line 3 of e2e/shop.spec.ts is in no test.', '10, 22'],
  [
    'a file without tests',
    at(undefined, 'spec', 'export {};'),
    'e2e/shop.spec.ts has no test to continue.',
    'async ({ page })',
  ],
  [
    'a test without braces',
    at(undefined, 'spec', `test('a', async ({ page }) => page.goto('/'));`),
    'has no body in braces',
    'async',
  ],
  [
    'code that is nested too deeply',
    at(undefined, 'spec', `${'['.repeat(9000)}${']'.repeat(9000)}`),
    'e2e/shop.spec.ts is nested too deeply to be read.',
    'async',
  ],
  [
    'a test in a loop',
    at(undefined, 'spec', `for (const x of [1]) test('a', async ({ page }) => {});`),
    'is not directly in the file or a describe',
    'async',
  ],
] as const)
  noPlaces.add(`a session can't go on at ${name}`, async () => {
    const { describePlace } = await baseSpec();
    expect(() => describePlace(base)).toThrow(
      expect.objectContaining({
        code: 'INVALID_INPUT',
        message: expect.stringContaining(message),
        hint: expect.stringContaining(hint),
      }),
    );
  });
test("a session can't go on where a spec has no place for it", () => noPlaces.check());

test('fixtures, imports and braces are added where they are missing', async () => {
  const { extendSpec } = await extendedSpec();
  const { source, staged } = extendSpec(at(22), {
    ...insertion,
    text: '    await expect(page).toHaveURL(/login/);',
    usesExpect: true,
    imports: ["import path from 'node:path';"],
  });
  expect(source).toContain(
    "import path from 'node:path';\nimport { test, expect } from '../fixtures'; // ours\n",
  );
  expect(source).toContain(`  test('logs in', async ({ page }) => {
    await expect(page).toHaveURL(/login/);
  });
`);
  expect(staged).toContain("test.only('logs in'");
  expect(staged.split('\n')).toHaveLength(source.split('\n').length);
});

test('a test has the page objects that it makes, or a hook around it', async () => {
  const { objectsIn } = await baseSpec();
  const { extendSpec } = await extendedSpec();
  const text = `import { test, expect } from './fixtures';
import Menu, { Cart as Basket } from './pages';
let other: Other;
test.describe('shop', () => {
  let shop: Shop;
  test.beforeEach(async ({ page }) => { shop = new Shop(page); });
  test('buys', async ({ cart }) => {
    const menu = new Menu(page);
  });
});
test.describe('others', () => { test.beforeEach(async ({ page }) => { other = new Other(page); }); });
`;
  const { made, imported } = objectsIn(at(8, 'spec', text));
  expect([...made]).toEqual([
    ['Menu', 'menu'],
    ['Shop', 'shop'],
  ]);
  expect([...imported]).toEqual(['Menu', 'test', 'expect', 'Basket']);
  // They are no fixtures.
  const fixtures = ['shop', 'menu', 'page'];
  expect(extendSpec(at(8, 'spec', text), { ...insertion, fixtures }).source).toContain(
    'async ({ cart, page }) =>',
  );
});

test('only what is inserted differs from the file, also with CRLF', async () => {
  const { extendSpec } = await extendedSpec();
  const text = spec.replaceAll('\n', '\r\n');
  const { source } = extendSpec(at(15, 'spec', text), insertion);
  expect(source.replace(`${insertion.text}\r\n`, '').replace('{ cart, page }', '{ cart }')).toBe(text);
});

test('a seed keeps its set-up, and only the one test, under another title and in another directory', async () => {
  const { extendSpec } = await extendedSpec();
  const { source } = extendSpec(at(15, 'seed'), { ...insertion, spec: 'e2e/more/shop.spec.ts' });
  expect(source).toContain(`      await cart.pay(); // by card
      await page.reload();
    });
  });
`);
  expect(source).toContain("from '../../fixtures'");
  expect(source).toContain("test.use({ locale: 'de' });");
  expect(source).toContain('test.beforeEach');
  expect(source).toContain("test('buys more', async ({ cart, page }) => {");
  expect(source).not.toContain('logs in');
});

test('a hook goes above the test, in a describe that has no other', async () => {
  const { extendSpec } = await extendedSpec();
  const hooks = "  test.afterEach('leaves', async () => {\n    await leave();\n  });";
  const alone = spec.slice(0, spec.indexOf('  // Needs')) + '});\n';
  const { source, line } = extendSpec(at(undefined, 'spec', alone), { ...insertion, hooks });
  expect(source).toContain(`  });\n\n${hooks}\n\n  test('buys', async ({ cart, page }) => {`);
  expect(source.split('\n')[line - 1]).toBe(insertion.text);
  expect(() => extendSpec(at(10), { ...insertion, hooks })).toThrow('The hook would run for other tests');
  // A seed keeps only the one test, and a comment stays above it.
  const seeded = extendSpec(at(22, 'seed'), { ...insertion, hooks }).source;
  expect(seeded).toContain(`${hooks}\n\n  // Needs a login.\n  test('buys more', async ({ page }) => {`);
});

test('a pausing test runs alone', async () => {
  const { pausingText } = await extendedSpec();
  const text = pausingText(at(15), 'pauseHere');
  expect(text).toContain("test.only('buys', async ({ cart, page }) => {");
  expect(text).toContain('// by card\n;await globalThis.pauseHere(page, test.info());\n');
});

test('new statements are formatted as the file is', async () => {
  const { formatOf } = await baseSpec();
  expect(formatOf(at(15))).toEqual({
    test: 'test',
    singleQuote: true,
    semi: true,
    useTabs: false,
    tabWidth: 2,
    depth: 3,
  });
  const tabs = `const { test: it } = require("./x")\n\nit("a", async ({ page }) => {\n\tawait page.goto("/")\n})\n`;
  expect(formatOf(at(undefined, 'spec', tabs))).toMatchObject({
    test: 'it',
    singleQuote: false,
    semi: false,
    useTabs: true,
    depth: 1,
  });
});
