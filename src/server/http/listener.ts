import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Socket } from 'node:net';
import { CodegenError, messageOf } from '../../model/errors.js';
import { servedPorts } from '../../network/address.js';

const maxConnections = 1000;
/** Connections on which no request has been accepted yet. */
const maxUnaccepted = 200;
/** Connections on which a request of one grant has been accepted, so that no grant can take all. */
const maxAccepted = 500;

/** Milliseconds. Keep-alive is longer than in proxies, so that a connection is not closed while they send a request. */
const timeouts = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 1_000,
};

/** A server of Node.js, since the adapter of Hono does not limit connections. */
export interface Listener {
  server: Server;
  /** Marks the connection of a request as accepted, so that it is not closed for new ones of others. */
  accept: (request: IncomingMessage, grant?: string) => void;
}

/** An HTTP server, or HTTPS with a certificate. Throws CONFIG_INVALID if the certificate can't be used. */
export async function createListener(tls: { cert: string; key: string } | null): Promise<Listener> {
  const server = tls === null ? createServer(timeouts) : await createSecured(tls);
  server.maxConnections = maxConnections;
  const unaccepted = new Map<string, Socket>();
  /** By grant, the one that was used last at the end. */
  const accepted = new Map<string, Set<Socket>>();
  server.on('connection', (socket: Socket) => {
    const key = keyOf(socket);
    unaccepted.set(key, socket);
    socket.once('close', () => {
      if (unaccepted.get(key) === socket) unaccepted.delete(key);
    });
    // A client that only opens connections can only displace connections of this kind.
    const [oldest] = unaccepted.values();
    if (unaccepted.size > maxUnaccepted) oldest?.destroy();
  });
  return {
    server,
    accept: ({ socket }, grant = '') => {
      unaccepted.delete(keyOf(socket));
      const own = accepted.get(grant) ?? new Set();
      accepted.set(grant, own);
      if (!own.delete(socket)) socket.once('close', () => own.delete(socket));
      own.add(socket);
      const [longestUnused] = own;
      if (own.size > maxAccepted) longestUnused?.destroy();
    },
  };
}

async function createSecured({ cert, key }: { cert: string; key: string }): Promise<Server> {
  try {
    const [chain, privateKey] = await Promise.all([readFile(cert), readFile(key)]);
    const handshakeTimeout = timeouts.headersTimeout;
    return createSecureServer({ ...timeouts, handshakeTimeout, cert: chain, key: privateKey });
  } catch (error) {
    throw new CodegenError('CONFIG_INVALID', `http.tls can't be used: ${messageOf(error)}`, {
      hint: 'Set the paths of a PEM certificate and its private key.',
      cause: error,
    });
  }
}

/** Identifies a TCP connection: its TLS socket is another object. */
function keyOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

export async function listen(server: Server, port: number, address: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  }).catch((error: unknown) => {
    throw new CodegenError('CONFIG_INVALID', `--port ${port} can't be used: ${messageOf(error)}`, {
      hint: 'Use a free port, and an address of this machine as --host.',
      cause: error,
    });
  });
  const bound = server.address();
  const served = typeof bound === 'object' && bound !== null ? bound.port : port;
  servedPorts.add(served);
  server.once('close', () => servedPorts.delete(served));
  return served;
}
