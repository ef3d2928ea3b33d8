import { execFile, spawn } from 'node:child_process';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { test as base, expect } from '@playwright/test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { ProgressCallback } from '@modelcontextprotocol/sdk/shared/protocol.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ElicitRequestSchema, type ElicitResult } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { findBrowser, launchOptions } from '../src/browser/find-browser.js';
import { startPages, type Pages } from './fixtures/pages-server.js';
import { startRemembering } from './fixtures/remembering.js';
import type { Site } from './fixtures/serve.js';

export { expect };

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
/** The binary as users run it. */
export const binary = path.join(root, 'dist', 'cli.js');

const resultSchema = z.looseObject({
  isError: z.boolean().optional(),
  content: z.array(z.looseObject({ type: z.string(), text: z.string().optional() })),
  structuredContent: z.record(z.string(), z.unknown()),
});

/** Milliseconds for an answer. */
const patienceMs = 600_000;

const eventSchema = z.looseObject({ type: z.string() });

/** The fields of results that tests look at; all there, with what is missing left empty. */
const structuredSchema = z.looseObject({
  sessionId: z.string().default(''),
  file: z.string().default(''),
  url: z.string().default(''),
  pageTitle: z.string().default(''),
  page: z.string().default(''),
  pages: z.array(z.object({ id: z.string(), url: z.string(), title: z.string() })).default([]),
  snapshot: z.string().default(''),
  recorded: z.number().default(0),
  steps: z.union([z.number(), z.array(z.looseObject({ index: z.number(), code: z.string() }))]).default([]),
  failed: z
    .object({
      action: z.number().optional(),
      step: z.number().optional(),
      code: z.string(),
      message: z.string(),
      hint: z.string(),
    })
    .optional(),
  events: z.array(eventSchema).default([]),
  sessions: z.array(z.looseObject({ sessionId: z.string(), status: z.string() })).default([]),
  code: z.string().default(''),
  filePath: z.string().default(''),
  files: z
    .array(z.object({ path: z.string(), bytes: z.number(), sha256: z.string(), change: z.string() }))
    .default([]),
  testCode: z.string().default(''),
  remaining: z.record(z.string(), z.number()).default({}),
  error: z
    .object({
      code: z.string(),
      message: z.string(),
      hint: z.string().optional(),
      retryAfterMs: z.number().optional(),
    })
    .optional(),
});

export type Structured = z.infer<typeof structuredSchema>;

/** A result as a test reads it. */
export interface Result extends Structured {
  isError: boolean;
  /** All text content. */
  text: string;
  /** The emitted code of the recorded steps. */
  codes: string[];
  /** The code of the automatic assertions after each of them. */
  assertions: string[][];
}

/** A real MCP client on a real server. */
export interface Connection {
  client: Client;
  pid: number;
  stderr: () => string;
  /** Calls a tool; `heard` gets what it tells while it works. */
  call: (tool: string, args?: Record<string, unknown>, heard?: ProgressCallback) => Promise<Result>;
  /** Starts a session and gives its id and first result. */
  start: (args?: Record<string, unknown>) => Promise<Result>;
  record: (sessionId: string, ...actions: Record<string, unknown>[]) => Promise<Result>;
  close: () => Promise<void>;
}

export async function connect(
  workspace: string,
  options: {
    args?: string[];
    env?: Record<string, string>;
    /** Starts the server instead of our binary. */
    command?: string[];
    /** Answers what the server asks the person behind the client. */
    answer?: (question: string) => Promise<ElicitResult>;
  } = {},
): Promise<Connection> {
  const [command = '', ...args] = options.command ?? [process.execPath, binary];
  const transport = new StdioClientTransport({
    command,
    args: [...args, ...(options.args ?? [])],
    cwd: workspace,
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...options.env },
    stderr: 'pipe',
  });
  let stderr = '';
  transport.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const { answer } = options;
  const capabilities = answer === undefined ? {} : { elicitation: { form: {} } };
  const client = new Client({ name: 'test', version: '1' }, { capabilities });
  if (answer !== undefined)
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => answer(params.message));
  await client.connect(transport);
  return { client, pid: transport.pid ?? 0, stderr: () => stderr, ...callsOf(client) };
}

/** Structured content with the texts of pages as they are. */
export function withoutDelimiters(structured: unknown): unknown {
  return JSON.parse(JSON.stringify(structured), (_, value: unknown) =>
    typeof value === 'string'
      ? value.replace(
          /<(page-content-[0-9a-f]{8})>\n?([^]*?)\n?<\/\1>/g,
          (...[, , text]: string[]) => text ?? '',
        )
      : value,
  );
}

/** A result from its structured content and its text. */
export function resultOf(content: unknown, text: string): Result {
  const structured = structuredSchema.parse(withoutDelimiters(content));
  const steps = Array.isArray(structured.steps) ? structured.steps : [];
  return {
    ...structured,
    isError: structured.error !== undefined,
    text,
    codes: steps.map(({ code }) => code),
    assertions: steps.map(({ assertions }) => z.array(z.string()).catch([]).parse(assertions)),
  };
}

/** What tests do through a client that is connected. */
export function callsOf(client: Client): Pick<Connection, 'call' | 'start' | 'record' | 'close'> {
  const call: Connection['call'] = async (name, args = {}, heard) => {
    // A test's own time-out is the one that counts, however slow the machine.
    const options = { timeout: patienceMs, ...(heard === undefined ? {} : { onprogress: heard }) };
    // Most tests look at the code.
    const defaults = name === 'end_codegen_session' ? { include: ['code'] } : {};
    const answer = await client.callTool({ name, arguments: { ...defaults, ...args } }, undefined, options);
    const raw = resultSchema.parse(answer);
    const text = raw.content.map((part) => part.text ?? '').join('\n');
    return { ...resultOf(raw.structuredContent, text), isError: raw.isError ?? false };
  };
  return {
    call,
    start: (args = {}) => call('start_codegen_session', args),
    record: (sessionId, ...actions) => call('record_codegen_session', { sessionId, actions }),
    close: () => client.close(),
  };
}

/** Writes a workspace's configuration. Unless it says otherwise, what is emitted is only what was asked for, and is not run. */
export async function configure(workspace: string, config: object = {}): Promise<void> {
  const whole = { autoAssert: false, verify: { mode: 'off', sensitivity: 'off' }, ...config };
  await replaceFile(path.join(workspace, 'codegen.config.json'), JSON.stringify(whole));
}

/** Writes a file in one step, so that who watches it sees no half of it. */
export async function replaceFile(file: string, content: string): Promise<void> {
  await writeFile(`${file}.new`, content);
  await rename(`${file}.new`, file);
}

/** The element's reference in a snapshot, by a part of its line. */
export function refOf(snapshot: string, part: string): string {
  const line = snapshot.split('\n').find((each) => each.includes(part) && each.includes('[ref='));
  const ref = / \[ref=(\w+)\]/.exec(line ?? '')?.[1];
  if (ref === undefined) throw new Error(`No line with ${part} in:\n${snapshot}`);
  return ref;
}

/** The processes that a process has started, and theirs. */
export async function descendants(ancestor: number): Promise<{ pid: number; command: string }[]> {
  const { stdout } = await promisify(execFile)('ps', ['-e', '-o', 'pid=,ppid=,args=']);
  const processes = stdout.split('\n').flatMap((line) => {
    const [, pid, parent, command = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return pid === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command }];
  });
  const below = (of: number): typeof processes =>
    processes.filter(({ parent }) => parent === of).flatMap((child) => [child, ...below(child.pid)]);
  return below(ancestor);
}

export interface TestRun {
  exitCode: number;
  output: string;
}

/** Runs emitted tests with Playwright Test, as their owner would. */
export async function runTests(workspace: string, ...args: string[]): Promise<TestRun> {
  const found = await findBrowser();
  if (found === undefined) throw new Error('No browser: run `npm run browser`.');
  const config = {
    testDir: '.',
    // Else Playwright would clean the results folder of this very project.
    outputDir: 'test-results',
    respectGitIgnore: false,
    reporter: 'line',
    use: { launchOptions: launchOptions(found) },
  };
  await writeFile(
    path.join(workspace, 'playwright.config.mjs'),
    `export default ${JSON.stringify(config)};\n`,
  );
  return playwrightTest(workspace, '--config', 'playwright.config.mjs', ...args);
}

/** Runs Playwright Test in a directory, with the compiled code that the server's own runs share. */
export async function playwrightTest(cwd: string, ...args: string[]): Promise<TestRun> {
  const cli = path.join(root, 'node_modules', '@playwright', 'test', 'cli.js');
  const cache = path.join(root, 'dist', 'verify', 'compile-cache.cjs');
  const child = spawn(process.execPath, ['--require', cache, cli, 'test', ...args], {
    cwd,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exitCode = await new Promise<number>((resolve) =>
    child.on('close', (code) => {
      resolve(code ?? 1);
    }),
  );
  return { exitCode, output };
}

/** A session on a fixture page, in a server that the tests of a worker share. */
export interface Recording {
  started: Result;
  /** Records actions and expects them all to land. */
  land: (...actions: Record<string, unknown>[]) => Promise<Result>;
  /** Records actions, whatever comes of them. */
  record: (...actions: Record<string, unknown>[]) => Promise<Result>;
  /** The source that ending would write. */
  code: () => Promise<string>;
}

type Open = (page: string, args?: Record<string, unknown>) => Promise<Recording>;

/** Secrets in the environment of the shared server, which it has only if the configuration lists them. */
export const secretValues = {
  TOKEN: 'Zebra-4711-Quagga',
  CODE: 'QZ4X7K',
  PASSWORD: 'correct horse battery',
  ODD_PASSWORD: 'Pa"ss/w0rd+u&x',
  OTP_SEED: 'JBSWY3DPEHPK3PXP',
  BAD_SEED: 'not base32!',
};

/** A server that the tests of a worker share. What one does there, also to the configuration, the next does not find. */
export interface Shared extends Connection {
  workspace: string;
  configure: (config: object) => Promise<void>;
}

export const test = base.extend<
  { workspace: string; server: Connection; shared: Shared; open: Open },
  { pages: Pages; club: Site; lasting: Shared; atEnd: (stop: () => Promise<unknown>) => void }
>({
  pages: [
    async ({}, use) => {
      const pages = await startPages();
      await use(pages);
      await pages.close();
    },
    { scope: 'worker' },
  ],
  /** Has something stopped that the tests of a worker share: a worker fixture of their own would take further workers. */
  atEnd: [
    async ({}, use) => {
      const stops: (() => Promise<unknown>)[] = [];
      await use((stop) => stops.push(stop));
      for (const stop of stops) await stop();
    },
    { scope: 'worker' },
  ],
  /** An application that remembers. */
  club: [
    async ({}, use) => {
      const site = await startRemembering();
      await use(site);
      await site.close();
    },
    { scope: 'worker' },
  ],
  lasting: [
    async ({}, use, { parallelIndex }) => {
      const workspace = path.join(root, 'test-results', `shared-${parallelIndex}-${process.pid}`);
      await mkdir(workspace, { recursive: true });
      // More is written here than any one user would.
      const unlimited = (config: object = {}): Promise<void> =>
        configure(workspace, { writes: { limits: [] }, ...config });
      await unlimited();
      const connection = await connect(workspace, { env: secretValues });
      await use({ ...connection, workspace, configure: unlimited });
      await connection.close();
    },
    { scope: 'worker' },
  ],
  shared: async ({ lasting }, use) => {
    await use(lasting);
    await lasting.configure({});
    const { sessions } = await lasting.call('get_codegen_session');
    for (const { sessionId, status } of sessions)
      if (status === 'open') await lasting.call('clear_codegen_session', { sessionId });
    const { workspace } = lasting;
    const kept = new Set(['codegen.config.json', '.codegen']);
    const made = (await readdir(workspace)).filter((name) => !kept.has(name));
    for (const name of [...made, '.codegen/sessions', '.codegen/unfinished', '.codegen/artifacts'])
      await rm(path.join(workspace, name), { recursive: true, force: true });
  },
  open: async ({ shared, pages }, use) => {
    await use(async (page, args = {}) => {
      const started = await shared.start({ url: `${pages.url}/${page}`, ...args });
      expect(started.error).toBeUndefined();
      const { sessionId } = started;
      const record: Recording['record'] = (...actions) => shared.record(sessionId, ...actions);
      return {
        started,
        record,
        async land(...actions) {
          const result = await record(...actions);
          expect(result.failed).toBeUndefined();
          return result;
        },
        async code() {
          const { code } = await shared.call('get_codegen_session', { sessionId, include: ['code'] });
          return code;
        },
      };
    });
  },
  workspace: async ({}, use, testInfo) => {
    const workspace = testInfo.outputPath('workspace');
    await mkdir(workspace, { recursive: true });
    await configure(workspace);
    await use(workspace);
  },
  server: async ({ workspace }, use) => {
    const connection = await connect(workspace);
    await use(connection);
    await connection.close();
  },
});
