import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { doctor } from '../../src/cli/doctor.js';
import { startChromium, type BrowserHost } from '../fixtures/browser-hosts.js';
import { serve, type Site } from '../fixtures/serve.js';
import { binary, configure, connect, expect, test as base } from '../fixtures.js';

const test = base.extend<{ person: BrowserHost; shop: Site }>({
  person: async ({}, use, testInfo) => {
    const host = await startChromium(testInfo.outputPath('profile'));
    await use(host);
    await host.kill();
  },
  /** Knows the person by a cookie that only their browser has. */
  shop: async ({}, use) => {
    const site = await serve(async (request, response, url) => {
      await Promise.resolve();
      response.setHeader('content-type', 'text/html');
      if (url.pathname === '/login') response.setHeader('set-cookie', 'user=ann');
      const name = request.headers.cookie?.includes('user=ann') === true ? 'Ann' : 'stranger';
      response.end(
        `<title>Shop</title><h1>Hello ${name}</h1><a href="/terms" target="_blank" rel="opener">Terms</a>`,
      );
    }, 0);
    await use(site);
    await site.close();
  },
});

async function tabs({ url }: BrowserHost): Promise<string[]> {
  const answer = await fetch(`${url}/json/list`);
  const targets = z.array(z.object({ type: z.string(), url: z.string() })).parse(await answer.json());
  return targets.filter(({ type }) => type === 'page').map((target) => target.url);
}

const openTab = ({ url }: BrowserHost, address: string): Promise<Response> =>
  fetch(`${url}/json/new?${address}`, { method: 'PUT' });

const allowed = {
  version: '1',
  default: 'allow',
  tools: { record_codegen_session: { actions: { allow: ['attach'] } } },
};

async function diagnose(workspace: string): Promise<string> {
  const lines: string[] = [];
  await doctor({ workspace }, (line) => lines.push(line));
  return lines.join('\n');
}

test("a session is a tab in a person's browser, and leaves everything else alone", async ({
  workspace,
  person,
  shop,
}) => {
  await openTab(person, `${shop.url}/login`);
  await expect.poll(() => tabs(person)).toContain(`${shop.url}/login`);
  const before = await tabs(person);
  await configure(workspace, { browser: { attach: person.url } });
  const server = await connect(workspace);
  const url = `${shop.url}/`;
  const denied = await server.start({ title: 'greets', url });
  expect(denied.error).toMatchObject({ code: 'POLICY_DENIED', message: expect.stringContaining('"attach"') });
  expect(await diagnose(workspace)).toMatch(/problem {2}Attach: .*which the policy does not allow/);

  await configure(workspace, { browser: { attach: person.url }, policy: allowed });
  expect(await diagnose(workspace)).toMatch(
    /ok {7}Attach: sessions open in the person's own browser at http/,
  );
  for (const [use, what] of [
    [{ locale: 'de-DE' }, 'use.locale'],
    [{ browserName: 'firefox' }, 'use.browserName'],
  ] as const) {
    const { error } = await server.start({ use });
    expect(error).toMatchObject({ code: 'INVALID_INPUT', message: expect.stringContaining(what) });
  }
  expect((await server.start({ har: 'record' })).error?.message).toContain('har can');
  expect(await tabs(person)).toEqual(before);

  const start = await server.start({ title: 'greets', url });
  expect(start.error).toBeUndefined();
  expect(start.snapshot).toContain('Hello Ann');
  expect(start['warnings']).toEqual([
    expect.stringContaining("a tab of a person's own browser (http://127.0.0.1:"),
  ]);
  // The person goes on working meanwhile.
  await openTab(person, `${shop.url}/private`);
  const clicked = await server.record(start.sessionId, { action: 'click', target: 'getByRole("link")' });
  expect(clicked.failed).toBeUndefined();
  expect(clicked['pages']).toHaveLength(2);
  expect(clicked.text).not.toContain('private');
  expect(await tabs(person)).toHaveLength(before.length + 3);
  const network = await server.call('get_codegen_session', {
    sessionId: start.sessionId,
    include: ['network'],
  });
  expect(network.text).not.toContain('private');

  const ended = await server.call('end_codegen_session', { sessionId: start.sessionId });
  expect(ended.error).toBeUndefined();
  await expect.poll(() => tabs(person)).toHaveLength(before.length + 1);
  expect(await tabs(person)).toEqual(expect.arrayContaining([...before, `${shop.url}/private`]));
  const log = await readFile(path.join(workspace, '.codegen', 'audit.jsonl'), 'utf8');
  expect(log).toContain(`"event":"attach"`);
  const { stdout } = await promisify(execFile)(process.execPath, [binary, 'audit'], { cwd: workspace });
  expect(stdout).toContain(`in the person's browser ${person.url}`);
  await server.close();
  expect(await tabs(person)).toHaveLength(before.length + 1);

  await configure(workspace, { browser: { attach: person.url }, network: { blockedOrigins: ['x.example'] } });
  expect(await diagnose(workspace)).toContain('network rules apply only to browsers of this server');
});
