import { codeSteps } from '../../src/actions/registry.js';
import { writeTest } from '../../src/codegen/source.js';
import { findTemplate } from '../../src/codegen/templates.js';
import { expect, test } from '../fixtures.js';
import { serve } from '../fixtures/serve.js';

const page = `<!doctype html><title>Slow</title><h1>Slow</h1><div class="toasts"></div><script>
  function start() {
    const toast = Object.assign(document.createElement('div'), { className: 'toast', textContent: 'Engine started' });
    document.querySelector('.toasts').append(toast);
    setTimeout(() => { toast.remove(); void fetch('/gone'); }, 1200);
  }
  setTimeout(() => {
    document.body.insertAdjacentHTML('beforeend', '<button onclick="start()">Start</button>');
    void fetch('/shown');
  }, 3200);
</script>`;

test('a test of a slow application gets the time that recording took, and meets a message that goes by itself', async ({
  open,
  shared,
}) => {
  test.slow();
  const asked = new Set<string | undefined>();
  const site = await serve((request, response) => {
    asked.add(request.url);
    response.setHeader('content-type', 'text/html').end(page);
    return Promise.resolve();
  }, 0);
  await shared.configure({
    autoAssert: true,
    browser: { actionTimeoutMs: 1000 },
    verify: { mode: 'require', sensitivity: 'off' },
  });
  const { started, land } = await open('', { url: site.url });
  const { sessionId } = started;
  await expect.poll(() => asked.has('/shown'), { timeout: 30_000 }).toBe(true);
  await land({ action: 'click', target: "getByRole('button')" });
  await expect.poll(() => asked.has('/gone'), { timeout: 30_000 }).toBe(true);
  await shared.call('get_codegen_session', { sessionId });
  const ended = await shared.call('end_codegen_session', { sessionId });
  await site.close();
  expect(ended.error).toBeUndefined();
  expect(ended.testCode).toMatch(/Its effects took 3 s[^]*goto\([^]*toBeVisible\({\s*timeout: 15000/);
  expect(ended.testCode).toMatch(
    /click\(\);\s+await expect\(page\.getByText\("Engine started"\)\)\.toBeVisible\(\)/,
  );
});

test('the time for which an action waited for its element is not that of its effects', async ({
  open,
  shared,
}) => {
  let isSaved = false;
  const site = await serve((request, response) => {
    isSaved ||= request.url === '/saved';
    response.setHeader('content-type', 'text/html')
      .end(`<!doctype html><title>Waits</title><button disabled onclick="save()">Save</button><p></p><script>
      setTimeout(() => document.querySelector('button').disabled = false, 3200);
      function save() {
        setTimeout(() => { document.querySelector('p').textContent = 'Saved'; void fetch('/saved'); }, 700);
      }
    </script>`);
    return Promise.resolve();
  }, 0);
  await shared.configure({ autoAssert: true, browser: { actionTimeoutMs: 10_000 } });
  const { land, code } = await open('', { url: site.url });
  await land({ action: 'click', target: "getByRole('button')" });
  await expect.poll(() => isSaved).toBe(true);
  const test = await code();
  await site.close();
  expect(test).toContain('getByText("Saved")');
  expect(test).not.toContain('Its effects took');
});

test('an assertion of what an action shows only briefly is recorded; what it ends is not asserted', async ({
  open,
  shared,
}) => {
  const site = await serve((_, response) => {
    response.setHeader('content-type', 'text/html').end(`<!doctype html><title>Brief</title>
      <button onclick="save()">Save</button><p>Draft</p><output></output><script>
      function save() {
        document.querySelector('output').textContent = 'Saving';
        setTimeout(() => {
          document.querySelector('p').textContent = 'Final';
          document.querySelector('output').textContent = '';
        }, 250);
      }
    </script>`);
    return Promise.resolve();
  }, 0);
  await shared.configure({ autoAssert: false, browser: { actionTimeoutMs: 1000 } });
  const { land, record } = await open('', { url: site.url });
  const click = { action: 'click', target: "getByRole('button')" };
  const shows = (text: string): Record<string, unknown> => ({
    action: 'expect',
    target: `getByText('${text}')`,
    matcher: 'toBeVisible',
  });
  await land(click, shows('Saving'), shows('Final'));
  await land({ action: 'reload' });
  const failing = await record(click, shows('Draft'));
  await site.close();
  expect(failing).toMatchObject({ recorded: 1, failed: { action: 1 } });
});

test('an id that changes between runs is replaced by another locator', async ({ open, shared }) => {
  test.slow();
  let visits = 10;
  const site = await serve((_, response) => {
    response.setHeader('content-type', 'text/html').end(`<!doctype html><title>Ids</title><p>0</p>
      <button id="save-${++visits}" onclick="document.querySelector('p').textContent = 'Saved'">Save</button>`);
    return Promise.resolve();
  }, 0);
  await shared.configure({
    browser: { actionTimeoutMs: 1000 },
    verify: { mode: 'require', sensitivity: 'off' },
  });
  const { started, land } = await open('', { url: site.url });
  const { codes } = await land({ action: 'click', target: '#save-11' });
  expect(codes.join()).toContain('#save-11');
  const ended = await shared.call('end_codegen_session', { sessionId: started.sessionId });
  await site.close();
  expect(ended.error).toBeUndefined();
  expect(ended.testCode).toContain('page.getByRole("button", { name: "Save" }).click()');
  expect(ended.text).toContain('The id in the locator of step 1 changed between runs');
});

for (const { slowMs, line } of [
  { slowMs: 12_000, line: 'test.slow();' },
  { slowMs: 40_000, line: 'test.setTimeout(180000);' },
])
  test(`a test whose application took ${slowMs} ms begins with ${line}`, async () => {
    const { source } = await writeTest({
      language: 'typescript',
      template: await findTemplate('plain', undefined),
      title: 'slow',
      includeComments: true,
      use: {},
      spec: 'slow.spec.ts',
      baseURL: undefined,
      steps: codeSteps([{ action: 'goto', args: { url: 'https://example.com/' }, slowMs }]),
      secrets: [],
      uniques: {},
      pages: new Map(),
    });
    expect(source).toContain(
      `  // The application took ${slowMs / 1000} s when this was recorded.\n  ${line}\n  await page.goto(`,
    );
  });
