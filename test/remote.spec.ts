import { once } from 'node:events';
import { createServer } from 'node:net';
import { z } from 'zod';
import { endpointAt } from '../src/browser/endpoint.js';
import { findBrowser } from '../src/browser/find-browser.js';
import { doctor } from '../src/cli/doctor.js';
import { loadConfig } from '../src/config/load.js';
import { startChromium, startPlaywrightServer, type BrowserHost } from './fixtures/browser-hosts.js';
import { configure, connect, descendants, expect, test } from './fixtures.js';

/** The pages of a Chromium that are open, without its own. */
async function openPages({ url }: BrowserHost): Promise<number> {
  const answer = await fetch(`${url}/json/list`);
  const targets = z.array(z.object({ type: z.string(), url: z.string() })).parse(await answer.json());
  return targets.filter((target) => target.type === 'page' && target.url.includes('todo.html')).length;
}

for (const [kind, start] of [
  ['a Playwright server', () => startPlaywrightServer()],
  ['a Chromium', (directory: string) => startChromium(directory)],
] as const) {
  test(`the whole flow in ${kind} that is up already, which keeps to the rules`, async ({
    workspace,
    pages,
  }) => {
    const host = await start(test.info().outputPath('profile'));
    const found = await findBrowser({ channel: null, executablePath: null, headless: true });
    await configure(workspace, {
      browser: { endpoint: host.url, executablePath: found?.executablePath ?? null },
      network: { allowedOrigins: [new URL(pages.url).origin] },
      verify: { mode: 'require', sensitivity: 'off' },
      autoAssert: true,
    });
    const server = await connect(workspace);
    try {
      const findings: string[] = [];
      await doctor({ workspace }, (line) => findings.push(line));
      expect(findings.join('\n')).toMatch(
        new RegExp(`ok {7}Browser host: ${host.url.replace(/\/$/, '')}, ${kind}, chromium \\d`),
      );
      const { sessionId, error } = await server.start({
        url: `${pages.url}/todo.html`,
        title: 'adds a task',
      });
      expect(error).toBeUndefined();
      const { failed } = await server.record(
        sessionId,
        { action: 'fill', target: 'getByPlaceholder("What needs to be done?")', value: 'Buy milk' },
        { action: 'press', key: 'Enter' },
      );
      expect(failed).toBeUndefined();
      const blocked = await server.record(sessionId, {
        action: 'goto',
        url: pages.url.replace('127.0.0.1', 'localhost'),
        record: false,
      });
      expect(blocked.failed?.code).toBe('NAVIGATION_BLOCKED');
      const ended = await server.call('end_codegen_session', { sessionId });
      expect(ended.error).toBeUndefined();
      expect(ended['verification']).toMatchObject({ status: 'passed' });
      const run = await server.client.callTool({ name: 'run_generated_test', arguments: {} });
      expect(run.structuredContent).toMatchObject({ status: 'passed', passed: 1 });
      // No browser of its own.
      const programs = (await descendants(server.pid)).map(({ command }) => command);
      expect(programs.filter((command) => command.includes('remote-debugging'))).toEqual([]);
    } finally {
      await server.close();
      await host.kill();
    }
  });
}

test('of two hosts the one with fewer sessions is used, and a missing one is skipped', async ({
  workspace,
  pages,
}) => {
  const hosts = await Promise.all(['one', 'two'].map((name) => startChromium(test.info().outputPath(name))));
  const [first, second] = hosts;
  if (first === undefined || second === undefined) throw new Error('No hosts.');
  await configure(workspace, { browser: { endpoint: hosts.map(({ url }) => url) } });
  const server = await connect(workspace);
  const open = () => server.start({ url: `${pages.url}/todo.html` });
  try {
    const sessions = await Promise.all([1, 2, 3, 4].map(open));
    expect(await Promise.all(hosts.map(openPages))).toEqual([2, 2]);
    for (const { sessionId } of sessions.slice(0, 2))
      await server.call('clear_codegen_session', { sessionId });
    const [before = 0, other = 0] = await Promise.all(hosts.map(openPages));
    for (let count = 0; count < 2; count++) await open();
    expect(before + other).toBe(2);
    expect(await Promise.all(hosts.map(openPages))).toEqual([2, 2]);

    first.pause();
    expect((await open()).error).toBeUndefined();
    expect(await openPages(second)).toBe(3);
    await first.kill();
    expect((await open()).error).toBeUndefined();
    expect(await openPages(second)).toBe(4);
    const { sessions: listed } = await server.call('get_codegen_session');
    expect(listed.filter(({ status }) => status === 'open')).toHaveLength(4);
    await second.kill();
    expect((await open()).error).toMatchObject({
      code: 'BROWSER_FAILED',
      message: expect.stringMatching(/^No browser host can be used\. .*ECONNREFUSED.*ECONNREFUSED/),
    });
  } finally {
    await server.close();
    await Promise.all(hosts.map((host) => host.kill()));
  }
});

test('a different Playwright version and an endpoint without a browser are reported as such', async ({
  workspace,
}) => {
  // What a server of an earlier version answers.
  const older = createServer((socket) =>
    socket
      .once('data', () =>
        socket.end(
          'HTTP/1.1 428 Precondition Required\r\n\r\nPlaywright version mismatch:\n  - server version: v1.40\n  - client version: v1.65\n',
        ),
      )
      .on('error', () => undefined),
  ).listen(0, '127.0.0.1');
  await once(older, 'listening');
  const address = older.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const place = `127.0.0.1:${port}`;
  await configure(workspace, { browser: { endpoint: `ws://ann:hunter2@${place}/?token=hunter2` } });
  const server = await connect(workspace);
  const { error } = await server.start();
  expect(error).toMatchObject({
    code: 'BROWSER_FAILED',
    message: `The browser host ws://${place} runs Playwright 1.40; this server runs 1.65.`,
  });
  await configure(workspace, { browser: { endpoint: `http://ann:hunter2@${place}/?token=hunter2` } });
  const other = (await server.start()).error;
  expect(other).toMatchObject({
    code: 'BROWSER_FAILED',
    message: expect.stringContaining(`connect to the browser host http://${place}`),
  });
  expect(JSON.stringify([error, other, server.stderr()])).not.toContain('hunter2');
  await server.close();
  older.close();
});

test('network rules with a browser on another machine are rejected', async ({ workspace }) => {
  const refusal = async (config: object) => {
    await configure(workspace, config);
    return loadConfig({ workspace }).then(() => undefined, String);
  };
  const network = { blockedOrigins: ['https://ads.example'] };
  for (const endpoint of ['ws://browsers.example:3000', ['http://localhost:9222', 'https://192.0.2.1/']])
    expect(await refusal({ browser: { endpoint }, network })).toContain(
      'network rules apply only to browsers of this server',
    );
  expect(await refusal({ browser: { endpoint: 'ws://browsers.example:3000' } })).toBeUndefined();
  expect(
    await refusal({ browser: { endpoint: ['ws://[::1]:3000', 'http://127.0.0.1:9'] }, network }),
  ).toBeUndefined();
  expect(await refusal({ browser: { endpoint: 'tcp://a.example' } })).toContain(
    'such as ws://browsers.example',
  );
});

test("a URL's scheme says what it connects to", () => {
  const kinds = {
    'ws://host:3000/': 'playwright',
    'ws://host:9222/devtools/browser/0a1b': 'cdp',
    'http://host:9222': 'cdp',
    'https://host/': 'cdp',
    'wss://host/?token=a': 'cdp',
    'wss://host/chromium/playwright?token=a': 'playwright',
  };
  for (const [url, kind] of Object.entries(kinds)) expect(endpointAt(url).kind, url).toBe(kind);
});
