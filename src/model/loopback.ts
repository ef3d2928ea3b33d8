import ipaddr from 'ipaddr.js';

/** Whether an address reaches this machine only, also as an IPv6 address that maps one of IPv4. */
export function isLoopback(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback';
}

/** Whether a name means this machine without a lookup (RFC 6761). */
export function isLocalhost(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost');
}
