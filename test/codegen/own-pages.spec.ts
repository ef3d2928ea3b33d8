import { expect, test } from '@playwright/test';

// It loads TypeScript: only one worker does, and only when it runs these tests.
test.describe.configure({ mode: 'default' });
const ownPages = () => import('../../src/codegen/own-pages.js');

test('fields, getters and methods of a class are read, and what is private or unclear is not', async () => {
  const { readOwnPages } = await ownPages();
  const { pages, problem } = readOwnPages(
    'pages/shop.ts',
    `import { expect, type Locator, type Page } from '@playwright/test';
export class ShopPage {
  readonly list: Locator;
  private readonly secret: Locator;
  readonly title = this.view.getByRole('heading');
  constructor(private readonly view: Page) {
    this.list = view.getByRole('list');
    this.secret = view.locator('#secret');
    this.odd = compute(view);
  }
  get items() { return this.list.getByRole('listitem'); }
  async open() { await this.view.goto('/shop'); }
  async pick(name: string) {
    await this.items.filter({ hasText: name }).click();
    await expect(this.title).toHaveText(name);
  }
  async maybe() { if (this.list) await this.open(); }
  async twice() { await this.open(); }
  private async hidden() { await this.view.reload(); }
  async withDefault(name = 'x') { await this.list.getByText(name).click(); }
}
export class NoPage { constructor(readonly api: string) {} }
class Inner { constructor(readonly page: Page) {} }
`,
  );
  expect(problem).toBeUndefined();
  expect(pages).toEqual([
    {
      file: 'pages/shop.ts',
      className: 'ShopPage',
      isDefault: false,
      fields: [
        { name: 'list', code: "page.getByRole('list')" },
        { name: 'title', code: "page.getByRole('heading')" },
        { name: 'items', code: "page.getByRole('list').getByRole('listitem')" },
      ],
      methods: [
        { name: 'open', parameters: [], statements: [{ code: "await page.goto('/shop');", line: 12 }] },
        {
          name: 'pick',
          parameters: ['name'],
          statements: [
            {
              code: "await page.getByRole('list').getByRole('listitem').filter({ hasText: name }).click();",
              line: 14,
            },
            { code: "await expect(page.getByRole('heading')).toHaveText(name);", line: 15 },
          ],
        },
      ],
    },
  ]);
});

test('CommonJS exports are read, and what does not compile is a problem', async () => {
  const { readOwnPages } = await ownPages();
  const { pages } = readOwnPages(
    'todo.js',
    `class Todo { constructor(page) { this.page = page; this.input = page.getByRole('textbox'); } }\nmodule.exports = { Todo };`,
  );
  expect(pages).toMatchObject([{ className: 'Todo', fields: [{ name: 'input' }] }]);
  expect(readOwnPages('a.ts', 'export class A {').problem).toBe("line 1: '}' expected.");
});

test('a class may have a superclass that takes the page', async () => {
  const { readOwnPages } = await ownPages();
  const { pages } = readOwnPages(
    'pages/login.ts',
    `export class LoginPage extends BasePage {
  readonly email: Locator;
  constructor(page: Page) { super(page); this.email = page.getByLabel('Email'); }
  async open() { await this.page.goto('/login'); }
  async logIn() { await this.submit('ann'); }
}
export class Other extends BasePage { constructor(page: Page) { super(page, 'other'); } async open() { await this.page.goto('/'); } }
export class Inherits extends BasePage { async open() { await this.page.goto('/'); } }`,
  );
  expect(pages).toMatchObject([
    {
      className: 'LoginPage',
      fields: [{ name: 'email', code: "page.getByLabel('Email')" }],
      methods: [{ name: 'open', statements: [{ code: "await page.goto('/login');" }] }],
    },
  ]);
  expect(pages[0]?.methods).toHaveLength(1);
});

test('functions that return an object are read like classes', async () => {
  const { readOwnPages } = await ownPages();
  const { pages } = readOwnPages(
    'pages/login.ts',
    `import type { Page } from '@playwright/test';
export function loginPage(view: Page, log?: Log) {
  const form = view.getByRole('form');
  const submit = form.getByRole('button', { name: 'form' });
  return {
    email: form.getByLabel('email'),
    submit,
    odd: compute(view),
    async signIn(email: string) {
      await this.email.fill(email);
      await submit.click();
    },
    open: async () => {
      await view.goto('/login');
    },
    async shadows(form: string) { await submit.fill(form); },
    async both() { await this.signIn('a'); },
    async short() { await view.evaluate(({ form }) => form, { form }); },
    now() { return view.url(); },
  };
}
export const banner = (page: Page) => ({ close: page.getByRole('button', { name: 'Close' }) });
export function counts(page: Page) { if (page) return { a: page.getByText('a') }; }
export async function logIn(page: Page) { return { a: page.getByText('a') }; }
export function needs(page: Page, name: string) { return { a: page.getByText('a') }; }
function inner(page: Page) { return { a: page.getByText('a') }; }
`,
  );
  const form = "page.getByRole('form')";
  const submit = `${form}.getByRole('button', { name: 'form' })`;
  expect(pages).toEqual([
    {
      file: 'pages/login.ts',
      className: 'loginPage',
      isDefault: false,
      isFunction: true,
      fields: [
        { name: 'email', code: `${form}.getByLabel('email')` },
        { name: 'submit', code: submit },
      ],
      methods: [
        {
          name: 'signIn',
          parameters: ['email'],
          statements: [
            { code: `await ${form}.getByLabel('email').fill(email);`, line: 10 },
            { code: `await ${submit}.click();`, line: 11 },
          ],
        },
        { name: 'open', parameters: [], statements: [{ code: "await page.goto('/login');", line: 14 }] },
      ],
    },
    {
      file: 'pages/login.ts',
      className: 'banner',
      isDefault: false,
      isFunction: true,
      fields: [{ name: 'close', code: "page.getByRole('button', { name: 'Close' })" }],
      methods: [],
    },
  ]);
});

test('a file of CommonJS can have functions, too', async () => {
  const { readOwnPages } = await ownPages();
  const text = "const footer = (page) => ({ links: page.getByRole('link') });\nmodule.exports = { footer };";
  expect(readOwnPages('pages/footer.js', text).pages).toMatchObject([
    { className: 'footer', fields: [{ name: 'links', code: "page.getByRole('link')" }] },
  ]);
});
