import { execFileSync } from 'node:child_process';
import { configure, connect, descendants, expect, refOf, test } from '../fixtures.js';

test('a ref becomes the best locator; a locator that is not brittle is kept as given', async ({ open }) => {
  const { started, land } = await open('todo.html');
  const result = await land(
    { action: 'click', target: refOf(started.snapshot, 'textbox') },
    { action: 'click', target: "page.getByPlaceholder('What needs').first()" },
    { action: 'click', target: 'input[type=text], input:not([type])' },
    { action: 'click', target: 'text=Completed >> nth=0' },
    { action: 'press', target: 'body', key: 'Escape' },
  );
  const textbox = 'page.getByRole("textbox", { name: "What needs to be done?" })';
  expect(result.codes).toEqual([
    `await ${textbox}.click();`,
    `await ${textbox}.click();`,
    'await page.locator("input[type=text], input:not([type])").click();',
    'await page.getByRole("link", { name: "Completed" }).click();',
    'await page.locator("body").press("Escape");',
  ]);
});

test('references are resolved before the first action of a call', async ({ open }) => {
  const { started, land } = await open('rename.html');
  const expand = refOf(started.snapshot, '"Expand"');
  const { codes } = await land({ action: 'click', target: expand }, { action: 'click', target: expand });
  expect(codes).toEqual([
    'await page.getByRole("button", { name: "Expand" }).click();',
    'await page.getByRole("button", { name: "Collapse" }).click();',
  ]);
});

test('if only references changed, the old ones go on working', async ({ open }) => {
  const { started, land } = await open('rename.html');
  const refreshed = await land({
    action: 'click',
    target: 'getByRole("button", { name: "Refresh the list" })',
  });
  expect(refreshed.snapshot).toBe('Unchanged.');
  const { codes } = await land({ action: 'click', target: refOf(started.snapshot, '"Greet Bob"') });
  expect(codes).toEqual(['await page.getByRole("button", { name: "Greet Bob" }).click();']);
});

test('the reference of an element that is gone fails at once, with the nearest candidates', async ({
  open,
}) => {
  const { started, land, record } = await open('todo.html');
  const gone = refOf(started.snapshot, 'button "Delete"');
  await land({ action: 'click', target: gone });
  const begin = performance.now();
  const result = await record({ action: 'click', target: gone });
  expect(performance.now() - begin).toBeLessThan(4000);
  expect(result.isError).toBe(true);
  expect(result.failed).toMatchObject({ action: 0, code: 'TARGET_NOT_FOUND' });
  expect(result.failed?.hint).toMatch(/Nearest: e\d+ button "Delete"/);
  expect(result.error).toMatchObject({ code: 'TARGET_NOT_FOUND' });
});

/** Makes what fails fail soon. */
const soon = { browser: { actionTimeoutMs: 1000 } };

test('a target that matches several elements, or none, is reported with candidates', async ({
  open,
  shared,
}) => {
  await shared.configure(soon);
  const before = shared.stderr();
  const { record } = await open('todo.html');
  const several = await record({ action: 'click', target: "getByRole('button', { name: 'Delete' })" });
  expect(several.failed).toMatchObject({
    code: 'TARGET_AMBIGUOUS',
    message: 'The target matches 3 elements.',
  });
  const refs = several.failed?.hint.match(/e\d+ button "Delete"/g) ?? [];
  expect(refs).toHaveLength(3);
  const boxes = await record({ action: 'check', target: 'input[type=checkbox]' });
  expect(boxes.failed?.hint).toMatch(/It matches getBy.*checkbox/);
  expect(boxes.failed?.hint).toMatch(/Nearest: e\d+ checkbox/);
  const printed = await record({ action: 'click', target: '[ref=e999]' });
  expect(printed.failed).toMatchObject({
    code: 'TARGET_NOT_FOUND',
    message: 'The element with ref e999 no longer exists.',
  });
  expect(printed.failed?.hint).toContain('latest snapshot');
  const none = await record({ action: 'click', target: "getByRole('button', { name: 'Cleer completed' })" });
  expect(none.failed).toMatchObject({ code: 'TARGET_NOT_FOUND' });
  expect(none.failed?.hint).toMatch(/e\d+ button "Clear completed"/);
  expect(shared.stderr()).toBe(before);
});

test('candidates are named without the glyphs of icons', async ({ open, shared }) => {
  await shared.configure(soon);
  const { record } = await open('nameless.html');
  const { failed } = await record({ action: 'click', target: "getByRole('button', { name: 'Restoring' })" });
  expect(failed?.hint).toMatch(/Nearest: e\d+ button "Restore"/);
});

test('a call keeps what landed before its failure', async ({ open, shared }) => {
  await shared.configure(soon);
  const { record, code } = await open('form.html');
  const result = await record(
    { action: 'fill', target: 'getByPlaceholder("Nickname")', value: 'Ann' },
    { action: 'fill', target: 'getByLabel("Customer number")', value: '1' },
    { action: 'fill', target: 'getByPlaceholder("Nickname")', value: 'never' },
  );
  expect(result).toMatchObject({ recorded: 1, isError: true, failed: { action: 1, code: 'ACTION_FAILED' } });
  expect(result.failed?.message).toContain('not editable');
  const source = await code();
  expect(source).toContain('.fill("Ann")');
  expect(source).not.toContain('never');
});

test('nothing is performed if any action of the call is malformed', async ({ open }) => {
  const { record } = await open('form.html');
  const name = { action: 'fill', target: 'getByLabel("Full name")', value: 'typed' };
  for (const [wrong, message] of [
    [{ action: 'clik', target: 'e1' }, 'did you mean "click"'],
    [{ action: 'fill', target: 'e1', vaule: 'x' }, 'did you mean "value"'],
    [{ action: 'click' }, 'needs a target'],
    [{ action: 'fill', target: 'e1' }, 'fill.value is missing'],
    [{ action: 'expect', target: 'e1', matcher: 'toHaveText' }, 'needs an expected value'],
    [{ action: 'goto', target: 'e1', url: 'http://127.0.0.1/' }, 'no field "target"'],
    [
      { action: 'click', target: "getByRole('button').evaluate(() => 1)" },
      '"evaluate" is not a locator method',
    ],
    [{ action: 'expect', target: 'e1', matcher: 'toHaveTxet', expected: 'x' }, 'did you mean "toHaveText"'],
    [{ action: 'expect', target: 'e1', matcher: 'toHaveCount', expected: 'three' }, 'toHaveCount'],
    [{ action: 'expect', target: 'e1', matcher: 'toBeVisible', expected: 'x' }, 'takes no expected'],
    [{ action: 'expect', target: 'e1', matcher: 'toHaveAttribute', expected: 'x' }, 'needs the name'],
    [
      { action: 'expect', target: 'e1', matcher: 'toHaveText', expected: { regex: '(' } },
      'regular expression',
    ],
  ] as const) {
    const result = await record(name, wrong);
    expect(result.error, message).toMatchObject({ code: 'INVALID_INPUT' });
    expect(result.error?.message).toContain(message);
    expect(result.error?.hint, message).toBeTruthy();
  }
  const { codes } = await record({
    action: 'expect',
    target: 'getByLabel("Full name")',
    matcher: 'toHaveValue',
    expected: '',
  });
  expect(codes).toHaveLength(1);
});

test('a false assertion is rejected, with the received value', async ({ open, shared }) => {
  await shared.configure(soon);
  const { record, code } = await open('todo.html');
  const result = await record({
    action: 'expect',
    target: 'getByRole("status")',
    matcher: 'toHaveText',
    expected: '7 items left',
  });
  expect(result.failed).toMatchObject({ code: 'ACTION_FAILED' });
  expect(result.failed?.message).toContain('Received: "2 items left"');
  expect(await code()).not.toContain('7 items left');
});

test('a reference in an assertion becomes a locator without the asserted text', async ({ open }) => {
  const { started, land } = await open('similar.html');
  const { codes } = await land(
    {
      action: 'expect',
      target: refOf(started.snapshot, 'heading "Teapot"'),
      matcher: 'toHaveText',
      expected: 'Teapot',
    },
    {
      action: 'expect',
      target: refOf(started.snapshot, 'cell "Anna"'),
      matcher: 'toContainText',
      expected: { regex: 'ann', flags: 'i' },
    },
    { action: 'expect', target: refOf(started.snapshot, 'button "More"'), matcher: 'toBeVisible' },
  );
  expect(codes[0]).toContain('toHaveText("Teapot")');
  expect(codes[0]?.replace('toHaveText("Teapot")', '')).not.toContain('Teapot');
  expect(codes[1]).toContain('.toContainText(/ann/i)');
  expect(codes[1]?.replace('/ann/i', '')).not.toMatch(/ann/i);
  expect(codes[2]).toBe('await expect(page.getByRole("button", { name: "More" })).toBeVisible();');
});

test('record: false performs without recording, undo removes steps, step and note give structure', async ({
  open,
}) => {
  const { land, code } = await open('todo.html', { title: 'structure' });
  const box = 'getByRole("textbox")';
  await land(
    { action: 'step', title: "Ann's task" },
    { action: 'fill', target: box, value: 'kept', note: 'what she types' },
    { action: 'fill', target: box, value: 'not recorded', record: false },
    { action: 'fill', target: box, value: 'taken back' },
    { action: 'press', key: 'Tab' },
    { action: 'undo', count: 2 },
    { action: 'step', title: 'Adds it' },
    { action: 'press', target: box, key: 'Enter' },
  );
  const { snapshot } = await land({ action: 'hover', target: box, record: false });
  expect(snapshot).toBeDefined();
  const source = await code();
  expect(source).toMatch(
    /test\.step\("Ann's task", async \(\) => \{\s+\/\/ what she types\s+await page[^;]+\.fill\("kept"\);/,
  );
  expect(source).toMatch(/test\.step\("Adds it", async \(\) => \{[^;]+press\("Enter"\)/);
  expect(source).not.toMatch(/not recorded|taken back|Tab|hover/);
});

test('undo of more steps than recorded is rejected', async ({ open }) => {
  const { record } = await open('todo.html');
  const result = await record({ action: 'undo', count: 2 });
  expect(result.failed).toMatchObject({
    code: 'INVALID_INPUT',
    message: 'There are 1 recorded steps, fewer than 2.',
  });
});

test('snapshots: whole, what changed, or none', async ({ open, shared }) => {
  const { started, land } = await open('mutate.html');
  const { sessionId } = started;
  const button = started.snapshot.split('\n').find((line) => line.includes('- button')) ?? '';
  const click = { action: 'click', target: refOf(button, 'button') };
  const diff = await land(click);
  expect(diff.snapshot.length).toBeLessThan(started.snapshot.length / 2);
  expect(diff.snapshot).toMatch(/^~ /m);
  const none = await shared.call('record_codegen_session', { sessionId, actions: [click], snapshot: 'none' });
  expect(none.snapshot).toBe('');
  const full = await shared.call('record_codegen_session', { sessionId, actions: [click], snapshot: 'full' });
  expect(full.snapshot.length).toBeGreaterThan(started.snapshot.length / 2);
});

test('a new document is shown whole, and old references are gone', async ({ open }) => {
  const { started, land, record } = await open('navigation.html');
  const link = refOf(started.snapshot, 'link');
  const { snapshot, url } = await land({ action: 'goto', url: started.url.replace('navigation', 'landing') });
  expect(url).toContain('landing.html');
  expect(snapshot).toMatch(/^- /);
  const stale = await record({ action: 'click', target: link });
  expect(stale.failed?.code).toBe('TARGET_NOT_FOUND');
});

test('the snapshot and the screenshot of one element', async ({ open, shared }) => {
  const { started, land } = await open('similar.html');
  const { sessionId } = started;
  const target = refOf(started.snapshot, '- table');
  const part = await shared.client.callTool({
    name: 'get_codegen_session',
    arguments: { sessionId, include: ['snapshot', 'screenshot'], target },
  });
  expect(part.structuredContent).toMatchObject({
    snapshot: expect.stringMatching(/^<page-content-\w+>\n- table/),
  });
  expect(part.content).toContainEqual(expect.objectContaining({ type: 'image', mimeType: 'image/png' }));
  // References of the whole page outlive the look at a part of it.
  await land({ action: 'click', target: refOf(started.snapshot, 'button "More"') });
});

test('unannounced dialogs are dismissed and reported, and block nothing', async ({ open }) => {
  const { land } = await open('dialogs.html');
  const { events, snapshot } = await land({
    action: 'click',
    target: 'getByRole("button", { name: "Confirm", exact: true })',
  });
  expect(events).toEqual([
    { type: 'dialog', dialog: 'confirm', message: 'Delete everything?', answer: 'dismissed' },
  ]);
  expect(snapshot).toContain('kept');
  const late = await land({ action: 'click', target: 'getByRole("button", { name: "Late confirm" })' });
  expect(late.events).toHaveLength(1);
});

test('console errors, popups and requests are reported', async ({ open, shared }) => {
  const { started, land } = await open('console.html');
  for (const [, ref] of started.snapshot.matchAll(/button[^\n]*\[ref=(\w+)\]/g))
    await land({ action: 'click', target: ref });
  const seen = await shared.call('get_codegen_session', {
    sessionId: started.sessionId,
    include: ['console', 'network'],
  });
  expect(seen['console']).toContainEqual(expect.objectContaining({ level: 'error' }));
  const error = 'getByRole("button", { name: "Error" })';
  const repeated = await land({ action: 'click', target: error }, { action: 'click', target: error });
  expect(repeated.events).toEqual([{ type: 'console', level: 'error', text: 'An error {code: 42}' }]);
  expect(seen['network']).toContainEqual(expect.objectContaining({ method: 'GET', status: 200 }));
  const popup = await open('popup.html');
  const opener = refOf(popup.started.snapshot, 'button');
  const { events: told, pages: opened } = await popup.land({ action: 'click', target: opener });
  let listed = opened.length;
  // A popup is known when its page answers, which may be after the result of the click.
  await expect
    .poll(async () => {
      const later = await popup.land({ action: 'hover', target: 'h1', record: false });
      told.push(...later.events);
      // Listed once.
      listed ||= later.pages.length;
      return listed;
    })
    .toBe(2);
  expect(told).toContainEqual({ type: 'popup', page: 'p2' });
});

test('addresses that are not pages are not opened', async ({ open, shared, pages }) => {
  const { record } = await open('landing.html');
  for (const url of ['file:///etc/passwd', 'javascript:alert(1)', 'chrome://version', 'data:text/html,x']) {
    const result = await record({ action: 'goto', url });
    expect(result.failed, url).toMatchObject({ code: 'NAVIGATION_BLOCKED' });
    expect(result.failed?.hint, url).toBeTruthy();
    expect((await shared.start({ url })).error, url).toMatchObject({ code: 'NAVIGATION_BLOCKED' });
  }
  expect((await record({ action: 'goto', url: 'not a url' })).failed?.code).toBe('INVALID_INPUT');
  const refused = await record({ action: 'goto', url: 'http://127.0.0.1:1/' });
  expect(refused.failed?.message).toContain('ERR_');
  expect((await shared.start({ url: 'http://127.0.0.1:1/' })).error).toMatchObject({ code: 'ACTION_FAILED' });
  expect((await record({ action: 'goto', url: `${pages.url}/form.html` })).failed).toBeUndefined();
});

test('a page that never answers costs no more than the time-out', async ({ shared: server, pages }) => {
  await server.configure({ browser: { navigationTimeoutMs: 700, actionTimeoutMs: 700 } });
  expect((await server.start({ url: `${pages.url}/hang` })).error).toMatchObject({ code: 'ACTION_FAILED' });
  const { sessionId } = await server.start({ url: `${pages.url}/landing.html` });
  const hang = await server.record(sessionId, { action: 'goto', url: `${pages.url}/hang` });
  expect(hang.failed?.message).toContain('timed out');
  const next = await server.record(sessionId, { action: 'goto', url: `${pages.url}/form.html` });
  expect(next.recorded).toBe(1);
});

test('a page in an endless loop is stopped, and the session continues', async ({ shared: server, pages }) => {
  await server.configure({ browser: { actionTimeoutMs: 700 } });
  const { sessionId, snapshot } = await server.start({ title: 'loops', url: `${pages.url}/crash.html` });
  const loop = { action: 'click', target: refOf(snapshot, 'Loop forever') };
  await server.record(sessionId, loop, { action: 'expect', target: 'h1', matcher: 'toBeHidden' });
  const next = await server.record(sessionId, { action: 'goto', url: `${pages.url}/landing.html` });
  expect(next.failed).toBeUndefined();
});

test('an exponential regular expression fails only its action', async ({ shared: server, pages }) => {
  await server.configure({ browser: { actionTimeoutMs: 700, navigationTimeoutMs: 700 } });
  const { sessionId } = await server.start({
    title: 'matches',
    url: `${pages.url}/landing.html?${'a'.repeat(40)}!`,
  });
  const expected = { regex: '(a+)+$' };
  const hung = await server.record(sessionId, { action: 'expect', matcher: 'toHaveURL', expected });
  expect(hung.failed).toMatchObject({ code: 'ACTION_FAILED' });
  expect(hung.snapshot).not.toContain('does not respond');
  const waited = await server.record(sessionId, { action: 'waitForURL', url: expected });
  expect(waited.failed?.message).toContain('waitForURL timed out');
  const next = await server.record(sessionId, { action: 'click', target: 'h1' });
  expect(next.failed).toBeUndefined();
});

test('a crashed page and a killed browser are reported, and recorded steps are kept', async ({
  workspace,
  pages,
}) => {
  await configure(workspace, { browser: { actionTimeoutMs: 2000 } });
  const server = await connect(workspace);
  const { sessionId } = await server.start({ title: 'crashes', url: `${pages.url}/landing.html` });
  const renderers = (await descendants(server.pid)).filter(({ command }) =>
    command.includes('--type=renderer'),
  );
  expect(renderers).not.toHaveLength(0);
  for (const { pid } of renderers) process.kill(pid, 'SIGKILL');
  const crashed = await server.record(sessionId, { action: 'click', target: 'getByRole("heading")' });
  expect(crashed.error?.code).toBe('BROWSER_FAILED');
  const ended = await server.call('end_codegen_session', { sessionId });
  expect(ended.testCode).toContain('landing.html');

  const { sessionId: other } = await server.start({ title: 'survives', url: `${pages.url}/landing.html` });
  execFileSync('pkill', ['-KILL', '-P', String(server.pid)]);
  await expect
    .poll(async () => (await server.record(other, { action: 'reload' })).error?.code)
    .toBe('BROWSER_FAILED');
  const rescued = await server.call('end_codegen_session', { sessionId: other });
  expect(rescued.testCode).toContain('landing.html');
  expect((await server.start({ url: `${pages.url}/landing.html` })).error).toBeUndefined();
  await server.close();
});

test('the text of a page stands in a block that it cannot close', async ({ open }) => {
  const { started, land } = await open('hostile.html');
  const { text, codes, failed } = await land({ action: 'click', target: '#fence' });
  expect(failed).toBeUndefined();
  expect(codes).toHaveLength(1);
  const [, delimiter = ''] = /<(page-content-[0-9a-f]{8})>/.exec(text) ?? [];
  expect(text.split(`</${delimiter}>`)).toHaveLength(2);
  expect(text.endsWith(`</${delimiter}>`)).toBe(true);
  const outside = text.slice(0, text.indexOf(`<${delimiter}>`));
  expect(outside).toBe('recorded: 1\n');
  expect(started.text).not.toContain(delimiter);
});

test('the text of a result says where the page is if that changed, the structured form always', async ({
  open,
}) => {
  const { started, land } = await open('navigation.html');
  expect(started.text).toMatch(/^url: .*navigation\.html$/m);
  const same = await land({ action: 'hover', target: 'h1' });
  expect(same.text).not.toMatch(/^(?:url|pageTitle|page):/m);
  expect(same).toMatchObject({ url: started.url, pageTitle: started.pageTitle, page: 'p1' });
  const next = await land({ action: 'click', target: 'text=/later|delayed|soon/i' });
  expect(next.text).toMatch(/^url: .*landing\.html/m);
});
