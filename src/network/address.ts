import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';
import { isLoopback } from '../model/loopback.js';
import { parseUrl } from '../model/parse-url.js';

/** Link-local addresses and those of cloud metadata services. */
const metadataRanges = [
  '169.254.0.0/16',
  'fe80::/10',
  // Alibaba, Azure, Oracle; AWS and Google over IPv6.
  ...['100.100.100.200/32', '168.63.129.16/32', '192.0.0.192/32', 'fd00:ec2::254/128', 'fd20:ce::254/128'],
];

/** Host names of metadata services: an upstream proxy resolves names itself. */
const metadataNames = new Set([
  'metadata',
  'metadata.google.internal',
  'metadata.goog',
  'instance-data',
  'instance-data.ec2.internal',
  'metadata.tencentyun.com',
]);

/** IPv6 ranges whose addresses embed an IPv4 address, with its byte offset. */
const embeddedIPv4: readonly (readonly [range: string, start: number])[] = [
  ['::ffff:0:0/96', 12],
  ['::/96', 12],
  ['::ffff:0:0:0/96', 12],
  ['64:ff9b::/96', 12],
  ['64:ff9b:1::/48', 12],
  ['2002::/16', 2],
];

/**
 * Normalizes a host as browsers do: lower case, punycode, dotted IPv4, IPv6 without brackets, no trailing dot. Undefined
 * if it is not a host.
 */
export function canonicalHost(host: string): string | undefined {
  const bracketed = isIPv6(host) ? `[${host}]` : host;
  const url = /[/\\?#@\s]/.test(bracketed) ? undefined : parseUrl(`http://${bracketed}/`);
  if (url === undefined) return undefined;
  const { hostname, port } = url;
  if (port !== '' || (bracketed.includes(':') && !bracketed.endsWith(']'))) return undefined;
  return hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '') || undefined;
}

/** The address that a connection reaches: an embedded IPv4 address is extracted, and `0.0.0.0` is loopback. */
export function canonicalAddress(address: string): string {
  const canonical = canonicalHost(address.replace(/%.*/, '')) ?? address;
  if (canonical === '0.0.0.0') return '127.0.0.1';
  if (canonical === '::') return '::1';
  if (!isIPv6(canonical) || canonical === '::1') return canonical;
  const [, start] = embeddedIPv4.find(([range]) => isInRange(canonical, range)) ?? [];
  if (start === undefined) return canonical;
  const bytes = ipaddr.parse(canonical).toByteArray();
  return canonicalAddress(bytes.slice(start, start + 4).join('.'));
}

/** Whether an address is in a range such as `10.0.0.0/8`. */
export function isInRange(address: string, range: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  const [first, bits] = ipaddr.parseCIDR(range);
  return parsed.kind() === first.kind() && parsed.match(first, bits);
}

/** Whether the host of a URL always means this machine. */
export function isThisMachine(hostname: string): boolean {
  return hostname === 'localhost' || isLoopback(canonicalHost(hostname) ?? '');
}

/** Whether an address belongs to this machine: loopback, or one of its network interfaces. */
export function isOwnAddress(address: string): boolean {
  if (isLoopback(address)) return true;
  return Object.values(networkInterfaces()).some((own) =>
    own?.some((each) => canonicalAddress(each.address) === address),
  );
}

/** Whether a host name or address is link-local or belongs to a cloud metadata service. */
export function isMetadata(host: string): boolean {
  return metadataNames.has(host) || metadataRanges.some((range) => isInRange(host, range));
}

/** Ports at which this process serves clients and people. */
export const servedPorts = new Set<number>();
