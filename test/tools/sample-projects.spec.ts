import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { binary, expect, type Connection } from '../fixtures.js';
import { copyProject, ownRunner, projectTest as test } from '../sample-project.js';

test.describe.configure({ timeout: 180_000 });

const input = 'getByPlaceholder("What needs to be done?")';
const add = [
  { action: 'fill', target: input, value: 'Call mum' },
  { action: 'press', target: input, key: 'Enter' },
  { action: 'expect', target: 'getByRole("listitem")', matcher: 'toHaveCount', expected: 4 },
];

/** Runs the set-up of the project, and sees that recording starts with the login that the project starts tests with. */
async function logIn(server: Connection, workspace: string): Promise<void> {
  const early = await server.start({ title: 'is early', url: '/todo.html' });
  expect(early['detected']).not.toHaveProperty('storageState');
  expect(early['warnings']).toEqual([expect.stringContaining('playwright/.auth/user.json')]);
  await ownRunner(workspace, '--project=setup');
  const start = await server.start({ title: 'is logged in', url: '/todo.html' });
  expect(start['detected']).toMatchObject({
    storageState: { value: 'playwright/.auth/user.json', source: 'playwright.config.ts' },
  });
  expect(start['warnings']).toBeUndefined();
  await server.record(start.sessionId, ...add, { action: 'saveStorageState', path: 'seen.json' });
  expect(await readFile(path.join(workspace, 'playwright', '.auth', 'seen.json'), 'utf8')).toContain('"ann"');
  const { sessionId } = start;
  const { code } = await server.call('get_codegen_session', { sessionId, include: ['code'] });
  expect(code).not.toContain('storageState: "playwright/.auth/user.json"');
}

for (const { name, config, file, line, from, prepare, passed } of [
  {
    name: 'page-objects',
    file: 'tests/calls-mum.spec.ts',
    line: "import { test } from './fixtures';",
    from: { value: 'tests/fixtures', source: 'tests/todos.spec.ts' },
    prepare: logIn,
    passed: 4,
  },
  {
    name: 'monorepo',
    config: { output: { dir: 'apps/web/e2e/flows' } },
    file: 'apps/web/e2e/flows/calls-mum.spec.ts',
    line: `import { expect, test } from '#support/test.js';
import { addTodo } from '#support/todos.js';

test('calls mum', async ({ page }) => {
  await addTodo(page, 'Call mum');
  await expect(page.getByRole('listitem')).toHaveCount(4);
`,
    from: { value: '#support/test.js', source: 'apps/web/e2e/checks/todos.spec.ts' },
    passed: 2,
  },
  {
    name: 'common-js',
    file: 'tests/calls-mum.spec.js',
    line: `const { test, expect } = require('./support/fixtures')

test('calls mum', async ({ todos, page }) => {
    await todos.add('Call mum')
    await expect(page.getByRole('listitem')).toHaveCount(4)
})
`,
    from: { value: 'tests/support/fixtures', source: 'tests/todos.spec.js' },
    passed: 2,
  },
])
  test(`a test for the project ${name} is recorded, verified and run as its own specs are`, async ({
    project,
    workspace,
  }) => {
    const server = await project(name, config);
    await prepare?.(server, workspace);
    const start = await server.start({ title: 'calls mum', url: '/todo.html' });
    expect(start.error).toBeUndefined();
    expect(start).toMatchObject({ file, detected: { importTestFrom: from } });
    const { failed } = await server.record(start.sessionId, ...add);
    expect(failed).toBeUndefined();
    const ended = await server.call('end_codegen_session', { sessionId: start.sessionId });
    expect(ended.error).toBeUndefined();
    expect(ended).toMatchObject({
      verification: { status: 'passed' },
      warnings: [expect.stringContaining('after step 0')],
    });
    expect(await readFile(ended.filePath, 'utf8')).toContain(line);
    // Beside the project's own.
    const { output, exitCode } = await ownRunner(workspace);
    expect(output).toContain(`${passed} passed`);
    expect(exitCode).toBe(0);
  });

test('init writes what the project decides into the configuration', async ({ pages }, testInfo) => {
  const workspace = testInfo.outputPath('project');
  await copyProject('common-js', workspace, pages.url);
  const { stdout } = await promisify(execFile)(process.execPath, [binary, 'init'], { cwd: workspace });
  expect(stdout).toContain('output.dir: tests (playwright.config.js)');
  const text = await readFile(path.join(workspace, 'codegen.config.json'), 'utf8');
  expect(text).toMatch(/Detected in playwright\.config\.js\.\n +"dir": "tests"/);
  expect(text).toMatch(/Detected in tests\/todos\.spec\.js\.\n +"language": "javascript"/);
  expect(text).toMatch(
    /Detected in tests\/todos\.spec\.js\.\n +"importTestFrom": "tests\/support\/fixtures"/,
  );
});
