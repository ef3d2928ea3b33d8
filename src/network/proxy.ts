import { once } from 'node:events';
import { connect, createServer, isIP, type Socket } from 'node:net';
import { messageOf } from '../model/errors.js';
import { canonicalHost } from './address.js';
import { Lookups } from './lookups.js';
import {
  destinationOf,
  destinationOrigin,
  refusalReason,
  schemes,
  type Destination,
  type NetworkRules,
} from './rules.js';
import { acceptRequest, sendReply, peek, replies } from './socks.js';
import { connectThrough, upstreamFor } from './upstream.js';

/** A connection that the rules refused. */
export interface Refused {
  origin: string;
  /** Why, as a clause that follows the origin in a message. */
  rule: string;
}

/** Why a connection to an origin failed: the rules refused it, or a network error. */
export type ConnectionFailure = { refused: Refused } | { error: string };

export function describeFailure(failure: ConnectionFailure): string {
  return 'error' in failure ? failure.error : `blocked: ${failure.refused.rule}`;
}

/** The proxy through which all connections of a session's pages go. */
export interface SessionProxy {
  /** Playwright's `proxy` option. */
  settings: { server: string; bypass: string };
  /** Why the latest connection to a URL's origin failed; undefined if it succeeded. */
  failure: (url: string) => ConnectionFailure | undefined;
  close: () => void;
}

export interface ProxyOptions {
  /** Returns the current rules; a change applies to the next request. */
  rules: () => NetworkRules;
  onRefused?: (refused: Refused) => void;
  environment?: NodeJS.ProcessEnv;
  /** Finds the addresses of a name. */
  resolve?: (host: string) => Promise<string[]>;
}

/** Chromium's names for network errors. */
const networkErrors: Record<string, string> = {
  ECONNREFUSED: 'net::ERR_CONNECTION_REFUSED',
  ECONNRESET: 'net::ERR_CONNECTION_RESET',
  ENOTFOUND: 'net::ERR_NAME_NOT_RESOLVED',
  EAI_AGAIN: 'net::ERR_NAME_NOT_RESOLVED',
  EHOSTUNREACH: 'net::ERR_ADDRESS_UNREACHABLE',
  ENETUNREACH: 'net::ERR_ADDRESS_UNREACHABLE',
  ETIMEDOUT: 'net::ERR_CONNECTION_TIMED_OUT',
};

/** The first byte of a TLS connection. */
const tlsHandshake = 0x16;

/** How many origins' latest failures are kept. */
const maxFailures = 500;

/** Connections of a session, of two file descriptors each. Chromium opens up to 64 per context. */
const maxConnections = 256;

interface Reached {
  target: Socket;
  /** Its address; undefined behind an upstream proxy. */
  address: string | undefined;
}

/** An open connection with its possible schemes: only the first byte shows which one it is. */
interface Tunnel extends Reached {
  client: Socket;
  destinations: readonly Destination[];
}

/**
 * Starts a local SOCKS proxy that allows only connections that the rules permit. SOCKS carries plain bytes, so allowed
 * traffic is unchanged. A host is resolved once, and the proxy connects only to the addresses that it checked.
 */
export async function openProxy(options: ProxyOptions): Promise<SessionProxy> {
  const gate = new Gate(options);
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    gate.accept(client);
  });
  server.maxConnections = maxConnections;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  const port = typeof bound === 'object' ? bound?.port : undefined;
  return {
    // Without this rule Chromium bypasses the proxy for loopback addresses.
    settings: { server: `socks5://127.0.0.1:${port}`, bypass: '<-loopback>' },
    failure: (url) => gate.failureOf(url),
    close() {
      server.close();
      gate.close();
    },
  };
}

/** Accepts or refuses connections, and tracks the open ones. */
class Gate {
  private readonly failures = new Map<string, ConnectionFailure>();
  private readonly clients = new Set<Socket>();
  private readonly tunnels = new Set<Tunnel>();
  private readonly lookups: Lookups;
  private inForce: NetworkRules;

  constructor(private readonly options: ProxyOptions) {
    this.lookups = new Lookups(options.resolve);
    this.inForce = options.rules();
  }

  accept(client: Socket): void {
    this.clients.add(client);
    client.on('error', () => undefined).once('close', () => this.clients.delete(client));
    this.serve(client).catch(() => client.destroy());
  }

  failureOf(url: string): ConnectionFailure | undefined {
    const destination = destinationOf(url);
    return destination === undefined ? undefined : this.failures.get(destinationOrigin(destination));
  }

  close(): void {
    this.lookups.close();
    for (const client of this.clients) client.destroy();
  }

  private note(origin: string, failure: ConnectionFailure): void {
    this.failures.delete(origin);
    this.failures.set(origin, failure);
    const [oldest] = this.failures.keys();
    if (this.failures.size > maxFailures && oldest !== undefined) this.failures.delete(oldest);
  }

  private refusals(destinations: readonly Destination[], address: string | undefined): Refused[] {
    return destinations.flatMap((destination) => {
      const rule = refusalReason(this.options.rules(), destination, address);
      return rule === undefined ? [] : [{ origin: destinationOrigin(destination), rule }];
    });
  }

  /** Reports a refusal; if both schemes are refused, under the scheme of the port. */
  private report(refused: readonly Refused[], port: number): void {
    for (const each of refused) this.note(each.origin, { refused: each });
    const shown = refused.at(port === 443 ? -1 : 0);
    if (shown !== undefined) this.options.onRefused?.(shown);
  }

  /** Connects if the rules allow it for at least one scheme; returns undefined otherwise. */
  private async reach(
    destinations: readonly Destination[],
    host: string,
    port: number,
  ): Promise<Reached | undefined> {
    const { environment = process.env } = this.options;
    const isOpen = (refused: readonly Refused[]): boolean => refused.length < destinations.length;
    // Checked before the lookup: a host name can leak data to a name server.
    const refused = this.refusals(destinations, undefined);
    const upstream = upstreamFor(environment, host, port);
    if (isOpen(refused) && upstream !== undefined)
      return { target: await connectThrough(upstream, host, port), address: undefined };
    const addresses = isOpen(refused) ? await this.lookups.find(host) : [];
    const open = addresses.filter((address) => isOpen(this.refusals(destinations, address)));
    if (open.length === 0) {
      this.report(isOpen(refused) ? this.refusals(destinations, addresses[0]) : refused, port);
      return undefined;
    }
    const target = await connectTo(open, port);
    return { target, address: target.remoteAddress };
  }

  private async serve(client: Socket): Promise<void> {
    const { host: wanted, port } = await acceptRequest(client);
    const host = canonicalHost(wanted);
    if (host === undefined) throw new Error(`not a host: ${wanted}`);
    const destinations = schemes.map((scheme): Destination => ({ scheme, host, port }));
    const reached = await this.reach(destinations, host, port).catch((error: unknown) => {
      for (const destination of destinations)
        this.note(destinationOrigin(destination), { error: networkError(error) });
    });
    if (reached === undefined) {
      sendReply(client, replies.failed);
      client.end();
      return;
    }
    const { target, address } = reached;
    endWith(client, target);
    endWith(target, client);
    for (const destination of destinations) this.failures.delete(destinationOrigin(destination));
    sendReply(client, replies.succeeded);
    const isMixed = this.refusals(destinations, address).length > 0;
    const scheme = isMixed && (await peek(client)) === tlsHandshake ? 'https' : 'http';
    const possible = destinations.filter((each) => !isMixed || each.scheme === scheme);
    this.pipe({ client, target, address, destinations: possible });
  }

  private pipe(tunnel: Tunnel): void {
    if (!this.isAllowed(tunnel)) return;
    this.tunnels.add(tunnel);
    const { client, target } = tunnel;
    client
      .once('close', () => this.tunnels.delete(tunnel))
      .on('data', () => {
        const rules = this.options.rules();
        if (rules === this.inForce) return;
        this.inForce = rules;
        for (const each of this.tunnels) this.isAllowed(each);
      })
      .pipe(target)
      .pipe(client);
  }

  /** Whether the rules allow a connection now; closes it if they don't. */
  private isAllowed({ client, target, destinations, address }: Tunnel): boolean {
    const refused = this.refusals(destinations, address);
    if (refused.length === 0) return true;
    this.report(refused, destinations[0]?.port ?? 0);
    client.destroy();
    target.destroy();
    return false;
  }
}

async function connectTo(addresses: readonly string[], port: number): Promise<Socket> {
  const found = addresses.map((address) => ({ address, family: isIP(address) }));
  const socket = connect({
    host: 'checked',
    port,
    noDelay: true,
    allowHalfOpen: true,
    autoSelectFamily: true,
    lookup: (_host, _options, callback) => {
      callback(null, found);
    },
  });
  await once(socket, 'connect');
  return socket;
}

/** Destroys `other` when `one` fails or closes. */
function endWith(one: Socket, other: Socket): void {
  one.on('error', () => other.resetAndDestroy()).once('close', () => other.destroy());
  if (one.destroyed) other.destroy();
}

function networkError(error: unknown): string {
  const errors = error instanceof AggregateError ? error.errors : [error];
  for (const each of errors)
    if (each instanceof Error && 'code' in each && typeof each.code === 'string')
      return networkErrors[each.code] ?? `net::ERR_FAILED (${each.code})`;
  return messageOf(error);
}
