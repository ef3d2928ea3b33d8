import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import { getMimeType } from 'hono/utils/mime';
import { browserChoice } from '../browser/browser-choice.js';
import { testLaunch } from '../browser/test-launch.js';
import { isLoopback } from '../model/loopback.js';
import { Secrets } from '../model/secrets.js';
import { lanesOf } from '../tools/run-generated-test.js';
import type { ToolContext } from '../tools/tool.js';
import { runProblem, withTestBench } from '../verify/test-bench.js';
import { Refusal } from './failures.js';

/** The files of a report, by path with forward slashes. */
type Files = ReadonlyMap<string, Buffer>;

/** Maximum bytes of a report. */
const maxBytes = 200 * 1024 * 1024;

/**
 * Throws unless a report of a test can be shown. It contains all that the test typed and received, and is served on a
 * port of this machine.
 */
export function requireTraceable(host: string, file: string, source: string): void {
  if (/\bprocess\s*\.\s*env\b/.test(source))
    throw new Refusal(
      400,
      `${file} uses secrets, which a trace would show.`,
      `Run it in a terminal: npx playwright test ${file} --trace on`,
    );
  const { hostname } = new URL(`http://${host}`);
  if (hostname !== 'localhost' && !isLoopback(hostname.replace(/^\[(.*)\]$/, '$1')))
    throw new Refusal(
      400,
      "Playwright's report opens only on the machine of the server.",
      `Run the test in a terminal: npx playwright test ${file} --trace on`,
    );
}

/** Runs a test with a trace, and without secrets, which a fixture could read too. Returns Playwright's report. */
export async function traceTest(context: ToolContext, absolute: string, signal: AbortSignal): Promise<Files> {
  const { browser } = context.config();
  const launch = () => testLaunch(context.browsers, browserChoice(browser, context.sessions.grant));
  const call = { signal, progress: () => undefined, begin: () => undefined };
  const secrets = new Secrets(() => [], {});
  return withTestBench({ ...context, secrets, launch }, call, async ({ staging, run }) => {
    const htmlReport = path.join(staging.directory, 'html');
    const result = await run({ lanes: await lanesOf([absolute], browser, {}), runs: 1, htmlReport });
    const files = await readFiles(htmlReport);
    if (files.size > 0) return files;
    const { message, hint } = runProblem(result) ?? { message: 'There is no report.', hint: 'Run it again.' };
    throw new Refusal(400, message, hint);
  });
}

async function readFiles(directory: string): Promise<Files> {
  const names = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = new Map<string, Buffer>();
  let bytes = 0;
  for (const entry of names.filter((each) => each.isFile())) {
    const file = path.join(entry.parentPath, entry.name);
    const data = await readFile(file);
    bytes += data.length;
    if (bytes > maxBytes) throw new Refusal(400, 'The report is too large.', 'Trace a shorter test.');
    files.set(path.relative(directory, file).replaceAll(path.sep, '/'), data);
  }
  return files;
}

/**
 * Serves the latest report from memory, on a port of its own: it has scripts of Playwright, and another origin keeps
 * them from the API of the web UI. Its path can't be guessed.
 */
export class ReportServer {
  private url: Promise<string> | undefined;
  private latest: { key: string; files: Files } = { key: '', files: new Map() };

  /** Returns the URL of a report. */
  async show(files: Files): Promise<string> {
    this.latest = { key: randomBytes(16).toString('hex'), files };
    return `${await (this.url ??= this.listen())}/${this.latest.key}/index.html`;
  }

  private async listen(): Promise<string> {
    const app = new Hono();
    app.get('/:key/:file{.+}', ({ req, body, notFound }) => {
      const { key, file } = req.param();
      const data = key === this.latest.key ? this.latest.files.get(file) : undefined;
      if (data === undefined) return notFound();
      const headers = {
        'Content-Type': getMimeType(file) ?? 'application/octet-stream',
        'Cache-Control': 'no-store',
        'X-Content-Type-Options': 'nosniff',
        'Referrer-Policy': 'no-referrer',
      };
      return body(new Uint8Array(data), 200, headers);
    });
    const server = createAdaptorServer({ fetch: app.fetch });
    server.unref();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening on a port');
    return `http://127.0.0.1:${address.port}`;
  }
}
