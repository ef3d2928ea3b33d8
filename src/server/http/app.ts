import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { Hono, type Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { cors } from 'hono/cors';
import { createMiddleware } from 'hono/factory';
import { messageOf } from '../../model/errors.js';
import { log } from '../../model/log.js';
import { within } from '../../model/within.js';
import { refusal } from './refusal.js';

const maxBytes = 4 * 1024 * 1024;
/** Milliseconds to read the rest of a larger one. */
const discardMs = 2000;

interface AppEnv {
  Bindings: HttpBindings;
  /** Set by `authorize`. */
  Variables: { grant: string };
}

export interface AppOptions {
  /** Returns why a request is rejected, if it is. */
  checkHost: (host: string, origin: string | undefined) => string | undefined;
  health: () => Promise<string>;
  grantOf: (token: string) => Promise<string | undefined>;
  /** Called for each request with a valid token. */
  onAccepted: (request: IncomingMessage, grant: string) => void;
  mcp: (request: Request, grant: string, outgoing: ServerResponse) => Promise<Response>;
  metrics: () => Promise<Response>;
  /** The web UI; undefined if nobody may open it. */
  page: ((request: Request, env: HttpBindings) => Promise<Response>) | undefined;
}

export function createApp(options: AppOptions): Hono<AppEnv> {
  const app = emptyApp();
  // Before the checks: load balancers use the server's address as Host, and have no token.
  app.get('/healthz', async (context) => {
    const status = await options.health();
    return context.json({ status }, status === 'ok' ? 200 : 503, { 'Cache-Control': 'no-store' });
  });
  addChecks(app, options.checkHost);
  // Before CORS: allowed origins may call MCP, but not the page.
  addPage(app, options.page);
  app.use(
    cors({
      origin: (origin) => origin,
      allowMethods: ['GET', 'POST', 'DELETE'],
      allowHeaders: [
        'Authorization',
        'Content-Type',
        'Mcp-Session-Id',
        'Mcp-Protocol-Version',
        'Mcp-Method',
        'Mcp-Name',
        'Last-Event-ID',
      ],
      exposeHeaders: ['Mcp-Session-Id', 'WWW-Authenticate'],
    }),
  );

  const authorize = createMiddleware<AppEnv>(async (context, next) => {
    const [, token = ''] = /^bearer +(\S+)$/i.exec(context.req.header('authorization') ?? '') ?? [];
    const grant = await options.grantOf(token);
    if (grant === undefined) return unauthorized();
    options.onAccepted(context.env.incoming, grant);
    context.set('grant', grant);
    await next();
    return undefined;
  });
  const limit = bodyLimit({
    maxSize: maxBytes,
    onError: async ({ env }: Context<AppEnv>) => {
      await discarded(env.incoming);
      return refusal(413, `Payload Too Large: ${maxBytes} bytes at most`);
    },
  });
  app.all('/mcp', authorize, limit, ({ req, get, env }) => options.mcp(req.raw, get('grant'), env.outgoing));
  app.get('/metrics', authorize, () => options.metrics());
  return app;
}

export function createPageApp({ checkHost, page }: Pick<AppOptions, 'checkHost' | 'page'>): Hono<AppEnv> {
  const app = emptyApp();
  addChecks(app, checkHost);
  addPage(app, page);
  return app;
}

function emptyApp(): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.onError((error, { req }) => {
    if (!req.raw.signal.aborted) log(messageOf(error));
    return refusal(500, 'Internal error');
  });
  app.notFound(notFound);
  return app;
}

function addChecks(app: Hono<AppEnv>, checkHost: AppOptions['checkHost']): void {
  app.use(async ({ req, env }, next) => {
    const forbidden = checkHost(req.header('host') ?? '', req.header('origin'));
    if (forbidden !== undefined) return refusal(403, forbidden);
    const url = env.incoming.url ?? '';
    if (url.includes('?'))
      return refusal(400, 'Bad Request: a query is not allowed; send a token as Authorization: Bearer');
    if (!url.startsWith('/')) return notFound();
    await next();
    return undefined;
  });
}

function addPage(app: Hono<AppEnv>, page: AppOptions['page']): void {
  if (page === undefined) return;
  for (const path of ['/', '/ui/*']) app.all(path, ({ req, env }) => page(req.raw, env));
}

/** Reads the rest of a body: otherwise a client that is still sending would lose the connection before it gets the response. */
async function discarded(incoming: HttpBindings['incoming']): Promise<void> {
  incoming.resume();
  await within(discardMs, once(incoming, 'end'));
}

function notFound(): Response {
  return refusal(404, 'Not found: MCP is served at /mcp');
}

/** The same response for a missing, wrong and malformed token. */
function unauthorized(): Response {
  return refusal(401, 'Unauthorized: send the bearer token of a grant', {
    headers: { 'WWW-Authenticate': 'Bearer realm="codegen-session-mcp"' },
  });
}

export function listenerOf(
  app: Hono<AppEnv>,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const respond = getRequestListener((request, env) => app.fetch(request, env), {
    // The adapter rejects a malformed Host before it calls the app.
    errorHandler: () => refusal(403, 'Forbidden: Host or URL is invalid'),
  });
  const latest = new WeakMap<Socket, ServerResponse>();
  return async (request, response) => {
    const { socket } = request;
    const before = latest.get(socket);
    latest.set(socket, response);
    // A client that does not wait for responses could have thousands of requests answered at once, and read nothing.
    if (before?.writableEnded === false) socket.destroy();
    else await respond(request, response);
  };
}
