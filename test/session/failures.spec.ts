import { z } from 'zod';
import { giveUpSoon } from '../fixtures/give-up-soon.js';
import { expect, test as base, type Recording } from '../fixtures.js';
import { serve } from '../fixtures/serve.js';
import { callWarnings } from '../../src/session/warnings.js';

const test = base.extend<{ visit: (body: string) => Promise<Recording> }>({
  /** A session on a page with this content; `/stream` never ends, `/silent` never begins. */
  visit: async ({ open }, use) => {
    let html = '';
    const site = await serve((request, response) => {
      response.setHeader('content-type', 'text/html');
      if (request.url === '/stream') response.write('<p>stream');
      else if (request.url !== '/silent')
        response.end(request.url === '/data' ? '{}' : `<!doctype html><title>Page</title>${html}`);
      return Promise.resolve();
    }, 0);
    await use((body) => {
      html = body;
      return open('', { url: site.url });
    });
    await site.close();
  },
});

test('a page that never finishes loading is recorded from its DOM on, and the test too', async ({
  visit,
  shared,
}) => {
  await shared.configure({ browser: { navigationTimeoutMs: 3000 } });
  const { started, code } = await visit('<h1>Frames</h1><iframe src="/stream"></iframe>');
  expect(started.text).toContain('did not finish loading');
  expect(await code()).toContain('waitUntil: "domcontentloaded"');
});

test('closed shadow roots and frames that did not load are named in the snapshot, and cost no time-out', async ({
  visit,
}) => {
  const closed = `customElements.define('pay-form', class extends HTMLElement {
    constructor() { super(); this.attachShadow({ mode: 'closed' }).innerHTML = '<input>'; }
  })`;
  const { started, land } = await visit(
    `<pay-form></pay-form><script>${closed}</script><button onclick="for (const src of ['/silent', 'http://127.0.0.1:1'])
      document.body.append(Object.assign(document.createElement('iframe'), { src }))">Add</button>`,
  );
  const host = '<pay-form> has a closed shadow root';
  expect(started.snapshot).toContain(host);
  const begin = performance.now();
  const { snapshot } = await land({ action: 'click', target: 'button' });
  for (const part of ['has not loaded', 'could not be loaded']) expect(snapshot).toContain(part);
  expect(snapshot).not.toContain(host);
  // Playwright waits 5 s for the silent frame, and 5 s more.
  expect(performance.now() - begin).toBeLessThan(5000);
});

test('a failed target says which part of it matches, and a failed expect why it may be', async ({
  visit,
  shared,
}) => {
  await shared.configure({ autoAssert: true, browser: { actionTimeoutMs: 500 } });
  const { record } = await visit(
    `<form aria-label="Login"><input aria-label="Name"><button type="button" class="is-disabled">Send</button></form><p>0</p>
     <div style="position: relative"><output>1</output><i class="veil" style="position: absolute; inset: 0"></i></div>`,
  );
  const hintOf = async (...actions: Record<string, unknown>[]): Promise<string | undefined> =>
    (await record(...actions)).failed?.hint;
  const submit = "getByRole('form', { name: 'Login' }).getByRole('button', { name: 'Submit' })";
  expect(await hintOf({ action: 'click', target: submit })).toMatch(
    /getByRole\("form", { name: "Login" }\) matches one element, in it e\d+ textbox "Name", e\d+ button "Send"\./,
  );
  const paragraph = { action: 'expect', target: 'p', matcher: 'toHaveText', expected: '1' };
  const sent = await hintOf({ action: 'click', target: "getByText('Send')" }, paragraph);
  expect(sent).toContain('click before it (step 1) changed nothing visible');
  expect(sent).toContain('of its element: it is disabled by class "is-disabled"');
  const output = { action: 'expect', target: 'output', matcher: 'toHaveText', expected: '2' };
  expect(await hintOf(output)).toMatch(/Of the target: <i class="veil"[^>]*><\/i> covers it\./);
});

test('a failing action of a page whose script is busy is answered within a second of its time-out', async ({
  visit,
  shared,
}) => {
  await shared.configure({ browser: { actionTimeoutMs: 500 } });
  const { record, land } = await visit('<button onclick="for (;;);">Go</button><p>0</p>');
  const begin = performance.now();
  const { failed } = await record({ action: 'click', target: "getByText('Go')" });
  // Once it was 4 s.
  expect(performance.now() - begin).toBeLessThan(3000);
  expect(failed?.message).toContain('does not respond');
  await land({ action: 'expect', target: 'p', matcher: 'toHaveText', expected: '0' });
});

test('the wait for an element is part of the own timeout of an action', async ({ visit }) => {
  const { record } = await visit(`<button>Go</button><script>
    setTimeout(() => (document.querySelector('button').disabled = true), 3000);
    setTimeout(() => (document.querySelector('button').textContent = 'Save'), 3500);
  </script>`);
  const begin = performance.now();
  const { failed } = await record({ action: 'click', target: "getByText('Save')", timeout: 4000 });
  expect(performance.now() - begin).toBeLessThan(6500);
  expect(failed?.message).toContain('timed out');
});

test('an action whose element goes away when clicked says that the click happened', async ({
  visit,
  shared,
}) => {
  await shared.configure({ browser: { actionTimeoutMs: 1000 } });
  const { record } = await visit('<input type="checkbox" checked onchange="this.remove()">');
  const { failed } = await record({ action: 'uncheck', target: 'getByRole("checkbox")' });
  expect(failed?.message).toContain('uncheck clicked the element');
  expect(failed?.hint).toContain('record click instead');
});

test('saveDownload waits for a late download, also after a failure; the click gets it', async ({ visit }) => {
  const link = `Object.assign(document.createElement('a'), {href: 'data:text/csv,a', download: 'a.csv'}).click()`;
  const { record, code } = await visit(
    `<button onclick="setTimeout(() => { ${link} }, 900)">Export</button>`,
  );
  await record(
    { action: 'click', target: 'getByRole("button")' },
    { action: 'expect', target: 'button', matcher: 'toHaveText', expected: 'Export' },
    { action: 'expect', target: 'button', matcher: 'toBeHidden', options: {} },
  );
  await record({ action: 'saveDownload', path: 'a.csv' });
  expect(await code()).toMatch(
    /downloadPromise = page[^]*getByRole\("button"\)\.click\(\);[^]*download = await downloadPromise[^]*download\.saveAs/,
  );
});

test('a download that no recorded step started is rejected', async ({ visit, shared }) => {
  await shared.configure({ browser: { actionTimeoutMs: 500 } });
  const { land, record, code } = await visit('<a href="data:text/csv,a" download="a.csv">Export</a>');
  await land({ action: 'click', target: 'getByRole("link")', record: false });
  const { failed } = await record({ action: 'saveDownload', path: 'a.csv' });
  expect(failed).toMatchObject({ message: 'No recorded step starts a download.' });
  expect(await code()).not.toContain('download');
});

test('waitForResponse after the action is rejected, with the right order', async ({ visit, shared }) => {
  const { started, land, record, code } = await visit(`<button onclick="fetch('/data')">Load</button>`);
  const loads = { action: 'click', target: 'getByRole("button")' };
  const waits = { action: 'waitForResponse', url: '**/data' };
  const { failed, recorded } = await record(loads, waits);
  expect(failed).toMatchObject({
    action: 1,
    code: 'INVALID_INPUT',
    hint: expect.stringContaining('`at`: 1'),
  });
  expect(recorded).toBe(1);
  expect(await code()).not.toContain('response');
  const { sessionId } = started;
  const inserted = await shared.call('record_codegen_session', { sessionId, at: 1, actions: [waits] });
  expect(inserted.error).toBeUndefined();
  expect(await code()).toMatch(/dataResponsePromise = [^]*click[^]*await dataResponsePromise/);
  // With an action after it, it waits for that one.
  await land(waits, loads);
});

test('end warns about unrecorded actions of the last call, and so does a failed verification', async ({
  visit,
  shared,
}) => {
  test.slow();
  await shared.configure({
    browser: { actionTimeoutMs: 500 },
    verify: { mode: 'require', sensitivity: 'off' },
  });
  const { started, record } = await visit(
    "<button onclick=\"this.remove()\">Accept</button><p onclick=\"this.textContent = document.querySelector('button') ? 'no' : 'bought'\">Buy</p>",
  );
  const { sessionId } = started;
  await record(
    { action: 'click', target: 'getByRole("button")', record: false },
    { action: 'click', target: 'p' },
    { action: 'expect', target: 'p', matcher: 'toHaveText', expected: 'bought' },
  );
  await giveUpSoon(shared.workspace);
  const failed = await shared.call('end_codegen_session', { sessionId });
  expect(failed.text).toContain('performed with "record": false: click before step 1');

  await record(
    { action: 'click', target: '#none' },
    { action: 'hover', target: 'p' },
    { action: 'waitFor', target: 'p' },
  );
  const written = await shared.call('end_codegen_session', { sessionId, verify: 'off' });
  expect(z.array(z.string()).parse(written['warnings'])).toContainEqual(
    expect.stringContaining('its click and the 2 actions after it were not recorded'),
  );
});

test("Playwright's options work and are emitted", async ({ visit, shared }) => {
  await shared.configure({ browser: { actionTimeoutMs: 10_000 } });
  const { land, record, code } = await visit(
    '<div style="position: absolute; inset: 0"></div><button onclick="this.textContent = 1">Covered</button><input>',
  );
  await land(
    { action: 'click', target: 'getByText("Covered")', force: true },
    { action: 'fill', target: 'getByRole("textbox")', value: 'x', force: true, noWaitAfter: true },
  );
  expect(await code()).toMatch(
    /click\({ force: true }\);[^]*fill\("x", { force: true, noWaitAfter: true }\);/,
  );
  const begin = performance.now();
  const { failed } = await record({ action: 'click', target: 'getByRole("button")', timeout: 300 });
  expect(failed?.message).toContain('intercepts pointer events');
  await record({ action: 'click', target: '#none', timeout: 300 });
  expect(performance.now() - begin).toBeLessThan(8000);
});

for (const [left, words] of [
  [0, 'its click was not recorded. Record it if the test needs it.'],
  [1, 'its click and the action after it were not recorded. Record them if the test needs them.'],
] as const)
  test(`a warning says what a failed call did not record, with ${left} actions after it`, () => {
    expect(callWarnings({ failedCall: { action: 'click', left }, steps: [] })).toEqual([
      `The last call of record_codegen_session failed: ${words}`,
    ]);
  });
