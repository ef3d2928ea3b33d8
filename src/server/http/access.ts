import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIPv6 } from 'node:net';
import type { Refusal } from './refuse.js';

/** Where a server listens, and what else it answers to. */
export interface Place {
  scheme: 'http' | 'https';
  /** The address it is bound to. */
  address: string;
  port: number;
  /** Hosts; without a port, at any. */
  allowedHosts: readonly string[];
  allowedOrigins: readonly string[];
}

const defaultPorts = { http: 80, https: 443 };

/** The address as URLs have it. */
export function hostOf(address: string): string {
  return isIPv6(address) ? `[${address}]` : address;
}

/**
 * Tells of a request that came by a name that is not the server's, or from a web page that may not call: else any page
 * that a browser here shows could, by DNS rebinding.
 */
export function createHostCheck(place: Place): (request: IncomingMessage) => Refusal | undefined {
  const { scheme, address, port, allowedHosts, allowedOrigins } = place;
  const own = ['localhost', '127.0.0.1', '[::1]', hostOf(address)].map((name) => `${name}:${port}`);
  const hosts = new Set([...own, ...allowedHosts].map((host) => host.toLowerCase()));
  const origins = new Set([...own.map((host) => new URL(`${scheme}://${host}`).origin), ...allowedOrigins]);
  return ({ headers: { host = '', origin } }) => {
    const [, name = '', given = String(defaultPorts[scheme])] =
      /^(\[[\da-f:.]+\]|[a-z\d.-]+)(?::(\d+))?$/.exec(host.toLowerCase()) ?? [];
    if (!hosts.has(name) && !hosts.has(`${name}:${given}`))
      return { status: 403, message: 'Forbidden: Host is not one that this server answers to' };
    if (origin !== undefined && !origins.has(origin))
      return { status: 403, message: 'Forbidden: Origin is not one that may call' };
    return undefined;
  };
}

/** Lets a web page that may call read the answer. True for a browser's question whether it may, which that answers. */
export function shareWithPage({ headers, method }: IncomingMessage, response: ServerResponse): boolean {
  const { origin } = headers;
  if (origin === undefined) return false;
  response.setHeader('Access-Control-Allow-Origin', origin);
  response.setHeader('Access-Control-Expose-Headers', 'Mcp-Session-Id, WWW-Authenticate');
  response.setHeader('Vary', 'Origin');
  if (method !== 'OPTIONS') return false;
  response.setHeader('Access-Control-Allow-Methods', 'GET, POST, DELETE');
  response.setHeader(
    'Access-Control-Allow-Headers',
    'Authorization, Content-Type, Mcp-Session-Id, Mcp-Protocol-Version, Last-Event-ID',
  );
  response.writeHead(204).end();
  return true;
}

/** The bearer token of a request; empty where there is none. */
export function tokenOf({ headers: { authorization = '' } }: IncomingMessage): string {
  return /^bearer +(\S+)$/i.exec(authorization)?.[1] ?? '';
}

/** The same answer to a missing, a wrong and a malformed token. */
export const unauthorized: Refusal = {
  status: 401,
  message: 'Unauthorized: the bearer token of a grant is needed',
  headers: { 'WWW-Authenticate': 'Bearer realm="codegen-session-mcp"' },
};
