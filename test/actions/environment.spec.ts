import { actionFamilies } from '../../src/actions/registry.js';
import { expect, test } from '../fixtures.js';
import { recordAndRun } from './recorded.js';

type Entry = Record<string, unknown>;

const click = (name: string): Entry => ({
  action: 'click',
  target: `getByRole("button", { name: ${JSON.stringify(name)}, exact: true })`,
});
const status = (expected: unknown): Entry => ({
  action: 'expect',
  target: 'getByRole("status")',
  matcher: 'toHaveText',
  expected,
});
const shows = (id: string, expected: unknown): Entry => ({
  action: 'expect',
  target: `getByTestId("${id}")`,
  matcher: 'toHaveText',
  expected,
});

function network(url: string): Entry[] {
  return [
    { action: 'goto', url: `${url}/network.html` },
    { action: 'step', title: 'Responses' },
    {
      action: 'waitForResponse',
      url: `${url}/api/items?q=an`,
      status: 200,
      body: ['banana', 'mango', 'orange'],
    },
    click('Search'),
    { action: 'waitForResponse', url: '**/api/items?q=*', method: 'POST', body: { regex: '^\\[' } },
    { action: 'waitForResponse', url: { regex: '/API/', flags: 'i' } },
    click('Add'),
    { action: 'waitForResponse', url: '**/{api,rest}/items*', method: 'GET', body: 'apple' },
    click('Search later'),
    { action: 'waitForResponse', url: '**/status/*', status: 500 },
    { action: 'step', title: 'Failures' },
    click('Break'),

    { action: 'step', title: 'Routes' },
    { action: 'route', url: '/api/items*', method: 'GET', json: [{ name: 'fig', 'a "b"': `\`\${x}\`` }] },
    click('Search'),
    status({ regex: '^200 .*fig' }),
    click('Add'),
    status('200 []'),
    { action: 'route', url: '**/status/500', status: 503, body: 'closed' },
    click('Break'),
    status('503 closed'),
    { action: 'unroute', url: '**/status/500' },
    click('Break'),
    status({ regex: '^500' }),
    { action: 'route', url: { regex: 'items' }, abort: 'connectionrefused' },
    click('Search'),
    status('failed'),
    { action: 'unroute', url: { regex: 'items' } },
    { action: 'route', url: '**/status/**', abort: true },
    click('Break'),
    status('failed'),
    { action: 'unroute' },
    click('Search'),
    status('200 ["banana","mango","orange"]'),

    { action: 'step', title: 'Requests' },
    { action: 'addCookies', cookies: [{ name: 'visit', value: 'a', url }] },
    { action: 'request', url: `${url}/api/items?q=apple`, expect: { body: ['apple'] } },
    {
      action: 'request',
      method: 'POST',
      url: '/api/echo?x=1',
      headers: { 'x-kind': 'test' },
      data: { name: "O'Hara", deep: { list: [1, null] } },
      expect: {
        status: 200,
        body: { method: 'POST', query: { x: '1' }, headers: { 'x-kind': 'test', cookie: 'visit=a' } },
      },
    },
    { action: 'request', method: 'PUT', url: '/api/echo', data: 'text', expect: { body: '"body":"text"' } },
    { action: 'request', method: 'PATCH', url: '/api/echo', expect: { body: { regex: '"PATCH"' } } },
    { action: 'request', method: 'DELETE', url: '/status/404', expect: { status: 404, body: 'Not Found' } },
    { action: 'request', method: 'HEAD', url: '/landing.html' },
  ];
}

function environment(url: string, passkeys: string): Entry[] {
  const wide = (matcher: string): Entry => ({ action: 'expect', target: 'getByText("wide")', matcher });
  return [
    { action: 'clock.install', time: '2030-01-31T12:00:00Z' },
    { action: 'goto', url: `${url}/network.html` },
    shows('time', { regex: '^2030-01-31T12:00' }),
    { action: 'clock.pauseAt', time: '2030-01-31T13:00:00Z' },
    shows('time', '2030-01-31T13:00:00'),
    shows('session', 'expired'),
    { action: 'reload' },
    shows('session', 'active'),
    // Settles though no timer of the page runs.
    click('Search later'),
    { action: 'clock.fastForward', ticks: 1500 },
    status('200 ["apple","apricot","grape"]'),
    { action: 'clock.fastForward', ticks: '30:00' },
    shows('session', 'expired'),
    { action: 'clock.setFixedTime', time: 1_900_000_000_000 },
    { action: 'reload' },
    shows('time', '2030-03-17T17:46:40'),
    { action: 'clock.resume' },

    { action: 'step', title: 'Clipboard' },
    // An origin that was granted something of its own has the clipboard too.
    { action: 'grantPermissions', permissions: ['geolocation'], origin: url },
    click('Copy'),
    status('copied'),
    { action: 'clipboard.readText' },
    { action: 'clipboard.writeText', text: 'Ann\'s "text"' },
    { action: 'clipboard.readText', expected: { regex: "^Ann's" } },
    { action: 'clipboard.readText', expected: 'Ann\'s "text"' },

    { action: 'step', title: 'Page' },
    wide('toBeVisible'),
    { action: 'setViewportSize', width: 400, height: 600 },
    wide('toBeHidden'),
    { action: 'emulateMedia', colorScheme: 'dark', media: null },
    shows('scheme', 'dark'),
    { action: 'setOffline', offline: true },
    shows('network', 'offline'),
    click('Search'),
    status('failed'),
    { action: 'setOffline', offline: false },
    shows('network', 'online'),
    { action: 'setGeolocation', latitude: 41.9, longitude: 12.5 },
    click('Where am I?'),
    status('41.9, 12.5'),

    { action: 'step', title: 'State' },
    {
      action: 'addCookies',
      cookies: [
        { name: 'one', value: '1', url },
        { name: 'two', value: '2', domain: '127.0.0.1', path: '/', sameSite: 'Lax' },
      ],
    },
    { action: 'setStorage', local: { theme: 'dark' }, session: { cart: 'full' } },
    { action: 'saveStorageState', path: 'visitor.json' },
    { action: 'reload' },
    shows('cookies', 'one=1; two=2'),
    shows('storage', 'dark full'),
    { action: 'clearCookies', name: { regex: '^O', flags: 'i' } },
    { action: 'reload' },
    shows('cookies', 'two=2'),
    { action: 'clearCookies' },
    { action: 'reload' },
    shows('cookies', 'none'),

    { action: 'step', title: 'Passkeys' },
    { action: 'credentials.install' },
    { action: 'credentials.create', rpId: 'localhost' },
    { action: 'goto', url: passkeys },
    click('Sign in'),
    status('in with public-key'),
    click('Register'),
    status('registered public-key'),
  ];
}

test('network, environment and clipboard, recorded and run in both languages', async ({ shared, pages }) => {
  test.slow();
  const actions = {
    network: network(pages.url),
    environment: environment(pages.url, `${pages.crossOriginUrl}/passkey.html`),
  };
  const used = new Set(Object.values(actions).flatMap((flow) => flow.map(({ action }) => action)));
  for (const family of ['network', 'environment'])
    expect(actionFamilies[family]?.map(({ name }) => name).filter((name) => !used.has(name))).toEqual([]);

  const use = { baseURL: pages.url, viewport: { width: 900, height: 700 } };
  const flows = Object.entries(actions).map(([title, flow]) => ({ title, use, actions: flow }));
  expect(await recordAndRun(shared, flows, 'javascript')).toEqual(
    expect.arrayContaining([
      { type: 'result', action: 'clipboard.readText', text: '"Copied \\"by\\" the page"' },
      { type: 'result', action: 'request', text: JSON.stringify({ status: 200, body: '["apple"]' }) },
    ]),
  );
});
