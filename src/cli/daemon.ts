import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { ensureDir, readJson } from 'fs-extra/esm';
import { z } from 'zod';
import { loadConfig, type ConfigLocation } from '../config/load.js';
import { CodegenError, messageOf } from '../model/errors.js';
import { sha256 } from '../model/text.js';
import { version } from '../model/version.js';
import { within } from '../model/within.js';
import { ensureStateDirectory, isRunning, stateDirectoryOf } from '../state/files.js';
import { mayBeRunning, processName } from '../state/process-name.js';

/** Milliseconds for a daemon to start, and to finish its calls and close its browsers. */
const startMs = 60_000;
const stopMs = 40_000;
const pollMs = 20;

export interface DaemonOptions extends ConfigLocation {
  grant: string;
}

/** Prevents calls to another machine because of a file that a repository contains. */
const localUrl = z.url({ hostname: /^127\.0\.0\.1$/ });

/** A running daemon and the MCP session that all commands use. */
const recordSchema = z.object({
  url: localUrl,
  token: z.string(),
  pid: z.int().positive(),
  /** Its `processName`. */
  process: z.string(),
  session: z.string(),
  build: z.string(),
});
type DaemonRecord = z.infer<typeof recordSchema>;

const readySchema = z.object({ url: z.string(), token: z.string(), process: z.string() });

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

/** The daemon does not run, is stopping, or does not know the MCP session. */
class Unreachable extends Error {}

/**
 * Calls the daemon, the process that keeps the sessions of the command line open: one for each workspace, configuration
 * and grant, replaced when the package changes. It serves MCP on a loopback port; its token is in the state directory.
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
    const directory = path.join(await stateDirectoryOf(options.workspace, state.dir), 'daemon');
    const name = sha256(JSON.stringify([options.workspace, options.configPath, options.grant])).slice(0, 12);
    // The entry file contains the hashes of all files that it loads.
    const build = sha256(version + (await readFile(process.argv[1] ?? '', 'utf8'))).slice(0, 12);
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

  /** Stops the daemon and waits until it has exited. Returns whether it ran. */
  stop(): Promise<boolean> {
    return stopDaemon(this.file);
  }

  /** Opens an MCP session, in a new daemon if necessary, unless another command has done so in the meantime. */
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
    await rm(logFile, { force: true });
    const log = await open(logFile, 'wx', 0o600);
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
    // Only the daemon accepts the token; another process may have its id by now.
    await send(known, 'ping', {});
  } catch (error) {
    if (error instanceof Unreachable) return false;
    throw error;
  } finally {
    // Removed before it stops, since the next command may start another.
    await rm(file, { force: true });
  }
  process.kill(known.pid, 'SIGTERM');
  const deadline = Date.now() + stopMs;
  while (isRunning(known.pid) && Date.now() < deadline) await wait(pollMs);
  return true;
}

/** The daemon, if its process runs: otherwise, others may listen on its port, or have its process id. */
async function readRecord(file: string): Promise<DaemonRecord | undefined> {
  try {
    const daemon = recordSchema.parse(await readJson(file));
    return mayBeRunning(daemon.process, Infinity) ? daemon : undefined;
  } catch {
    return undefined;
  }
}

/** Serves the command line until it is idle. */
export async function serveDaemon({ grant, ...location }: DaemonOptions): Promise<void> {
  const { serveHttp } = await import('../server/http/http.js');
  const token = randomBytes(32).toString('hex');
  const onListening = (url: string): void => {
    process.send?.({ url, token, process: processName() });
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
    const fail = resolve.bind(undefined, undefined);
    child.once('exit', fail).once('error', fail);
    child.once('message', (message) => {
      resolve(readySchema.parse(message));
    });
  });
}

const protocolVersion = '2025-11-25';

async function openSession(daemon: Omit<DaemonRecord, 'session'>): Promise<DaemonRecord> {
  let session = '';
  const clientInfo = { name: 'codegen-session-mcp-cli', version };
  const params = { protocolVersion, capabilities: {}, clientInfo };
  await send({ ...daemon, session }, 'initialize', params, (id) => (session = id));
  return { ...daemon, session };
}

/**
 * Sends one MCP request and returns its result. `fetch` would give up on a call of more than five minutes, and the
 * client of the SDK numbers its requests from 0, which two commands in one MCP session must not.
 */
async function send(
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
  let isConnected = false;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(url, { method: 'POST', headers, agent: false }, resolve)
      .on('socket', (socket) => socket.once('connect', () => (isConnected = true)))
      .on('error', reject)
      .end(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
  }).catch((error: unknown) => {
    throw isConnected ? interrupted(error) : new Unreachable(messageOf(error));
  });
  const { statusCode = 0 } = response;
  const assigned = response.headers['mcp-session-id'];
  if (typeof assigned === 'string') onSession(assigned);
  const body = await text(response).catch((error: unknown) => {
    throw interrupted(error);
  });
  if ([401, 403, 404, 503].includes(statusCode)) throw new Unreachable(body);
  if (statusCode !== 200) throw new Error(`HTTP ${statusCode}: ${body}`);
  try {
    return resultIn(body, id);
  } catch (error) {
    throw error instanceof CodegenError ? error : interrupted(error);
  }
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
