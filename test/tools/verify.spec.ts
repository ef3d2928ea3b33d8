import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CallToolResultSchema } from '@modelcontextprotocol/sdk/types.js';
import { outputJson } from 'fs-extra/esm';
import { z } from 'zod';
import type { Site } from '../fixtures/serve.js';
import {
  configure,
  connect,
  descendants,
  expect,
  test as base,
  type Connection,
  type Result,
  type Shared,
} from '../fixtures.js';
import { giveUpSoon } from '../fixtures/give-up-soon.js';

/** The shared server, which verifies, on an application that remembers. */
const test = base.extend<{ verifying: (verify?: object, others?: object) => Promise<Shared> }>({
  verifying: async ({ shared }, use) => {
    await use(async (verify = {}, others = {}) => {
      await shared.configure({ ...others, verify: { sensitivity: 'off', ...verify } });
      return shared;
    });
  },
});

test.describe.configure({ timeout: 180_000 });

const verificationSchema = z.object({
  status: z.string(),
  runs: z.number(),
  passed: z.number(),
  durationMs: z.number(),
  failure: z
    .object({
      step: z.number().optional(),
      code: z.string().optional(),
      message: z.string(),
      hint: z.string(),
      snapshot: z.string().optional(),
    })
    .optional(),
});

function verificationOf(result: Result): z.infer<typeof verificationSchema> {
  return verificationSchema.parse(result['verification']);
}

function warningsOf(result: Result): string[] {
  return z.array(z.string()).parse(result['warnings']);
}

/** Records a sign-up, which works once for a name. */
async function signUp(server: Connection, club: Site, name: string): Promise<string> {
  const { sessionId } = await server.start({ title: `signs up ${name}`, url: club.url });
  const landed = await server.record(
    sessionId,
    { action: 'fill', target: 'getByLabel("Name")', value: name },
    { action: 'click', target: 'getByRole("button")' },
    { action: 'expect', target: 'getByRole("status")', matcher: 'toHaveText', expected: `Welcome, ${name}!` },
    { action: 'click', target: 'getByRole("link", { name: "Leave" })' },
  );
  expect(landed.failed).toBeUndefined();
  return sessionId;
}

/** Records a flow that works every time. */
async function look(server: Connection, club: Site, args: object = {}): Promise<string> {
  const { sessionId, error } = await server.start({ title: 'looks', url: club.url, ...args });
  expect(error).toBeUndefined();
  const landed = await server.record(sessionId, {
    action: 'expect',
    target: 'getByRole("heading")',
    matcher: 'toHaveText',
    expected: 'Club',
  });
  expect(landed.failed).toBeUndefined();
  return sessionId;
}

/** What runs have left in the state directory. */
function staged(workspace: string): Promise<string[]> {
  return readdir(path.join(workspace, '.codegen', 'verify')).catch(() => []);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('a passing test is written, and the answer says that it ran', async ({ verifying, club }) => {
  const server = await verifying({ runs: 2, sensitivity: 'quick' });
  const sessionId = await look(server, club);
  const messages: (string | undefined)[] = [];
  const ended = await server.call('end_codegen_session', { sessionId }, ({ message }) =>
    messages.push(message),
  );
  expect(ended.error).toBeUndefined();
  expect(messages).toEqual(['Running the test']);
  expect(verificationOf(ended)).toMatchObject({
    status: 'passed',
    runs: 2,
    passed: 2,
  });
  expect(ended.text).toContain('verification.runs: 2\nverification.passed: 2');
  expect(warningsOf(ended)).toEqual([]);
  expect(await readdir(path.join(server.workspace, 'generated-tests'))).toEqual(['looks.spec.ts']);
  expect(await staged(server.workspace)).toEqual([]);
});

test('a flow that works only once is not written: the answer gives step, reason and remedy', async ({
  verifying,
  club,
}) => {
  const limits = [{ counter: 'enforced ends', window: 'hour', max: 2, scope: 'grant' }];
  const policy = { version: '1', default: 'allow', tools: { end_codegen_session: { limits } } };
  const server = await verifying({ mode: 'report', enforce: true }, { policy });
  const { workspace } = server;
  await giveUpSoon(workspace);
  const sessionId = await signUp(server, club, 'ada');
  const end = (args: object = {}): Promise<Result> =>
    server.call('end_codegen_session', { sessionId, ...args });

  await test.step('enforced verification is not switched off, and what runs nothing uses no quota', async () => {
    const off = (await end({ verify: 'off' })).error;
    expect(off).toMatchObject({ code: 'POLICY_DENIED', hint: expect.stringContaining('"report"') });
    expect((await end({ file: '../out.spec.ts' })).error).toMatchObject({ code: 'PATH_NOT_ALLOWED' });
  });
  const refused = await end({ verify: 'require' });
  expect(refused.error).toMatchObject({ code: 'VERIFY_FAILED' });
  const { status, passed, failure } = verificationOf(refused);
  expect({ status, passed }).toEqual({ status: 'failed', passed: 0 });
  expect(failure?.step).toBe(3);
  expect(failure?.code).toContain('toHaveText("Welcome, ada!")');
  expect(failure?.message).toContain('Expected: "Welcome, ada!"');
  expect(failure?.snapshot).toContain('The name ada is already taken.');
  expect(failure?.hint).toContain('already taken');
  expect(failure?.hint).toContain('"report"');
  // What the page says stands in the block for it alone.
  const [ours, pages] = refused.text.split('<page-content');
  expect(ours).toContain('Step 3 failed');
  expect(ours).not.toContain('taken');
  expect(pages).toContain('The name ada is already taken.');
  expect(await readdir(workspace)).not.toContain('generated-tests');
  expect(await staged(workspace)).toEqual([]);

  const open = await server.call('get_codegen_session', { sessionId, include: ['steps'] });
  expect(open).toMatchObject({ status: 'open', isError: false });
  expect((await end({ file: '../out.spec.ts' })).error).toMatchObject({ code: 'PATH_NOT_ALLOWED' });
  const reported = await end({ verify: 'report' });
  expect(reported.error).toBeUndefined();
  expect(reported.files).toMatchObject([{ change: 'created' }]);
  expect(verificationOf(reported)).toMatchObject({ status: 'failed', failure: { step: 3 } });
  expect(reported.text).toContain('verification.status: failed');
  // Both calls that ran the test used quota.
  expect((await end()).error).toMatchObject({ code: 'RATE_LIMITED' });
});

test('an action that a fresh run does not reach is named', async ({ verifying, club }) => {
  const server = await verifying();
  const { sessionId } = await server.start({ url: club.url });
  await server.record(
    sessionId,
    { action: 'fill', target: 'getByLabel("Name")', value: 'grace' },
    { action: 'click', target: 'getByRole("button")' },
    { action: 'click', target: 'getByRole("link", { name: "Leave" })' },
  );
  await verifying({}, { browser: { actionTimeoutMs: 1000 } });
  const refused = await server.call('end_codegen_session', { sessionId });
  expect(verificationOf(refused).failure).toMatchObject({
    step: 3,
    code: 'await page.getByRole("link", { name: "Leave" }).click();',
  });
  expect(refused.error?.message).toContain('Step 3 failed when the test was run');
});

test('nothing runs if a file blocks the write, and off runs nothing', async ({ verifying, club }) => {
  const server = await verifying();
  const first = await look(server, club);
  const off = await server.call('end_codegen_session', { sessionId: first, verify: 'off' });
  expect(verificationOf(off)).toEqual({ status: 'off', runs: 0, passed: 0, durationMs: 0 });
  const second = await look(server, club);
  await server.record(second, { action: 'reload' });
  const messages: unknown[] = [];
  const blocked = await server.call('end_codegen_session', { sessionId: second }, (progress) =>
    messages.push(progress),
  );
  expect(blocked.error).toMatchObject({ code: 'FILE_EXISTS' });
  expect(messages).toEqual([]);
});

/** Blocks the process that runs it, as a loop without an end would, at no cost. */
const block = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);';

test('runs that do not end are stopped with all that they started, when the time of each is up', async ({
  verifying,
  club,
}) => {
  const server = await verifying({ timeoutMs: 1000, runs: 2 });
  await writeFile(path.join(server.workspace, 'playwright.config.mjs'), block);
  const sessionId = await look(server, club);
  const before = await descendants(server.pid);
  const refused = await server.call('end_codegen_session', { sessionId });
  expect(refused.error).toMatchObject({ code: 'VERIFY_FAILED' });
  expect(refused.error?.message).toContain('did not end within 2000 ms');
  expect(refused.error?.hint).toContain('verify.timeoutMs');
  const left = (await descendants(server.pid)).filter(({ pid }) => !before.some((one) => one.pid === pid));
  expect(left).toEqual([]);
});

test('a run that is stopped names the step that was running', async ({ verifying, club }) => {
  const server = await verifying({ timeoutMs: 20_000 });
  const { sessionId } = await server.start({ title: 'hangs', url: `${club.url}/once?named` });
  const refused = await server.call('end_codegen_session', { sessionId });
  expect(refused['verification']).toMatchObject({
    failure: {
      step: 0,
      message: 'The run did not end within 20000 ms and was stopped while step 0 ran.',
    },
  });
});

/** Ends a session whose test hangs in its browser, and gives the processes that run it. */
async function hang(
  server: Connection,
  club: Site,
  key: string,
  signal?: AbortSignal,
): Promise<{ ending: Promise<unknown>; started: number[]; sessionId: string }> {
  const { sessionId } = await server.start({ title: 'hangs', url: `${club.url}/once?${key}` });
  const before = new Set((await descendants(server.pid)).map(({ pid }) => pid));
  const ending = server.client
    .callTool(
      { name: 'end_codegen_session', arguments: { sessionId } },
      CallToolResultSchema,
      signal === undefined ? {} : { signal },
    )
    .catch(() => undefined);
  const running = async (): Promise<{ pid: number; command: string }[]> =>
    (await descendants(server.pid)).filter(({ pid }) => !before.has(pid));
  await expect
    .poll(async () => (await running()).filter(({ command }) => command.includes('--type=renderer')).length, {
      timeout: 30_000,
    })
    .toBeGreaterThan(0);
  return { ending, started: (await running()).map(({ pid }) => pid), sessionId };
}

test('a call that is cancelled ends its run, and the session stays open', async ({ verifying, club }) => {
  const server = await verifying();
  const { workspace } = server;
  const cancel = new AbortController();
  const { started, sessionId } = await hang(server, club, 'cancel', cancel.signal);
  expect(started.length).toBeGreaterThan(3);
  cancel.abort();
  await expect.poll(() => started.filter(isAlive), { timeout: 20_000 }).toEqual([]);
  await expect.poll(() => staged(workspace)).toEqual([]);
  const open = await server.call('get_codegen_session', { sessionId });
  expect(open['status']).toBe('open');
  expect(await readdir(workspace)).not.toContain('generated-tests');
});

test('nothing outlives a server that is killed while it verifies; another version of Playwright Test is reported', async ({
  club,
  workspace,
}) => {
  await configure(workspace, { verify: { sensitivity: 'off' } });
  const server = await connect(workspace);
  const { started } = await hang(server, club, 'kill');
  process.kill(server.pid, 'SIGKILL');
  await expect.poll(() => started.filter(isAlive), { timeout: 20_000 }).toEqual([]);
  // What it left on the disk goes with the next run.
  expect(await staged(workspace)).toHaveLength(1);
  await installPlaywrightTest(workspace, '1.64.9');
  expect(await runNothing(workspace)).toEqual([expect.stringContaining('1.64.9')]);
  expect(await staged(workspace)).toEqual([]);
});

/** Installs a copy of Playwright Test that says to be another version. */
async function installPlaywrightTest(workspace: string, version: string): Promise<void> {
  const installed = path.dirname(createRequire(import.meta.url).resolve('@playwright/test/package.json'));
  const copy = path.join(workspace, 'node_modules', '@playwright', 'test');
  await cp(installed, copy, { recursive: true, dereference: true });
  const manifest = path.join(copy, 'package.json');
  const text = await readFile(manifest, 'utf8');
  await writeFile(manifest, text.replace(/"version": "[^"]+"/, `"version": "${version}"`));
}

/** Has a server of its own run a test that needs no browser, and gives what it warns of. */
async function runNothing(workspace: string): Promise<string[]> {
  await mkdir(path.join(workspace, 'generated-tests'));
  await writeFile(
    path.join(workspace, 'generated-tests', 'nothing.spec.ts'),
    `import { test } from '@playwright/test';\ntest('does nothing', () => {});\n`,
  );
  const server = await connect(workspace);
  const { structuredContent } = await server.client.callTool({ name: 'run_generated_test', arguments: {} });
  await server.close();
  const { passed, warnings } = z
    .object({ passed: z.number(), warnings: z.array(z.string()) })
    .parse(structuredContent);
  expect(passed).toBe(1);
  return warnings;
}

test('nothing outlives a killed server, also no web server of a configuration that blocks the child', async ({
  club,
  workspace,
}) => {
  await configure(workspace, { verify: { sensitivity: 'off' } });
  const server = await connect(workspace);
  const sessionId = await look(server, club);
  await writeFile(
    path.join(workspace, 'playwright.config.mjs'),
    `import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
const server = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });
writeFileSync('blocked', [process.pid, server.pid].join());
${block}`,
  );
  const ending = server.call('end_codegen_session', { sessionId }).catch(() => undefined);
  const blocked = async (): Promise<string> =>
    readFile(path.join(workspace, 'blocked'), 'utf8').catch(() => '');
  await expect.poll(blocked, { timeout: 20_000 }).not.toBe('');
  const started = (await blocked()).split(',').map(Number);
  process.kill(server.pid, 'SIGKILL');
  await ending;
  await expect.poll(() => started.filter(isAlive), { timeout: 20_000 }).toEqual([]);
});

test.describe("the workspace's own configuration", () => {
  /** Writes it, ends a session that works, and gives the answer. */
  type EndWith = (config: string, options?: { name?: string; args?: object }) => Promise<Result>;
  const configured = test.extend<{ endWith: EndWith }>({
    endWith: async ({ verifying, club }, use) => {
      const server = await verifying();
      await use(async (config, { name = 'playwright.config.mjs', args = {} } = {}) => {
        await writeFile(path.join(server.workspace, name), config);
        const sessionId = await look(server, club);
        return server.call('end_codegen_session', { sessionId, ...args });
      });
    },
  });

  const typed = `import { defineConfig, type PlaywrightTestConfig } from '@playwright/test';
    const config: PlaywrightTestConfig = defineConfig({ use: { locale: 'it-IT' } }); export default config;`;

  test('is read in every form that there is', async ({ verifying, club }) => {
    const server = await verifying();
    const { workspace } = server;
    const sessionId = await look(server, club, { use: { locale: 'it-IT' } });
    const code = async (): Promise<string> =>
      (await server.call('get_codegen_session', { sessionId, include: ['code'] })).code;
    expect(await code()).toContain('locale: "it-IT"');
    for (const [name, type, config] of [
      ['playwright.config.ts', 'commonjs', `${typed}; if (!__dirname) throw new Error();`],
      ['playwright.config.ts', 'module', `${typed}; if (!import.meta.url) throw new Error();`],
      ['playwright.config.js', 'commonjs', `export default { use: { locale: 'it-IT' } };`],
      ['playwright.config.cjs', 'module', `module.exports = { use: { locale: 'it-IT' } };`],
    ] as const) {
      await writeFile(path.join(workspace, 'package.json'), JSON.stringify({ type }));
      await writeFile(path.join(workspace, name), config);
      expect(await code(), `${name} in a package of type ${type}`).not.toContain('locale');
      await rm(path.join(workspace, name));
    }
  });

  configured(
    'a set-up that the test depends on runs before it; servers that are up are used',
    async ({ endWith, shared: { workspace }, club }) => {
      await mkdir(path.join(workspace, 'e2e'));
      await writeFile(
        path.join(workspace, 'e2e', 'prepare.setup.ts'),
        `import { test } from '@playwright/test';
       import { writeFileSync } from 'node:fs';
       test('prepares', async ({ page }) => { await page.goto('/'); writeFileSync('prepared', process.execArgv.join()); });`,
      );
      const ended = await endWith(`export default {
      use: { baseURL: ${JSON.stringify(club.url)} },
      webServer: { command: 'exit 1', url: ${JSON.stringify(club.url)}, reuseExistingServer: false },
      projects: [
        { name: 'prepare', testDir: 'e2e', testMatch: '*.setup.ts' },
        { name: 'safari', use: { browserName: 'webkit' }, dependencies: ['prepare'] },
        { name: 'chrome', use: { browserName: 'chromium', channel: 'msedge' }, dependencies: ['prepare'] },
      ],
    };`);
      expect(ended.error).toBeUndefined();
      expect(warningsOf(ended)).toEqual([]);
      // Workers too start with what others have compiled.
      expect(await readFile(path.join(workspace, 'prepared'), 'utf8')).toContain('compile-cache');
    },
  );

  configured('a failing set-up is reported by name', async ({ endWith, shared: { workspace } }) => {
    await writeFile(
      path.join(workspace, 'prepare.setup.ts'),
      `import { test } from '@playwright/test'; test('prepares', () => { throw new Error('no database'); });`,
    );
    const refused = await endWith(`export default { projects: [
      { name: 'prepare', testMatch: '*.setup.ts' }, { name: 'all', dependencies: ['prepare'] },
    ] };`);
    expect(refused.error).toMatchObject({ code: 'VERIFY_FAILED' });
    expect(refused.error?.message).toMatch(/"prepares" in prepare\.setup\.ts.* failed: Error: no database/);
  });

  configured(
    'one that does not cover the file does not run it, and a warning says so',
    async ({ endWith, shared: { workspace } }) => {
      // Else the test would go to `testDir`.
      await mkdir(path.join(workspace, 'generated-tests'));
      const config = typed.replace('use:', "testDir: 'e2e', globalSetup: './missing.mjs', use:");
      const ended = await endWith(config, { name: 'playwright.config.ts', args: { dryRun: true } });
      expect(ended.error).toBeUndefined();
      expect(await readdir(path.join(workspace, 'generated-tests'))).toEqual([]);
      expect(warningsOf(ended)).toEqual([
        expect.stringContaining('`npx playwright test` does not run generated-tests/looks.spec.ts'),
      ]);
    },
  );

  configured('a configuration that throws is reported with its message', async ({ endWith }) => {
    const refused = await endWith(`throw new Error('BASE_URL is not set');`);
    expect(refused.error).toMatchObject({ code: 'VERIFY_FAILED' });
    expect(refused.error?.message).toContain('BASE_URL is not set');
    expect(refused.error?.hint).toContain('npx playwright test');
  });

  configured("a web server that can't start is reported with its output", async ({ endWith }) => {
    const webServer = { command: 'echo port is taken >&2; exit 3', url: 'http://127.0.0.1:9/' };
    const refused = await endWith(`export default { webServer: ${JSON.stringify(webServer)} };`);
    expect(refused.error).toMatchObject({ code: 'VERIFY_FAILED' });
    expect(refused.error?.message).toContain('port is taken');
    expect(refused.error?.hint).toContain('Start the application');
  });
});

test("a workspace without Playwright Test uses the server's, and the answer says so", async ({ club }) => {
  const workspace = await mkdtemp(path.join(tmpdir(), 'codegen-'));
  await configure(workspace, { verify: { sensitivity: 'off' } });
  const server = await connect(workspace);
  const sessionId = await look(server, club);
  const { failed } = await server.record(sessionId, { action: 'expect', matcher: 'toPassAxe' });
  expect(failed).toMatchObject({
    code: 'INVALID_INPUT',
    message: expect.stringContaining('@axe-core/playwright is not installed'),
    hint: expect.stringContaining('npm install'),
  });
  const ended = await server.call('end_codegen_session', { sessionId });
  const module = path.join(workspace, 'generated-tests/module');
  await outputJson(path.join(module, 'package.json'), { type: 'module' });
  const code =
    "import { test, expect } from '@playwright/test';\ntest('adds', () => expect(1 + 1).toBe(2));\n";
  await writeFile(path.join(module, 'adds.spec.ts'), code);
  const ran = await server.client.callTool({ name: 'run_generated_test', arguments: {} });
  await server.close();
  await rm(workspace, { recursive: true });
  expect(ended.error).toBeUndefined();
  const install = expect.stringContaining('npm install --save-dev @playwright/test@');
  expect(warningsOf(ended)).toEqual([install, expect.stringContaining('failed')]);
  expect(ran.structuredContent).toMatchObject({ status: 'passed', passed: 2, warnings: [install] });
});
