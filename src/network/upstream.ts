import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Socket } from 'node:net';
import { isLocalhost, isLoopback } from '../model/loopback.js';
import { parseUrl } from '../model/parse-url.js';

/** Milliseconds for the upstream proxy to connect. */
const connectMs = 30_000;

/**
 * The proxy that the environment sets for a host, as browsers read it: `HTTPS_PROXY` (`HTTP_PROXY` for port 80), else
 * `ALL_PROXY`, in upper or lower case; undefined for this machine and for hosts in `NO_PROXY`. Doesn't use
 * `proxy-from-env`, in which `NO_PROXY=shop.example` excludes subdomains and a proxy without a scheme is HTTPS.
 */
export function upstreamFor(environment: NodeJS.ProcessEnv, host: string, port: number): URL | undefined {
  const read = (name: string): string => environment[name.toLowerCase()] ?? environment[name] ?? '';
  const named = read(port === 80 ? 'HTTP_PROXY' : 'HTTPS_PROXY') || read('ALL_PROXY');
  if (named === '' || isLoopback(host) || isLocalhost(host)) return undefined;
  const isExempt = read('NO_PROXY')
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => {
      const [, name = '', only] = /^\*?\.?(.*?)(?::(\d+))?$/.exec(entry) ?? [];
      if (entry === '' || (only !== undefined && Number(only) !== port)) return false;
      return name === '' || host === name || host.endsWith(`.${name}`);
    });
  const url = named.includes('://') ? named : `http://${named}`;
  return isExempt ? undefined : parseUrl(url);
}

/** Connects to a host through an HTTP proxy with CONNECT. */
export function connectThrough(proxy: URL, host: string, port: number): Promise<Socket> {
  const target = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const credentials = [proxy.username, proxy.password].map(decodeURIComponent).join(':');
  return new Promise((resolve, reject) => {
    const request = (proxy.protocol === 'https:' ? requestHttps : requestHttp)({
      host: proxy.hostname.replace(/^\[|\]$/g, ''),
      port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80),
      method: 'CONNECT',
      path: target,
      headers: {
        host: target,
        ...(proxy.username === ''
          ? {}
          : { 'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}` }),
      },
      timeout: connectMs,
    });
    request
      .on('connect', (response, socket, head) => {
        if (response.statusCode === 200) {
          socket.setTimeout(0).unshift(head);
          resolve(socket);
        } else {
          socket.destroy();
          reject(new Error(`the proxy ${proxy.host} answered ${response.statusCode ?? 'nothing'}`));
        }
      })
      .on('response', (response) => {
        response.destroy();
        reject(new Error(`the proxy ${proxy.host} answered ${response.statusCode ?? 'nothing'}`));
      })
      .on('timeout', () => request.destroy(new Error(`the proxy ${proxy.host} does not answer`)))
      .on('error', reject)
      .end();
  });
}
