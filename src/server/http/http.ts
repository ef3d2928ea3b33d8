import { randomBytes } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { createBackend, type Connection } from '../backend.js';
import { createBrowserPool } from '../../browser/launch.js';
import type { ConfigLocation } from '../../config/load.js';
import { createTokens } from '../../config/tokens.js';
import { createHostCheck, hostOf, shareWithPage, tokenOf, unauthorized } from './access.js';
import { createEndpoint } from './endpoint.js';
import { createListener, listen } from './listener.js';
import { createMetrics, type Standing } from './metrics.js';
import { answer, refuse, type Refusal } from './refuse.js';
import { CodegenError, messageOf } from '../../model/errors.js';
import { isLoopback } from '../../model/loopback.js';
import { sessionIds } from '../../model/session-id.js';
import { within } from '../../model/within.js';
import { redactLog, stopWithProcess } from '../process.js';
import { createServer } from '../server.js';

/** Milliseconds for running calls to finish when the server stops. */
const drainingMs = 20_000;
/** Milliseconds for the state to answer, and for how long its answer counts. */
const stateMs = 1000;

export interface HttpOptions extends ConfigLocation {
  port: number;
  host: string;
  /** What ids of its sessions begin with. */
  name: string | undefined;
  /** Who calls where no grants are configured; not set where the command line does not say. */
  grant: string | undefined;
}

/** Serves MCP over Streamable HTTP until the process is told to stop. Throws CONFIG_INVALID. */
export async function serveHttp({ port, host, name, grant: named, ...location }: HttpOptions): Promise<void> {
  const local = named ?? 'local';
  const metrics = createMetrics();
  const tokens = createTokens(process.env);
  const backend = await createBackend({
    ...location,
    name,
    browsers: metrics.counting(createBrowserPool()),
    mustBeKnown: () => tokens.areNeeded(),
    accept: ({ grants }) => {
      tokens.accept(grants);
    },
  });
  redactLog(backend.secrets);
  if (tokens.areNeeded() && named !== undefined)
    throw new CodegenError('CONFIG_INVALID', '--grant says who calls, and grants are configured.', {
      hint: 'Leave it out: over HTTP, tokens say who calls.',
    });
  const { address } = await lookup(host).catch((error: unknown) => {
    throw new CodegenError('CONFIG_INVALID', `--host ${host} is no address: ${messageOf(error)}`);
  });
  if (!tokens.areNeeded() && !isLoopback(address))
    throw new CodegenError(
      'CONFIG_INVALID',
      `Without grants, nothing but a loopback address is served, and not ${host}.`,
      {
        hint: 'Configure `grants`, each with a token, or leave out --host.',
      },
    );

  const connect = (grant: string): Connection =>
    backend.connect({ grant, connection: randomBytes(8).toString('hex') });
  /** The server's own: no call is made through it. */
  const own = connect(local);
  await own.context.guard.recover();
  const isGrant = (name: string): boolean =>
    !tokens.areNeeded() || backend.config().grants.some((each) => each.name === name);

  const endpoint = createEndpoint(
    (grant) => {
      const connection = connect(grant);
      return {
        server: createServer({ context: connection.context, calls: backend.calls }, (call) => {
          metrics.answered(call);
        }),
        end: () => connection.end(),
      };
    },
    sessionIds(name),
    () => backend.config().browser.idleTimeoutMs,
  );
  own.context.watch(async () => {
    await own.context.refresh();
    await endpoint.keepOnly(isGrant);
  });

  let stopping: Promise<void> | undefined;
  let stateAnswers: Promise<boolean> | undefined;
  /** Whether the state can be reached, found out anew when what is known is old: anybody may ask. */
  function isStateThere(): Promise<boolean> {
    stateAnswers ??= within(
      stateMs,
      own.context.guard.checkState().then(() => true),
    ).then((isThere) => {
      setTimeout(() => (stateAnswers = undefined), stateMs).unref();
      return isThere ?? false;
    });
    return stateAnswers;
  }

  async function health(response: ServerResponse): Promise<void> {
    const isThere = await isStateThere();
    const status = stopping ? 'stopping' : isThere ? 'ok' : 'state unreachable';
    answer(response, status === 'ok' ? 200 : 503, { status });
  }

  const measured = new Map<string, Connection>();
  async function standing(): Promise<Standing> {
    const grants = tokens.areNeeded() ? backend.config().grants.map(({ name }) => name) : [local];
    const sessions = new Map(grants.map((grant) => [grant, 0]));
    for (const { grant, status } of backend.sessions.list())
      if (status === 'open') sessions.set(grant, (sessions.get(grant) ?? 0) + 1);
    const limits = await Promise.all(
      grants.map(async (grant) => {
        const connection = measured.get(grant) ?? connect(grant);
        measured.set(grant, connection);
        const used = await connection.context.guard.used().catch(() => []);
        return used.map((each) => ({ grant, ...each }));
      }),
    );
    return { sessions, connections: endpoint.counts(), limits: limits.flat() };
  }

  /** The grant that a request comes from; else what it is answered. */
  async function callerOf(request: IncomingMessage, target: string): Promise<{ grant: string } | Refusal> {
    if (target.includes('?'))
      return {
        status: 400,
        message: 'Bad Request: nothing belongs in a query; a token is sent as Authorization: Bearer',
      };
    if (target !== '/mcp' && target !== '/metrics')
      return { status: 404, message: 'Not found: MCP is served at /mcp' };
    await own.context.refresh();
    const grant = tokens.areNeeded() ? tokens.grantOf(tokenOf(request)) : local;
    return grant === undefined ? unauthorized : { grant };
  }

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = request.url ?? '';
    // Load balancers ask by address, and hold no token.
    if (target === '/healthz') {
      await health(response);
      return;
    }
    const misplaced = checkHost(request);
    if (misplaced !== undefined) {
      refuse(response, misplaced);
      return;
    }
    if (shareWithPage(request, response)) return;
    const caller = await callerOf(request, target);
    if ('status' in caller) {
      refuse(response, caller);
      return;
    }
    listener.prove(request);
    if (target === '/mcp') {
      await endpoint.handle(request, response, caller.grant);
      return;
    }
    const text = await metrics.text(await standing());
    response.writeHead(200, { 'Content-Type': metrics.contentType, 'Cache-Control': 'no-store' });
    response.end(text);
  }

  const { tls, allowedHosts, allowedOrigins } = backend.config().http;
  const inWorkspace = (file: string): string => path.resolve(location.workspace, file);
  const listener = await createListener(
    tls && { cert: inWorkspace(tls.cert), key: inWorkspace(tls.key) },
    (request, response) => {
      response.once('finish', () => {
        metrics.responded(response.statusCode);
      });
      respond(request, response).catch((error: unknown) => {
        process.stderr.write(`codegen-session-mcp: ${messageOf(error)}\n`);
        response.destroy();
      });
    },
  );
  const { server } = listener;
  const bound = await listen(server, port, address);
  const scheme = tls === null ? 'http' : 'https';
  const checkHost = createHostCheck({ scheme, address, port: bound, allowedHosts, allowedOrigins });

  stopWithProcess((exitCode) => {
    stopping ??= (async () => {
      server.close();
      await endpoint.drain(exitCode === 0 ? drainingMs : 0);
      await backend.close(0);
      await endpoint.close();
      await own.end();
      process.exit(exitCode);
    })();
  });
  process.stderr.write(`codegen-session-mcp: MCP is served at ${scheme}://${hostOf(address)}:${bound}/mcp\n`);
}
