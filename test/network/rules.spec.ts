import { createServer } from 'node:http';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { canonicalAddress, isMetadata } from '../../src/network/address.js';
import { destinationOf, parsePattern, refusalReason, type NetworkRules } from '../../src/network/rules.js';
import { upstreamFor } from '../../src/network/upstream.js';
import { listen } from '../../src/server/http/listener.js';
import { expect, test } from '../fixtures.js';

function isAllowed(url: string, rules: Partial<NetworkRules>, address?: string): boolean {
  const destination = destinationOf(url);
  if (destination === undefined) throw new Error(`no destination: ${url}`);
  return (
    refusalReason({ allowedOrigins: ['*'], blockedOrigins: [], ...rules }, destination, address) === undefined
  );
}

test('a host with an umlaut is one however often it is asked for', () => {
  const hosts = Array.from({ length: 20_000 }, () => destinationOf('https://BÜCHER.example')?.host);
  expect(new Set(hosts)).toEqual(new Set(['xn--bcher-kva.example']));
});

test('a pattern covers an address in every notation', () => {
  const table: Record<string, { covers: string[]; not: string[] }> = {
    '*': { covers: ['http://a.example', 'https://[::1]:8443'], not: [] },
    'https://shop.example': {
      covers: [
        'https://shop.example/a?b#c',
        'https://SHOP.example.:443',
        'wss://shop.example',
        'https://evil.example@shop.example/',
      ],
      not: [
        'http://shop.example',
        'https://shop.example:8443',
        'https://www.shop.example',
        'https://shop.example.evil.example',
        'https://shop.example@evil.example/',
        'https://xshop.example',
        'https://evil.example/?https://shop.example',
        'https://evil.example\\@shop.example/',
      ],
    },
    'http://shop.example:8080/': { covers: ['ws://shop.example:8080'], not: ['http://shop.example'] },
    'https://*.shop.example': {
      covers: ['https://www.shop.example', 'https://a.b.shop.example'],
      not: ['https://shop.example', 'https://wwwshop.example', 'http://www.shop.example'],
    },
    'http://localhost:*': {
      covers: ['http://localhost', 'http://localhost:3000'],
      not: ['https://localhost:3000', 'http://sub.localhost:3000'],
    },
    'https://*': { covers: ['https://a.example'], not: ['http://a.example', 'https://a.example:8443'] },
    '*:8080': { covers: ['http://a.example:8080'], not: ['http://a.example'] },
    'shop.example': {
      covers: ['http://shop.example', 'https://shop.example:8443'],
      not: ['http://www.shop.example'],
    },
    'bücher.example': { covers: ['https://xn--bcher-kva.example', 'https://BÜCHER.example'], not: [] },
    '[::1]:3000': { covers: ['http://[0:0:0:0:0:0:0:1]:3000'], not: ['http://[::1]'] },
    '127.0.0.1': {
      covers: ['http://2130706433', 'http://0x7f.1', 'http://0177.0.0.1:81', 'http://①②⑦.0.0.1'],
      not: ['http://127.0.0.2', 'http://127.0.0.1.example'],
    },
  };
  for (const [pattern, { covers, not }] of Object.entries(table)) {
    for (const url of covers) {
      expect(isAllowed(url, { allowedOrigins: [pattern] }), `${pattern} allows ${url}`).toBe(true);
      expect(isAllowed(url, { blockedOrigins: [pattern] }), `${pattern} blocks ${url}`).toBe(false);
    }
    for (const url of not) {
      expect(isAllowed(url, { allowedOrigins: [pattern] }), `${pattern} does not allow ${url}`).toBe(false);
      expect(isAllowed(url, { blockedOrigins: [pattern] }), `${pattern} does not block ${url}`).toBe(true);
    }
  }
  expect(isAllowed('http://a.example', { allowedOrigins: [] })).toBe(false);
  const both = { allowedOrigins: ['*.example'], blockedOrigins: ['evil.example'] };
  expect(isAllowed('http://good.example', both)).toBe(true);
  expect(isAllowed('http://evil.example', both)).toBe(false);
});

test('an invalid pattern is rejected', () => {
  const wrong = `,https://a.example/path,https://a.example?x,https://user@a.example,ftp://a.example,a b,*.*,a.*.example
    *.127.0.0.1,*.[::1],https://,http://a.example:99999,http://a.example:x,**,*a.example,[::1,a:b:c`;
  for (const text of wrong.split(/,|\n\s*/)) expect(parsePattern(text), JSON.stringify(text)).toBeUndefined();
});

test('a blocked address is blocked under every name that resolves to it', () => {
  const blocked = (pattern: string, url: string, address: string): boolean =>
    !isAllowed(url, { blockedOrigins: [pattern] }, address);
  expect(blocked('10.0.0.1', 'http://rebound.example', '10.0.0.1')).toBe(true);
  expect(blocked('10.0.0.1', 'http://rebound.example', '::ffff:10.0.0.1')).toBe(true);
  expect(blocked('http://10.0.0.1:81', 'http://rebound.example', '10.0.0.1')).toBe(false);
  expect(blocked('http://127.0.0.1:81', 'http://localhost:81', '127.0.0.1')).toBe(true);
  expect(blocked('http://127.0.0.1:81', 'http://0.0.0.0:81', '0.0.0.0')).toBe(true);
});

test('blocking localhost blocks every address of this machine', () => {
  const own = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const addresses = ['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1', '0.0.0.0', '::'];
  for (const address of [...addresses, ...own.map((each) => each.address)]) {
    const host = isIPv6(address) ? `[${address.replace(/%.*/, '')}]` : address;
    const rules = { blockedOrigins: ['localhost'] };
    expect(isAllowed(`http://${host}:8080`, rules), address).toBe(false);
    expect(isAllowed('http://rebound.example', rules, address), address).toBe(false);
    if (addresses.includes(address))
      expect(isAllowed(`http://${host}:82`, { blockedOrigins: ['localhost:81'] }), address).toBe(true);
  }
  expect(isAllowed('http://10.1.2.3', { blockedOrigins: ['localhost'] })).toBe(true);
  expect(isAllowed('http://127.0.0.1', { allowedOrigins: ['localhost'] })).toBe(false);
});

test('a range of addresses covers each of them, in any notation and under any name', () => {
  const rules = { blockedOrigins: ['10.0.0.0/8', 'fd00::/8'] };
  for (const host of ['10.0.0.1', '10.255.255.255', '0xa000001', '[::ffff:10.1.2.3]', '[fd12::1]'])
    expect(isAllowed(`http://${host}`, rules), host).toBe(false);
  for (const host of ['11.0.0.1', '9.255.255.255', '[fe00::1]', 'ten.example'])
    expect(isAllowed(`http://${host}`, rules), host).toBe(true);
  expect(isAllowed('https://intranet.example:8443', rules, '10.9.8.7')).toBe(false);
  expect(isAllowed('http://10.1.2.3:81', { allowedOrigins: ['10.0.0.0/8'] })).toBe(true);
  expect(isAllowed('http://11.1.2.3', { allowedOrigins: ['10.0.0.0/8'] })).toBe(false);
  for (const text of ['10.0.0.0/33', 'fd00::/129', 'a.example/8', '10.0.0/8x', '/8'])
    expect(parsePattern(text), text).toBeUndefined();
});

test('cloud metadata is reached only if it is named', () => {
  const notations = `169.254.169.254 2852039166 0xa9fea9fe 0251.0376.0251.0376 169.254.43518 169.254.169.254.
    [::ffff:169.254.169.254] [::ffff:a9fe:a9fe] [::a9fe:a9fe] [64:ff9b::a9fe:a9fe] [64:ff9b:1::a9fe:a9fe]
    [2002:a9fe:a9fe::1] [::ffff:0:a9fe:a9fe] 169.254.170.2 100.100.100.200 [fd00:ec2::254] [fe80::1]
    metadata.google.internal METADATA.google.internal.`.split(/\s+/);
  for (const host of notations) {
    expect(isAllowed(`http://${host}/latest`, {}), host).toBe(false);
    expect(isAllowed(`http://${host}`, { allowedOrigins: ['http://*', '*:80', '*'] }), host).toBe(false);
  }
  expect(isAllowed('http://rebound.example', {}, '169.254.169.254')).toBe(false);
  expect(isAllowed('http://rebound.example', { allowedOrigins: ['rebound.example'] }, '169.254.1.1')).toBe(
    false,
  );
  const meant = { allowedOrigins: ['*', 'http://169.254.169.254'] };
  expect(isAllowed('http://169.254.169.254', meant)).toBe(true);
  expect(isAllowed('http://169.254.169.254:8080', meant)).toBe(false);
  const byName = { allowedOrigins: ['http://metadata.google.internal'] };
  expect(isAllowed('http://metadata.google.internal', byName, '169.254.169.254')).toBe(true);
  for (const address of ['169.253.0.1', '169.255.0.1', '::1', '2001:db8::1', '64:ff9b::a00:1'])
    expect(isMetadata(canonicalAddress(address)), address).toBe(false);
});

test("the environment's proxy is the one that browsers would use", () => {
  const environment = {
    HTTP_PROXY: 'http://plain:3128',
    https_proxy: 'secure:3129',
    NO_PROXY: 'direct.example, .below.example,ported.example:8443',
  };
  const proxyOf = (host: string, port: number): string | undefined =>
    upstreamFor(environment, host, port)?.host;
  expect(proxyOf('a.example', 80)).toBe('plain:3128');
  expect(proxyOf('a.example', 443)).toBe('secure:3129');
  for (const host of [
    'direct.example',
    'www.direct.example',
    'x.below.example',
    'localhost',
    '127.0.0.1',
    '::1',
  ])
    expect(proxyOf(host, 443), host).toBeUndefined();
  expect(proxyOf('ported.example', 443)).toBe('secure:3129');
  expect(proxyOf('ported.example', 8443)).toBeUndefined();
  expect(upstreamFor({ ...environment, NO_PROXY: '*' }, 'a.example', 80)).toBeUndefined();
  expect(upstreamFor({}, 'a.example', 80)).toBeUndefined();
  expect(upstreamFor({ ALL_PROXY: 'http://all:1' }, 'a.example', 80)?.host).toBe('all:1');
});

test('pages and requests do not reach the server itself', async () => {
  const server = createServer();
  const port = await listen(server, 0, '127.0.0.1');
  const rules = (allowedOrigins: string[]): Partial<NetworkRules> => ({ allowedOrigins });
  for (const allowed of ['*', 'localhost', 'http://localhost:*', '127.0.0.1', `*:${port}`])
    for (const host of ['localhost', '127.0.0.1', '0.0.0.0', '[::1]', 'a.example'])
      expect(isAllowed(`http://${host}:${port}`, rules(['*', allowed]), '127.0.0.1')).toBe(false);
  expect(isAllowed(`http://127.0.0.1:${port}`, rules([`127.0.0.1:${port}`]))).toBe(true);
  expect(isAllowed(`http://localhost:${port}`, rules([`http://localhost:${port}`]), '127.0.0.1')).toBe(true);
  expect(isAllowed(`http://a.example:${port}`, rules(['*']), '203.0.113.5')).toBe(true);
  await new Promise((resolve) => server.close(resolve));
  expect(isAllowed(`http://127.0.0.1:${port}`, rules(['*']))).toBe(true);
});
