import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect as openSocket, type Socket } from 'node:net';
import path from 'node:path';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { configure, descendants, expect, test as base } from '../../fixtures.js';
import {
  initialize,
  messageHeaders,
  serve,
  statelessCall,
  type Connecting,
  type Serving,
} from './serving.js';

const tokens = { ci: 'c'.repeat(32), bots: 'b'.repeat(40), guest: 'short-guest-token' };
const env = {
  CI_TOKEN: tokens.ci,
  BOTS_TOKEN: tokens.bots,
  GUEST_TOKEN: tokens.guest,
  WORD: 'Zebra-4711-Quagga',
};
const window = 'hour';

const test = base.extend<{ ci: Connecting; bots: Connecting }, { serving: Serving; place: string }>({
  place: [
    async ({}, use, { workerIndex }) => {
      const place = path.resolve('test-results', `grants-${workerIndex}-${process.pid}`);
      await mkdir(place, { recursive: true });
      await configure(place, {
        secrets: ['WORD'],
        grants: [
          { name: 'ci', tokenEnv: 'CI_TOKEN', output: { dir: 'tests/ci' }, maxSessions: 1 },
          { name: 'bots', tokenEnv: 'BOTS_TOKEN', output: { dir: 'tests/bots' } },
          {
            name: 'guest',
            tokenEnv: 'GUEST_TOKEN',
            policy: {
              version: '1',
              default: 'allow',
              hide: ['end_*'],
              tools: {
                clear_codegen_session: { action: 'require_approval' },
                get_codegen_session: {
                  limits: [
                    { counter: 'looks', window, max: 2, scope: 'session' },
                    { counter: 'looks of all', window, max: 3, scope: 'grant' },
                  ],
                },
              },
            },
          },
        ],
      });
      await use(place);
    },
    { scope: 'worker' },
  ],
  serving: [
    async ({ place }, use) => {
      const serving = await serve(place, { env });
      await use(serving);
      await serving.stop();
    },
    { scope: 'worker' },
  ],
  ci: async ({ serving }, use) => {
    const ci = await serving.connect(tokens.ci);
    await use(ci);
    await ci.close();
  },
  bots: async ({ serving }, use) => {
    const bots = await serving.connect(tokens.bots);
    await use(bots);
    await bots.close();
  },
});

test.describe.configure({ mode: 'serial' });

test("a grant records a test in its own directory, and other grants can't see its session", async ({
  serving,
  ci,
  bots,
  pages,
  place,
}) => {
  const { sessionId, error } = await ci.start({ title: 'adds a task', url: `${pages.url}/todo.html` });
  expect(error).toBeUndefined();
  const unknown = '00000000-0000-4000-8000-000000000000';
  for (const [tool, args] of [
    ['get_codegen_session', {}],
    ['record_codegen_session', { actions: [{ action: 'reload' }] }],
    ['end_codegen_session', {}],
    ['clear_codegen_session', {}],
  ] as const) {
    const answers = await Promise.all(
      [sessionId, unknown].map((id) =>
        bots.client.callTool({ name: tool, arguments: { sessionId: id, ...args } }),
      ),
    );
    expect(answers[0]).toMatchObject({ structuredContent: { error: { code: 'SESSION_NOT_FOUND' } } });
    const [foreign = '', none = ''] = answers.map((answer) => JSON.stringify(answer));
    expect(foreign.replaceAll(sessionId, unknown)).toBe(none);
  }
  expect((await bots.call('get_codegen_session')).sessions).toEqual([]);
  const look = async (token?: string): Promise<string> => {
    const authorization = token === undefined ? undefined : `Bearer ${token}`;
    return (await serving.send(statelessCall('get_codegen_session', { sessionId }, authorization))).text;
  };
  expect(await look(tokens.bots)).toContain('SESSION_NOT_FOUND');
  expect(await look()).toContain('Unauthorized');
  expect(await look(tokens.ci)).toContain(`"sessionId":"${sessionId}"`);

  const second = await ci.start();
  expect(second.error).toMatchObject({ code: 'SESSION_LIMIT' });
  await ci.record(sessionId, { action: 'fill', target: 'getByRole("textbox")', value: 'milk' });
  const { files } = await ci.call('end_codegen_session', { sessionId, verify: 'report' });
  const spec = path.join(place, 'tests/ci/adds-a-task.spec.ts');
  expect(files).toMatchObject([{ path: 'tests/ci/adds-a-task.spec.ts', change: 'created' }]);
  expect(await readFile(spec, 'utf8')).toContain('milk');

  const log = (await readFile(path.join(place, '.codegen/audit.jsonl'), 'utf8')).split('\n');
  expect(
    log.find((line) => line.includes('"end_codegen_session"') && line.includes('adds-a-task')),
  ).toContain('"grant":"ci"');

  const foreign = await bots.start({ resume: 'tests/ci/adds-a-task.spec.ts' });
  const none = await bots.start({ resume: 'tests/ci/none.spec.ts' });
  expect(foreign.error?.code).toBe('INVALID_INPUT');
  expect(JSON.stringify(foreign.error).replaceAll('adds-a-task', 'none')).toBe(JSON.stringify(none.error));
});

test("a grant neither writes nor reads another grant's files", async ({ bots, pages, place }) => {
  for (const outputPath of ['tests/ci', 'tests', '.', 'tests/bots/../ci']) {
    const { error } = await bots.start({ options: { outputPath } });
    expect(error?.code, outputPath).toBe('PATH_NOT_ALLOWED');
  }
  const { sessionId } = await bots.start({
    title: 'uploads',
    url: `${pages.url}/files.html`,
    options: { outputPath: 'tests/bots/uploads' },
  });
  const given = { action: 'setInputFiles', target: 'input[type=file] >> nth=0' };
  const { failed } = await bots.record(sessionId, { ...given, files: ['tests/ci/adds-a-task.spec.ts'] });
  expect(failed).toMatchObject({ code: 'PATH_NOT_ALLOWED' });
  await bots.record(sessionId, { action: 'screenshot', path: 'page.png' });
  await readFile(path.join(place, '.codegen/artifacts/bots/page.png'));
  await bots.call('clear_codegen_session', { sessionId });
});

test("a grant does not start from another grant's login, nor read its clipboard", async ({
  ci,
  bots,
  pages,
  place,
}) => {
  const state = {
    cookies: [],
    origins: [{ origin: pages.url, localStorage: [{ name: 'user', value: 'ci' }] }],
  };
  for (const directory of [
    'tests/ci/playwright/.auth',
    '.codegen/artifacts/ci',
    'playwright/.auth',
    'playwright/.auth/ci',
  ]) {
    await mkdir(path.join(place, directory), { recursive: true });
    await writeFile(path.join(place, directory, 'login.json'), JSON.stringify(state));
  }
  for (const file of [
    'tests/ci/playwright/.auth/login.json',
    '.codegen/artifacts/ci/login.json',
    'playwright/./.auth/ci/login.json',
  ]) {
    const { error } = await bots.start({ use: { storageState: file } });
    expect(error, file).toMatchObject({ code: 'PATH_NOT_ALLOWED' });
  }
  const url = `${pages.url}/todo.html`;
  const other = await bots.start({ url, use: { storageState: 'playwright/.auth/login.json' } });
  const own = await ci.start({ url, use: { storageState: 'tests/ci/playwright/.auth/login.json' } });
  expect([other.error, own.error]).toEqual([undefined, undefined]);
  await ci.record(own.sessionId, { action: 'clipboard.writeText', text: 'only for ci' });
  const { events } = await bots.record(other.sessionId, { action: 'clipboard.readText', record: false });
  expect(JSON.stringify(events)).not.toContain('only for ci');
  const target = '.new-todo';
  await ci.record(own.sessionId, { action: 'fill', target, value: '{{secret:WORD}}', record: false });
  // It pastes what was selected last in any page of the browser.
  const click = { action: 'click', target, button: 'middle' };
  expect((await ci.record(own.sessionId, click)).failed?.message).toContain('a part of a secret');
  expect((await bots.record(other.sessionId, click)).failed).toBeUndefined();
  await bots.call('clear_codegen_session', { sessionId: other.sessionId });
  await ci.call('clear_codegen_session', { sessionId: own.sessionId });
});

test('each grant has its own policy and limits, per connection or for all of them', async ({
  serving,
  ci,
}) => {
  const [guest, other] = await Promise.all([serving.connect(tokens.guest), serving.connect(tokens.guest)]);
  const names = (await guest.client.listTools()).tools.map(({ name }) => name);
  expect(names).not.toContain('end_codegen_session');
  expect((await ci.client.listTools()).tools.map(({ name }) => name)).toContain('end_codegen_session');

  const look = async ({ call }: Connecting): Promise<string | undefined> =>
    (await call('get_codegen_session')).error?.message;
  expect([await look(guest), await look(guest)]).toEqual([undefined, undefined]);
  expect(await look(guest)).toContain('"looks"');
  expect(await look(other)).toBeUndefined();
  expect(await look(other)).toContain('"looks of all"');
  expect(await look(ci)).toBeUndefined();

  const { text } = await serving.send({
    method: 'GET',
    path: '/metrics',
    headers: { Authorization: `Bearer ${tokens.bots}` },
  });
  expect(text).toContain('codegen_denials_total{code="RATE_LIMITED"} 2');
  expect(text).toContain(
    'codegen_limit_used{grant="guest",scope="grant",counter="looks of all",window="hour"} 3',
  );
  expect(text).toContain('codegen_mcp_sessions_open{grant="guest"} 2');
  expect(text).toContain('codegen_verify_runs_total{status="passed"} 1');
  expect(text).toContain('codegen_call_duration_seconds_count{tool="end_codegen_session"}');
  for (const token of Object.values(tokens)) expect(text + serving.stderr()).not.toContain(token);
  expect(serving.stderr()).toContain('GUEST_TOKEN has fewer than 32 characters');
  expect(serving.stderr()).not.toContain('BOTS_TOKEN');
  await Promise.all([guest.close(), other.close()]);
});

test('approval is requested through the client of the call', async ({ serving, pages }) => {
  const questions: string[] = [];
  const asking = await serving.connect(tokens.guest, () => {
    questions.push('asked');
    return { action: 'accept', content: { approve: questions.length > 1 } };
  });
  const { sessionId } = await asking.start({ url: `${pages.url}/todo.html` });
  expect((await asking.call('clear_codegen_session', { sessionId })).error?.code).toBe('POLICY_DENIED');
  expect((await asking.call('clear_codegen_session', { sessionId })).error).toBeUndefined();
  expect(questions).toHaveLength(2);
  await asking.close();
});

test('processes that the server starts do not inherit tokens', async ({ serving, ci, pages }) => {
  const { sessionId } = await ci.start({ url: `${pages.url}/todo.html` });
  const started = await descendants(serving.pid);
  expect(started.length).toBeGreaterThan(0);
  const environments = await Promise.all(
    started.map(({ pid }) => readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')),
  );
  for (const token of Object.values(tokens)) expect(environments.join()).not.toContain(token);
  await ci.call('clear_codegen_session', { sessionId });
});

test('an MCP session belongs to its grant', async ({ serving, ci }) => {
  const ping = JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'ping' });
  const [foreign, none] = await Promise.all(
    [String(ci.transport.sessionId), '00000000-0000-4000-8000-000000000000'].map((id) =>
      serving.send({
        headers: { ...messageHeaders, Authorization: `Bearer ${tokens.bots}`, 'Mcp-Session-Id': id },
        body: ping,
      }),
    ),
  );
  expect(foreign).toMatchObject({ status: 404, text: none?.text });
});

test('a wrong, a missing and a malformed token get the same response', async ({ serving }) => {
  const answers = await Promise.all(
    [
      undefined,
      `Bearer ${'x'.repeat(32)}`,
      `Basic ${tokens.ci}`,
      'Bearer',
      `Bearer ${tokens.ci} ${tokens.ci}`,
    ].map((authorization) =>
      serving.send({ headers: authorization === undefined ? {} : { Authorization: authorization } }),
    ),
  );
  for (const { status, headers, text } of answers) {
    expect(status).toBe(401);
    expect(headers['www-authenticate']).toBe('Bearer realm="codegen-session-mcp"');
    expect(text).toBe(answers[0]?.text);
  }
  const metrics = await serving.send({ method: 'GET', path: '/metrics' });
  expect(metrics.status).toBe(401);
});

test('a grant that opens connections without end keeps out no other', async ({
  serving: { port, connect },
}) => {
  const request = `GET /mcp HTTP/1.1\r\nHost: localhost:${port}\r\nAuthorization: Bearer ${tokens.ci}\r\n\r\n`;
  const sockets: Socket[] = [];
  for (let batch = 0; batch < 11; batch++)
    await Promise.all(
      Array.from({ length: 100 }, async () => {
        const socket = openSocket(port, '127.0.0.1').on('error', () => undefined);
        sockets.push(socket);
        socket.write(request);
        await Promise.race([once(socket, 'data'), once(socket, 'close')]);
      }),
    );
  const other = await connect(tokens.bots);
  expect((await other.client.listTools()).tools).toHaveLength(6);
  await other.close();
  for (const socket of sockets) socket.destroy();
});

test('a removed grant is rejected, its sessions end, and the others are notified of changes', async ({
  serving,
  place,
  ci,
  bots,
}) => {
  expect((await bots.client.listTools()).tools).toHaveLength(6);
  expect((await ci.client.listTools()).tools).toHaveLength(6);
  let changes = 0;
  ci.client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
    changes++;
  });
  const grant = { name: 'ci', tokenEnv: 'CI_TOKEN', output: { dir: 'tests/ci' } };
  const policy = { version: '1', default: 'allow', hide: ['run_*'] };
  await configure(place, { grants: [{ ...grant, policy }] });
  const headers = { ...messageHeaders, Authorization: `Bearer ${tokens.bots}` };
  await expect.poll(async () => (await serving.send({ headers, body: initialize() })).status).toBe(401);
  const asCi = { Authorization: `Bearer ${tokens.ci}` };
  const counted = async (): Promise<string> =>
    (await serving.send({ method: 'GET', path: '/metrics', headers: asCi })).text;
  await expect.poll(counted).not.toContain('codegen_mcp_sessions_open{grant="bots"}');
  await expect.poll(() => changes).toBe(1);
  expect((await ci.client.listTools()).tools).toHaveLength(5);

  // A grant without a token makes the configuration invalid.
  await configure(place, { grants: [grant, { name: 'late', tokenEnv: 'LATE_TOKEN' }] });
  await expect.poll(serving.stderr).toContain('grants.1.tokenEnv is "LATE_TOKEN"');
  expect((await ci.client.listTools()).tools).toHaveLength(5);
});
