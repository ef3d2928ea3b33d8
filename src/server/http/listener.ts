import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Socket } from 'node:net';
import { CodegenError, messageOf } from '../../model/errors.js';

/** Connections in all, and those of them that nothing good has come from yet. */
const connectionsAtMost = 1000;
const unprovenAtMost = 200;

/** Milliseconds for the headers and for the whole of a request, and between requests: longer than proxies keep one. */
const times = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 1_000,
};

export interface Listener {
  server: Server;
  /** Notes that a request is one to be served, so that its connection need not give way to others. */
  prove(request: IncomingMessage): void;
}

/** A server over HTTP, or HTTPS where there is a certificate. Throws CONFIG_INVALID where that can't be used. */
export async function createListener(
  tls: { cert: string; key: string } | null,
  onRequest: RequestListener,
): Promise<Listener> {
  const server = tls === null ? createServer(times, onRequest) : await createSecured(tls, onRequest);
  server.maxConnections = connectionsAtMost;
  const unproven = new Map<string, Socket>();
  server.on('connection', (socket: Socket) => {
    const key = keyOf(socket);
    unproven.set(key, socket);
    socket.once('close', () => {
      if (unproven.get(key) === socket) unproven.delete(key);
    });
    // Whoever only opens connections pushes out nothing but such.
    const [oldest] = unproven.values();
    if (unproven.size > unprovenAtMost) oldest?.destroy();
  });
  return {
    server,
    prove: ({ socket }) => {
      unproven.delete(keyOf(socket));
    },
  };
}

async function createSecured(
  { cert, key }: { cert: string; key: string },
  onRequest: RequestListener,
): Promise<Server> {
  try {
    const [chain, privateKey] = await Promise.all([readFile(cert), readFile(key)]);
    return createSecureServer(
      { ...times, handshakeTimeout: times.headersTimeout, cert: chain, key: privateKey },
      onRequest,
    );
  } catch (error) {
    throw new CodegenError('CONFIG_INVALID', `http.tls can't be used: ${messageOf(error)}`, {
      hint: 'Give the paths of a PEM certificate and of its private key.',
      cause: error,
    });
  }
}

/** What a connection has in common with the secured one inside it. */
function keyOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** Binds a server and tells its port. Throws CONFIG_INVALID where that can't be had. */
export async function listen(server: Server, port: number, address: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  }).catch((error: unknown) => {
    throw new CodegenError('CONFIG_INVALID', `--port ${port} can't be served: ${messageOf(error)}`, {
      hint: 'Give a free port, and as --host an address of this machine.',
      cause: error,
    });
  });
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? bound.port : port;
}
