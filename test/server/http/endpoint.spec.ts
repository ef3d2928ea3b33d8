import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { expect, test as base } from '@playwright/test';
import { createEndpoint, type Endpoint } from '../../../src/server/http/endpoint.js';
import { initialize, messageHeaders } from './serving.js';

/** An endpoint in this process, with a clock that the test sets. */
interface Served {
  endpoint: Endpoint;
  /** The server sides of all sessions there have been, as long as something holds them. */
  opened: WeakRef<McpServer>[];
  ended: () => number;
  pass: (milliseconds: number) => void;
  /** One request; the path names the grant. */
  send: (grant: string, method: string, session?: string, body?: string | null) => Promise<Response>;
}

const test = base.extend<{ served: Served }>({
  served: async ({}, use) => {
    const opened: WeakRef<McpServer>[] = [];
    let ended = 0;
    let now = 0;
    const open = (): { server: McpServer; end: () => Promise<void> } => {
      const server = new McpServer({ name: 'test', version: '1' });
      opened.push(new WeakRef(server));
      return {
        server,
        end() {
          ended++;
          return Promise.resolve();
        },
      };
    };
    const endpoint = createEndpoint(
      open,
      randomUUID,
      () => 600_000,
      () => now,
    );
    const web = createServer(
      (request, response) => void endpoint.handle(request, response, request.url ?? ''),
    );
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    const address = web.address();
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    await use({
      endpoint,
      opened,
      ended: () => ended,
      pass: (milliseconds) => (now += milliseconds),
      async send(grant, method, session, body = null) {
        const own: Record<string, string> = session === undefined ? {} : { 'Mcp-Session-Id': session };
        const response = await fetch(`${url}/${grant}`, {
          method,
          headers: { ...messageHeaders, ...own },
          body,
        });
        await response.text();
        return response;
      },
    });
    await endpoint.close();
    web.closeAllConnections();
    web.close();
  },
});

test('an MCP session that has ended leaves nothing behind', async ({ served }) => {
  const { endpoint, opened, ended, send } = served;
  for (let round = 0; round < 3; round++) {
    const begun = await send('ci', 'POST', undefined, initialize());
    await send('ci', 'DELETE', begun.headers.get('mcp-session-id') ?? '');
    expect((await send('ci', 'POST', undefined, '{}')).status).toBe(400);
  }
  expect([opened.length, ended(), endpoint.counts().size]).toEqual([6, 6, 0]);
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  await expect
    .poll(() => {
      if (typeof collect === 'function') Reflect.apply(collect, undefined, []);
      return opened.filter((each) => each.deref() !== undefined).length;
    })
    .toBe(0);
});

test('MCP sessions of a grant are bounded, and where there is no room the longest unused gives way', async ({
  served,
}) => {
  const { endpoint, pass, send } = served;
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
  expect(Object.fromEntries(endpoint.counts())).toEqual({ '/ci': 100, '/bots': 1 });
});
