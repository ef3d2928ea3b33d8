import { createBrowserPool } from '../../src/browser/launch.js';
import { openLive } from '../../src/browser/live.js';
import { Secrets } from '../../src/model/secrets.js';
import { expect, test } from '../fixtures.js';

const setup = {
  actionMs: 10_000,
  maxPages: () => 20,
  settleMs: 1000,
  rules: () => ({ allowedOrigins: ['*'], blockedOrigins: [] }),
  secrets: new Secrets(() => [], {}),
};

const openServers = (): number =>
  process.getActiveResourcesInfo().filter((resource) => resource === 'TCPServerWrap').length;

test('starts and contexts that fail are closed, with their proxies', async () => {
  const browsers = createBrowserPool();
  const choice = {
    name: 'chromium',
    headless: true,
    channel: null,
    executablePath: null,
    endpoints: [],
    grant: 'local',
  } as const;
  const browser = await browsers.get(choice, () => undefined);
  const before = openServers();
  for (const options of [
    { timezoneId: 'Nowhere/City' },
    { locale: '!' },
    { permissions: ['none-such'] },
    {
      storageState: { cookies: [], origins: [{ origin: 'none', localStorage: [{ name: 'a', value: 'b' }] }] },
    },
  ])
    for (let start = 0; start < 3; start++) {
      const failing = openLive(browser, options, setup);
      await expect(failing, JSON.stringify(options)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    }
  expect(browser.contexts()).toEqual([]);
  await expect.poll(openServers).toBe(before);

  const live = await openLive(browser, {}, setup);
  expect(openServers()).toBe(before + 1);
  for (const options of [{ timezoneId: 'Nowhere/City' }, { permissions: ['none-such'] }])
    await expect(live.openContext(options)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  expect(browser.contexts()).toHaveLength(1);
  await live.close();
  await expect.poll(openServers).toBe(before);
  await browsers.close();
});
