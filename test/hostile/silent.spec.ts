import { expect, test } from '../fixtures.js';
import { blockPage, serve, type Site } from '../fixtures/serve.js';

const pages: Record<string, string> = {
  '/at-once': `<title>Endless</title><button onclick="setTimeout(() => { ${blockPage} }, 100)">Go</button>`,
  '/rootless': '<title>Rootless</title><button onclick="document.documentElement.remove()">Go</button>',
  '/busy': `<title>Busy</title><button onclick="setTimeout(() => {
    for (const end = Date.now() + 2500; Date.now() < end;);
    this.after('Done');
  })">Go</button>`,
  '/classes': `<title>Classes</title><button onclick="this.after('Done')">Go</button><script>
    document.querySelector('button').className = Array.from({ length: 50_000 }, (_, i) => 'c' + i).join(' ');
  </script>`,
  '/again': '<title>Again</title><button onclick="setInterval(() => { for (;;); }, 1)">Go</button>',
  '/late': `<title>Late</title><button onclick="setTimeout(() => {
    this.insertAdjacentHTML('afterend', '<button id=late disabled>Late</button>');
  }, 1900)">Go</button>`,
  '/endless': `<title>Endless</title><p>Frame</p><script>setTimeout(() => { ${blockPage} }, 200)</script>`,
};

/** A page with a frame of another site, which has a process of its own. */
function framing(host: string): string {
  const frame = `http://${host.replace('127.0.0.1', 'localhost')}/endless`;
  return `<title>Main</title><iframe src="${frame}"></iframe><button onclick="this.after('Done')">Go</button>`;
}

async function site(): Promise<Site> {
  return serve(async ({ headers: { host = '' } }, response, { pathname }) => {
    if (pathname === '/hang') return;
    response.setHeader('content-type', 'text/html');
    response.end(pathname === '/framing' ? framing(host) : (pages[pathname] ?? ''));
    return Promise.resolve();
  }, 0);
}

for (const path of ['/at-once', '/rootless'])
  test(`an action after which ${path} hangs answers within its time-out and a second, and says so`, async ({
    shared,
  }) => {
    test.slow();
    await shared.configure({ autoAssert: true, browser: { actionTimeoutMs: 5000 } });
    const own = await site();
    const { sessionId } = await shared.start({ url: own.url + path });
    const begun = performance.now();
    const { recorded, snapshot } = await shared.record(sessionId, { action: 'click', target: 'button' });
    const took = performance.now() - begun;
    expect(recorded).toBe(1);
    expect(snapshot).toContain('does not respond');
    // Once it was 11 s.
    expect(took).toBeLessThan(7000);
    const again = performance.now();
    expect(
      (await shared.call('get_codegen_session', { sessionId, include: ['snapshot'] })).snapshot,
    ).toContain('does not respond');
    expect(performance.now() - again).toBeLessThan(7000);
    await shared.call('clear_codegen_session', { sessionId });
    await own.close();
  });

test('a page that is busy for seconds is waited for, with what it does then', async ({ shared }) => {
  await shared.configure({ autoAssert: true, browser: { actionTimeoutMs: 5000 } });
  const own = await site();
  const { sessionId } = await shared.start({ url: `${own.url}/busy` });
  const { snapshot, assertions } = await shared.record(sessionId, { action: 'click', target: 'button' });
  expect(snapshot).toContain('Done');
  expect(assertions.flat()).toHaveLength(1);
  await own.close();
});

test('a page with a frame of another site whose script does not end stays usable', async ({ shared }) => {
  await shared.configure({ autoAssert: true, browser: { actionTimeoutMs: 5000 } });
  const own = await site();
  const { sessionId } = await shared.start({ url: `${own.url}/framing` });
  const before = performance.now();
  const first = await shared.record(sessionId, { action: 'click', target: 'button' });
  expect(first.recorded).toBe(1);
  // Once it was 6.7 s.
  expect(performance.now() - before).toBeLessThan(5000);
  const begun = performance.now();
  const { recorded, assertions } = await shared.record(sessionId, { action: 'click', target: 'button' });
  expect(recorded).toBe(1);
  expect(assertions.flat()).toHaveLength(1);
  const { snapshot } = await shared.call('get_codegen_session', { sessionId, include: ['snapshot'] });
  // Every call took 5.5 s, and failed.
  expect(performance.now() - begun).toBeLessThan(5000);
  expect(snapshot).toContain('This frame does not respond.');
  expect(snapshot).toContain('Done');
  const { error } = await shared.call('get_codegen_session', { sessionId, include: ['screenshot'] });
  expect(error?.message).toContain('A frame of the page does not respond');
  await shared.call('clear_codegen_session', { sessionId });
  await own.close();
});

for (const { path, target, message } of [
  { path: '/again', target: 'button', message: 'The page does not respond.' },
  { path: '/late', target: '#late', message: 'element is not enabled' },
])
  test(`an action on ${path} fails within its time-out and a second`, async ({ shared }) => {
    const own = await site();
    await shared.configure({ autoAssert: true, browser: { actionTimeoutMs: 2000 } });
    const { sessionId } = await shared.start({ url: own.url + path });
    await shared.record(sessionId, { action: 'click', target: 'button' });
    const begun = performance.now();
    const { failed } = await shared.record(sessionId, { action: 'click', target });
    expect(failed?.message).toContain(message);
    // Once it was 4.1 s, and longer the later the element appeared.
    expect(performance.now() - begun).toBeLessThan(3500);
    await shared.call('clear_codegen_session', { sessionId });
    await own.close();
  });

test('a button with 50,000 classes is clicked at once', async ({ shared }) => {
  await shared.configure({ autoAssert: true, browser: { actionTimeoutMs: 5000 } });
  const own = await site();
  const { sessionId } = await shared.start({ url: `${own.url}/classes` });
  const begun = performance.now();
  const { recorded } = await shared.record(sessionId, { action: 'click', target: 'button' });
  expect(recorded).toBe(1);
  // Once it was 8 s.
  expect(performance.now() - begun).toBeLessThan(4000);
  await own.close();
});
