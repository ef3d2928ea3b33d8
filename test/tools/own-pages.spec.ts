import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from '../fixtures.js';
import { projectTest as test } from '../sample-project.js';

test.describe.configure({ timeout: 240_000 });

const input = 'getByPlaceholder("What needs to be done?")';
const flow = [
  { action: 'fill', target: input, value: 'Call mum' },
  { action: 'press', target: input, key: 'Enter' },
  { action: 'expect', target: 'getByRole("listitem")', matcher: 'toHaveCount', expected: 4 },
  { action: 'click', target: 'getByRole("button", { name: "Clear completed" })' },
  { action: 'expect', target: 'getByRole("status")', matcher: 'toHaveText', expected: '3 items left' },
  { action: 'click', target: 'getByRole("link", { name: "Active" })' },
];
const config = { output: { dir: 'tests', pageObjectsDir: 'pages' } };

test('page objects that a person wrote are used, and not changed', async ({ project, workspace }) => {
  // The directory of page objects is detected.
  const server = await project('page-objects', { output: { dir: 'tests' } });
  const file = path.join(workspace, 'pages', 'todo-page.ts');
  const before = await readFile(file, 'utf8');
  const { sessionId, detected } = await server.start({ title: 'calls mum', url: '/todo.html' });
  expect(detected).toMatchObject({
    pageObjectsDir: { value: 'pages', source: 'pages/filters.ts' },
    pageObjects: {
      value: [
        { code: 'todoFilters(page)', file: 'pages/filters.ts' },
        { code: 'logIn(page, email, password)', file: 'pages/login.ts' },
        { code: 'new TodoPage(page)', file: 'pages/todo-page.ts' },
      ],
      source: 'pages',
    },
    setup: { value: ['setup'], source: 'playwright.config.ts' },
  });
  const { failed } = await server.record(sessionId, ...flow);
  expect(failed).toBeUndefined();
  const ended = await server.call('end_codegen_session', { sessionId });
  expect(ended.error).toBeUndefined();
  expect(ended).toMatchObject({ verification: { status: 'passed' } });
  expect(await readFile(ended.filePath, 'utf8')).toContain(`import { test, expect } from './fixtures';
import { todoFilters } from '../pages/filters';

test('calls mum', async ({ todoPage, page }) => {
  const todoFiltersPage = todoFilters(page);

  await todoPage.add('Call mum');
  await todoPage.expectCount(4);
  await todoPage.clearCompleted();
  await expect(todoPage.status).toHaveText('3 items left');

  await todoFiltersPage.showActive();
});
`);
  expect(await readFile(file, 'utf8')).toBe(before);
});

test('of two methods that do the same, neither is called, and a warning says so', async ({
  project,
  workspace,
}) => {
  const server = await project('page-objects', { ...config, verify: { mode: 'off' } });
  const file = path.join(workspace, 'pages', 'todo-page.ts');
  const text = await readFile(file, 'utf8');
  const twin = `  async addTodo(text: string) {
    await this.newTodo.fill(text);
    await this.newTodo.press('Enter');
  }
`;
  await writeFile(file, text.replace('  async clearCompleted', `${twin}\n  async clearCompleted`));
  await writeFile(path.join(workspace, 'pages', 'broken.ts'), 'export class Broken {');
  const broken = expect.stringMatching(
    /^INVALID_INPUT: pages\/broken\.ts does not compile, .*: line 1: .* Correct the file/,
  );
  const { sessionId, ...start } = await server.start({ title: 'calls mum', url: '/todo.html' });
  expect(start['warnings']).toContainEqual(broken);
  await server.record(sessionId, ...flow);
  const ended = await server.call('end_codegen_session', { sessionId });
  expect(ended.error).toBeUndefined();
  expect(await readFile(ended.filePath, 'utf8')).toContain("await todoPage.newTodo.fill('Call mum');");
  expect(ended['warnings']).toEqual(
    expect.arrayContaining([
      'INVALID_INPUT: TodoPage.add and TodoPage.addTodo both do what step 1 does, so the test calls neither. Remove one of them, or call one by hand.',
      broken,
    ]),
  );
});

test('a field that alone matches the element of a step is used, whatever its locator is, or that of the call', async ({
  project,
  workspace,
}) => {
  const server = await project('page-objects', { ...config, verify: { mode: 'off' } });
  const file = path.join(workspace, 'pages', 'todo-page.ts');
  const own = (await readFile(file, 'utf8'))
    .replace("page.getByPlaceholder('What needs to be done?')", "page.locator('.new-todo')")
    .replace("page.getByRole('status')", "page.locator('p, input')");
  await writeFile(file, own);
  const { sessionId, snapshot } = await server.start({ title: 'calls mum', url: '/todo.html' });
  const [, ref] = /textbox "What needs to be done\?" \[ref=(\w+)\]/.exec(snapshot) ?? [];
  const { failed } = await server.record(
    sessionId,
    { action: 'fill', target: ref, value: 'Call mum' },
    { action: 'press', target: 'getByRole("textbox")', key: 'Enter' },
    { action: 'expect', target: ref, matcher: 'toBeFocused' },
  );
  expect(failed).toBeUndefined();
  const { testCode, ...ended } = await server.call('end_codegen_session', { sessionId });
  expect(testCode).toContain(`  await todoPage.add('Call mum');
  await expect(todoPage.newTodo).toBeFocused();
`);
  expect(ended['warnings']).not.toContainEqual(expect.stringContaining('test id'));
});
