import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { checkEmitted } from '../codegen/emitted.js';
import { expect, runTests, test, type Connection, type Result } from '../fixtures.js';

const field = (name: string): string => `getByRole('textbox', { name: '${name}' })`;
const button = (name: string): string => `getByRole('button', { name: '${name}' })`;
const status = (expected: string): object => ({
  action: 'expect',
  target: "getByRole('status')",
  matcher: 'toHaveText',
  expected,
});

/** Logs in, at first with a wrong password. */
const logIn = [
  { action: 'fill', target: field('Email'), value: 'ada@example.com', note: 'A customer of long standing.' },
  { action: 'fill', target: field('Password'), value: 'wrong' },
  { action: 'click', target: button('Log in') },
  { action: 'fill', target: field('Password'), value: 'it\'s "right"' },
  { action: 'click', target: button('Log in') },
];

const order = [
  { action: 'step', title: 'Fill the cart' },
  { action: 'fill', target: "getByRole('searchbox')", value: 'tea' },
  { action: 'press', target: "getByRole('searchbox')", key: 'Enter' },
  {
    action: 'click',
    target: `getByRole('listitem').filter({ hasText: 'Green tea' }).${button('Add to cart')}`,
  },
  {
    action: 'click',
    target: `getByRole('listitem').filter({ hasText: 'Black tea' }).${button('Add to cart')}`,
  },
  status('In the cart: Green tea, Black tea'),
  { action: 'click', target: button('Terms') },
  { action: 'switchPage', page: 'p2' },
  { action: 'expect', target: "getByRole('heading')", matcher: 'toBeVisible' },
  { action: 'switchPage', page: 'p1' },
  { action: 'step', title: 'Order' },
  { action: 'click', target: "getByRole('link', { name: 'Cart' })" },
  { action: 'selectOption', target: "getByLabel('Shipping')", values: 'express' },
  { action: 'click', target: button('Place order') },
  status('Ordered, express.'),
];

async function record(
  server: Connection,
  url: string,
  title: string,
  actions: readonly object[],
  options: object = {},
  autoAssert = false,
): Promise<string> {
  const { sessionId, error } = await server.start({
    title,
    url: `${url}/shop-login.html`,
    use: { baseURL: url },
    options: { template: 'pom', ...options },
    autoAssert,
  });
  expect(error).toBeUndefined();
  const recorded = await server.call('record_codegen_session', { sessionId, actions });
  expect(recorded.failed).toBeUndefined();
  return sessionId;
}

const filesIn = async (directory: string): Promise<Map<string, string>> => {
  const names = await readdir(directory, { recursive: true });
  const files = names.filter((name) => /\.[jt]s$/.test(name)).sort();
  return new Map(
    await Promise.all(
      files.map(async (name) => [name, await readFile(path.join(directory, name), 'utf8')] as const),
    ),
  );
};

test('a flow with page objects reads as a story, passes, and lands as a whole, in both languages', async ({
  shared: server,
  pages,
}) => {
  test.slow();
  const { workspace } = server;
  const output = path.join(workspace, 'generated-tests');
  for (const [language, verify] of [
    ['typescript', 'require'],
    ['javascript', 'off'],
  ]) {
    const sessionId = await record(
      server,
      pages.url,
      'orders tea',
      [...logIn, ...order],
      { language, outputPath: `generated-tests/${language}` },
      language === 'typescript',
    );
    const shown = await server.call('get_codegen_session', { sessionId, include: ['code'] });
    const ended = await server.call('end_codegen_session', { sessionId, verify });
    expect(ended.error).toBeUndefined();
    const extension = language === 'typescript' ? 'ts' : 'js';
    const names = ['orders-tea.spec', 'pages/landing-page', 'pages/shop-cart-page'];
    expect(ended.files.map((file) => `${file.path} ${file.change}`).sort()).toEqual(
      [...names, 'pages/shop-login-page', 'pages/shop-products-page'].map(
        (name) => `generated-tests/${language}/${name}.${extension} created`,
      ),
    );
    expect(await readFile(ended.filePath, 'utf8')).toBe(shown.code);
    expect(shown.code).toContain('  // A customer of long standing.\n  await shopLoginPage.logIn(');
    expect(shown.code).toContain(`await shopLoginPage.logInWithPassword('it\\'s "right"');`);
    expect(shown.code).toContain('await shopProductsPage.search("tea");');
    expect(shown.code).toContain('await shopProductsPage.addToCart("Green tea");');
    expect(shown.code).toContain('await shopProductsPage.addToCart("Black tea");');
    expect(shown.code).toContain('const landingPage = new LandingPage(popup);');
    expect(shown.code).toContain('await shopCartPage.placeOrder("express");');
  }
  await checkEmitted([...(await filesIn(output))].map(([name, content]) => ({ name, content })));
  // The other was run before it was written.
  const run = await runTests(workspace, 'javascript');
  expect(run.output).toContain('1 passed');
});

test('page objects are extended from flow to flow; edited ones are left unchanged', async ({
  shared: server,
  pages,
}) => {
  test.slow();
  const { workspace } = server;
  const output = path.join(workspace, 'generated-tests');
  const login = path.join(output, 'pages', 'shop-login-page.ts');
  const named = 'pages/shop-login-page has been edited since this tool emitted it';
  const end = async (title: string, actions: readonly object[], args: object = {}): Promise<Result> => {
    const sessionId = await record(server, pages.url, title, actions);
    const result = await server.call('end_codegen_session', { sessionId, ...args });
    await server.call('clear_codegen_session', { sessionId });
    return result;
  };
  const changes = ({ files }: Result): object =>
    Object.fromEntries(files.map((file) => [file.path, file.change]));

  await end('logs in', logIn);
  const before = await filesIn(output);
  expect(changes(await end('logs in', logIn))).toEqual({
    'generated-tests/logs-in.spec.ts': 'unchanged',
    'generated-tests/pages/shop-login-page.ts': 'unchanged',
  });

  const keep = [
    { action: 'check', target: "getByRole('checkbox', { name: 'Keep me signed in' })" },
    ...logIn.slice(0, 1),
    { action: 'fill', target: field('Password'), value: 'right' },
    { action: 'click', target: button('Log in') },
  ];
  expect(changes(await end('stays signed in', keep))).toEqual({
    'generated-tests/stays-signed-in.spec.ts': 'created',
    'generated-tests/pages/shop-login-page.ts': 'replaced',
  });
  const extended = await filesIn(output);
  expect(extended.get('logs-in.spec.ts')).toBe(before.get('logs-in.spec.ts'));
  const lines = (name: string, files: Map<string, string>): string[] =>
    (files.get(name) ?? '').split('\n').slice(1);
  const added = lines('pages/shop-login-page.ts', extended);
  expect(added).toEqual(expect.arrayContaining(lines('pages/shop-login-page.ts', before)));
  expect(added.join('\n')).toContain('keepMeSignedInCheckbox: Locator');
  await checkEmitted(
    [...extended].map(([name, content]) => ({ name, content })),
    { asserted: false },
  );
  const run = await server.client.callTool({ name: 'run_generated_test', arguments: {} });
  expect(run.structuredContent).toMatchObject({ status: 'passed', passed: 2 });

  const edited = `${await readFile(login, 'utf8')}// Checked by hand.\n`;
  await writeFile(login, edited);
  expect(changes(await end('again', logIn))).toEqual({ 'generated-tests/again.spec.ts': 'created' });
  const hover = [{ action: 'hover', target: "getByRole('heading', { name: 'Sign in' })" }];
  const refused = await end('hovers', hover);
  expect(refused.error).toMatchObject({
    code: 'FILE_CHANGED',
    message: expect.stringContaining(named),
  });
  expect(refused.error?.hint).toContain('signInHeading');
  expect(await readFile(login, 'utf8')).toBe(edited);
  expect(await readdir(output)).not.toContain('hovers.spec.ts');
  expect(changes(await end('hovers', hover, { file: 'elsewhere/hovers.spec.ts' }))).toEqual({
    'generated-tests/elsewhere/hovers.spec.ts': 'created',
    'generated-tests/elsewhere/pages/shop-login-page.ts': 'created',
  });
});
