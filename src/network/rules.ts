import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import {
  canonicalAddress,
  canonicalHost,
  isInRange,
  isMetadata,
  isOwnAddress,
  servedPorts,
} from './address.js';
import { parseUrl } from '../model/parse-url.js';

/** Which origins pages may connect to: those that a pattern allows and none blocks. */
export interface NetworkRules {
  allowedOrigins: readonly string[];
  blockedOrigins: readonly string[];
  /** Hosts whose cookies contain a secret that is bound to some of the host's origins. */
  hosts?: readonly { host: string; origins: readonly string[]; secret: string }[];
}

export const schemes = ['http', 'https'] as const;
type Scheme = (typeof schemes)[number];

/** The target of a connection; the host is canonical. */
export interface Destination {
  scheme: Scheme;
  host: string;
  port: number;
}

/** A parsed entry of the lists; undefined fields match everything. */
interface OriginPattern {
  scheme: Scheme | undefined;
  /** A name, an address, `*`, or a range of addresses such as `10.0.0.0/8`. */
  host: string;
  port: number | undefined;
}

const form = /^(?:(https?|wss?):\/\/)?(\*\.)?(\*|\[[\da-f:.]+\]|[^:/*]+)(?::(\d+|\*))?\/?$/i;

/**
 * Parses an entry of `allowedOrigins` or `blockedOrigins`: an origin such as `https://shop.example:8443`, a host, or an
 * address range such as `10.0.0.0/8`. `*` matches every host or port, `*.shop.example` every subdomain. An origin without
 * a port means its scheme's default; a bare host means all ports. `ws` and `wss` count as `http` and `https`. Undefined if
 * the entry is invalid.
 */
export function parsePattern(text: string): OriginPattern | undefined {
  if (ipaddr.isValidCIDR(text)) return { scheme: undefined, host: text, port: undefined };
  const [, prefix, below = '', name = '', digits] = form.exec(text) ?? [];
  const host = canonicalHost(name);
  const port = digits === undefined || digits === '*' ? undefined : Number(digits);
  if (host === undefined || (port ?? 0) > 65_535 || (below !== '' && (name === '*' || isIP(host) !== 0)))
    return undefined;
  const scheme = prefix === undefined ? undefined : /^(?:https|wss)$/i.test(prefix) ? 'https' : 'http';
  const isOrigin = scheme !== undefined && digits === undefined;
  return { scheme, host: below + host, port: isOrigin ? defaultPort(scheme) : port };
}

/**
 * Why a connection is refused, as a clause that follows the origin; undefined if it is allowed. Checks the resolved
 * `address` too, which prevents DNS rebinding: evil.example resolving to a blocked address.
 */
export function refusalReason(
  { allowedOrigins, blockedOrigins, hosts = [] }: NetworkRules,
  destination: Destination,
  address: string = destination.host,
): string | undefined {
  const { host } = destination;
  const bound = hosts.find(
    (each) => each.host === host && !each.origins.includes(destinationOrigin(destination)),
  );
  if (bound !== undefined)
    return `a cookie of ${host} contains ${bound.secret}, which is bound to ${bound.origins.join(', ')}`;
  const reached = canonicalAddress(address);
  // Blocking localhost blocks this machine, whichever of its addresses a page uses.
  const isOwn = isOwnAddress(reached);
  const names = [host, reached, ...(isOwn ? ['localhost'] : [])];
  const covers = (text: string, name: string): boolean => matches(text, { ...destination, host: name });

  const blocking = blockedOrigins.find((text) => names.some((name) => covers(text, name)));
  if (blocking !== undefined) return `network.blockedOrigins lists ${JSON.stringify(blocking)}`;
  const sensitive = names.filter(isMetadata);
  const isListed = allowedOrigins.some(
    (text) => parsePattern(text)?.host !== '*' && sensitive.some((name) => covers(text, name)),
  );
  if (sensitive.length > 0 && !isListed)
    return `${reached} is a metadata or link-local address, which network.allowedOrigins must list explicitly`;
  // Otherwise an agent could use up the attempts to log in to the web UI.
  if (
    isOwn &&
    servedPorts.has(destination.port) &&
    !allowedOrigins.some((text) => namesPort(text) && names.some((name) => covers(text, name)))
  )
    return 'this server listens there, which network.allowedOrigins must list with its port';
  return allowedOrigins.some((text) => covers(text, host))
    ? undefined
    : 'network.allowedOrigins does not list it';
}

/** Whether an entry names a host and a port. */
function namesPort(text: string): boolean {
  const pattern = parsePattern(text);
  return pattern?.port !== undefined && pattern.host !== '*';
}

export function destinationOrigin({ scheme, host, port }: Destination): string {
  const name = isIP(host) === 6 ? `[${host}]` : host;
  return `${scheme}://${name}${port === defaultPort(scheme) ? '' : `:${port}`}`;
}

/** The destination of a request; undefined for URLs of other schemes. */
export function destinationOf(url: string): Destination | undefined {
  const { protocol = '', hostname = '', port = '' } = parseUrl(url) ?? {};
  const scheme = /^(?:https|wss):$/.test(protocol) ? 'https' : 'http';
  const host = /^(?:https?|wss?):$/.test(protocol) ? canonicalHost(hostname) : undefined;
  return host === undefined
    ? undefined
    : { scheme, host, port: port === '' ? defaultPort(scheme) : Number(port) };
}

function matches(text: string, { scheme, host, port }: Destination): boolean {
  const pattern = parsePattern(text);
  if (pattern === undefined) return false;
  const isHost = pattern.host.startsWith('*.')
    ? host.endsWith(pattern.host.slice(1))
    : pattern.host.includes('/')
      ? isInRange(host, pattern.host)
      : pattern.host === '*' || pattern.host === host;
  return isHost && (pattern.scheme ?? scheme) === scheme && (pattern.port ?? port) === port;
}

function defaultPort(scheme: Scheme): number {
  return scheme === 'https' ? 443 : 80;
}
