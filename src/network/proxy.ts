import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { connect, createServer, isIP, type Socket } from 'node:net';
import { messageOf } from '../model/errors.js';
import { isLocalhost } from '../model/loopback.js';
import { canonicalHost } from './address.js';
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
  /** Why, in words that follow the origin. */
  rule: string;
}

/** Why nothing came from an origin: the rules, or the network. */
export type ConnectionFailure = { refused: Refused } | { error: string };

/** A failure in a few words. */
export function describeFailure(failure: ConnectionFailure): string {
  return 'error' in failure ? failure.error : `blocked: ${failure.refused.rule}`;
}

/** The only way from a session's pages to the network. */
export interface SessionProxy {
  /** As Playwright takes it. */
  settings: { server: string; bypass: string };
  /** Why the latest connection to a URL's origin failed; undefined where it did not. */
  failure: (url: string) => ConnectionFailure | undefined;
  close: () => void;
}

export interface ProxyOptions {
  /** The rules of now: a change holds from the next request on. */
  rules: () => NetworkRules;
  onRefused?: (refused: Refused) => void;
  environment?: NodeJS.ProcessEnv;
  /** Finds the addresses of a name. */
  resolve?: (host: string) => Promise<string[]>;
}

/** Chromium's names for what keeps a connection from being made. */
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

/** Origins whose failure is remembered, the latest ones. */
const kept = 500;

interface Reached {
  target: Socket;
  /** The address it has; undefined behind a proxy upstream. */
  address: string | undefined;
}

/** A connection that is open, and what it may be: its scheme shows only in its first byte. */
interface Tunnel extends Reached {
  client: Socket;
  destinations: readonly Destination[];
}

/**
 * Opens a SOCKS proxy on this machine that connects to what the rules allow. SOCKS, since it carries bytes: what is
 * allowed behaves as without it. A name's addresses are found once, judged, and connected to.
 */
export async function openProxy(options: ProxyOptions): Promise<SessionProxy> {
  const { rules, onRefused, environment = process.env, resolve = addressesOf } = options;
  const failures = new Map<string, ConnectionFailure>();
  const clients = new Set<Socket>();
  const tunnels = new Set<Tunnel>();
  let inForce = rules();

  function note(origin: string, failure: ConnectionFailure): void {
    failures.delete(origin);
    failures.set(origin, failure);
    const [oldest] = failures.keys();
    if (failures.size > kept && oldest !== undefined) failures.delete(oldest);
  }

  function refusedOf(destinations: readonly Destination[], address: string | undefined): Refused[] {
    return destinations.flatMap((destination) => {
      const rule = refusalReason(rules(), destination, address);
      return rule === undefined ? [] : [{ origin: destinationOrigin(destination), rule }];
    });
  }

  /** Tells of a refusal; one whose scheme nobody knows goes by that of its port. */
  function tell(refused: readonly Refused[], port: number): void {
    for (const each of refused) note(each.origin, { refused: each });
    const shown = refused.at(port === 443 ? -1 : 0);
    if (shown !== undefined) onRefused?.(shown);
  }

  /** Connects to where the rules allow it for one of the schemes; undefined where they don't. */
  async function reach(
    destinations: readonly Destination[],
    host: string,
    port: number,
  ): Promise<Reached | undefined> {
    const isOpen = (refused: readonly Refused[]): boolean => refused.length < destinations.length;
    // Before the name is looked up, which by itself would tell somebody something.
    const refused = refusedOf(destinations, undefined);
    const upstream = upstreamFor(environment, host, port);
    if (isOpen(refused) && upstream !== undefined)
      return { target: await connectThrough(upstream, host, port), address: undefined };
    const addresses = isOpen(refused) ? await resolve(host) : [];
    const open = addresses.filter((address) => isOpen(refusedOf(destinations, address)));
    if (open.length === 0) {
      tell(isOpen(refused) ? refusedOf(destinations, addresses[0]) : refused, port);
      return undefined;
    }
    const target = await connectTo(open, port);
    return { target, address: target.remoteAddress };
  }

  async function serve(client: Socket): Promise<void> {
    const { host: wanted, port } = await acceptRequest(client);
    const host = canonicalHost(wanted);
    if (host === undefined) throw new Error(`not a host: ${wanted}`);
    const destinations = schemes.map((scheme): Destination => ({ scheme, host, port }));
    const reached = await reach(destinations, host, port).catch((error: unknown) => {
      for (const destination of destinations)
        note(destinationOrigin(destination), { error: networkError(error) });
    });
    if (reached === undefined) {
      sendReply(client, replies.failed);
      client.end();
      return;
    }
    const { target, address } = reached;
    endWith(client, target);
    endWith(target, client);
    for (const destination of destinations) failures.delete(destinationOrigin(destination));
    sendReply(client, replies.succeeded);
    const isMixed = refusedOf(destinations, address).length > 0;
    const scheme = isMixed && (await peek(client)) === tlsHandshake ? 'https' : 'http';
    const possible = destinations.filter((each) => !isMixed || each.scheme === scheme);
    const tunnel = { client, target, address, destinations: possible };
    if (!isStill(tunnel)) return;
    tunnels.add(tunnel);
    client
      .once('close', () => tunnels.delete(tunnel))
      .on('data', () => {
        if (rules() === inForce) return;
        inForce = rules();
        tunnels.forEach(isStill);
      })
      .pipe(target)
      .pipe(client);
  }

  /** Whether the rules still allow a connection, which is ended where they don't. */
  function isStill({ client, target, destinations, address }: Tunnel): boolean {
    const refused = refusedOf(destinations, address);
    if (refused.length === 0) return true;
    tell(refused, destinations[0]?.port ?? 0);
    client.destroy();
    target.destroy();
    return false;
  }

  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    clients.add(client);
    client.on('error', () => undefined).once('close', () => clients.delete(client));
    serve(client).catch(() => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  const port = typeof bound === 'object' ? bound?.port : undefined;
  return {
    // Chromium would reach this machine without a proxy, were it not told otherwise.
    settings: { server: `socks5://127.0.0.1:${port}`, bypass: '<-loopback>' },
    failure(url) {
      const destination = destinationOf(url);
      return destination === undefined ? undefined : failures.get(destinationOrigin(destination));
    },
    close() {
      server.close();
      for (const client of clients) client.destroy();
    },
  };
}

/** What a name stands for; names of this machine are not looked up, as in browsers. */
async function addressesOf(host: string): Promise<string[]> {
  if (isIP(host) !== 0) return [host];
  if (isLocalhost(host)) return ['127.0.0.1', '::1'];
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

/** Connects to the first of the addresses that answers. */
async function connectTo(addresses: readonly string[], port: number): Promise<Socket> {
  const found = addresses.map((address) => ({ address, family: isIP(address) }));
  const socket = connect({
    host: 'judged',
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

/** What ends one of two sockets before its time ends the other. */
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
