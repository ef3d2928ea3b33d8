import { connect as openSocket, type Socket } from 'node:net';
import { configure, expect, test as base } from '../../fixtures.js';
import { initialize, messageHeaders, serve, statelessCall, type Sent, type Serving } from './serving.js';

const test = base.extend<{ serving: Serving }>({
  serving: async ({ workspace }, use) => {
    const serving = await serve(workspace);
    await use(serving);
    expect(await serving.stop()).toBe(0);
  },
});

const ping = JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'ping' });

/** Sends a text unchanged, and returns everything received until the server closes. */
async function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = openSocket(port, '127.0.0.1', () => socket.write(text));
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      resolve(answer);
    });
  });
}

test('an invalid request gets a status and a JSON-RPC error, and the server continues', async ({
  serving,
}) => {
  const { send, port } = serving;
  const begun = await send({ headers: messageHeaders, body: initialize() });
  expect(begun.status).toBe(200);
  const id = String(begun.headers['mcp-session-id']);
  const session = { ...messageHeaders, 'Mcp-Session-Id': id };
  const post = (body: string | Buffer, headers: Record<string, string> = {}): Sent => ({
    headers: { ...session, ...headers },
    body,
  });
  const big = Buffer.alloc(4 * 1024 * 1024 + 1024, ' ');
  const batch = JSON.stringify(Array.from({ length: 101 }, () => ({ jsonrpc: '2.0', method: 'a' })));

  const wrong: [what: string, sent: Sent, status: number, code: number][] = [
    ['not JSON', post('{"jsonrpc": "2.0", '), 400, -32700],
    ['not JSON, without a session', { ...statelessCall('get_codegen_session', {}), body: '{' }, 400, -32700],
    ['not JSON-RPC', post('{"hello": "world"}'), 400, -32700],
    ['a number', post('7'), 400, -32700],
    ['empty', post(''), 400, -32700],
    ['not UTF-8', post(Buffer.from([0xff, 0xfe, 0x00])), 400, -32700],
    ['another type', post(ping, { 'Content-Type': 'text/plain' }), 415, -32000],
    ['a type with the same prefix', post(ping, { 'Content-Type': 'application/jsonp' }), 415, -32000],
    ['event streams not accepted', post(ping, { Accept: 'application/json' }), 406, -32000],
    ['too large', post(big), 413, -32000],
    ['too large, chunked', post(big, { 'Transfer-Encoding': 'chunked' }), 413, -32000],
    ['too many messages', post(batch), 400, -32600],
    ['too many entries', post(`[${'0,'.repeat(30_000)}0]`), 413, -32000],
    ['two initializations', post(`[${initialize()},${initialize()}]`), 400, -32600],
    ['a second initialization', post(initialize()), 400, -32600],
    ['an unknown version', post(ping, { 'Mcp-Protocol-Version': '1999-01-01' }), 400, -32000],
    ['no session', { headers: messageHeaders, body: ping }, 400, -32000],
    ['an unknown session', post(ping, { 'Mcp-Session-Id': 'a'.repeat(36) }), 404, -32001],
    ['two sessions', post(ping, { 'Mcp-Session-Id': `${id}, ${id}` }), 404, -32001],
    ['a stream without a session', { method: 'GET', headers: { Accept: 'text/event-stream' } }, 400, -32000],
    ['another method', { method: 'PUT', headers: session, body: ping }, 405, -32000],
    ['another path', { ...post(ping), path: '/mcp/' }, 404, -32000],
    ['a token in the URL', { ...post(ping), path: `/mcp?token=${'s'.repeat(32)}` }, 400, -32000],
    ['another host', post(ping, { Host: 'attacker.example' }), 403, -32000],
    ['this host with another port', post(ping, { Host: 'localhost:1' }), 403, -32000],
    ['a malformed host', post(ping, { Host: 'localhost@attacker.example' }), 403, -32000],
    ['a page of another origin', post(ping, { Origin: 'https://attacker.example' }), 403, -32000],
    ['a page without an origin', post(ping, { Origin: 'null' }), 403, -32000],
  ];
  for (const [what, sent, status, code] of wrong) {
    const { text, ...received } = await send(sent);
    expect(received.status, what).toBe(status);
    expect(JSON.parse(text), what).toMatchObject({ jsonrpc: '2.0', error: { code }, id: null });
    expect(text, what).not.toContain('ssss');
  }

  const head = `Host: localhost:${port}\r\nConnection: close\r\n`;
  for (const [text, status] of [
    ['hello\r\n\r\n', 400],
    ['POST /mcp HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    [`POST /mcp HTTP/1.1\r\n${head}Mcp-Session-Id: a\rX: b\r\n\r\n`, 400],
    [`POST /mcp HTTP/1.1\r\n${head}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`, 400],
    [`GET /healthz HTTP/1.1\r\n${head}X: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    [`GET http://attacker.example/mcp HTTP/1.1\r\n${head}\r\n`, 404],
  ] as const)
    expect(await raw(port, text), text.slice(0, 80)).toContain(`HTTP/1.1 ${status} `);

  // Only the first request of a client that does not wait for responses is answered.
  const piped = `GET /healthz HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`.repeat(20);
  expect(
    (await raw(port, `${piped}GET /healthz HTTP/1.1\r\n${head}\r\n`)).split(' 200 OK').length,
  ).toBeLessThan(3);

  const text = JSON.stringify({
    jsonrpc: '2.0',
    id: 5,
    method: 'ping',
    params: { _meta: { text: '",'.repeat(30_000) } },
  });
  expect((await send(post(text))).text).toContain('"result":{}');
  const deep = `{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"get_codegen_session","arguments":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}}`;
  expect((await send(post(deep))).text).toContain('INVALID_INPUT');
  const polluted = `{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"get_codegen_session","arguments":{"__proto__":{"sessionId":"x"}}}}`;
  expect((await send(post(polluted))).text).not.toContain('"sessionId":"x"');
  const unknown = await send({ headers: messageHeaders, body: initialize('1999-01-01') });
  expect(unknown.text).toContain('"protocolVersion":"2025-11-25"');

  for (const sent of [post(ping), post(ping, { 'Transfer-Encoding': 'chunked' })])
    expect((await send(sent)).text).toContain('"result":{}');
  expect((await send({ method: 'DELETE', headers: session })).status).toBe(200);
  expect((await send(post(ping))).status).toBe(404);
  // The link of the web UI, and the address.
  expect(serving.stderr().trim().split('\n')).toHaveLength(2);
});

test('only pages of allowed origins get CORS headers', async ({ workspace }) => {
  await configure(workspace, {
    http: { allowedHosts: ['mcp.example.com'], allowedOrigins: ['https://tools.example'] },
  });
  const serving = await serve(workspace);
  const { send, port } = serving;
  const allowed = { Origin: 'https://tools.example', Host: 'MCP.example.com:8443' };
  const asked = await send({ method: 'OPTIONS', headers: allowed });
  expect(asked).toMatchObject({
    status: 204,
    headers: { 'access-control-allow-origin': 'https://tools.example' },
  });
  const answered = await send({ headers: { ...messageHeaders, ...allowed }, body: initialize() });
  expect(answered).toMatchObject({
    status: 200,
    headers: { 'access-control-allow-origin': 'https://tools.example' },
  });
  const own = { Origin: `http://localhost:${port}` };
  expect((await send({ headers: { ...messageHeaders, ...own }, body: initialize() })).status).toBe(200);
  const other = await send({ method: 'OPTIONS', headers: { Origin: 'https://attacker.example' } });
  expect(other.status).toBe(403);
  expect(other.headers).not.toHaveProperty('access-control-allow-origin');
  await serving.stop();
});

test('thousands of abandoned connections cost little and keep nobody out', async ({ serving }) => {
  const early = await serving.connect();
  const sockets: Socket[] = [];
  let open = 0;
  for (let batch = 0; batch < 20; batch++) {
    await Promise.all(
      Array.from(
        { length: 100 },
        (_, index) =>
          new Promise<void>((resolve) => {
            const socket = openSocket(serving.port, '127.0.0.1', () => {
              open++;
              if (index % 2 === 0) socket.write('POST /mcp HTTP/1.1\r\nHost: local');
              resolve();
            });
            socket.on('error', () => undefined);
            socket.resume();
            socket.once('close', () => open--);
            sockets.push(socket);
          }),
      ),
    );
    if (batch % 5 === 0) expect((await early.call('get_codegen_session')).error).toBeUndefined();
  }
  expect(sockets).toHaveLength(2000);
  await expect.poll(() => open).toBeLessThanOrEqual(200);
  const late = await serving.connect();
  expect((await late.client.listTools()).tools).toHaveLength(6);
  // The rest are closed when their requests time out.
  await expect.poll(() => open, { timeout: 30_000 }).toBe(0);
  expect((await early.call('get_codegen_session')).error).toBeUndefined();
  await Promise.all([early.close(), late.close()]);
});
