import { readdir } from 'node:fs/promises';
import { descendants, expect, test, type Shared } from '../fixtures.js';
import { blockPage, serve, type Site } from '../fixtures/serve.js';

/** Descriptors of a server, and processes below it: proxies, contexts and pages have some of each. */
async function openIn({ pid }: Shared): Promise<{ descriptors: number; processes: number }> {
  // Only Linux has /proc; elsewhere, processes are counted alone.
  const descriptors = process.platform === 'linux' ? await readdir(`/proc/${pid}/fd`) : [];
  return { descriptors: descriptors.length, processes: (await descendants(pid)).length };
}

async function site(): Promise<Site> {
  return serve(async (_, response, { pathname }) => {
    if (pathname === '/hang') return;
    if (pathname === '/reset') response.destroy();
    response.setHeader('content-type', 'text/html');
    response.end(`<title>Site</title><button onclick="setTimeout(() => { ${blockPage} })">Loop</button>
      <a href="/file" download>File</a><iframe src="about:blank"></iframe>`);
    await Promise.resolve();
  }, 0);
}

/** Starts that fail before, while and after a browser context is opened. */
function failingStarts(url: string): Record<string, unknown>[] {
  return [
    { url: 'http://127.0.0.1:9/' },
    { url: `${url}/reset` },
    { url: 'http://blocked.example/' },
    { url, use: { timezoneId: 'Nowhere/City' } },
    { url, use: { locale: '!' } },
    { url, use: { permissions: ['none-such'] } },
    { url, use: { storageState: 'missing.json' } },
    { url, use: { device: 'None' } },
    { url, file: '../outside.spec.ts' },
    { url, resume: 'missing.spec.ts' },
    { url, seed: 'missing.spec.ts' },
  ];
}

/** Actions that fail, with what they opened. */
function failingActions(url: string): Record<string, unknown>[] {
  return [
    { action: 'click', target: '#none', timeout: 100 },
    { action: 'goto', url: `${url}/reset` },
    { action: 'newPage', url: `${url}/reset` },
    { action: 'newContext', name: 'admin', use: { timezoneId: 'Nowhere/City' } },
    { action: 'newContext', name: 'admin', use: { permissions: ['none-such'] } },
    { action: 'request', url: `${url}/reset` },
    { action: 'request', url: 'http://127.0.0.1:9/' },
    { action: 'waitForURL', url: '**/never' },
    { action: 'screenshot', target: '#none', path: 'none.png' },
  ];
}

test('starts and actions that fail, and sessions that are cleared, leave nothing open', async ({
  shared,
}) => {
  test.slow();
  const own = await site();
  const browser = { maxSessions: 2, actionTimeoutMs: 500, navigationTimeoutMs: 1500 };
  await shared.configure({ browser, network: { blockedOrigins: ['blocked.example'] } });
  const round = async (): Promise<void> => {
    for (const args of failingStarts(own.url)) {
      const { error } = await shared.start(args);
      expect(error, JSON.stringify(args)).toBeDefined();
      expect(error?.code, JSON.stringify(args)).not.toBe('SESSION_LIMIT');
    }
    const { sessionId } = await shared.start({ url: own.url });
    const before = await openIn(shared);
    for (const action of failingActions(own.url)) {
      const { failed, error } = await shared.record(sessionId, action);
      expect(failed ?? error, JSON.stringify(action)).toBeDefined();
    }
    const listed = await shared.record(sessionId, { action: 'switchPage', page: 'none' });
    expect(listed.failed?.hint).toBe('Pages: p1.');
    await expect.poll(async () => (await openIn(shared)).processes).toBeLessThanOrEqual(before.processes);
    await shared.record(sessionId, { action: 'click', target: 'button' });
    await shared.call('clear_codegen_session', { sessionId });
    const { sessionId: ended } = await shared.start({ url: own.url });
    await shared.record(ended, { action: 'newContext', name: 'admin' }, { action: 'newPage', url: own.url });
    await shared.call('end_codegen_session', { sessionId: ended, onConflict: 'overwrite' });
  };
  await round();
  // Chromium's processes end a moment later, and may keep one in reserve.
  const after = await openIn(shared);
  await round();
  await expect.poll(async () => (await openIn(shared)).descriptors).toBeLessThanOrEqual(after.descriptors);
  await expect.poll(async () => (await openIn(shared)).processes).toBeLessThanOrEqual(after.processes);
  await own.close();
});
