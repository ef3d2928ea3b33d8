import { codeSteps } from '../../src/actions/registry.js';
import { parsePage } from '../../src/codegen/page-object.js';
import { writeTest } from '../../src/codegen/source.js';
import { findTemplate } from '../../src/codegen/templates.js';
import type { Assertion } from '../../src/model/step.js';
import type { readOwnPages as readFile } from '../../src/codegen/own-pages.js';
import { expect, test } from '../fixtures.js';

// It loads TypeScript: only one worker does, and only when it runs these tests.
test.describe.configure({ mode: 'default' });

/** Reads a file beside which there are others. */
async function readOwnPages(
  file: string,
  text: string,
  others: Record<string, string> = {},
): ReturnType<typeof readFile> {
  const own = await import('../../src/codegen/own-pages.js');
  return own.readOwnPages(file, text, (from) => {
    const found = others[from];
    return Promise.resolve(found === undefined ? undefined : { file: `pages/${from}.ts`, text: found });
  });
}

test('fields, getters and methods of a class are read, and what is private or unclear is not', async () => {
  const { pages, problem } = await readOwnPages(
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
  async again(name: string) { await this.open(); await test.step('picks', async () => { await this.pick(name); }); return this; }
  async loops() { await this.loops(); }
  private async hidden() { await this.view.reload(); }
  async withDefault(name = 'x') { await this.list.getByText(name).click(); }
  row(id: number) { return this.items.filter({ hasText: 'No. ' + id }); }
  drop = async (id: number) => {
    const row = this.row(id);
    await row.getByRole('button').click();
  };
  reload() { return this.view.reload(); }
}
export class NoPage { constructor(readonly api: string) {} }
class Inner { constructor(readonly page: Page) {} }
`,
  );
  expect(problem).toBeUndefined();
  const items = "page.getByRole('list').getByRole('listitem')";
  expect(pages).toEqual([
    {
      file: 'pages/shop.ts',
      className: 'ShopPage',
      isDefault: false,
      subclass: { members: expect.arrayContaining(['view', 'secret', 'maybe']), hasPage: false },
      fields: [
        { name: 'list', code: "page.getByRole('list')" },
        { name: 'title', code: "page.getByRole('heading')" },
        { name: 'items', code: "page.getByRole('list').getByRole('listitem')" },
      ],
      finders: [
        {
          name: 'row',
          parameters: ['id'],
          numbers: ['id'],
          code: `${items}.filter({ hasText: 'No. ' + id })`,
        },
      ],
      methods: [
        {
          name: 'drop',
          parameters: ['id'],
          numbers: ['id'],
          statements: [
            {
              code: `await ${items}.filter({ hasText: 'No. ' + id }).getByRole('button').click();`,
              line: 25,
            },
          ],
        },
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
        {
          name: 'again',
          parameters: ['name'],
          statements: [
            { code: "await page.goto('/shop');", line: 12 },
            { code: `await ${items}.filter({ hasText: name }).click();`, line: 14 },
            { code: "await expect(page.getByRole('heading')).toHaveText(name);", line: 15 },
          ],
        },
        {
          name: 'withDefault',
          parameters: ['name'],
          defaults: { name: 'x' },
          statements: [{ code: "await page.getByRole('list').getByText(name).click();", line: 21 }],
        },
        {
          name: 'reload',
          parameters: [],
          statements: [{ code: 'await page.reload();', line: 27 }],
        },
      ],
    },
  ]);
});

test('CommonJS exports are read, and what does not compile is a problem', async () => {
  const { pages } = await readOwnPages(
    'todo.js',
    `class Todo { constructor(page) { this.page = page; this.input = page.getByRole('textbox'); } }\nmodule.exports = { Todo };`,
  );
  expect(pages).toMatchObject([{ className: 'Todo', fields: [{ name: 'input' }] }]);
  const { pages: whole } = await readOwnPages(
    'login.js',
    'module.exports = class Login { constructor(page) { this.email = page.getByLabel("Email"); } };',
  );
  expect(whole).toMatchObject([
    { className: 'Login', isDefault: true, isModule: true, fields: [{ name: 'email' }] },
  ]);
  const { pages: named } = await readOwnPages(
    'login.js',
    'exports.Login = class Login { constructor(page) { this.email = page.getByLabel("Email"); } };',
  );
  expect(named).toMatchObject([{ className: 'Login', isDefault: false }]);
  expect((await readOwnPages('a.ts', 'export class A {')).problem).toBe("line 1: '}' expected.");
});

test('a class may have a superclass that takes the page', async () => {
  const { pages } = await readOwnPages(
    'pages/login.ts',
    `export class LoginPage extends BasePage {
  readonly email: Locator;
  constructor(page: Page) { super(page); this.email = page.getByLabel('Email'); }
  async open() { await this.page.goto('/login'); }
  async logIn() { await this.submit('ann'); }
  async inherited() { await super.open(); }
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

test('a class has what it inherits, and an abstract one is no page object', async () => {
  const bases = `import { Root } from './root';
export abstract class BasePage extends Root {
  abstract readonly path: string;
  protected readonly nav: Locator;
  constructor(readonly page: Page) { super(page); this.nav = page.getByRole('navigation'); }
  get menu() { return this.nav.getByRole('menu'); }
  async open() { await this.page.goto(this.path); }
  async leave() { await this.page.goBack(); }
  async close() { await this.closer.click(); }
}`;
  const root = `export class Root { readonly closer: Locator; constructor(view: Page) { this.closer = view.getByText('Close'); } }`;
  const text = `import { BasePage } from './base';
export class LoginPage extends BasePage {
  readonly path = '/login';
  user = 'ann';
  readonly email = this.nav.getByLabel('Email');
  async leave() { if (this.user) await this.close(); }
  async logIn() { await this.email.fill(this.user); }
  rename() { this.user = 'bob'; }
}
export class Plain extends LoginPage { readonly path = '/plain'; constructor(page: Page) { super(page); } }
export abstract class Unused { constructor(readonly page: Page) {} }`;
  const { pages } = await readOwnPages('pages/login.ts', text, { './base': bases, './root': root });
  const nav = "page.getByRole('navigation')";
  const fields = [
    { name: 'closer', code: "page.getByText('Close')" },
    { name: 'menu', code: `${nav}.getByRole('menu')` },
    { name: 'email', code: `${nav}.getByLabel('Email')` },
  ];
  const methods = (path: string): object[] => [
    { name: 'open', parameters: [], statements: [{ code: `await page.goto('${path}');`, line: 7 }] },
    { name: 'close', statements: [{ code: "await page.getByText('Close').click();" }] },
  ];
  expect(pages).toMatchObject([
    { className: 'LoginPage', fields, methods: methods('/login') },
    { className: 'Plain', fields, methods: methods('/plain') },
  ]);
});

test('functions that return an object are read like classes', async () => {
  const { pages } = await readOwnPages(
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
export const visit = async (view: Page, name = 'a') => { await view.goto('/'); await logOut(view); await view.getByText(name).click(); };
async function logOut(page: Page) { await page.getByText('Log out').click(); }
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
        {
          name: 'shadows',
          parameters: ['form'],
          statements: [{ code: `await ${submit}.fill(form);`, line: 16 }],
        },
        {
          name: 'both',
          parameters: [],
          statements: [
            { code: `await ${form}.getByLabel('email').fill('a');`, line: 10 },
            { code: `await ${submit}.click();`, line: 11 },
          ],
        },
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
    {
      file: 'pages/login.ts',
      className: 'visit',
      isDefault: false,
      isFunction: true,
      isHelper: true,
      fields: [],
      methods: [
        {
          name: 'visit',
          parameters: ['name'],
          defaults: { name: 'a' },
          statements: [
            { code: "await page.goto('/');", line: 26 },
            { code: "await page.getByText('Log out').click();", line: 27 },
            { code: 'await page.getByText(name).click();', line: 26 },
          ],
        },
      ],
    },
  ]);
});

test('a file of CommonJS can have functions, too', async () => {
  const text = "const footer = (page) => ({ links: page.getByRole('link') });\nmodule.exports = { footer };";
  expect((await readOwnPages('pages/footer.js', text)).pages).toMatchObject([
    { className: 'footer', fields: [{ name: 'links', code: "page.getByRole('link')" }] },
  ]);
});

const list = `import type { Page } from '@playwright/test';
export class ListPage {
  readonly note = this.page.getByLabel('Note');
  constructor(protected readonly page: Page) {}
  async open() { await this.page.goto('/list'); }
  async add(text: string) { await this.note.fill(text); await this.note.press('Enter'); }
  async remove() { await this.page.reload(); }
}`;
type Steps = Parameters<typeof codeSteps>[0];
const note = [{ method: 'getByLabel', args: ['Note'] }];
const opened = { action: 'goto', args: { url: '/list' } };
const added: Steps = [
  { action: 'fill', args: { value: 'Tea' }, locator: note },
  { action: 'press', args: { key: 'Enter' }, locator: note },
];
const clicked = (name: string): Steps[number] => ({
  action: 'click',
  args: {},
  locator: [{ method: 'getByRole', args: ['button', { name }] }],
});

interface Objects {
  text?: string;
  existing?: string;
}

/** What is written of a flow with the template of page objects, and these. */
async function storyWithPages(
  steps: Steps,
  { text = list, existing }: Objects = {},
): ReturnType<typeof writeTest> {
  const { pages } = await readOwnPages('pages/list.ts', text);
  const page = existing === undefined ? undefined : await parsePage(existing);
  return writeTest({
    language: 'typescript',
    title: 'notes',
    includeComments: true,
    template: await findTemplate('pom', undefined),
    use: {},
    spec: 'tests/notes.spec.ts',
    baseURL: 'http://shop.example',
    steps: codeSteps(steps),
    secrets: [],
    uniques: {},
    pages: new Map(page && [['extended-list-page', { page, isUntouched: true }]]),
    ownPages: pages,
    style: { options: { singleQuote: true }, commonJs: false, importEnding: '.js' },
  });
}

/** The test of a flow, and its page objects. */
async function withPages(steps: Steps, objects: Objects = {}): Promise<string[]> {
  const written = await storyWithPages(steps, objects);
  return [written.source, ...written.pages.map(({ name, source }) => `// ${name}\n${source}`)];
}

test('with the template of page objects, a class extends that of the user with what it lacks', async () => {
  const [source, page, ...others] = await withPages([opened, ...added, clicked('Clear'), clicked('Remove')]);
  expect(others).toEqual([]);
  expect(source).toBe(`import { test } from '@playwright/test';
import { ExtendedListPage } from './pages/extended-list-page.js';

test('notes', async ({ page }) => {
  const listPage = new ExtendedListPage(page);

  await listPage.open();
  await listPage.add('Tea');
  await listPage.clear();
  await listPage.removeButton.click();
});
`);
  expect(page).toBe(`// extended-list-page
import type { Locator, Page } from '@playwright/test';
import { ListPage } from '../../pages/list.js';

// The page at /list.
export class ExtendedListPage extends ListPage {
  readonly clearButton: Locator;
  readonly removeButton: Locator;

  constructor(page: Page) {
    super(page);
    this.clearButton = page.getByRole('button', { name: 'Clear' });
    this.removeButton = page.getByRole('button', { name: 'Remove' });
  }

  async clear(): Promise<void> {
    await this.clearButton.click();
  }
}
`);
  // The next session adds to it.
  const existing = page?.replace(/^.*\n/, '');
  const [, next = ''] = await withPages([opened, clicked('Clear'), clicked('Print')], { existing });
  expect(next).toContain("import { ListPage } from '../../pages/list.js';");
  expect(next).toContain('async clear(): Promise<void> {');
  expect(next).toContain('async print(): Promise<void> {');
});

test('a class of the user that has all, or is not the only one of a page, is not extended', async () => {
  const [source, ...pages] = await withPages([opened, ...added]);
  expect(pages).toEqual([]);
  expect(source).toContain("import { ListPage } from '../pages/list.js';");
  expect(source).toContain(
    "const listPage = new ListPage(page);\n\n  await listPage.open();\n  await listPage.add('Tea');",
  );
  const two = `${list}\nexport class Menu { constructor(readonly page: Page) {} readonly help = this.page.getByRole('button', { name: 'Help' }); }`;
  const [mixed = '', own = ''] = await withPages([opened, clicked('Help'), clicked('Clear')], { text: two });
  expect(mixed).toContain('await menu.help.click();');
  expect(own).toContain('export class List2Page {');
});

test('a class whose page is private gets no methods that need it', async () => {
  const text = list
    .replace('protected', 'private')
    .replace("async open() { await this.page.goto('/list'); }", '');
  const [source = '', page = ''] = await withPages([opened, ...added, clicked('Clear')], { text });
  expect(source).toContain("await page.goto('/list');");
  expect(page).toContain('extends ListPage');
  expect(page).not.toContain('this.page');
});

test('a method is called without what it does not check in between, which is said', async () => {
  const [typed, entered] = added;
  if (typed === undefined || entered === undefined) throw new Error('nothing is added');
  const shows = (text: string): Assertion => ({
    locator: [{ method: 'getByText', args: [text] }],
    args: { matcher: 'toBeVisible' },
  });
  const steps = [
    opened,
    { ...typed, assertions: [shows('3 of 20 characters')] },
    { ...entered, assertions: [shows('Tea')] },
  ];
  const { source, unchecked } = await storyWithPages(steps);
  expect(source).toContain("  await listPage.add('Tea');\n  await expect(listPage.teaText).toBeVisible();\n");
  expect(source).not.toContain('3 of 20');
  expect(unchecked).toEqual([
    {
      step: 1,
      index: 0,
      code: 'await expect(page.getByText("3 of 20 characters")).toBeVisible();',
      reason: 'ListPage.add goes on without it; to keep it, record it with expect',
    },
  ]);
});
