import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { getRequestListener } from '@hono/node-server';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { Result } from '@modelcontextprotocol/sdk/types.js';
import type { McpEndpoint } from '../../../src/server/http/endpoint.js';
import { McpSessions, type McpSessionsOptions } from '../../../src/server/http/mcp-sessions.js';
import { sessionEndpoint } from '../../../src/server/sdk/http.js';
import { expect, test as base } from '../../fixtures.js';
import { initialize, messageHeaders } from './serving.js';

/** The MCP sessions of a server in this process, with a clock that the test sets. */
interface Served {
  sessions: McpSessions;
  /** The server sides of all sessions there have been, as long as something holds them. */
  opened: WeakRef<McpServer>[];
  ended: () => number;
  pass: (milliseconds: number) => void;
  /** Answers the requests of unknown methods. */
  release: () => void;
  running: () => number;
  url: string;
  /** One request; the path names the grant. */
  send: (grant: string, method: string, session?: string, body?: string | null) => Promise<Response>;
}

const test = base.extend<{ served: Served }>({
  served: async ({}, use) => {
    const opened: WeakRef<McpServer>[] = [];
    let ended = 0;
    let now = 0;
    let running = 0;
    let release = (): void => undefined;
    const held = new Promise<Result>((resolve) => {
      release = () => {
        resolve({});
      };
    });
    const end = (): Promise<void> => {
      ended++;
      return Promise.resolve();
    };
    const stateless = (onClose: () => void): McpEndpoint => ({
      async handle(_, body) {
        if (JSON.stringify(body).includes('"subscriptions/listen"'))
          return new Response(new ReadableStream());
        running++;
        return Response.json(await held);
      },
      isOpen: () => true,
      close() {
        onClose();
        return Promise.resolve();
      },
    });
    const open: McpSessionsOptions['open'] = (_, { id, onClose }) => {
      if (id === undefined) return { endpoint: stateless(onClose), end };
      const server = new McpServer({ name: 'test', version: '1' });
      server.server.fallbackRequestHandler = () => {
        running++;
        return held;
      };
      opened.push(new WeakRef(server));
      return { endpoint: sessionEndpoint(server, { id, onClose }), end };
    };
    const sessions = new McpSessions({
      open,
      newId: randomUUID,
      idleMs: () => 600_000,
      now: () => now,
    });
    const web = createServer(
      (incoming, outgoing) =>
        void getRequestListener((request) => sessions.handle(request, incoming.url ?? '', outgoing), {
          overrideGlobalObjects: false,
        })(incoming, outgoing),
    );
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    const address = web.address();
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    await use({
      sessions,
      url,
      opened,
      ended: () => ended,
      pass: (milliseconds) => (now += milliseconds),
      running: () => running,
      release: () => {
        release();
      },
      async send(grant, method, session, body = null) {
        const own: Record<string, string> = session === undefined ? {} : { 'Mcp-Session-Id': session };
        const response = await fetch(`${url}/${grant}`, {
          method,
          headers: { ...messageHeaders, ...own },
          body,
        });
        await response.clone().text();
        return response;
      },
    });
    await sessions.close();
    web.closeAllConnections();
    web.close();
  },
});

test('an MCP session that has ended leaves nothing behind', async ({ served }) => {
  const { sessions, opened, ended, send } = served;
  for (let round = 0; round < 3; round++) {
    const begun = await send('ci', 'POST', undefined, initialize());
    await send('ci', 'DELETE', begun.headers.get('mcp-session-id') ?? '');
    expect((await send('ci', 'POST', undefined, '{}')).status).toBe(400);
  }
  expect([opened.length, ended(), sessions.counts().size]).toEqual([6, 6, 0]);
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  await expect
    .poll(() => {
      if (typeof collect === 'function') Reflect.apply(collect, undefined, []);
      return opened.filter((each) => each.deref() !== undefined).length;
    })
    .toBe(0);
});

test('MCP sessions of a grant are bounded, and the one unused for longest gives way if there is no room', async ({
  served,
}) => {
  const { sessions, pass, send } = served;
  const begin = (grant = 'ci'): Promise<Response> => send(grant, 'POST', undefined, initialize());
  const first = (await begin()).headers.get('mcp-session-id') ?? '';
  for (let count = 1; count < 100; count++) expect((await begin()).status).toBe(200);
  const refused = await begin();
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60']);
  expect((await begin('bots')).status).toBe(200);

  const ping = JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'ping' });
  pass(61_000);
  expect((await send('ci', 'POST', first, ping)).status).toBe(200);
  for (let count = 0; count < 99; count++) expect((await begin()).status).toBe(200);
  expect((await begin()).status).toBe(429);
  expect((await send('ci', 'POST', first, ping)).status).toBe(200);
  expect(Object.fromEntries(sessions.counts())).toEqual({ '/ci': 100, '/bots': 1 });
});

test('a request with the id of a running one is rejected, and the first gets its answer', async ({
  served,
}) => {
  const { send, release, running } = served;
  const session = (await send('ci', 'POST', undefined, initialize())).headers.get('mcp-session-id') ?? '';
  const slow = { jsonrpc: '2.0', id: 7, method: 'slow' };
  const post = (body: unknown): Promise<Response> => send('ci', 'POST', session, JSON.stringify(body));
  const first = post(slow);
  await expect.poll(running).toBe(1);
  const duplicates = await Promise.all([post(slow), post([slow, { ...slow, id: 8 }])]);
  const twice = await post([9, 9].map((id) => ({ ...slow, id })));
  for (const response of [...duplicates, twice]) {
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: -32600 } });
  }
  release();
  expect(await (await first).text()).toContain('"result":{},"jsonrpc":"2.0","id":7');
  for (const id of [7, 8, 9]) expect(await (await post({ ...slow, id })).text()).toContain(`"id":${id}`);
});

test('requests without MCP sessions are served by grant, and an open stream does not delay a stopping server', async ({
  served,
}) => {
  const { sessions, url, ended, send, release, running } = served;
  const _meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };
  const message = (method: string): string =>
    JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { _meta } });
  const listening = new AbortController();
  const stream = await fetch(`${url}/ci`, {
    method: 'POST',
    headers: messageHeaders,
    body: message('subscriptions/listen'),
    signal: listening.signal,
  });
  const calls = ['ci', 'ci', 'bots'].map((grant) => send(grant, 'POST', undefined, message('slow')));
  await expect.poll(running).toBe(3);
  expect(sessions.counts().size).toBe(0);
  await sessions.keepOnly((grant) => grant === '/ci');
  expect(ended()).toBe(1);

  let isDrained = false;
  const drained = sessions.drain(60_000).then(() => (isDrained = true));
  expect((await send('ci', 'POST', undefined, message('slow'))).status).toBe(503);
  expect(isDrained).toBe(false);
  release();
  for (const response of await Promise.all(calls)) expect(response.status).toBe(200);
  await drained;
  expect(stream.body?.locked).toBe(false);
  listening.abort();
  await sessions.close();
  expect(ended()).toBe(2);
});
