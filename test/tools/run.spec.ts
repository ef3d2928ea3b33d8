import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CallToolResultSchema } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { test as base } from '../fixtures/club.js';
import { configure, connect, descendants, expect } from '../fixtures.js';

const resultSchema = z.object({
  isError: z.boolean().default(false),
  content: z.array(z.object({ text: z.string() })),
  structuredContent: z.object({
    status: z.string().optional(),
    passed: z.number().optional(),
    failed: z.number().optional(),
    flaky: z.number().optional(),
    durationMs: z.number().optional(),
    failures: z
      .array(
        z.object({
          title: z.string(),
          file: z.string(),
          line: z.number(),
          message: z.string(),
          snapshot: z.string().default(''),
        }),
      )
      .default([]),
    error: z.object({ code: z.string(), message: z.string(), hint: z.string() }).optional(),
  }),
});

type RunResult = z.infer<typeof resultSchema>['structuredContent'] & { isError: boolean; text: string };

interface Runner {
  pid: number;
  /** Writes a spec with a body for each title into the output directory. */
  spec: (name: string, tests: Record<string, string>) => Promise<void>;
  run: (args?: object, signal?: AbortSignal) => Promise<RunResult>;
}

/** A server in a workspace with tests. */
const test = base.extend<{ runner: Runner }>({
  runner: async ({ workspace, club }, use) => {
    await configure(workspace, { verify: { timeoutMs: 120_000 } });
    const server = await connect(workspace);
    await use({
      pid: server.pid,
      async spec(name, tests) {
        const file = path.join(workspace, 'generated-tests', name);
        const bodies = Object.entries(tests).map(
          ([title, body]) => `test(${JSON.stringify(title)}, async ({ page }) => {\n${body}\n});\n`,
        );
        await mkdir(path.dirname(file), { recursive: true });
        await writeFile(
          file,
          `import { test, expect } from '@playwright/test';\n\ntest.use({ baseURL: ${JSON.stringify(club.url)} });\n\n${bodies.join('')}`,
        );
      },
      async run(args = {}, signal) {
        const raw = await server.client.callTool(
          { name: 'run_generated_test', arguments: { ...args } },
          CallToolResultSchema,
          signal === undefined ? {} : { signal },
        );
        const { isError, content, structuredContent } = resultSchema.parse(raw);
        return { ...structuredContent, isError, text: content.map(({ text }) => text).join('\n') };
      },
    });
    await server.close();
  },
});

test.describe.configure({ timeout: 180_000 });

const passing = `await page.goto('/visit');`;
const failing = `await page.goto('/visit');
await expect(page.getByRole('status')).toHaveText('many likes', { timeout: 500 });`;
const flaky = `await page.goto('/odd');
await expect(page.getByRole('status')).toHaveText('Open', { timeout: 500 });`;

test('all tests are run, and those that fail are told with place, message and page', async ({ runner }) => {
  await runner.spec('likes.spec.ts', { 'likes it': passing, 'is liked': failing });
  await runner.spec('sub/door.spec.js', { 'is open': flaky });
  const result = await runner.run({ repeat: 2 });
  expect(result).toMatchObject({ isError: false, status: 'failed', passed: 1, failed: 1, flaky: 1 });
  expect(result.durationMs).toBeGreaterThan(0);
  expect(result.failures.map(({ title, file, line }) => ({ title, file, line }))).toEqual([
    { title: 'is liked', file: 'generated-tests/likes.spec.ts', line: 10 },
    { title: 'is open', file: 'generated-tests/sub/door.spec.js', line: 7 },
  ]);
  expect(result.failures[0]?.message).toContain('Expected: "many likes"');
  expect(result.failures[0]?.snapshot).toContain('0 likes');
  const [ours, page] = result.text.split('<page-content');
  expect(ours).toContain('1 passed, 1 failed, 1 flaky');
  expect(page).toContain('0 likes');
});

test('one file, or the titles that match, are run alone', async ({ runner }) => {
  await runner.spec('likes.spec.ts', { 'likes it': passing, 'is liked': failing });
  await runner.spec('door.spec.ts', { 'is shut (twice)': failing });
  expect(await runner.run({ file: 'likes.spec.ts', grep: 'likes it' })).toMatchObject({
    status: 'passed',
    passed: 1,
    failed: 0,
  });
  for (const args of [{ grep: 'nothing' }, { file: 'none.spec.ts' }]) {
    const { error } = await runner.run(args);
    expect(error).toMatchObject({ code: 'INVALID_INPUT' });
    expect(error?.hint).toBeTruthy();
  }
  const { error } = await runner.run({ grep: 'is shut (' });
  expect(error?.message).toContain('grep: Invalid regular expression');
});

test('nothing outside of the output directory is run', async ({ runner, workspace }) => {
  expect((await runner.run()).error).toMatchObject({ code: 'INVALID_INPUT' });
  const outside = path.join(workspace, 'mine.spec.ts');
  const inside = path.join(workspace, 'generated-tests');
  await runner.spec('fine.spec.ts', { 'is fine': passing });
  await writeFile(outside, `throw new Error('was run');`);
  await symlink(outside, path.join(inside, 'link.spec.ts'));
  await symlink(workspace, path.join(inside, 'up'));
  for (const file of [
    '../mine.spec.ts',
    outside,
    'link.spec.ts',
    'up/mine.spec.ts',
    'notes.txt',
    '.x.spec.ts',
  ]) {
    const { error } = await runner.run({ file });
    expect(error, file).toMatchObject({ code: 'PATH_NOT_ALLOWED' });
    expect(error?.hint, file).toBeTruthy();
  }
  expect(await runner.run()).toMatchObject({ status: 'passed', passed: 1, failed: 0 });
});

test('an expression that takes for ever ends with the time for the call', async ({ runner, workspace }) => {
  await configure(workspace, { verify: { timeoutMs: 5000 } });
  await runner.spec('long.spec.ts', { [`${'a'.repeat(50)}!`]: passing });
  const { isError, error } = await runner.run({ grep: '^.*long.spec.ts (a+)+$' });
  expect(isError).toBe(true);
  expect(error).toMatchObject({ code: 'VERIFY_FAILED' });
  expect(error?.message).toContain('did not end within 5000 ms');
  expect(await descendants(runner.pid)).toEqual([]);
});

test('what ended before the time was up is told', async ({ runner, workspace, club }) => {
  await configure(workspace, { verify: { timeoutMs: 25_000 } });
  await fetch(`${club.url}/once?told`);
  await runner.spec('a.spec.ts', { 'is fine': passing, hangs: `await page.goto('/once?told');` });
  const result = await runner.run();
  expect(result).toMatchObject({
    isError: true,
    status: 'failed',
    passed: 1,
    error: { code: 'VERIFY_FAILED' },
  });
});

test('a call that is cancelled ends its run and the browsers', async ({ runner, club }) => {
  await fetch(`${club.url}/once?run`);
  await runner.spec('hangs.spec.ts', { hangs: `await page.goto('/once?run');` });
  const cancel = new AbortController();
  const running = runner.run({}, cancel.signal).catch(() => undefined);
  const isBrowsing = async (): Promise<boolean> =>
    (await descendants(runner.pid)).some(({ command }) => command.includes('--type=renderer'));
  await expect.poll(isBrowsing, { timeout: 30_000 }).toBe(true);
  cancel.abort();
  await running;
  await expect.poll(() => descendants(runner.pid), { timeout: 20_000 }).toEqual([]);
});

test("the browser is the server's, also where the workspace configures another, unless a test asks for it", async ({
  runner,
  workspace,
}) => {
  await writeFile(
    path.join(workspace, 'playwright.config.mjs'),
    `export default { projects: [{ name: 'safari', use: { browserName: 'webkit' } }] };`,
  );
  await runner.spec('a.spec.ts', {
    'is chromium': `expect(page.context().browser().browserType().name()).toBe('chromium');`,
  });
  expect(await runner.run()).toMatchObject({ status: 'passed', passed: 1 });
  await writeFile(
    path.join(workspace, 'generated-tests', 'a.spec.ts'),
    `import { test } from '@playwright/test';\ntest.use({ browserName: "firefox" });\ntest('a', async ({ page }) => { await page.goto('/'); });\n`,
  );
  const { failures } = await runner.run();
  expect(failures[0]?.message).toMatch(/firefox/i);
  await rm(path.join(workspace, 'playwright.config.mjs'));
});
