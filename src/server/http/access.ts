import { isIPv6 } from 'node:net';

interface ServerAddress {
  scheme: 'http' | 'https';
  address: string;
  port: number;
  /** An entry without a port matches any port. */
  allowedHosts?: readonly string[];
  allowedOrigins?: readonly string[];
}

const defaultPorts = { http: 80, https: 443 };

export function hostOf(address: string): string {
  return isIPv6(address) ? `[${address}]` : address;
}

/** Returns why a request is rejected. Prevents DNS rebinding (evil.example resolving to 127.0.0.1), which Hono does not. */
export function createHostCheck(
  server: ServerAddress,
): (host: string, origin: string | undefined) => string | undefined {
  const { scheme, address, port, allowedHosts = [], allowedOrigins = [] } = server;
  const own = ['localhost', '127.0.0.1', '[::1]', hostOf(address)].map((name) => `${name}:${port}`);
  const hosts = new Set([...own, ...allowedHosts].map((host) => host.toLowerCase()));
  const origins = new Set([...own.map((host) => new URL(`${scheme}://${host}`).origin), ...allowedOrigins]);
  return (host, origin) => {
    const [, name = '', given = String(defaultPorts[scheme])] =
      /^(\[[\da-f:.]+\]|[a-z\d.-]+)(?::(\d+))?$/.exec(host.toLowerCase()) ?? [];
    if (!hosts.has(name) && !hosts.has(`${name}:${given}`)) return 'Forbidden: this Host is not allowed';
    if (origin !== undefined && !origins.has(origin)) return 'Forbidden: this Origin is not allowed';
    return undefined;
  };
}
