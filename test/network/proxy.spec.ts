import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { request } from '@playwright/test';
import { openProxy, type ProxyOptions, type Refused, type SessionProxy } from '../../src/network/proxy.js';
import type { NetworkRules } from '../../src/network/rules.js';
import { expect, test as base } from '../fixtures.js';
import { sendJson, serve, type Site } from '../fixtures/serve.js';

interface Answer {
  status: number;
  body: string;
}

interface Way {
  proxy: SessionProxy;
  /** What was refused so far. */
  refused: Refused[];
  /** Gets a URL through the proxy; what could not be got is told as an error. */
  get: (url: string, headers?: Record<string, string>) => Promise<Answer | Error>;
}

type OpenWay = (rules: Partial<NetworkRules>, options?: Partial<ProxyOptions>) => Promise<Way>;

const test = base.extend<{ plain: Site & { seen: string[] }; secure: Site; way: OpenWay }>({
  plain: async ({}, use) => {
    const seen: string[] = [];
    const site = await serve(async (incoming, response) => {
      seen.push(`${incoming.method ?? ''} ${incoming.headers.host ?? ''}${incoming.url ?? ''}`);
      const body = await buffer(incoming);
      sendJson(response, 200, {
        extra: incoming.headers['x-extra'],
        sha: createHash('sha256').update(body).digest('hex'),
      });
    }, 0);
    await use({ ...site, seen });
    await site.close();
  },
  secure: async ({}, use) => {
    const site = await serve((_, response) => Promise.resolve(void response.end('secure')), 0, 'https');
    await use(site);
    await site.close();
  },
  way: async ({}, use) => {
    const closing: (() => unknown)[] = [];
    await use(async (rules, options = {}) => {
      const refused: Refused[] = [];
      const whole = { allowedOrigins: ['*'], blockedOrigins: [], ...rules };
      const proxy = await openProxy({
        rules: () => whole,
        onRefused: (each) => refused.push(each),
        environment: {},
        ...options,
      });
      const client = await request.newContext({ proxy: proxy.settings, ignoreHTTPSErrors: true });
      closing.push(() => client.dispose(), proxy.close);
      return {
        proxy,
        refused,
        get: async (url, headers = {}) => {
          try {
            const response = await client.get(url, { headers, timeout: 10_000 });
            return { status: response.status(), body: await response.text() };
          } catch (error) {
            return error instanceof Error ? error : new Error(String(error));
          }
        },
      };
    });
    for (const close of closing) await close();
  },
});

const portOf = ({ url }: Site): number => Number(new URL(url).port);

/** What comes next; nothing where the connection ends. */
function next(socket: Socket): Promise<Buffer> {
  return new Promise((resolve) => {
    const end = (): void => {
      resolve(Buffer.alloc(0));
    };
    socket.once('close', end).once('data', (chunk: Buffer) => {
      socket.off('close', end);
      resolve(chunk);
    });
  });
}

/** A connection through the proxy, asked for in pieces, as networks may deliver them. */
async function dial(proxy: SessionProxy, host: string, port: number): Promise<Socket> {
  const socket = connect(Number(new URL(proxy.settings.server).port), '127.0.0.1');
  socket.on('error', () => undefined).setNoDelay();
  socket.write(Buffer.from([5]));
  socket.write(Buffer.from([1, 0]));
  expect([...(await next(socket))]).toEqual([5, 0]);
  socket.write(Buffer.from([5, 1, 0, 3, host.length]));
  socket.write(Buffer.concat([Buffer.from(host), Buffer.from([port >> 8, port & 255])]));
  expect([...(await next(socket))]).toEqual([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  return socket;
}

test('allowed responses arrive byte for byte, over http and https', async ({ plain, secure, way }) => {
  const { get, proxy, refused } = await way({ allowedOrigins: ['127.0.0.1'] });
  const body = randomBytes(3_000_000);
  const client = await request.newContext({ proxy: proxy.settings, extraHTTPHeaders: { 'x-extra': 'é' } });
  const echoed = await client.post(plain.url, { data: body, timeout: 20_000 });
  expect(await echoed.json()).toMatchObject({ sha: createHash('sha256').update(body).digest('hex') });
  await client.dispose();
  expect(await get(`${secure.url}/`)).toEqual({ status: 200, body: 'secure' });
  expect(refused).toEqual([]);
});

test('a blocked host is not even resolved, and the answer says why', async ({ plain, secure, way }) => {
  const asked: string[] = [];
  const resolve = (host: string): Promise<string[]> => {
    asked.push(host);
    return Promise.resolve(['127.0.0.1']);
  };
  const port = portOf(plain);
  const { get, proxy, refused } = await way(
    { allowedOrigins: [`http://app.example:${port}`, `https://localhost:${port}`, `http://127.0.0.1:*`] },
    { resolve },
  );
  expect(await get(`http://App.Example.:${port}/in`)).toMatchObject({ status: 200 });
  for (const url of [`http://evil.example:${port}/`, `http://app.example@evil.example:${port}/`])
    expect(await get(url), url).toBeInstanceOf(Error);
  expect(asked).toEqual(['app.example']);
  const rule = 'network.allowedOrigins does not list it';
  expect(refused[0]).toEqual({ origin: `http://evil.example:${port}`, rule });
  expect(proxy.failure(`http://evil.example:${port}/x`)).toEqual({ refused: refused[0] });
  expect(proxy.failure(`http://app.example:${port}/`)).toBeUndefined();

  // A port is open for one scheme alone: what comes first tells which it is.
  expect(await get(`http://localhost:${port}/`)).toBeInstanceOf(Error);
  expect(refused.at(-1)).toEqual({ origin: `http://localhost:${port}`, rule });
  expect(await get(`${secure.url}/`)).toBeInstanceOf(Error);
  expect(refused.at(-1)).toEqual({ origin: secure.url, rule });
  expect(plain.seen).toEqual([`GET app.example.:${port}/in`]);
});

test('a name is judged by the addresses actually connected to, however often it is rebound', async ({
  plain,
  way,
}) => {
  const port = portOf(plain);
  const answers = [
    ['10.255.255.1', '127.0.0.1'],
    ['127.0.0.2'],
    ['169.254.169.254'],
    ['::ffff:a9fe:a9fe'],
    [],
  ];
  const { get, refused } = await way(
    { blockedOrigins: [`http://10.255.255.1:${port}`, '127.0.0.2'] },
    { resolve: () => Promise.resolve(answers.shift() ?? []) },
  );
  // Of several addresses the open one is taken.
  expect(await get(`http://rebound.example:${port}/`)).toMatchObject({ status: 200 });
  for (const address of ['127.0.0.2', '169.254.169.254', '169.254.169.254']) {
    expect(await get(`http://rebound.example:${port}/`)).toBeInstanceOf(Error);
    expect(refused.at(-1)?.origin).toBe(`http://rebound.example:${port}`);
    expect(refused.at(-1)?.rule).toContain(address);
  }
  expect(plain.seen).toHaveLength(1);
});

test('a change of the rules ends open connections', async ({ plain, way }) => {
  let rules: NetworkRules = { allowedOrigins: ['*'], blockedOrigins: [] };
  const resolve = (): Promise<string[]> => Promise.resolve(['127.0.0.1']);
  const { proxy } = await way({}, { rules: () => rules, resolve });
  const [kept, ended] = [
    await dial(proxy, '127.0.0.1', portOf(plain)),
    await dial(proxy, 'bound.example', portOf(plain)),
  ];
  const ask = async (socket: Socket): Promise<string> => {
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    return String(await next(socket));
  };
  expect(await ask(ended)).toContain('200 OK');
  rules = { ...rules, blockedOrigins: ['bound.example'] };
  expect(await ask(ended)).toBe('');
  expect(await ask(kept)).toContain('200 OK');
  expect(plain.seen).toHaveLength(2);
});

test("network errors are reported by name, and malformed clients don't harm the proxy", async ({
  plain,
  way,
}) => {
  const resolve = (host: string): Promise<string[]> =>
    host === '127.0.0.1'
      ? Promise.resolve([host])
      : Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }));
  const { get, proxy, refused } = await way({}, { resolve });
  const closed = await serve(() => Promise.resolve(), 0);
  await closed.close();
  for (const [url, error] of [
    [`${closed.url}/`, 'net::ERR_CONNECTION_REFUSED'],
    ['http://nowhere.example/', 'net::ERR_NAME_NOT_RESOLVED'],
  ] as const) {
    expect(await get(url)).toBeInstanceOf(Error);
    expect(proxy.failure(url)).toEqual({ error });
  }
  for (const bytes of [
    'GET / HTTP/1.1\r\n\r\n',
    '\x05\x01\x00\x05\x02\x00\x01',
    '\x05\x00\x05\x01\x00\x03\x03a b\x00\x50',
    '\x05',
  ]) {
    const odd = connect(Number(new URL(proxy.settings.server).port), '127.0.0.1');
    odd
      .on('error', () => undefined)
      .resume()
      .end(Buffer.from(bytes, 'latin1'));
    await once(odd, 'close');
  }
  expect(refused).toEqual([]);
  expect(await get(plain.url)).toMatchObject({ status: 200 });
});

test('connections go through the proxy of the environment, by the same rules', async ({ plain, way }) => {
  const connected: string[] = [];
  const upstream = createServer().on('connect', (incoming, socket: Socket) => {
    connected.push(`${incoming.url ?? ''} ${incoming.headers['proxy-authorization'] ?? ''}`);
    if (incoming.url?.startsWith('away.') === true)
      return void socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    const target = connect(portOf(plain), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(target).pipe(socket);
    });
    return undefined;
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const address = upstream.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const environment = { http_proxy: `http://me:p%40ss@127.0.0.1:${port}`, no_proxy: 'direct.example' };
  const resolve = (): Promise<string[]> => Promise.resolve(['127.0.0.1']);
  const { get, proxy, refused } = await way({ blockedOrigins: ['evil.example'] }, { environment, resolve });
  expect(await get('http://app.example/')).toMatchObject({ status: 200 });
  expect(await get('http://away.example/')).toBeInstanceOf(Error);
  expect(proxy.failure('http://away.example/')).toEqual({
    error: `the proxy 127.0.0.1:${port} answered 502`,
  });
  for (const url of ['http://evil.example/', 'http://metadata.google.internal/', 'http://169.254.169.254/'])
    expect(await get(url)).toBeInstanceOf(Error);
  expect(refused).toHaveLength(3);
  expect(await get(`http://direct.example:${portOf(plain)}/`)).toMatchObject({ status: 200 });
  const credentials = `Basic ${Buffer.from('me:p@ss').toString('base64')}`;
  expect(connected).toEqual([`app.example:80 ${credentials}`, `away.example:80 ${credentials}`]);
  upstream.close();
});

test('the connections and lookups of one session are bounded', async ({ way }) => {
  const asked: string[] = [];
  const { proxy } = await way({}, { resolve: (host) => new Promise(() => asked.push(host)) });
  const port = Number(new URL(proxy.settings.server).port);
  const sockets = Array.from({ length: 300 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
  const ask = (host: string): Buffer =>
    Buffer.concat([Buffer.from([5, 1, 0, 5, 1, 0, 3, host.length]), Buffer.from(host), Buffer.from([0, 80])]);
  for (const [index, socket] of sockets.entries())
    socket.write(ask(index < 100 ? 'same.example' : `host${index}.example`));
  const closed = (): number => sockets.filter((socket) => socket.closed).length;
  await expect.poll(closed).toBe(300 - 256);
  expect(asked).toEqual(['same.example', 'host100.example']);
  for (const socket of sockets) socket.destroy();
});
