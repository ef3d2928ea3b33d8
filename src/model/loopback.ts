import ipaddr from 'ipaddr.js';

/** Whether an IP address is a loopback address, also if it is an IPv4-mapped IPv6 address. */
export function isLoopback(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback';
}

/** Whether a host name is this machine by definition (RFC 6761). */
export function isLocalhost(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost');
}
