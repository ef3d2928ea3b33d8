import { BlockList, isIP, isIPv6 } from 'node:net';
import { isLoopback } from '../model/loopback.js';

/** Where clouds tell a machine its credentials, and what else is reached only on its own link. */
const metadata = new BlockList();
metadata.addSubnet('169.254.0.0', 16);
metadata.addSubnet('fe80::', 10, 'ipv6');
/** Alibaba, Azure, Oracle; AWS and Google over IPv6. */
for (const address of ['100.100.100.200', '168.63.129.16', '192.0.0.192']) metadata.addAddress(address);
for (const address of ['fd00:ec2::254', 'fd20:ce::254']) metadata.addAddress(address, 'ipv6');

/** Names of the same, for where a proxy upstream resolves them. */
const metadataNames = new Set([
  'metadata',
  'metadata.google.internal',
  'metadata.goog',
  'instance-data',
  'instance-data.ec2.internal',
  'metadata.tencentyun.com',
]);

/** IPv6 addresses that hold the IPv4 address they stand for: mapped, compatible, translated (two kinds), 6to4. */
const wrapping = [
  /^0:0:0:0:0:(?:ffff|0):(\w+):(\w+)$/,
  /^0:0:0:0:ffff:0:(\w+):(\w+)$/,
  /^64:ff9b:0:0:0:0:(\w+):(\w+)$/,
  /^64:ff9b:1:\w+:\w+:\w+:(\w+):(\w+)$/,
  /^2002:(\w+):(\w+):/,
];

/**
 * A host as browsers write it, without a dot at the end: lower case, punycode, dotted IPv4 whatever its notation, IPv6
 * without brackets. Undefined where it is none.
 */
export function canonicalHost(host: string): string | undefined {
  const bracketed = isIPv6(host) ? `[${host}]` : host;
  if (/[/\\?#@\s]/.test(bracketed) || !URL.canParse(`http://${bracketed}/`)) return undefined;
  const { hostname, port } = new URL(`http://${bracketed}/`);
  if (port !== '' || (bracketed.includes(':') && !bracketed.endsWith(']'))) return undefined;
  return hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '') || undefined;
}

/** What a connection to the address reaches: IPv4 where IPv6 only wraps it, and this machine where it is unspecified. */
export function canonicalAddress(address: string): string {
  const canonical = canonicalHost(address.replace(/%.*/, '')) ?? address;
  if (canonical === '0.0.0.0') return '127.0.0.1';
  if (canonical === '::') return '::1';
  if (!isIPv6(canonical) || canonical === '::1') return canonical;
  const whole = expand(canonical);
  const [, high, low] = wrapping.map((form) => form.exec(whole)).find((found) => found !== null) ?? [];
  if (high === undefined || low === undefined) return canonical;
  const bytes = [high, low].flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 255]);
  return canonicalAddress(bytes.join('.'));
}

/** An IPv6 address with all of its eight groups. */
function expand(address: string): string {
  const [head = '', tail = ''] = address.split('::');
  const count = (part: string): number => (part === '' ? 0 : part.split(':').length);
  const zeros = Array.from({ length: 8 - count(head) - count(tail) }, () => '0').join(':');
  return [head, zeros, tail].filter((part) => part !== '').join(':');
}

/** Whether the host of a URL can only be this machine. */
export function isThisMachine(hostname: string): boolean {
  return hostname === 'localhost' || isLoopback(canonicalHost(hostname) ?? '');
}

/** Whether a host, or the address that it has, is one of a cloud's metadata. */
export function isMetadata(host: string): boolean {
  return metadataNames.has(host) || contains(metadata, host);
}

function contains(list: BlockList, address: string): boolean {
  const version = isIP(address);
  return version !== 0 && list.check(address, version === 6 ? 'ipv6' : 'ipv4');
}
