import { lookup } from 'node:dns/promises';
import path from 'node:path';
import { createBrowserPool } from '../../browser/launch.js';
import type { ConfigLocation } from '../../config/load.js';
import type { Config } from '../../config/schema.js';
import { OneToken, Tokens } from '../../config/tokens.js';
import { CodegenError, messageOf } from '../../model/errors.js';
import { log } from '../../model/log.js';
import { isLoopback } from '../../model/loopback.js';
import { sessionIds } from '../../model/session-id.js';
import { within } from '../../model/within.js';
import { createBackend, type Backend, type Connection } from '../backend.js';
import { servePage } from '../page.js';
import { redactLog, stopWithProcess } from '../process.js';
import { endpointOf } from '../sdk/http.js';
import { createService } from '../service.js';
import { createHostCheck, hostOf } from './access.js';
import { createApp, listenerOf, type AppOptions } from './app.js';
import { createListener, listen, type Listener } from './listener.js';
import { McpSessions } from './mcp-sessions.js';
import { Metrics, type ServerUsage } from './metrics.js';

/** Milliseconds for running calls to finish when the server stops. */
const drainingMs = 20_000;
/** Milliseconds for the state to respond, and to cache the result, since anyone may request it. */
const stateMs = 1000;

interface HttpOptions extends ConfigLocation {
  port: number;
  host: string;
  /** Name of this server; its session ids start with it. */
  name: string | undefined;
  /** Name of the caller if no grants are configured; undefined if the command line does not set it. */
  grant: string | undefined;
  /** Serves only the command line of this machine, and stops when it is idle. Every request needs `token`. */
  daemon?: { token: string; onListening: (url: string) => void } | undefined;
}

/** Serves MCP over Streamable HTTP until the process receives a signal to stop. Throws CONFIG_INVALID. */
export async function serveHttp(options: HttpOptions): Promise<void> {
  const { workspace, name, grant: local = 'local', daemon } = options;
  const metrics = new Metrics();
  const tokens = daemon ? new OneToken(daemon.token, local) : new Tokens(process.env, workspace, local);
  const backend = await createBackend({
    ...options,
    browsers: metrics.counting(createBrowserPool()),
    mustBeKnown: () => tokens.areNeeded,
    accept: ({ grants, ui }) => {
      tokens.accept(grants, ui.operators);
    },
  });
  redactLog(backend.secrets);
  const address = await addressFor(options, tokens.areNeeded);
  const own = backend.connect(local);
  await own.context.guard.recover();

  const sessions = openSessions(backend, metrics, name);
  const grants = (): string[] =>
    tokens.areNeeded ? backend.config().grants.map((grant) => grant.name) : [local];
  own.context.watch(async () => {
    await own.context.refresh();
    if (tokens.areNeeded) await sessions.keepOnly((grant) => grants().includes(grant));
  });

  let stopping: Promise<void> | undefined;
  const stop = (exitCode: number): void => {
    stopping ??= (async () => {
      listener.server.close();
      await sessions.drain(exitCode === 0 ? drainingMs : 0);
      await backend.close(0);
      await sessions.close();
      await own.end();
      process.exit(exitCode);
    })();
  };
  const isStateReachable = stateProbe(own);
  const { origin, listener, checkHost } = await openListener(options, backend.config().http, address);
  const host = { backend, workspace, own, grants };
  const access = {
    origin,
    isLocal: isLoopback(address),
    operatorOf: (token: string) => tokens.operatorOf(token),
    onAccepted: listener.accept,
  };
  const app = createApp({
    checkHost,
    onAccepted: listener.accept,
    health: async () => {
      const isReachable = await isStateReachable();
      return stopping ? 'stopping' : isReachable ? 'ok' : 'state unreachable';
    },
    grantOf: async (token) => {
      await own.context.refresh();
      return tokens.grantOf(token);
    },
    mcp: (request, grant, outgoing) => sessions.handle(request, grant, outgoing),
    metrics: async () =>
      metrics.respond({ ...(await usageOf(backend, grants())), connections: sessions.counts() }),
    page: daemon === undefined ? await servePage({ ...host, ...access }) : undefined,
  });
  const respond = listenerOf(app);
  listener.server.on('request', (request, response) => {
    response.once('finish', () => {
      metrics.responded(response.statusCode);
    });
    void respond(request, response);
  });

  stopWithProcess(stop);
  const { openToPeers } = await import('../peer.js');
  await openToPeers(host);
  if (daemon !== undefined) {
    stopWhenIdle(listener, () => backend.config().browser.idleTimeoutMs, stop);
    daemon.onListening(`${origin}/mcp`);
  }
  log(`MCP is served at ${origin}/mcp`);
}

function openSessions(backend: Backend, metrics: Metrics, name: string | undefined): McpSessions {
  return new McpSessions({
    open: (grant, { id, onClose }) => {
      const { context, end } = backend.connect(grant);
      const service = createService({ context, calls: backend.calls }, (call) => {
        metrics.answered(call);
        backend.webhook.answered(grant, call);
      });
      return { endpoint: endpointOf(service, id, onClose), end };
    },
    newId: sessionIds(name),
    idleMs: () => backend.config().browser.idleTimeoutMs,
  });
}

/** Stops a server without requests after the idle timeout of sessions. */
function stopWhenIdle({ server }: Listener, idleMs: () => number, stop: (exitCode: number) => void): void {
  let running = 0;
  let timer: NodeJS.Timeout | undefined;
  const watch = (): void => {
    timer = setTimeout(stop, idleMs(), 0);
  };
  watch();
  server.on('request', (_, response) => {
    clearTimeout(timer);
    running++;
    response.once('close', () => {
      running--;
      if (running === 0) watch();
    });
  });
}

/** The address to bind to. Throws CONFIG_INVALID if it is unknown or would let anyone in. */
async function addressFor({ host, grant }: HttpOptions, areTokensNeeded: boolean): Promise<string> {
  if (areTokensNeeded && grant !== undefined)
    throw new CodegenError('CONFIG_INVALID', '--grant does not apply if grants are configured.', {
      hint: 'Leave it out: over HTTP, the token identifies the caller.',
    });
  const { address } = await lookup(host).catch((error: unknown) => {
    throw new CodegenError('CONFIG_INVALID', `--host ${host} can't be resolved: ${messageOf(error)}`);
  });
  if (!areTokensNeeded && !isLoopback(address))
    throw new CodegenError('CONFIG_INVALID', `Without grants, the server does not listen on ${host}.`, {
      hint: 'Configure `grants`, each with a token, or leave out --host: only loopback addresses need no grants.',
    });
  return address;
}

async function openListener(
  { workspace, port, daemon }: HttpOptions,
  { tls: configured, ...allowed }: Config['http'],
  address: string,
): Promise<{ listener: Listener; origin: string; checkHost: AppOptions['checkHost'] }> {
  const tls = daemon === undefined ? configured : null;
  const inWorkspace = (file: string): string => path.resolve(workspace, file);
  const listener = await createListener(tls && { cert: inWorkspace(tls.cert), key: inWorkspace(tls.key) });
  const bound = await listen(listener.server, port, address);
  const scheme = tls === null ? 'http' : 'https';
  return {
    listener,
    origin: `${scheme}://${hostOf(address)}:${bound}`,
    checkHost: createHostCheck({ scheme, address, port: bound, ...allowed }),
  };
}

async function usageOf(backend: Backend, grants: string[]): Promise<Omit<ServerUsage, 'connections'>> {
  const sessions = new Map(grants.map((grant) => [grant, 0]));
  for (const { grant, status } of backend.sessions.list())
    if (status === 'open') sessions.set(grant, (sessions.get(grant) ?? 0) + 1);
  const limits = await Promise.all(
    grants.map(async (grant) => {
      const used = await backend
        .ownConnection(grant)
        .context.guard.used()
        .catch(() => []);
      return used.map((each) => ({ grant, ...each }));
    }),
  );
  return { sessions, limits: limits.flat() };
}

/** Returns a function that says whether the state responds in time. */
function stateProbe({ context: { guard } }: Connection): () => Promise<boolean> {
  let cached: Promise<boolean> | undefined;
  const probe = async (): Promise<boolean> =>
    (await within(
      stateMs,
      guard.checkState().then(() => true),
    )) ?? false;
  return () =>
    (cached ??= probe().finally(() => {
      setTimeout(() => (cached = undefined), stateMs).unref();
    }));
}
