import { createHmac } from 'node:crypto';
import { text } from 'node:stream/consumers';
import type { IncomingHttpHeaders } from 'node:http';
import { Webhook } from '../../src/server/webhook.js';
import { configure, connect, expect, test } from '../fixtures.js';
import { serve, type Site } from '../fixtures/serve.js';

interface Received {
  headers: IncomingHttpHeaders;
  body: string;
}

/** A receiver that responds with these statuses, then with 204. */
async function receiver(...statuses: number[]): Promise<{ site: Site; received: Received[] }> {
  const received: Received[] = [];
  const site = await serve(async (request, response) => {
    received.push({ headers: request.headers, body: await text(request) });
    response.writeHead(statuses.shift() ?? 204).end();
  }, 0);
  return { site, received };
}

const key = 'key-of-the-receiver';
const denied = {
  tool: 'run_generated_test',
  seconds: 0,
  structured: {},
  session: undefined,
  error: 'POLICY_DENIED',
  decision: { kind: 'denied', rule: 'default' },
} as const;

test('denied calls and pending approvals are reported, signed, and again if the receiver fails', async ({
  workspace,
}) => {
  const { site, received } = await receiver(500);
  const tools = {
    run_generated_test: { action: 'deny' },
    clear_codegen_session: { action: 'require_approval', reason: 'ask' },
  };
  await configure(workspace, {
    webhook: { url: `${site.url}/hook`, secretEnv: 'HOOK_KEY' },
    policy: { version: '1', default: 'allow', tools },
  });
  const server = await connect(workspace, { env: { HOOK_KEY: key } });
  try {
    await server.call('get_codegen_session');
    await server.call('run_generated_test', { file: 'private.spec.ts' });
    const { error } = await server.call('clear_codegen_session', { sessionId: 'x' });
    await expect.poll(() => received.length, { timeout: 20_000 }).toBe(3);
    const [failed, first, second] = received;
    expect(first).toMatchObject({
      body: failed?.body,
      headers: { 'webhook-id': failed?.headers['webhook-id'] },
    });
    const bodies = [first, second].map((each): unknown => JSON.parse(each?.body ?? ''));
    const [approval] = /\b[\w-]{6,}(?= \()/.exec(error?.message ?? '') ?? [];
    expect(bodies).toEqual([
      {
        type: 'call.denied',
        timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
        data: {
          tool: 'run_generated_test',
          grant: 'local',
          decision: 'denied',
          rule: 'tools.run_generated_test.action',
        },
      },
      {
        type: 'approval.required',
        timestamp: expect.any(String),
        data: {
          tool: 'clear_codegen_session',
          grant: 'local',
          decision: 'approval',
          rule: 'tools.clear_codegen_session.action',
          approval,
        },
      },
    ]);
    for (const { headers, body } of received) {
      const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
      const signature = createHmac('sha256', key).update(signed).digest('base64');
      expect(headers['webhook-signature']).toBe(`v1,${signature}`);
    }
  } finally {
    await server.close();
    await site.close();
  }
});

test('a key that is not set keeps the server from starting', async ({ workspace }) => {
  await configure(workspace, { webhook: { url: 'http://127.0.0.1:9/', secretEnv: 'HOOK_KEY' } });
  await expect(connect(workspace)).rejects.toThrow('Connection closed');
});

test('the key leaves the environment; events are bounded, and dropped when the server stops', async () => {
  const environment: NodeJS.ProcessEnv = { HOOK_KEY: key };
  const { site, received } = await receiver(...Array<number>(1000).fill(503));
  try {
    const webhook = new Webhook(() => ({ url: site.url, secretEnv: 'HOOK_KEY' }), environment);
    expect(environment).toEqual({});
    // Its question is with the client: nobody can approve it elsewhere.
    webhook.answered('local', { ...denied, error: 'APPROVAL_REQUIRED' });
    expect(webhook.waiting).toBe(0);
    for (let count = 0; count < 1000; count++) webhook.answered('local', denied);
    expect(webhook.waiting).toBe(100);
    webhook.answered('local', { ...denied, error: 'INVALID_INPUT', decision: undefined });
    await expect.poll(() => received.length).toBe(1);
    await webhook.close(0);
    await expect.poll(() => webhook.waiting).toBe(0);
    expect(received.length).toBeLessThan(3);
  } finally {
    await site.close();
  }
});
