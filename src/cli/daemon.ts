import { spawn, type ChildProcess } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ensureDir, readJson } from 'fs-extra/esm';
import { z } from 'zod';
import { loadConfig, type ConfigLocation } from '../config/load.js';
import { CodegenError, messageOf } from '../model/errors.js';
import { version } from '../model/version.js';
import { within } from '../model/within.js';
import { ensureStateDirectory, isRunning } from '../state/files.js';

/** Milliseconds for a daemon to start, and to finish its calls and close its browsers. */
const startMs = 60_000;
const stopMs = 40_000;
const pollMs = 20;

export interface DaemonOptions extends ConfigLocation {
  grant: string;
}

/** Prevents calls to another machine because of a file that a repository contains. */
const localUrl = z.url({ hostname: /^127\.0\.0\.1$/ });

/** A running daemon, and the MCP session that all commands use. */
const recordSchema = z.object({
  url: localUrl,
  token: z.string(),
  pid: z.number(),
  session: z.string(),
  build: z.string(),
});
type DaemonRecord = z.infer<typeof recordSchema>;

const readySchema = z.object({ url: z.string(), token: z.string() });

const toolResultSchema = z.object({
  structuredContent: z.record(z.string(), z.unknown()).default({}),
  content: z.array(z.looseObject({ type: z.string(), uri: z.string().optional() })).default([]),
});
type ToolResult = z.output<typeof toolResultSchema>;

const messageSchema = z.object({
  id: z.unknown(),
  result: z.unknown(),
  error: z.object({ message: z.string() }).optional(),
});

/** The request reached no daemon, or one that is stopping or does not know the MCP session. */
class Unreachable extends Error {}

/**
 * The process that keeps the sessions of the command line open, one for each workspace, configuration and grant. Another
 * build of this package replaces it. It serves MCP on a loopback port, to those who can read its token in the state
 * directory.
 */
export class DaemonClient {
  private constructor(
    private readonly options: DaemonOptions,
    private readonly file: string,
    private readonly build: string,
  ) {}

  /** Throws CONFIG_INVALID. */
  static async open(options: DaemonOptions): Promise<DaemonClient> {
    const { state } = (await loadConfig(options)).config;
    const directory = path.join(path.resolve(options.workspace, state.dir), 'daemon');
    const name = hashOf(JSON.stringify([options.workspace, options.configPath, options.grant]));
    // The entry file contains the hashes of all files that it loads.
    const build = hashOf(version + (await readFile(process.argv[1] ?? '', 'utf8')));
    return new DaemonClient(options, path.join(directory, `${name}.json`), build);
  }

  /** Calls a tool. Starts the daemon if it does not run. */
  async call(name: string, args: unknown): Promise<ToolResult> {
    const params = { name, arguments: args };
    const known = await readRecord(this.file);
    try {
      if (known?.build === this.build) return toolResultSchema.parse(await send(known, 'tools/call', params));
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
    }
    const renewed = await this.renew(known);
    return toolResultSchema.parse(await send(renewed, 'tools/call', params));
  }

  /** Stops the daemon, whose sessions can be resumed, and waits for its end. Returns whether it ran. */
  stop(): Promise<boolean> {
    return stopDaemon(this.file);
  }

  /** Opens an MCP session, with a new daemon if necessary, unless another command has done that since. */
  private async renew(failed: DaemonRecord | undefined): Promise<DaemonRecord> {
    const directory = path.dirname(this.file);
    await ensureStateDirectory(path.dirname(directory));
    await ensureDir(directory, { mode: 0o700 });
    const { default: lockfile } = await import('proper-lockfile');
    const release = await lockfile.lock(this.file, {
      realpath: false,
      stale: 10_000,
      retries: { retries: 1200, minTimeout: 50, maxTimeout: 100 },
      onCompromised: () => undefined,
    });
    try {
      const known = await readRecord(this.file);
      const isOther = known !== undefined && known.build !== this.build;
      if (known !== undefined && !isOther && known.session !== failed?.session) return known;
      if (isOther) await stopDaemon(this.file);
      const renewed = known && !isOther ? await openSession(known).catch(() => undefined) : undefined;
      const daemon = renewed ?? (await this.start());
      const partial = `${this.file}.${randomBytes(4).toString('hex')}`;
      await writeFile(partial, JSON.stringify(daemon), { mode: 0o600, flag: 'wx' });
      await rename(partial, this.file);
      return daemon;
    } finally {
      await release();
    }
  }

  private async start(): Promise<DaemonRecord> {
    const { workspace, configPath, grant } = this.options;
    const logFile = this.file.replace(/\.json$/, '.log');
    const log = await open(logFile, 'w', 0o600);
    const config = configPath === undefined ? [] : ['--config', configPath];
    const child = spawn(
      process.execPath,
      [process.argv[1] ?? '', 'session', 'daemon', '--workspace', workspace, '--grant', grant, ...config],
      { cwd: workspace, detached: true, windowsHide: true, stdio: ['ignore', log.fd, log.fd, 'ipc'] },
    );
    await log.close();
    const ready = await within(startMs, readiness(child));
    if (ready === undefined) {
      child.kill();
      throw new CodegenError(
        'CONFIG_INVALID',
        `The server of this workspace did not start: ${(await readFile(logFile, 'utf8')).trim()}`,
      );
    }
    child.disconnect();
    child.unref();
    return openSession({ ...ready, pid: child.pid ?? 0, build: this.build });
  }
}

async function stopDaemon(file: string): Promise<boolean> {
  const known = await readRecord(file);
  if (known === undefined) return false;
  try {
    // Only a process that accepts the token is the daemon: the system may have given its number to another.
    await send(known, 'ping', {});
  } catch (error) {
    if (error instanceof Unreachable) return false;
    throw error;
  } finally {
    // Before it stops: the next command may start another at any time.
    await rm(file, { force: true });
  }
  process.kill(known.pid, 'SIGTERM');
  const deadline = Date.now() + stopMs;
  while (isRunning(known.pid) && Date.now() < deadline) await wait(pollMs);
  return true;
}

async function readRecord(file: string): Promise<DaemonRecord | undefined> {
  try {
    return recordSchema.parse(await readJson(file));
  } catch {
    return undefined;
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/** Serves the command line until it is idle; `ready` notifies the process that started this one. */
export async function serveDaemon({ grant, ...location }: DaemonOptions): Promise<void> {
  const { serveHttp } = await import('../server/http/http.js');
  const token = randomBytes(32).toString('hex');
  const onListening = (url: string): void => {
    process.send?.({ url, token });
  };
  await serveHttp({
    ...location,
    port: 0,
    host: '127.0.0.1',
    name: undefined,
    grant,
    daemon: { token, onListening },
  });
}

/** What a started daemon reports; undefined if it exits instead. */
function readiness(child: ChildProcess): Promise<z.infer<typeof readySchema> | undefined> {
  return new Promise((resolve) => {
    child.once('message', (message) => {
      resolve(readySchema.parse(message));
    });
    child.once('exit', () => {
      resolve(undefined);
    });
    child.once('error', () => {
      resolve(undefined);
    });
  });
}

async function openSession(daemon: Omit<DaemonRecord, 'session'>): Promise<DaemonRecord> {
  let session = '';
  await send({ ...daemon, session }, 'initialize', initialization, (id) => (session = id));
  return { ...daemon, session };
}

const protocolVersion = '2025-11-25';
const initialization = {
  protocolVersion,
  capabilities: {},
  clientInfo: { name: 'codegen-session-mcp-cli', version },
};

/**
 * Sends one MCP request and returns its result. `fetch` would give up on a call of more than five minutes, and the
 * client of the SDK numbers its requests from 0, which two commands in one MCP session must not.
 */
function send(
  { url, token, session }: Pick<DaemonRecord, 'url' | 'token' | 'session'>,
  method: string,
  params: unknown,
  onSession: (id: string) => void = () => undefined,
): Promise<unknown> {
  const id = randomUUID();
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    ...(session === '' ? {} : { 'mcp-session-id': session, 'mcp-protocol-version': protocolVersion }),
  };
  return new Promise((resolve, reject) => {
    let isConnected = false;
    const outgoing = request(url, { method: 'POST', headers, agent: false }, (response) => {
      const { statusCode = 0 } = response;
      const assigned = response.headers['mcp-session-id'];
      if (typeof assigned === 'string') onSession(assigned);
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.once('error', reject);
      response.once('end', () => {
        if ([401, 403, 404, 503].includes(statusCode)) reject(new Unreachable(body));
        else if (statusCode !== 200) reject(new Error(`HTTP ${statusCode}: ${body}`));
        else
          try {
            resolve(resultIn(body, id));
          } catch (error) {
            reject(error instanceof CodegenError ? error : interrupted(error));
          }
      });
    });
    outgoing.on('socket', (socket) => socket.once('connect', () => (isConnected = true)));
    outgoing.once('error', (error) => {
      reject(isConnected ? interrupted(error) : new Unreachable(error.message));
    });
    outgoing.end(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
  });
}

/** The result in a response, which is JSON or an event stream. Throws INVALID_INPUT for an error of the protocol. */
function resultIn(body: string, id: string): unknown {
  const data = body.startsWith('{')
    ? [body]
    : [...body.matchAll(/^data: (\{.*)$/gm)].map(([, json = '']) => json);
  const messages = data.map((json) => messageSchema.parse(JSON.parse(json)));
  const message = messages.find((each) => each.id === id);
  if (message === undefined) throw new Error('its answer is missing');
  if (message.error !== undefined) throw new CodegenError('INVALID_INPUT', message.error.message);
  return message.result;
}

function interrupted(cause: unknown): CodegenError {
  return new CodegenError('WRITE_FAILED', `The server stopped during the call: ${messageOf(cause)}`, {
    hint: 'Recorded steps are saved: `session start --resume SESSION_ID` continues. `.codegen/daemon/` has the log.',
    cause,
  });
}
