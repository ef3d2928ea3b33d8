import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CallToolResultSchema } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { descendants, expect, test as base } from '../fixtures.js';

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
  workspace: string;
  /** The processes that run tests. */
  running: () => Promise<{ pid: number; command: string }[]>;
  /** Writes a spec with a body for each title into the output directory. */
  spec: (name: string, tests: Record<string, string>) => Promise<void>;
  run: (args?: object, signal?: AbortSignal) => Promise<RunResult>;
}

/** The shared server, with tests in its workspace. */
const test = base.extend<{ runner: Runner }>({
  runner: async ({ shared, club }, use) => {
    const { workspace } = shared;
    await shared.configure({ verify: { timeoutMs: 120_000 } });
    const others = new Set((await descendants(shared.pid)).map(({ pid }) => pid));
    await use({
      workspace,
      running: async () => (await descendants(shared.pid)).filter(({ pid }) => !others.has(pid)),
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
        const raw = await shared.client.callTool(
          { name: 'run_generated_test', arguments: { ...args } },
          CallToolResultSchema,
          signal === undefined ? {} : { signal },
        );
        const { isError, content, structuredContent } = resultSchema.parse(raw);
        return { ...structuredContent, isError, text: content.map(({ text }) => text).join('\n') };
      },
    });
  },
});

test.describe.configure({ timeout: 180_000 });

const passing = `await page.goto('/visit');`;
const failing = `await page.goto('/visit');
await expect(page.getByRole('status')).toHaveText('many likes', { timeout: 500 });`;
const flaky = `await page.goto('/odd');
await expect(page.getByRole('status')).toHaveText('Open', { timeout: 500 });`;

test('all tests run, and failures are reported with location, message and page', async ({ runner }) => {
  const outside = await linkOutside(runner);
  await runner.spec('likes.spec.ts', { 'likes it': passing, 'is liked': failing });
  await runner.spec('sub/door.spec.js', { 'is open': flaky });
  const result = await runner.run({ repeat: 2 });
  expect(JSON.stringify(result)).not.toContain(outside);
  expect(result).toMatchObject({ isError: false, status: 'failed', passed: 1, failed: 1, flaky: 1 });
  expect(result.durationMs).toBeGreaterThan(0);
  expect(result.failures.map(({ title, file, line }) => ({ title, file, line }))).toEqual([
    { title: 'is liked', file: 'generated-tests/likes.spec.ts', line: 10 },
    { title: 'is open', file: 'generated-tests/sub/door.spec.js', line: 7 },
  ]);
  expect(result.failures[0]?.message).toContain('Expected: "many likes"');
  expect(result.failures[0]?.snapshot).toContain('0 likes');
  const [ours, page] = result.text.split('<page-content');
  expect(ours).toContain('passed: 1\nfailed: 1\nflaky: 1');
  expect(page).toContain('0 likes');
});

test('timeoutMs is the time of each test, whatever the configuration says', async ({ runner }) => {
  await runner.spec('slow.spec.ts', {
    'takes its time': `await page.goto('/visit');\nawait page.waitForTimeout(1500);`,
  });
  const configured = path.join(runner.workspace, 'playwright.config.ts');
  await writeFile(configured, `export default { testDir: 'generated-tests', timeout: 1000 };`);
  expect(await runner.run({})).toMatchObject({ status: 'failed', failed: 1 });
  expect(await runner.run({ timeoutMs: 60_000 })).toMatchObject({ status: 'passed', passed: 1 });
  await rm(configured);
  const { failures } = await runner.run({ timeoutMs: 1000 });
  expect(failures[0]?.message).toContain('1000ms');
});

test('one file, or the titles that match, are run alone; results from before a time-out are reported', async ({
  runner,
  shared,
  club,
}) => {
  await fetch(`${club.url}/once?told`);
  await runner.spec('likes.spec.ts', { 'likes it': passing, hangs: `await page.goto('/once?told');` });
  await runner.spec('door.spec.ts', { 'is shut (twice)': failing, 'likes it too': failing });
  const alone = await runner.run({ file: 'likes.spec.ts', grep: 'likes it' });
  expect(alone).toMatchObject({ status: 'passed', passed: 1, failed: 0 });
  for (const args of [{ grep: 'nothing' }, { file: 'none.spec.ts' }]) {
    const { error } = await runner.run(args);
    expect(error).toMatchObject({ code: 'INVALID_INPUT' });
    expect(error?.hint).toBeTruthy();
  }
  const { error } = await runner.run({ grep: 'is shut (' });
  expect(error?.message).toContain('grep: Invalid regular expression');
  // As long as it takes here to run the first of them, several times over.
  await shared.configure({ verify: { timeoutMs: 3 * (alone.durationMs ?? 0) } });
  expect(await runner.run({ file: 'likes.spec.ts' })).toMatchObject({
    isError: true,
    status: 'failed',
    passed: 1,
    error: { code: 'VERIFY_FAILED' },
  });
});

/** Puts links into the output directory, to a spec outside of it and to a directory above; gives the words of the spec. */
async function linkOutside({ workspace }: Runner): Promise<string> {
  const outside = path.join(workspace, 'mine.spec.ts');
  const inside = path.join(workspace, 'generated-tests');
  const words = 'was run';
  await mkdir(inside);
  await writeFile(outside, `throw new Error('${words}');`);
  await symlink(outside, path.join(inside, 'link.spec.ts'));
  await symlink(workspace, path.join(inside, 'up'));
  return words;
}

test('nothing outside of the output directory is run', async ({ runner }) => {
  expect((await runner.run()).error).toMatchObject({ code: 'INVALID_INPUT' });
  await linkOutside(runner);
  for (const file of [
    '../mine.spec.ts',
    path.join(runner.workspace, 'mine.spec.ts'),
    'link.spec.ts',
    'up/mine.spec.ts',
    'notes.txt',
    '.x.spec.ts',
  ]) {
    const { error } = await runner.run({ file });
    expect(error, file).toMatchObject({ code: 'PATH_NOT_ALLOWED' });
    expect(error?.hint, file).toBeTruthy();
  }
});

test('an endless expression ends when the time of all runs is up', async ({ runner, shared }) => {
  await shared.configure({ verify: { timeoutMs: 1000 } });
  await runner.spec('long.spec.ts', { [`${'a'.repeat(50)}!`]: passing });
  const { isError, error } = await runner.run({ repeat: 3, grep: '^.*long.spec.ts (a+)+$' });
  expect(isError).toBe(true);
  expect(error).toMatchObject({ code: 'VERIFY_FAILED' });
  expect(error?.message).toContain('did not end within 3000 ms');
  expect(await runner.running()).toEqual([]);
});

test('a call that is cancelled ends its run and the browsers', async ({ runner, club }) => {
  await fetch(`${club.url}/once?run`);
  await runner.spec('hangs.spec.ts', { hangs: `await page.goto('/once?run');` });
  const cancel = new AbortController();
  const call = runner.run({}, cancel.signal).catch(() => undefined);
  const isBrowsing = async (): Promise<boolean> =>
    (await runner.running()).some(({ command }) => command.includes('--type=renderer'));
  await expect.poll(isBrowsing, { timeout: 30_000 }).toBe(true);
  cancel.abort();
  await call;
  await expect.poll(() => runner.running(), { timeout: 20_000 }).toEqual([]);
});

test("the browser is the server's, even if the workspace configures another, unless a test asks for it", async ({
  runner,
}) => {
  await writeFile(
    path.join(runner.workspace, 'playwright.config.mjs'),
    `export default { projects: [{ name: 'safari', use: { browserName: 'webkit' } }] };`,
  );
  await runner.spec('a.spec.ts', {
    'is chromium': `expect(page.context().browser().browserType().name()).toBe('chromium');`,
  });
  await writeFile(
    path.join(runner.workspace, 'generated-tests', 'b.spec.ts'),
    `import { test } from '@playwright/test';\ntest.use({ browserName: "firefox" });\ntest('is firefox', async ({ page }) => { await page.goto('/'); });\n`,
  );
  const { passed, failures } = await runner.run();
  expect(passed).toBe(1);
  expect(failures).toMatchObject([{ title: 'is firefox', message: expect.stringMatching(/firefox/i) }]);
});
