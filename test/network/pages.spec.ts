import { openLive } from '../../src/browser/live.js';
import { createBrowserPool } from '../../src/browser/launch.js';
import { Secrets } from '../../src/model/secrets.js';
import { listenToAll, serveReachingPage, type Place } from '../fixtures/reaching.js';
import { expect, test as base } from '../fixtures.js';
import { serve, type Site } from '../fixtures/serve.js';

const test = base.extend<{ place: Place; site: Site }>({
  place: async ({}, use) => {
    const place = await listenToAll();
    await use(place);
    place.close();
  },
  site: async ({ place }, use) => {
    const site = await serveReachingPage(place);
    await use(site);
    await site.close();
  },
});

test.describe.configure({ timeout: 180_000 });

const tried = { action: 'waitFor', target: 'getByText("tried")' };

test('a page reaches only allowed hosts, by every way that pages have', async ({
  shared: server,
  place,
  site,
}) => {
  const secure = await serve(
    (_, response) => Promise.resolve(void response.end('<h1>Secure</h1>')),
    0,
    'https',
  );
  const network = { allowedOrigins: [site.url, secure.url], blockedOrigins: [] };
  await server.configure({ network, browser: { actionTimeoutMs: 20_000 } });
  const { sessionId, ...started } = await server.start({ url: site.url, use: { ignoreHTTPSErrors: true } });
  const looked = await server.record(sessionId, tried);
  expect(looked.failed).toBeUndefined();
  expect(started.text + looked.text).toContain('{"type":"blocked","origin":"http://localhost:');

  const origin = `http://localhost:${place.port}`;
  for (const [link, told] of [
    ['Link', origin],
    ['Redirect', origin],
    ['Popup', origin],
  ]) {
    const clicked = await server.record(sessionId, {
      action: 'click',
      target: `getByRole("link", { name: "${link}" })`,
    });
    expect(clicked.failed, link).toMatchObject({
      code: 'NAVIGATION_BLOCKED',
      message: `${told} is blocked: network.allowedOrigins does not list it.`,
    });
    expect(clicked.failed?.hint).toContain('goBack');
    await server.record(
      sessionId,
      { action: 'switchPage', page: 'p1', record: false },
      { action: 'goto', url: site.url, record: false },
    );
  }
  const file = await server.record(sessionId, {
    action: 'click',
    target: 'getByRole("link", { name: "File" })',
  });
  expect(file.url).toBe(`${site.url}/`);
  const went = await server.record(sessionId, { action: 'goto', url: `${origin}/there` });
  expect(went.failed?.code).toBe('NAVIGATION_BLOCKED');
  const back = await server.record(sessionId, { action: 'goto', url: secure.url });
  expect(back.failed).toBeUndefined();

  const { text, network: entries } = await server.call('get_codegen_session', {
    sessionId,
    include: ['network'],
  });
  expect(entries).toContainEqual({
    method: 'GET',
    url: `${origin}/image`,
    failure: 'blocked: network.allowedOrigins does not list it',
  });
  expect(text).toContain('blocked');
  expect(place.heard).toEqual([]);

  // The same page, where it is allowed, does reach the place in those ways: so they were tried.
  await server.configure({
    network: { ...network, allowedOrigins: ['*'] },
    browser: { actionTimeoutMs: 20_000 },
  });
  const free = await server.start({ url: site.url });
  expect((await server.record(free.sessionId, tried)).failed).toBeUndefined();
  const ways =
    'image frame fetch events socket worker worker-socket shared-worker service-worker style prefetch';
  await expect
    .poll(() => place.heard)
    .toEqual(expect.arrayContaining(['TLS', 'POST /beacon', ...ways.split(' ').map((way) => `GET /${way}`)]));
  expect(place.heard).not.toContain('UDP');
  await secure.close();
});

test("the browser's own pages and files are left immediately; the page's own are not", async ({ site }) => {
  const browsers = createBrowserPool();
  const redirecting = await serve((request, response) => {
    response.writeHead(302, { location: request.url?.split('?')[1] ?? '' }).end();
    return Promise.resolve();
  }, 0);
  // A headless shell where there is one, and the whole browser.
  for (const channel of [null, 'chromium']) {
    const choice = {
      name: 'chromium',
      headless: true,
      channel,
      executablePath: null,
      endpoints: [],
      grant: 'local',
    } as const;
    const browser = await browsers.get(choice, () => undefined);
    const rules = { allowedOrigins: ['*'], blockedOrigins: [] };
    const secrets = new Secrets(() => [], {});
    const live = await openLive(
      browser,
      {},
      { actionMs: 10_000, maxPages: () => 20, settleMs: 1000, rules: () => rules, secrets },
    );
    const { page } = live.current;
    for (const [url, left] of [
      ['file:///etc/', 'about:blank'],
      // The headless shell has none, and shows an error.
      ['chrome://version/', /^about:blank$|^chrome-error:/],
    ] as const) {
      // It is left while it still loads.
      await page.goto(url).catch(() => undefined);
      await expect(page).toHaveURL(left);
      const refused = { origin: url, rule: expect.stringContaining('are not allowed') };
      expect(live.takeBlockedPage()).toEqual(refused);
      expect(live.log.takeEvents()).toContainEqual({
        type: 'blocked',
        ...refused,
        origin: expect.objectContaining({ text: url }),
      });
    }
    for (const address of ['file:///etc/', 'chrome://version/']) {
      const url = `${redirecting.url}/?${address}`;
      await page.goto(url).catch(() => undefined);
      expect(live.takeBlockedPage()).toEqual({ origin: url, rule: expect.stringContaining('redirects') });
      await expect(page).toHaveURL(/^chrome-error:/);
      live.log.takeEvents();
    }
    for (const url of ['data:text/html,own', 'about:blank', `${site.url}/own`]) {
      await page.goto(url);
      expect(page.url()).toBe(url);
    }
    // What another program would open is no page.
    await page.setContent('<a href="mailto:ann@shop.example">Write</a>');
    const handedOn = page.waitForEvent('requestfailed', (request) => request.url().startsWith('mailto:'));
    await page.getByText('Write').click();
    await handedOn;
    expect(live.takeBlockedPage()).toBeUndefined();
    await live.close();
  }
  await browsers.close();
  await redirecting.close();
});

test('the rules also hold when the test runs', async ({ shared: server, pages }) => {
  const { sessionId } = await server.start({ title: 'lands', url: `${pages.url}/landing.html` });
  const blockedOrigins = [pages.url];
  await server.configure({ network: { blockedOrigins }, verify: { sensitivity: 'off' } });
  const { error, verification } = await server.call('end_codegen_session', { sessionId });
  expect(error?.code).toBe('VERIFY_FAILED');
  expect(verification).toMatchObject({
    failure: { message: expect.stringContaining(`blocked: network.blockedOrigins lists "${pages.url}"`) },
  });
  await server.configure({ verify: { sensitivity: 'off' } });
  expect((await server.call('end_codegen_session', { sessionId })).error).toBeUndefined();
});
