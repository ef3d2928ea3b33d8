import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { descendants, expect } from '../fixtures.js';
import { serve } from '../fixtures/serve.js';
import { projectTest as test } from '../sample-project.js';

test.describe.configure({ timeout: 240_000 });

const input = 'getByPlaceholder("What needs to be done?")';
const add = (title: string, count: number): Record<string, unknown>[] => [
  { action: 'fill', target: input, value: title },
  { action: 'press', target: input, key: 'Enter' },
  { action: 'expect', target: 'getByRole("listitem")', matcher: 'toHaveCount', expected: count },
];

test('a session begins where a seed ends, inside the fixtures and the login of the project', async ({
  project,
  workspace,
}) => {
  const server = await project('page-objects', { output: { dir: 'tests/more' } });
  const start = await server.start({ title: 'calls mum', seed: 'tests/todos.spec.ts:5' });
  expect(start.error).toBeUndefined();
  // The set-up project has run, and the seed has added a todo.
  expect(existsSync(path.join(workspace, 'playwright', '.auth', 'user.json'))).toBe(true);
  expect(start.snapshot).toContain('Read a book');
  const { failed } = await server.record(
    start.sessionId,
    ...add('Call mum', 5),
    { action: 'step', title: 'clears', hook: 'afterEach' },
    { action: 'click', target: 'getByRole("button", { name: "Clear completed" })' },
  );
  expect(failed).toBeUndefined();
  const ended = await server.call('end_codegen_session', { sessionId: start.sessionId });
  expect(ended.error).toBeUndefined();
  expect(ended).toMatchObject({ verification: { status: 'passed' } });
  const source = await readFile(ended.filePath, 'utf8');
  expect(source.slice(source.indexOf('\n') + 1)).toBe(`import { test, expect } from '../fixtures';

test.describe('Todos', () => {
  test.afterEach('clears', async ({ todoPage }) => {
    await todoPage.clearCompleted();
  });

  test('calls mum', async ({ todoPage }) => {
    await todoPage.add('Read a book');
    await todoPage.add('Call mum');
    await todoPage.expectCount(5);
  });
});
`);
  // A session from a seed is resumed as any other, with its seed.
  const resumed = await server.start({ resume: 'tests/more/calls-mum.spec.ts' });
  expect(resumed).toMatchObject({ resumed: 5, dropped: [] });
  expect(resumed.snapshot).toContain('Read a book');
  await server.call('clear_codegen_session', { sessionId: resumed.sessionId });
  await expect
    .poll(async () => (await descendants(server.pid)).filter(({ command }) => command.includes('child')))
    .toEqual([]);
});

test('a spec that a person wrote is continued at a line, and nothing else in it changes', async ({
  project,
  workspace,
}) => {
  const server = await project('common-js', { output: { dir: 'tests' }, writes: { overwrite: 'always' } });
  const file = path.join(workspace, 'tests', 'todos.spec.js');
  const before = await readFile(file, 'utf8');
  const start = await server.start({ resume: 'tests/todos.spec.js:4' });
  expect(start.error).toBeUndefined();
  expect(start.file).toBe('tests/todos.spec.js');
  await server.record(start.sessionId, ...add('Call mum', 5), { action: 'undo', count: 1 });
  await server.record(
    start.sessionId,
    { action: 'click', target: 'getByRole("listitem").filter({ hasText: "Call mum" }).getByRole("button")' },
    { action: 'expect', target: 'getByRole("status")', matcher: 'toHaveText', expected: '3 items left' },
  );
  const ended = await server.call('end_codegen_session', { sessionId: start.sessionId });
  expect(ended.error).toBeUndefined();
  expect(ended).toMatchObject({ verification: { status: 'passed' }, files: [{ change: 'replaced' }] });
  expect(await readFile(file, 'utf8')).toBe(
    before.replace(
      /(todos\.add.*\n)/,
      `$1    await todos.add('Call mum')
    await page
        .getByRole('listitem')
        .filter({ hasText: 'Call mum' })
        .getByRole('button')
        .click()
    await expect(page.getByRole('status')).toHaveText('3 items left')
`,
    ),
  );
});

test('a spec that has changed meanwhile, or may not be replaced, is left as it is', async ({
  project,
  workspace,
}) => {
  const server = await project('common-js', {
    output: { dir: 'tests' },
    writes: { overwrite: 'always' },
    verify: { mode: 'off' },
  });
  const file = path.join(workspace, 'tests', 'todos.spec.js');
  const { sessionId } = await server.start({ resume: 'tests/todos.spec.js' });
  await server.record(sessionId, ...add('Call mum', 5));
  const changed = `${await readFile(file, 'utf8')}// edited\n`;
  await writeFile(file, changed);
  const refused = await server.call('end_codegen_session', { sessionId });
  expect(refused.error).toMatchObject({ code: 'FILE_CHANGED' });
  expect(await readFile(file, 'utf8')).toBe(changed);
  await server.call('clear_codegen_session', { sessionId });
});

test('by default, a foreign spec is not replaced, and start says so', async ({ project, workspace }) => {
  const server = await project('common-js', { output: { dir: 'tests' }, verify: { mode: 'off' } });
  const start = await server.start({ resume: 'tests/todos.spec.js' });
  expect(start['warnings']).toEqual([expect.stringContaining('writes.overwrite')]);
  await server.record(start.sessionId, ...add('Call mum', 5));
  const refused = await server.call('end_codegen_session', { sessionId: start.sessionId });
  expect(refused.error).toMatchObject({ code: 'FILE_EXISTS' });
  const copy = await server.call('end_codegen_session', {
    sessionId: start.sessionId,
    file: 'todos-2.spec.js',
  });
  expect(copy.error).toBeUndefined();
  expect(await readFile(path.join(workspace, 'tests', 'todos-2.spec.js'), 'utf8')).toContain('Call mum');
});

test('Playwright Test starts the application for a seed and the verification, and start says how it is started', async ({
  project,
  workspace,
  pages,
}) => {
  const free = await serve(() => Promise.resolve(), 0);
  await free.close();
  const server = await project('common-js', { output: { dir: 'tests' } });
  const config = path.join(workspace, 'playwright.config.js');
  const webServer = `webServer: { command: 'node app.mjs', url: '${free.url}' }`;
  const firefox = `projects: [{ name: 'firefox', use: { browserName: 'firefox' } }]`;
  const configured = (await readFile(config, 'utf8')).replace(pages.url, free.url);
  await writeFile(config, configured.replace('use:', `${webServer}, ${firefox}, use:`));
  await writeFile(
    path.join(workspace, 'app.mjs'),
    `import { createServer } from 'node:http';
    const html = '<title>App</title><button onclick="this.after(\\'Saved\\')">Save</button>';
    createServer((_, response) => response.setHeader('content-type', 'text/html').end(html)).listen(${new URL(free.url).port}, '127.0.0.1');`,
  );
  const seed = `import { test } from '@playwright/test';\ntest('opens', async ({ page }) => {\n  await page.goto('/');\n});\n`;
  await writeFile(path.join(workspace, 'tests', 'seed.spec.js'), seed);
  const early = await server.start({ title: 'saves', url: '/' });
  expect(early.error).toMatchObject({
    code: 'ACTION_FAILED',
    hint: expect.stringContaining(
      `playwright.config.js starts the application with "node app.mjs (${free.url})": start it, and call again.`,
    ),
  });
  const start = await server.start({ title: 'saves', seed: 'tests/seed.spec.js' });
  expect(start.error).toBeUndefined();
  expect(start['warnings']).toEqual([expect.stringContaining('runs this test in Firefox only')]);
  await server.record(
    start.sessionId,
    { action: 'click', target: 'getByRole("button")' },
    { action: 'expect', target: 'getByText("Saved")', matcher: 'toBeVisible' },
  );
  const ended = await server.call('end_codegen_session', { sessionId: start.sessionId });
  expect(ended.error).toBeUndefined();
  expect(ended).toMatchObject({ verification: { status: 'passed' } });
  // It has ended with its tests.
  await expect(fetch(free.url)).rejects.toThrow();
});

for (const [name, text, code, message] of [
  [
    'fails',
    `await expect(page.getByText('nothing')).toBeVisible({ timeout: 500 });`,
    'ACTION_FAILED',
    'was not reached. Error: expect(locator).toBeVisible',
  ],
  [
    'hangs',
    'await new Promise(() => setInterval(() => undefined, 1000));',
    'ACTION_FAILED',
    'was not reached within 8000 ms',
  ],
  ['leaves no page', 'await page.close();', 'ACTION_FAILED', 'The test has closed its page.'],
  [
    'has a fixture that throws',
    `});\nconst own = test.extend({ page: async () => { throw new Error('no database'); } });\nown('runs', async ({ page }) => {\n  await page.reload();`,
    'ACTION_FAILED',
    'no database',
  ],
  ['returns early', 'if (page) return;', 'ACTION_FAILED', 'The test ended without pausing there.'],
] as const)
  test(`a seed that ${name} starts no session`, async ({ project, workspace }) => {
    const server = await project('common-js', {
      output: { dir: 'tests' },
      verify: { timeoutMs: name === 'hangs' ? 8000 : 60_000 },
    });
    const seed = `import { test, expect } from '@playwright/test';\ntest('seeds', async ({ page }) => {\n  ${text}\n});\n`;
    await writeFile(path.join(workspace, 'tests', 'seed.spec.js'), seed);
    const line = text.startsWith('}') ? ':6' : '';
    const { error } = await server.start({ title: 'x', seed: `tests/seed.spec.js${line}` });
    expect(error?.code).toBe(code);
    expect(error?.message).toContain(message);
    expect(error?.hint).toContain('No session was started.');
    const { sessions } = await server.call('get_codegen_session');
    expect(sessions.filter(({ status }) => status === 'open')).toEqual([]);
  });

test('a seed of a project with another version of Playwright starts no session', async ({
  project,
  workspace,
}) => {
  const installed = path.join(workspace, 'node_modules', '@playwright', 'test');
  await mkdir(installed, { recursive: true });
  await writeFile(
    path.join(installed, 'package.json'),
    '{ "name": "@playwright/test", "version": "1.40.0" }',
  );
  await writeFile(path.join(installed, 'cli.js'), '');
  const server = await project('common-js', { output: { dir: 'tests' } });
  const { error } = await server.start({ title: 'x', seed: 'tests/todos.spec.js' });
  expect(error).toMatchObject({
    code: 'INVALID_INPUT',
    message: expect.stringContaining('The project has @playwright/test 1.40.0, and this server 1.'),
    hint: expect.stringContaining('Install @playwright/test@1.'),
  });
});

test('names that are no spec, lines that are no place in one, and options that the spec decides, are refused', async ({
  shared,
}) => {
  const text = `test('fills', async ({ page }) => {\n  await page\n    .getByLabel('Note')\n    .fill('Tea');\n});\n`;
  await writeFile(path.join(shared.workspace, 'many-lines.spec.ts'), text);
  for (const [args, message] of [
    [{ seed: 'missing.spec.ts' }, 'There is no file "missing.spec.ts" in the workspace.'],
    [{ seed: 'codegen.config.json' }, '"codegen.config.json" is not the name of a spec.'],
    [{ seed: 'a.spec.ts', use: { locale: 'de' } }, 'use cannot be combined with seed.'],
    [{ seed: 'a.spec.ts', options: { tags: ['@a'] } }, 'tags cannot be combined with seed.'],
    [{ resume: 'many-lines.spec.ts:3' }, 'Line 3 of many-lines.spec.ts is in the middle of a statement.'],
    [{ seed: 'many-lines.spec.ts:9' }, 'Line 9 of many-lines.spec.ts is in no test.'],
    [{ resume: 'missing.spec.ts:3' }, 'There is no file "missing.spec.ts" in the workspace.'],
    [
      { options: { importTestFrom: 'missing' } },
      'importTestFrom: there is no module "missing" in the workspace.',
    ],
    [{ resume: 'missing.spec.ts:3', url: '/' }, 'There is no file "missing.spec.ts" in the workspace.'],
  ] as const) {
    const { error } = await shared.start(args);
    expect(error).toMatchObject({ code: 'INVALID_INPUT', message });
    expect(error?.hint).toBeTruthy();
  }
});
