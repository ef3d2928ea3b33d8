import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from '../fixtures.js';
import { serve } from '../fixtures/serve.js';

const html = `<title>App</title><label>Token <input id="token"></label><label>Note <input id="note"></label>
<button onclick="token.value = token.value.slice(1, 4)">Cut</button><p id="echo"></p>
<script>token.oninput = () => { echo.textContent = 'Hello ' + token.value; };</script>`;

test("a typed secret can't be read back", async ({ shared: server }) => {
  test.slow();
  const app = await serve(async (_, response) => {
    response.setHeader('content-type', 'text/html').end(html);
    return Promise.resolve();
  }, 0);
  await server.configure({ autoAssert: true, secrets: ['TOKEN'], browser: { actionTimeoutMs: 2000 } });
  const { sessionId } = await server.start({ url: app.url });
  const fill = { action: 'fill', target: '#token', value: '{{secret:TOKEN}}' };
  const shown = await server.record(sessionId, fill);
  expect(shown.failed).toBeUndefined();
  for (const action of [
    { action: 'press', target: '#token', key: 'Delete' },
    { action: 'press', key: 'Backspace' },
    { action: 'press', target: '#token', key: 'ControlOrMeta+a' },
    { action: 'press', key: 'Control+c' },
    { action: 'pressSequentially', target: '#token', value: 'x' },
    { action: 'expect', target: '#token', matcher: 'toHaveValue', expected: { regex: '^Z' } },
    { action: 'expect', target: '#token', matcher: 'toHaveValue', expected: { regex: '^A' }, not: true },
    { action: 'expect', target: '#token', matcher: 'toHaveJSProperty', name: 'value', expected: 'Z' },
    { action: 'expect', target: '#echo', matcher: 'toContainText', expected: 'Hello Z' },
    { action: 'expect', target: '#echo', matcher: 'toHaveText', expected: { regex: 'Hello A' } },
    { action: 'expect', matcher: 'toMatchAriaSnapshot', expected: '- textbox "Token": /Z/' },
  ]) {
    const { failed } = await server.record(sessionId, action);
    expect([JSON.stringify(action), failed?.code, failed?.message]).toEqual([
      JSON.stringify(action),
      'INVALID_INPUT',
      expect.stringContaining('a part of a secret'),
    ]);
  }
  // What is selected can be copied, dragged or pasted, a word at a time.
  const word = { position: { x: 80, y: 8 } };
  for (const [select, move] of [
    [{ action: 'dblclick', target: '#token' }, { action: 'mouse.down' }],
    [
      { action: 'dblclick', target: '#token' },
      { action: 'click', target: '#note', button: 'middle' },
    ],
    [
      { action: 'dblclick', target: '#echo', ...word },
      { action: 'press', key: 'Control+c' },
    ],
    [
      { action: 'dblclick', target: '#echo', ...word },
      { action: 'dragTo', target: '#note', to: '#note' },
    ],
  ] as const) {
    const { failed } = await server.record(sessionId, select, move);
    expect([move.action, failed?.message]).toEqual([
      move.action,
      `${move.action} could show a part of a secret.`,
    ]);
  }
  const pictures = [
    [{ action: 'pdf', path: 'page.pdf' }, 'The PDF would show a secret.'],
    [{ action: 'expect', matcher: 'toHaveScreenshot' }, 'The screenshot would show a secret.'],
  ] as const;
  for (const [action, message] of pictures)
    expect((await server.record(sessionId, action)).failed?.message).toBe(message);
  // What is under the mask makes no difference.
  const echo = async (): Promise<string> => {
    await server.record(sessionId, { action: 'screenshot', target: '#echo', path: 'echo.png' });
    return readFile(path.join(server.workspace, '.codegen/artifacts/echo.png'), 'base64');
  };
  const once = await echo();
  await server.record(sessionId, { ...fill, value: '{{secret:TOKEN}}{{secret:TOKEN}}' });
  expect(await echo()).toBe(once);
  await server.record(sessionId, fill);
  const fine = await server.record(
    sessionId,
    { action: 'click', target: '#note' },
    { action: 'expect', matcher: 'toHaveScreenshot', options: { mask: ['#token', '#echo'] } },
    { action: 'expect', target: '#token', matcher: 'toHaveValue', expected: '{{secret:TOKEN}}' },
    { action: 'expect', target: '#echo', matcher: 'toHaveText', expected: 'Hello {{secret:TOKEN}}' },
    { action: 'expect', target: '#note', matcher: 'toHaveValue', expected: { regex: '^$' } },
    { action: 'press', target: '#token', key: 'Tab' },
    { action: 'fill', target: '#note', value: 'plain' },
    // What the page leaves of it is hidden too.
    { action: 'click', target: 'getByText("Cut")' },
  );
  expect(fine.failed).toBeUndefined();
  const { snapshot } = await server.call('get_codegen_session', { sessionId, include: ['snapshot'] });
  expect(snapshot).toContain('(a secret was typed here)');
  expect(snapshot).toContain('plain');
  expect(snapshot + fine.text + shown.text).not.toMatch(/zeb|ebr|agga/i);
  const { error, testCode } = await server.call('end_codegen_session', { sessionId });
  expect(error).toBeUndefined();
  expect(testCode).not.toMatch(/zeb|ebr|agga/i);
  const files = await readdir(path.join(server.workspace, '.codegen', 'sessions'));
  for (const file of files)
    expect(await readFile(path.join(server.workspace, '.codegen', 'sessions', file), 'utf8')).not.toMatch(
      /zeb|ebr|agga/i,
    );
  await app.close();
});

test("a secret typed into a frame can't be read back, and the frame's fields stay usable", async ({
  shared: server,
}) => {
  const app = await serve(async ({ headers: { host = '' } }, response, { pathname }) => {
    const frame = `<h1>Outside</h1><iframe src="http://${host.replace('127.0.0.1', 'localhost')}/frame"></iframe>`;
    response.setHeader('content-type', 'text/html').end(pathname === '/frame' ? html : frame);
    return Promise.resolve();
  }, 0);
  await server.configure({ autoAssert: true, secrets: ['TOKEN'], browser: { actionTimeoutMs: 2000 } });
  const { sessionId } = await server.start({ url: app.url });
  const inFrame = (selector: string): string => `locator("iframe").contentFrame().locator("${selector}")`;
  const typed = await server.record(
    sessionId,
    { action: 'fill', target: inFrame('#token'), value: '{{secret:TOKEN}}' },
    { action: 'fill', target: inFrame('#note'), value: 'first' },
    { action: 'fill', target: inFrame('#note'), value: 'second' },
    { action: 'click', target: inFrame('button') },
  );
  expect(typed.failed).toBeUndefined();
  for (const target of [{ target: inFrame('#token') }, {}]) {
    if (!('target' in target)) await server.record(sessionId, { action: 'focus', target: inFrame('#token') });
    const { failed } = await server.record(sessionId, { action: 'press', ...target, key: 'Backspace' });
    expect(failed?.message).toContain('a part of a secret');
  }
  const picture = { action: 'expect', matcher: 'toHaveScreenshot' };
  for (const target of [{}, { target: 'iframe' }, { target: inFrame('#note') }])
    expect((await server.record(sessionId, { ...picture, ...target })).failed?.message).toBe(
      'The screenshot would show a secret.',
    );
  const outside = await server.record(
    sessionId,
    { ...picture, target: 'h1' },
    { ...picture, options: { mask: ['iframe'] } },
  );
  expect(outside.failed).toBeUndefined();
  const { snapshot } = await server.call('get_codegen_session', { sessionId, include: ['snapshot'] });
  expect(snapshot).toContain('(a secret was typed here)');
  expect(snapshot + typed.text).not.toMatch(/zeb|ebr|agga/i);
  await app.close();
});

/** A code of one character for each field, which advances, takes a whole code at once, and is shown again in plain elements. */
const boxes = `<title>Code</title><div id="code">${'<input maxlength=1>'.repeat(6)}</div><div id="slots"></div>
<input id="whole" aria-label="Whole"><p id="note"></p>
<script>
  const fields = [...code.children];
  const show = () => { slots.innerHTML = fields.map((field) => '<span>' + field.value + '</span>').join(''); };
  fields.forEach((field, index) => { field.oninput = () => { fields[index + 1]?.focus(); show(); }; });
  whole.oninput = () => { fields.forEach((field, index) => { field.value = whole.value[index] ?? ''; }); show(); note.textContent = 'Entered'; };
</script>`;

for (const { action, target } of [
  { action: 'pressSequentially', target: '#code input >> nth=0' },
  { action: 'fill', target: '#whole' },
])
  test(`the characters of a secret are hidden in fields of their own: ${action}`, async ({
    shared: server,
  }) => {
    const app = await serve(async (_, response) => {
      response.setHeader('content-type', 'text/html').end(boxes);
      return Promise.resolve();
    }, 0);
    await server.configure({ autoAssert: true, secrets: ['CODE'], browser: { actionTimeoutMs: 2000 } });
    const { sessionId } = await server.start({ url: app.url });
    const typed = await server.record(sessionId, { action, target, value: '{{secret:CODE}}' });
    expect(typed.failed).toBeUndefined();
    const looked = await server.call('get_codegen_session', { sessionId, include: ['snapshot', 'code'] });
    expect(looked.snapshot.split('(a secret was typed here)').length).toBeGreaterThan(6);
    expect(looked.snapshot + looked.code + typed.snapshot).not.toMatch(/["': ][QZXK]["'\\n<]|QZ|ZK/);
    if (action === 'fill') expect(looked.snapshot).toContain('Entered');
    for (const box of ['#code input >> nth=2', '#slots'])
      expect(
        (
          await server.record(sessionId, {
            action: 'expect',
            target: box,
            matcher: 'toContainText',
            expected: '4',
          })
        ).failed?.message,
      ).toContain('a part of a secret');
    await app.close();
  });
