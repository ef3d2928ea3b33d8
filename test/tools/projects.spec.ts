import { execFileSync } from 'node:child_process';
import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { specNamesIn } from '../../src/verify/spec-names.js';
import { serve, type Site } from '../fixtures/serve.js';
import { expect, runTests, test as base, type Connection } from '../fixtures.js';

const projects = fileURLToPath(new URL('../fixtures/projects/', import.meta.url));

/** The shared server, in whose workspace a sample project is. */
const test = base.extend<{
  project: (name: string, config?: object) => Promise<Connection>;
  /** Serves one page and gives its URL. */
  serve: (html: string) => Promise<string>;
}>({
  serve: async ({}, use) => {
    const sites: Site[] = [];
    await use(async (html) => {
      const site = await serve(async (_, response) => {
        await Promise.resolve();
        response.setHeader('content-type', 'text/html').end(html);
      }, 0);
      sites.push(site);
      return site.url;
    });
    for (const site of sites) await site.close();
  },
  workspace: ({ shared }, use) => use(shared.workspace),
  project: async ({ shared }, use) => {
    await use(async (name, config = {}) => {
      await cp(path.join(projects, name), shared.workspace, { recursive: true });
      await shared.configure({ verify: { sensitivity: 'off' }, ...config });
      return shared;
    });
  },
});

test.describe.configure({ timeout: 180_000 });

const passed = (runs: number): Record<string, unknown> => ({
  verification: { status: 'passed', runs, passed: runs },
});

/** What a session in the project emits. */
async function emitted(server: Connection, sessionId: string): Promise<string> {
  const ended = await server.call('end_codegen_session', { sessionId });
  expect(ended.error).toBeUndefined();
  expect(ended).toMatchObject(passed(1));
  return readFile(ended.filePath, 'utf8');
}

const add = (text: string): Record<string, unknown>[] => [
  { action: 'fill', target: 'getByPlaceholder("What needs to be done?")', value: text },
  { action: 'press', target: 'getByPlaceholder("What needs to be done?")', key: 'Enter' },
  { action: 'expect', target: '.todo-list', matcher: 'toContainText', expected: text },
];

test('a test imports test and expect from the module that is given, and runs with its fixtures', async ({
  project,
  workspace,
  pages,
}) => {
  const log = path.join(workspace, 'fixtures.log');
  const logged = async (): Promise<string> => readFile(log, 'utf8').catch(() => '');
  const record = async (server: Connection, title: string, options: object = {}): Promise<string> => {
    const { sessionId, error } = await server.start({ title, url: `${pages.url}/todo.html`, options });
    expect(error).toBeUndefined();
    await server.record(sessionId, ...add('Read a book'));
    return sessionId;
  };
  const options = {
    describe: 'Todos',
    tags: ['@smoke', '@todo'],
    annotations: [{ type: 'issue', description: 'https://example.com/issues/7' }, { type: 'slow' }],
  };
  for (const [title, given, line, asked] of [
    ['adds by path', 'e2e/support/test.ts', "import { test, expect } from './support/test';", {}],
    ['adds a todo', '@support/test', "import { test, expect } from '@support/test';", options],
    [
      'adds by name',
      './e2e/support/test#quickTest',
      "import { quickTest as test, expect } from './support/test';",
      {},
    ],
  ] as const) {
    const server = await project('own-fixtures', { output: { dir: 'e2e', importTestFrom: given } });
    const sessionId = await record(server, title, asked);
    const isVerified = asked === options;
    const source = isVerified
      ? await emitted(server, sessionId)
      : (await server.call('end_codegen_session', { sessionId, verify: 'off' })).testCode;
    expect(source).toContain(line);
    expect(source).not.toContain('@playwright/test');
    if (isVerified)
      expect(source).toContain(`test.describe('Todos', () => {
  test(
    'adds a todo',
    {
      tag: ['@smoke', '@todo'],
      annotation: [
        { type: 'issue', description: 'https://example.com/issues/7' },
        { type: 'slow' },
      ],
    },
    async ({ page }) => {`);
    expect(await logged()).toBe(isVerified ? `${title}\n` : '');
    await rm(log, { force: true });
  }
  const { output } = await runTests(workspace, 'e2e/adds-');
  expect(output).toContain('3 passed');
  for (const title of ['adds by path', 'adds a todo', 'adds by name'])
    expect((await logged()).split('\n').filter((each) => each === title)).toHaveLength(1);

  // What a call says comes before the configuration.
  const server = await project('own-fixtures', { output: { dir: 'e2e', importTestFrom: '@support/test' } });
  const sessionId = await record(server, 'is told', { importTestFrom: 'e2e/support/test.ts#quickTest' });
  const { testCode } = await server.call('end_codegen_session', { sessionId, verify: 'off' });
  expect(testCode).toContain('quickTest as test');
});

/** A page with an attribute of its own for tests. */
const basket = ['Apples', 'Pears', 'Plums']
  .map(
    (name) =>
      `<li>${name} <button data-cy="remove-${name}" onclick="this.parentNode.remove()">x</button></li>`,
  )
  .join('');

/** Writes the specs of a project, by their names. */
async function writeSpecs(directory: string, specs: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(specs)) await writeFile(path.join(directory, name), text);
}

test("start detects the project's conventions, and the test uses them", async ({
  project,
  workspace,
  pages,
}) => {
  const server = await project('own-fixtures', { output: { dir: 'e2e' } });
  await writeFile(
    path.join(workspace, 'playwright.config.ts'),
    `export default { testDir: './e2e', use: { baseURL: '${pages.url}', testIdAttribute: 'class' } };`,
  );
  const start = await server.start({ title: 'adds a todo', url: '/todo.html' });
  expect(start.error).toBeUndefined();
  expect(start['detected']).toEqual({
    testIdAttribute: { value: 'class', source: 'playwright.config.ts' },
    baseURL: { value: pages.url, source: 'playwright.config.ts' },
    testDir: { value: 'e2e', source: 'playwright.config.ts' },
    importTestFrom: { value: '@support/test', source: 'e2e/opens.spec.ts' },
    codeStyle: { value: { singleQuote: true }, source: 'e2e/opens.spec.ts' },
  });
  const { failed } = await server.record(start.sessionId, {
    action: 'fill',
    target: "getByTestId('new-todo')",
    value: 'Read a book',
  });
  expect(failed).toBeUndefined();
  const source = await emitted(server, start.sessionId);
  expect(source).toContain("import { test } from '@support/test';");
  expect(source).toContain("await page.goto('/todo.html');");
  expect(source).toContain("getByTestId('new-todo')");
  expect(source).not.toContain('test.use');

  // What the call or the configuration says is not detected, and a change of the project is noticed.
  await server.call('clear_codegen_session', { sessionId: start.sessionId });
  await writeFile(path.join(workspace, 'playwright.config.ts'), `export default { testDir: './e2e' };\n`);
  const next = await server.start({
    title: 'adds another',
    use: { testIdAttribute: 'id' },
    options: { importTestFrom: 'e2e/support/test.ts' },
  });
  expect(next['detected']).toEqual({
    testDir: { value: 'e2e', source: 'playwright.config.ts' },
    codeStyle: { value: { singleQuote: true }, source: 'e2e/opens.spec.ts' },
  });
});

for (const [name, specs, found] of [
  [
    'the module of most specs, by whatever way they name it',
    {
      'a.spec.ts': `import { test as it, quickTest as test } from './support/test';`,
      'b.test.ts': `import { expect } from '@playwright/test';\nimport { quickTest as test } from "@support/test";`,
      'c.spec.js': `const { quickTest: test } = require('./support/test.ts');`,
    },
    { value: 'e2e/support/test#quickTest', source: 'e2e/a.spec.ts' },
  ],
  ['nothing in a tie', { 'a.spec.ts': `import { test } from '@playwright/test';` }, undefined],
  [
    'nothing that would not resolve',
    {
      'a.spec.ts': `import { test } from '../../elsewhere';`,
      'b.spec.ts': `import { test } from '../../elsewhere';`,
    },
    undefined,
  ],
] as const)
  test(`importTestFrom is detected as ${name}`, async ({ project, workspace }) => {
    const server = await project('own-fixtures', { output: { dir: 'e2e' } });
    await writeSpecs(path.join(workspace, 'e2e'), specs);
    const { detected } = await server.start({ title: 'adds a todo' });
    expect(z.looseObject({}).parse(detected)['importTestFrom']).toEqual(found);
  });

test('a session is recorded with the options with which the project runs its tests', async ({
  project,
  workspace,
  serve,
}) => {
  const url =
    await serve(`<title>Here</title><meta name="viewport" content="width=device-width"><p></p><script>
    const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
    const isDark = matchMedia('(prefers-color-scheme: dark)').matches;
    document.querySelector('p').textContent = [navigator.language, timeZone, isDark, innerWidth, navigator.maxTouchPoints > 0].join();
  </script>`);
  const server = await project('own-fixtures', { output: { dir: 'e2e' } });
  const use = `{ ...devices['iPhone 15'], locale: 'de-DE', timezoneId: 'Asia/Tokyo', colorScheme: 'dark', permissions: [] }`;
  await writeFile(
    path.join(workspace, 'playwright.config.ts'),
    `import { devices } from '@playwright/test';
    export default {
      testDir: './e2e',
      webServer: { command: 'npm start', url: '${url}' },
      projects: [
        { name: 'login', testMatch: '*.setup.ts' },
        { name: 'phone', use: { ...${use}, storageState: 'auth/missing.json' }, dependencies: ['login'] },
      ],
    };`,
  );
  const start = await server.start({ title: 'looks', url, use: { colorScheme: 'light' } });
  expect(start.error).toBeUndefined();
  const detected = z
    .record(z.string(), z.object({ value: z.unknown(), source: z.string() }))
    .parse(start['detected']);
  expect(Object.fromEntries(Object.entries(detected).map(([name, { value }]) => [name, value]))).toEqual({
    testDir: 'e2e',
    device: 'iPhone 15',
    locale: 'de-DE',
    timezoneId: 'Asia/Tokyo',
    permissions: [],
    projects: ['phone'],
    setup: ['login'],
    webServer: `npm start (${url})`,
    importTestFrom: '@support/test',
    codeStyle: { singleQuote: true },
  });
  expect(start['warnings']).toEqual([
    expect.stringMatching(/^playwright\.config\.ts runs this test in WebKit only, .* verified in Chromium\./),
    expect.stringContaining('`npx playwright test --project=login`'),
  ]);
  expect(start.snapshot).toContain('de-DE,Asia/Tokyo,false,393,true');
  const { code } = await server.call('get_codegen_session', {
    sessionId: start.sessionId,
    include: ['code'],
  });
  expect(code).toContain("test.use({ colorScheme: 'light' });");
  // What the call says of a device leaves out that of the project.
  const other = await server.start({ title: 'looks', url, use: { device: 'Pixel 7' } });
  expect(other.snapshot).toContain('de-DE,Asia/Tokyo,true,412,true');
});

for (const [names, file, found] of [
  [['adds-a-todo.spec.ts', 'login.spec.ts'], 'e2e/is-new.spec.ts', 'kebab-case.spec'],
  [['addsTodo.test.ts', 'login.test.ts', 'opens.spec.ts'], 'e2e/isNew.test.ts', 'camelCase.test'],
  [['AddsTodo.spec.ts'], 'e2e/IsNew.spec.ts', 'PascalCase.spec'],
  [
    ['adds_todo.spec.ts', 'RemovesTodo.spec.ts', 'opens_list.spec.ts'],
    'e2e/is_new.spec.ts',
    'snake_case.spec',
  ],
] as const)
  test(`a spec is named as ${names[0]} is`, async ({ shared }) => {
    const { workspace } = shared;
    await shared.configure({ output: { dir: 'e2e' } });
    await mkdir(path.join(workspace, 'e2e'));
    await writeSpecs(path.join(workspace, 'e2e'), Object.fromEntries(names.map((name) => [name, ''])));
    expect(await specNamesIn(workspace, path.join(workspace, 'e2e'))).toMatchObject({
      style: found.split('.')[0],
      suffix: found.split('.')[1],
    });
    const start = await shared.start({ title: 'is new' });
    expect(start['file']).toBe(file);
    // What is usual anyway is not reported.
    expect(start['detected']).toEqual(
      found === 'kebab-case.spec' ? undefined : { specNames: { value: found, source: `e2e/${names[0]}` } },
    );
  });

test('a test outside the testDir takes nothing else from the project, nor one whose project is elsewhere', async ({
  project,
  workspace,
}) => {
  const server = await project('own-fixtures', { output: { dir: 'elsewhere' } });
  const { detected, warnings } = await server.start({ title: 'adds a todo' });
  expect(detected).toEqual({ testDir: { value: 'e2e', source: 'playwright.config.ts' } });
  expect(warnings).toEqual([
    expect.stringMatching(/does not run elsewhere\/adds-a-todo\.spec\.ts, .* start with a file in e2e, or/),
  ]);
  await mkdir(path.join(workspace, 'apps', 'web'), { recursive: true });
  await rename(
    path.join(workspace, 'playwright.config.ts'),
    path.join(workspace, 'apps/web/playwright.config.ts'),
  );
  const other = await server.start({ title: 'adds a todo' });
  expect(other['warnings']).toEqual([expect.stringContaining('run the server with --workspace apps/web.')]);
});

test('the attribute for tests that the first page uses is what getByTestId reads', async ({
  shared: server,
  workspace,
  serve,
}) => {
  await writeFile(path.join(workspace, 'playwright.config.ts'), `export default { testDir: '.' };\n`);
  await server.configure({ autoAssert: true, verify: { mode: 'require', sensitivity: 'off' } });
  const url = await serve(`<title>Basket</title><p data-testid="a"></p><ul>${basket}</ul>`);
  const start = await server.start({ title: 'removes pears', url });
  expect(start['detected']).toMatchObject({ testIdAttribute: { value: 'data-cy', source: 'page' } });
  expect(start['warnings']).toEqual([
    expect.stringContaining("add testIdAttribute: 'data-cy' to `use` of playwright.config.ts"),
  ]);
  const [, ref] = [...start.snapshot.matchAll(/button "x" \[ref=(\w+)\]/g)].map(([, each]) => each);
  const { codes } = await server.record(start.sessionId, { action: 'click', target: ref });
  expect(codes).toEqual(['await page.getByTestId("remove-Pears").click();']);
  const source = await emitted(server, start.sessionId);
  expect(source).toContain('test.use({ testIdAttribute: "data-cy" });');
});

test('an attribute that only two elements have is not detected', async ({ shared, serve }) => {
  const url = await serve('<title>Two</title><p data-cy="a">A</p><p data-cy="b">B</p>');
  expect((await shared.start({ url }))['detected']).toBeUndefined();
});

test('an importTestFrom that does not resolve, or that a page could have written, is refused', async ({
  project,
  shared,
}) => {
  const server = await project('own-fixtures', { output: { dir: 'e2e' } });
  // A page decides what a download contains, and Node runs a file of any name.
  for (const downloaded of [
    '.codegen/artifacts/download.txt',
    '.codegen/artifacts/download.js',
    'e2e/a.har',
  ]) {
    await mkdir(path.join(shared.workspace, path.dirname(downloaded)), { recursive: true });
    await writeFile(
      path.join(shared.workspace, downloaded),
      'exports.test = require("@playwright/test").test;',
    );
  }
  for (const [given, problem] of [
    ['e2e/support/missing', 'there is no module "e2e/support/missing" in the workspace'],
    ['../outside', 'there is no module "../outside" in the workspace'],
    ['@playwright/test', 'there is no module "@playwright/test" in the workspace'],
    [
      '.codegen/artifacts/download.txt',
      'there is no module ".codegen/artifacts/download.txt" in the workspace',
    ],
    ['.codegen/artifacts/download', 'there is no module ".codegen/artifacts/download" in the workspace'],
    ['e2e/a.har', 'there is no module "e2e/a.har" in the workspace'],
    ['e2e/support/log.ts', 'e2e/support/log.ts does not export "test"'],
    ['e2e/support/test.ts#nothing', 'e2e/support/test.ts does not export "nothing"'],
    ['e2e/support/test.ts#(', 'e2e/support/test.ts does not export "("'],
  ] as const) {
    const { error } = await server.start({ title: 'adds', options: { importTestFrom: given } });
    expect(error).toMatchObject({ code: 'INVALID_INPUT', message: `importTestFrom: ${problem}.` });
    expect(error?.hint).toBeTruthy();
  }
});

test('fixtures that throw, or do not load, fail the verification with what they say', async ({
  project,
  workspace,
  pages,
}) => {
  const server = await project('own-fixtures', { output: { dir: 'e2e' } });
  const { sessionId } = await server.start({ title: 'adds a todo', url: `${pages.url}/todo.html` });
  await server.record(sessionId, ...add('Read a book'));
  const file = path.join(workspace, 'e2e', 'support', 'test.ts');
  const text = await readFile(file, 'utf8');
  for (const [broken, problem] of [
    [text.replace('await note(testInfo.title);', "throw new Error('no database');"), 'no database'],
    [text.replace('@support/log', './missing'), "Cannot find module './missing'"],
  ] as const) {
    await writeFile(file, broken);
    const { error } = await server.call('end_codegen_session', { sessionId });
    expect(error).toMatchObject({ code: 'VERIFY_FAILED', message: expect.stringContaining(problem) });
    expect(error?.hint).toBeTruthy();
  }
  await writeFile(file, text);
  expect(await emitted(server, sessionId)).toContain('Read a book');
});

test('a flow is repeated for each row of its data', async ({ project, pages }) => {
  const server = await project('own-fixtures', { output: { dir: 'e2e' } });
  const { sessionId } = await server.start({
    title: 'adds a todo',
    url: `${pages.url}/todo.html`,
    options: {
      data: [
        { what: 'Read "War and Peace"', count: 4 },
        { what: 'Call `mum` ${now}', count: 4 },
        { what: '', count: 3 },
      ],
    },
  });
  const { failed } = await server.record(
    sessionId,
    ...add('Read "War and Peace"'),
    { action: 'expect', target: 'getByRole("listitem")', matcher: 'toHaveCount', expected: 4 },
    { action: 'expect', target: '.todo-list', matcher: 'toContainText', expected: 'plants' },
  );
  expect(failed).toBeUndefined();
  const ended = await server.call('end_codegen_session', { sessionId });
  expect(ended.error).toBeUndefined();
  expect(ended).toMatchObject(passed(3));
  const source = await readFile(ended.filePath, 'utf8');
  expect(source).toContain('for (const row of rows) {');
  expect(source).toContain('test(`adds a todo: ${row.what}`, async ({ page }) => {');
  expect(source).toContain('.fill(row.what)');
  expect(source).toContain('.toHaveCount(row.count)');
  expect(source.match(/War and Peace/g)).toHaveLength(1);
});

const badData = z.array(z.tuple([z.unknown(), z.string(), z.string()])).parse([
  [[{ a: '1' }, { b: '2' }], 'row 1 does not have the fields and types of row 0', 'Give each row a,'],
  [[{ a: '1' }, { a: 2 }], 'row 1 does not have the fields and types of row 0', 'of the same types'],
  [
    [
      { a: 'x', b: 'x' },
      { a: 'y', b: 'z' },
    ],
    'two fields of row 0 have the value "x"',
    'Put another row first',
  ],
  [[{ a: 'x' }, { a: 'x' }], 'no field has a different value in each row', 'Add a field that differs'],
  [[{ a: '{{secret:X}}' }, { a: 'y' }], "rows can't contain {{…}} references", 'in the action that uses it'],
]);
for (const [data, problem, hint] of badData)
  test(`data ${JSON.stringify(data)} is refused`, async ({ shared }) => {
    const { error } = await shared.start({ title: 'adds', options: { data } });
    expect(error).toMatchObject({ code: 'INVALID_INPUT' });
    expect(error?.message).toContain(problem);
    expect(error?.hint).toContain(hint);
  });

test('a login is saved by a set-up test, and other tests start from it', async ({
  project,
  workspace,
  pages,
}) => {
  const server = await project('own-fixtures', { output: { dir: 'e2e' } });
  const { sessionId, file } = await server.start({
    title: 'auth setup',
    url: `${pages.url}/shop-login.html`,
  });
  expect(file).toBe('e2e/auth.setup.ts');
  const { failed } = await server.record(
    sessionId,
    { action: 'addCookies', cookies: [{ name: 'user', value: 'ann', url: pages.url }] },
    { action: 'expect', matcher: 'toHaveURL', expected: { regex: 'shop-login' } },
    { action: 'saveStorageState', path: 'user.json' },
  );
  expect(failed).toBeUndefined();
  const saved = path.join(workspace, 'playwright', '.auth', 'user.json');
  expect(JSON.parse(await readFile(saved, 'utf8'))).toMatchObject({
    cookies: [{ name: 'user', value: 'ann' }],
  });
  execFileSync('git', ['init', '--quiet'], { cwd: workspace });
  const ended = await server.call('end_codegen_session', { sessionId });
  expect(ended.error).toBeUndefined();
  expect(ended).toMatchObject(passed(1));
  expect(ended['warnings']).toEqual([
    expect.stringContaining("projects: [{ name: 'setup', testMatch: /.*\\.setup\\.[jt]s/ }"),
    'playwright/.auth/user.json contains a login, and git does not ignore it: add playwright/.auth/ to .gitignore.',
  ]);
  const source = await readFile(ended.filePath, 'utf8');
  expect(source).toContain("import { test as setup, expect } from '@playwright/test';");
  expect(source).toContain("setup('auth setup', async ({ page, context }) => {");
  expect(source).toContain("await context.storageState({ path: 'playwright/.auth/user.json' });");

  await writeFile(path.join(workspace, '.gitignore'), 'playwright/.auth/\n');
  const next = await server.start({
    title: 'is logged in',
    use: { storageState: 'playwright/.auth/user.json' },
  });
  expect(next.error).toBeUndefined();
  const answer = await server.record(
    next.sessionId,
    { action: 'goto', url: `${pages.url}/shop-login.html` },
    { action: 'saveStorageState', path: 'playwright/.auth/again.json' },
    { action: 'expect', matcher: 'toHaveURL', expected: { regex: 'shop-login' } },
  );
  expect(answer.failed).toBeUndefined();
  expect(await readFile(path.join(workspace, 'playwright', '.auth', 'again.json'), 'utf8')).toContain(
    '"ann"',
  );
  const second = await server.call('end_codegen_session', { sessionId: next.sessionId });
  expect(second['warnings']).toEqual([expect.stringContaining('use.storageState')]);
});

for (const name of [
  '../user.json',
  'user.txt',
  '.codegen/user.json',
  'playwright/.auth/../user.json',
  '.json',
])
  test(`a login is not saved as ${name}`, async ({ shared, pages }) => {
    const { sessionId } = await shared.start({ title: 'saves', url: `${pages.url}/todo.html` });
    const { error } = await shared.record(sessionId, { action: 'saveStorageState', path: name });
    expect(error?.code).toBe('INVALID_INPUT');
  });
