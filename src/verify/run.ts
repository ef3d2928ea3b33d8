import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { readJson } from 'fs-extra/esm';
import type { Secrets } from '../model/secrets.js';
import { within } from '../model/within.js';
import { childEnvironment } from './environment.js';
import { planVariable, type Plan } from './plan.js';
import type { PlaywrightTest } from './playwright-test.js';
import { reportSchema, type Report } from './report.js';
import type { Staging } from './staging.js';

/** Milliseconds after which the server kills a child that was asked to exit; the child's watchdog is faster. */
const killAfterMs = 8000;

/** Milliseconds to wait for the last output of a child that has exited. */
const flushMs = 500;

/** How many of the last characters of the child's output are reported. */
const outputLength = 4000;

export interface RunOptions {
  plan: Omit<Plan, 'reportFile' | 'secrets'>;
  staging: Staging;
  playwright: PlaywrightTest;
  /** Whether `playwright` is the copy of the server, since the workspace has none. */
  usesServerCopy?: boolean | undefined;
  /** The tests' environment variables; their values are redacted in the report. */
  secrets: Secrets;
  /** Playwright's `--grep`. */
  grep?: string | undefined;
  timeoutMs: number;
  signal: AbortSignal;
}

export interface RunResult extends Report {
  /** `timed out` and `cancelled` runs were stopped early. */
  end: 'completed' | 'timed out' | 'cancelled';
  durationMs: number;
  timeoutMs: number;
}

let runs = 0;

/** Runs tests with Playwright Test in a child process, which exits with this process or with the call. */
export async function runPlaywrightTest(options: RunOptions): Promise<RunResult> {
  const { plan, staging, playwright, usesServerCopy = false, secrets, grep, timeoutMs, signal } = options;
  const start = performance.now();
  const run = `run-${++runs}`;
  const reportFile = path.join(staging.directory, `${run}.report.json`);
  const environment = secrets.environment();
  const whole: Plan = { ...plan, reportFile, secrets: Object.keys(environment) };
  const planFile = await staging.write(`${run}.plan.json`, JSON.stringify(whole));
  const modules = path.join(staging.directory, 'node_modules');
  const child = spawnPlaywright(playwright, {
    workspace: plan.workspace,
    config: '../verify/playwright-config.js',
    variables: {
      ...environment,
      [planVariable]: planFile,
      ...(usesServerCopy ? { NODE_PATH: modules } : {}),
    },
    nodeArgs: usesServerCopy ? [resolvingTo(modules)] : [],
    args: [
      `--output=${path.join(staging.directory, `${run}.results`)}`,
      ...(grep === undefined ? [] : [`--grep=${grep}`]),
    ],
  });
  const { end, output } = await supervise(child, timeoutMs, signal);
  const report = await readReport(reportFile);
  const said = secrets.redact(stripVTControlCharacters(output)).trim().slice(-outputLength);
  return {
    tests: report?.tests ?? [],
    errors:
      report?.errors ?? (end === 'completed' ? [said || 'Playwright Test ended without a report.'] : []),
    end,
    durationMs: Math.round(performance.now() - start),
    timeoutMs,
  };
}

/** A Node.js option by which ES modules, which ignore `NODE_PATH`, import `@playwright/test` from `modules`. */
function resolvingTo(modules: string): string {
  const parent = JSON.stringify(pathToFileURL(path.join(modules, 'any.js')).href);
  const hook = dataUrl(`export const resolve = (name, context, next) =>
    next(name, name === '@playwright/test' ? { ...context, parentURL: ${parent} } : context);`);
  return `--import=${dataUrl(`import module from 'node:module'; module.register?.(${JSON.stringify(hook)});`)}`;
}

function dataUrl(code: string): string {
  return `data:text/javascript,${encodeURIComponent(code)}`;
}

interface SpawnOptions {
  workspace: string;
  /** The configuration, a module of this directory. */
  config: string;
  variables: Record<string, string>;
  args: readonly string[];
  nodeArgs?: readonly string[];
  /** Whether the child can send messages. */
  ipc?: boolean;
}

/** Starts Playwright Test in a child process with a minimal environment. */
export function spawnPlaywright(
  { directory }: PlaywrightTest,
  { workspace, config, variables, args, nodeArgs = [], ipc = false }: SpawnOptions,
): ChildProcess {
  const own = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
  const command = [
    ...nodeArgs,
    `--require=${own('../verify/compile-cache.cjs')}`,
    own('../verify/child.js'),
    path.join(directory, 'cli.js'),
    'test',
    '--pass-with-no-tests',
  ];
  return spawn(process.execPath, [...command, `--config=${own(config)}`, ...args], {
    cwd: workspace,
    env: { ...childEnvironment(process.env), ...variables },
    stdio: ['pipe', 'pipe', 'pipe', ipc ? 'ipc' : 'ignore'],
    // JSON would lose regular expressions.
    serialization: 'advanced',
    // A process group on POSIX, so that its workers end with it.
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
}

/** Waits for the child, and stops it after the time limit or when the call is cancelled. */
export async function supervise(
  child: ChildProcess,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<{ end: RunResult['end']; output: string }> {
  let end: RunResult['end'] = 'completed';
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-2 * outputLength)));
  child.stdin?.on('error', () => undefined);
  const timers: NodeJS.Timeout[] = [];
  const stop = (why: RunResult['end']): void => {
    if (end !== 'completed') return;
    end = why;
    child.stdin?.end();
    timers.push(setTimeout(() => child.kill('SIGKILL'), killAfterMs));
  };
  const cancel = (): void => {
    stop('cancelled');
  };
  timers.push(setTimeout(stop, timeoutMs, 'timed out'));
  signal.addEventListener('abort', cancel);
  if (signal.aborted) cancel();
  const closed = once(child, 'close');
  closed.catch(() => undefined);
  try {
    await once(child, 'exit');
    // A web server that was left running may hold the pipes open.
    await within(flushMs, closed);
  } finally {
    timers.forEach(clearTimeout);
    signal.removeEventListener('abort', cancel);
  }
  return { end, output };
}

/** The report; undefined if it is missing or incomplete. */
async function readReport(file: string): Promise<Report | undefined> {
  try {
    return reportSchema.parse(await readJson(file));
  } catch {
    return undefined;
  }
}
