import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import path from 'node:path';
import { CodegenError } from '../model/errors.js';
import { parseJson } from '../model/json.js';
import { ownText, PageText } from '../model/page-text.js';
import type { Secrets } from '../model/secrets.js';
import type { BrowserName } from '../model/use.js';
import { within } from '../model/within.js';
import { openProxy, type SessionProxy } from '../network/proxy.js';
import type { NetworkRules } from '../network/rules.js';
import { pausedSchema } from './pause.js';
import type { Plan } from './plan.js';
import { ownPlaywrightTest, workspacePlaywrightTest, type PlaywrightTest } from './playwright-test.js';
import { runPlaywrightTest, type RunResult } from './run.js';
import { createStaging } from './staging.js';
import { runProblem } from './test-bench.js';

/** Milliseconds for a released test to clean up, and the time limit of a paused run. */
const cleanUpMs = 10_000;
const pausedMs = 2 ** 31 - 1;
/** Characters of a report. */
const maxReport = 10_000;

/** A test that has paused, with its browser open. */
interface PausedTest {
  /** WebSocket URL of its browser. */
  endpoint: string;
  /** Indexes of its context in the browser, and of its page in the context. */
  context: number;
  page: number;
  /** Why the proxy could not connect to a URL; undefined if it knows no reason. */
  failure: SessionProxy['failure'];
  /** Ends the test, whose fixtures clean up. */
  release(): Promise<void>;
}

interface PauseOptions {
  workspace: string;
  stateDirectory: string;
  rules: () => NetworkRules;
  secrets: Secrets;
  launch: () => Promise<Pick<Plan, 'chromium' | 'remote'> & { isLocal: boolean }>;
  browserName: BrowserName;
  headless: boolean;
  /** The test's file, and its text including the pause. */
  spec: { relative: string; absolute: string; text: string };
  engine: { name: string; content: string };
  /** For messages: the place of the pause. */
  place: string;
  timeoutMs: number;
  signal: AbortSignal;
}

/**
 * Runs a test of the workspace with its own configuration, setup projects and fixtures until it pauses. Throws
 * ACTION_FAILED if it fails or does not reach the pause in time, INVALID_INPUT if the project has another Playwright
 * version.
 */
export async function pauseTest(options: PauseOptions): Promise<PausedTest> {
  const { workspace, stateDirectory, rules, secrets, launch, spec, timeoutMs, signal } = options;
  const playwright = await samePlaywright(workspace);
  const { chromium, remote, isLocal } = await launch();
  const staging = await createStaging(stateDirectory, playwright);
  const proxy = isLocal ? await openProxy({ rules }) : undefined;
  const listener = await listen();
  const ending = new AbortController();
  const file = await staging.write(path.join('paused', spec.relative), spec.text);
  await staging.surround('paused', workspace, [path.join(spec.relative)]);
  const run = runPlaywrightTest({
    plan: {
      workspace,
      chromium,
      remote,
      proxy: proxy?.settings,
      workers: 1,
      pause: { ...listener.address, engine: options.engine },
      lanes: [
        {
          name: 'paused',
          root: path.join(staging.directory, 'paused'),
          files: [{ file, as: spec.absolute }],
          browserName: options.browserName,
          headless: options.headless,
        },
      ],
    },
    staging,
    playwright,
    secrets,
    timeoutMs: pausedMs,
    signal: ending.signal,
  });
  const release = async (): Promise<void> => {
    listener.close();
    if ((await within(cleanUpMs, run)) === undefined) ending.abort();
    await run;
    proxy?.close();
    await staging.remove();
  };
  const aborted = once(signal, 'abort').catch(() => undefined);
  const first = await within(
    timeoutMs,
    Promise.race([listener.paused, run.then((result) => ({ result })), aborted.then(() => undefined)]),
  );
  if (first !== undefined && 'endpoint' in first)
    return { ...first, release, failure: (url) => proxy?.failure(url) };
  if (first === undefined) ending.abort();
  await release();
  throw first === undefined ? tooSlow(options) : failed(options, first.result);
}

/** The project's Playwright Test. Throws INVALID_INPUT if its version differs: its browsers would not accept this server. */
async function samePlaywright(workspace: string): Promise<PlaywrightTest> {
  const own = await ownPlaywrightTest();
  const theirs = (await workspacePlaywrightTest(workspace)) ?? own;
  if (theirs.version === own.version) return theirs;
  throw new CodegenError(
    'INVALID_INPUT',
    `The project has @playwright/test ${theirs.version}, and this server ${own.version}: its tests can't be continued.`,
    { hint: `Install @playwright/test@${own.version} in the project, or record without its tests.` },
  );
}

interface Listener {
  address: { port: number; token: string };
  paused: Promise<Pick<PausedTest, 'endpoint' | 'context' | 'page'>>;
  /** Ends the connections, so that the test continues. */
  close(): void;
}

/** Listens for the report of one test. */
async function listen(): Promise<Listener> {
  const token = randomBytes(16).toString('hex');
  const sockets = new Set<Socket>();
  const server = createServer();
  const paused = new Promise<Pick<PausedTest, 'endpoint' | 'context' | 'page'>>((resolve) => {
    server.on('connection', (socket) => {
      sockets.add(socket);
      let said = '';
      socket.on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => {
        said = (said + chunk.toString()).slice(0, maxReport);
        const [line, rest] = said.split('\n', 2);
        const report = rest === undefined ? undefined : pausedSchema.safeParse(parseJson(line ?? '')).data;
        if (report?.token === token) resolve(report);
        else if (rest !== undefined) socket.destroy();
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.unref();
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    address: { port, token },
    paused,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function tooSlow({ place, timeoutMs, signal }: PauseOptions): CodegenError {
  const why = signal.aborted ? 'was cancelled' : `was not reached within ${timeoutMs} ms`;
  return new CodegenError('ACTION_FAILED', `${place} ${why}.`, {
    hint: 'No session was started. Check what the test waits for, or raise verify.timeoutMs.',
  });
}

function failed({ place, spec }: PauseOptions, result: RunResult): CodegenError {
  const problem = runProblem(result);
  const run = result.tests.find(({ project }) => project !== undefined);
  const [error] = run?.errors ?? [];
  const said = error?.message ?? problem?.message;
  const before = `${place} was not reached. `;
  if (said === undefined)
    return new CodegenError('ACTION_FAILED', ownText(`${before}The test ended without pausing there.`), {
      hint: 'No session was started. The test may be skipped or return early; it must reach that place with its page open.',
    });
  return new CodegenError('ACTION_FAILED', new PageText(said, { before }), {
    hint: `No session was started. ${problem?.hint ?? `Let ${spec.relative} pass with \`npx playwright test\` first, and keep its page open.`}`,
  });
}
