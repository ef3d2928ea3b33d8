import { descendants, expect, test } from '../fixtures.js';
import { serve } from '../fixtures/serve.js';

test('pages beyond browser.maxPagesPerSession are closed, whoever opens them', async ({ shared }) => {
  await shared.configure({ browser: { maxPagesPerSession: 3 } });
  const site = await serve(async (_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(
      `<title>Opener</title><button onclick="for (let i = 0; i < 6; i++) window.open('about:blank')">Open</button>
       <button onclick="for (let i = 0; i < 60; i++) window.open('about:blank', '', 'noopener')">Flood</button>`,
    );
    return Promise.resolve();
  }, 0);
  const { sessionId } = await shared.start({ url: site.url });
  const opened = await shared.record(sessionId, { action: 'click', target: "getByText('Open')" });
  expect(opened.failed).toBeUndefined();
  expect(opened.pages).toHaveLength(3);
  expect(opened.events).toContainEqual({
    type: 'limit',
    text: 'A page was closed: browser.maxPagesPerSession is 3.',
  });
  const { failed } = await shared.record(sessionId, { action: 'newPage' });
  expect(failed).toMatchObject({
    code: 'SESSION_LIMIT',
    message: expect.stringContaining('maxPagesPerSession is 3'),
  });

  const { events } = await shared.record(sessionId, { action: 'click', target: "getByText('Flood')" });
  await expect
    .poll(async () => {
      events.push(...(await shared.call('get_codegen_session', { sessionId, include: ['snapshot'] })).events);
      return events;
    })
    .toContainEqual({
      type: 'limit',
      text: 'All pages were closed because one of them kept opening pages.',
    });
  // The processes of closed pages take a moment to exit.
  await expect.poll(async () => (await descendants(shared.pid)).length).toBeLessThan(30);
  await site.close();
});

test('downloads that nobody asked for are bounded, in number and bytes', async ({ shared }) => {
  test.slow();
  let isOver = false;
  const site = await serve(async (_, response, url) => {
    if (url.pathname === '/large') {
      response.setHeader('content-disposition', 'attachment; filename="large.bin"');
      const chunk = Buffer.alloc(4 * 1024 * 1024);
      response.on('close', () => (isOver = true));
      const send = (): void => {
        while (!isOver && response.write(chunk));
        if (!isOver) response.once('drain', send);
      };
      send();
      return Promise.resolve();
    }
    response.setHeader('content-type', 'text/html');
    response.end(
      `<a href="/large" download>Large</a>
       <button onclick="let i = 0; setInterval(() => {
         const link = Object.assign(document.createElement('a'), { href: window.URL.createObjectURL(new Blob(['x'])), download: i++ + '.txt' });
         link.click();
       }, 20)">Many</button>`,
    );
    return Promise.resolve();
  }, 0);
  const { sessionId } = await shared.start({ url: site.url });
  await shared.record(sessionId, { action: 'click', target: "getByText('Large')" });
  await expect.poll(() => isOver, { timeout: 60_000 }).toBe(true);
  const events: unknown[] = [];
  const seen = async (): Promise<unknown[]> => {
    events.push(...(await shared.call('get_codegen_session', { sessionId, include: ['snapshot'] })).events);
    return events;
  };
  await expect.poll(seen).toContainEqual({
    type: 'limit',
    text: 'A download was canceled: a session may have at most 104857600 bytes of downloads.',
  });
  events.push(...(await shared.record(sessionId, { action: 'click', target: "getByText('Many')" })).events);
  await expect.poll(seen, { timeout: 60_000 }).toContainEqual({
    type: 'limit',
    text: 'A download was canceled: a session may have at most 100 downloads.',
  });
  await site.close();
});

test('a routed text does not run as a document or script of the application', async ({ shared }) => {
  const site = await serve(async (_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(`<title>App</title><script>localStorage.token = 'abc'</script><script src="/app.js"></script>
      <button onclick="fetch('/data').then((answer) => answer.text()).then((text) => (document.title = text))">Data</button>`);
    return Promise.resolve();
  }, 0);
  const { sessionId } = await shared.start({ url: site.url });
  const script = 'document.title = localStorage.token';
  const routed = await shared.record(
    sessionId,
    { action: 'route', url: '**/page', body: `<script>${script}</script>` },
    { action: 'route', url: '**/app.js', body: script },
    { action: 'route', url: '**/data', body: 'Fetched' },
    { action: 'goto', url: `${site.url}/page` },
  );
  expect(routed.failed).toBeUndefined();
  expect(routed.pageTitle).not.toBe('abc');
  const reloaded = await shared.record(sessionId, { action: 'goto', url: site.url });
  expect(reloaded.pageTitle).toBe('App');
  const fetched = await shared.record(sessionId, { action: 'click', target: "getByText('Data')" });
  expect(fetched.pageTitle).toBe('Fetched');
  expect(routed.codes[1]).toContain('nosniff');
  await site.close();
});

test('looking for an expression takes little time, whatever the page has', async ({ shared }) => {
  const site = await serve(async (_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(`<title>Long</title>${`<p>${'ab'.repeat(300)}c</p>`.repeat(300)}`);
    return Promise.resolve();
  }, 0);
  const { sessionId } = await shared.start({ url: site.url });
  const begun = performance.now();
  const find = { regex: '[ab]*a[ab]{400}$' };
  const { error } = await shared.call('get_codegen_session', { sessionId, find });
  expect(error).toMatchObject({
    code: 'INVALID_INPUT',
    message: 'Searching for this regular expression takes too long.',
  });
  // Without a budget, 300 times 0.1 s.
  expect(performance.now() - begun).toBeLessThan(15_000);
  await site.close();
});

test('selectors and properties run no code of an agent and read nothing but their element', async ({
  shared,
}) => {
  const site = await serve(async (_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(`<title>App</title><button data-state="on">Go</button>
      <script>document.cookie = 'id=Cookie1'; localStorage.token = 'Stored1'</script>`);
    return Promise.resolve();
  }, 0);
  const { sessionId } = await shared.start({ url: site.url });
  const code = encodeURIComponent('() => document.cookie + localStorage.token');
  const own = `codegen=run:1:${code}:null`;
  const selectors = [own, `button >> ${own}`, `button >> internal:or=${JSON.stringify(own)}`].flatMap(
    (each) => [
      each,
      `locator('${each}')`,
      `frameLocator('${each}').locator('a')`,
      `locator('button', { has: page.locator('${each}') })`,
    ],
  );
  const expected = 'x';
  for (const action of [
    ...selectors.map((target) => ({ action: 'expect', target, matcher: 'toHaveText', expected })),
    ...['ownerDocument.cookie', 'ownerDocument.defaultView.localStorage', '__vue__', 'files.constructor'].map(
      (name) => ({ action: 'expect', target: 'button', matcher: 'toHaveJSProperty', name, expected }),
    ),
  ]) {
    const { text, error, failed = error } = await shared.record(sessionId, action);
    expect(failed, JSON.stringify(action)).toBeDefined();
    expect(text).not.toMatch(/Cookie1|Stored1/);
  }
  const state = { matcher: 'toHaveJSProperty', name: 'dataset.state', expected: 'on' };
  const fine = await shared.record(sessionId, { action: 'expect', target: 'button', ...state });
  expect(fine.failed).toBeUndefined();
  await site.close();
});

test('the steps of a session are bounded', async ({ shared }) => {
  const { sessionId } = await shared.start();
  const route = { action: 'route', url: '**/never', body: 'x'.repeat(900_000) };
  const fitting = Array.from({ length: 3 }, () => route);
  for (const each of fitting) expect((await shared.record(sessionId, each)).failed).toBeUndefined();
  const { error } = await shared.record(sessionId, route);
  expect(error?.code).toBe('FILE_TOO_LARGE');
  const { failed } = await shared.record(sessionId, { action: 'undo' });
  expect(failed).toBeUndefined();
  expect((await shared.record(sessionId, route)).recorded).toBe(1);
});
