import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from '../fixtures.js';
import { button, label, link } from './flows.js';

const failureOf = (code: string, message: RegExp | string, hint: RegExp | string = '') =>
  expect.objectContaining({
    code,
    message: expect.stringMatching(message),
    hint: expect.stringMatching(hint),
  });

test('impossible file actions fail with a reason, and are not recorded', async ({
  shared: server,
  pages,
}) => {
  const { workspace } = server;
  await mkdir(path.join(workspace, 'templates'));
  await mkdir(path.join(workspace, 'uploads'));
  await writeFile(path.join(workspace, 'policy.json'), '{ "version": "1", "default": "allow", "tools": {} }');
  await writeFile(path.join(workspace, 'templates/own.eta'), '');
  await symlink(path.join(workspace, 'codegen.config.json'), path.join(workspace, 'uploads/link.json'));
  await server.configure({
    browser: { actionTimeoutMs: 2000, navigationTimeoutMs: 2000 },
    output: { templatesDir: 'templates' },
    policy: 'policy.json',
    http: { tls: { cert: 'uploads/cert.pem', key: 'uploads/key.pem' } },
  });
  await writeFile(path.join(workspace, 'uploads/one.txt'), 'one');
  await writeFile(path.join(workspace, '.env'), 'TOKEN=1');
  const { sessionId } = await server.start({ url: `${pages.url}/files.html` });
  const failed = async (action: Record<string, unknown>) => (await server.record(sessionId, action)).failed;
  const upload = (files: unknown, target = label('Documents')) =>
    failed({ action: 'setInputFiles', target, files });

  expect(await upload('uploads/none.txt')).toEqual(failureOf('INVALID_INPUT', 'no file "uploads/none.txt"'));
  expect(await upload('../secret.txt')).toEqual(failureOf('PATH_NOT_ALLOWED', 'contains ".."'));
  expect(await upload('.env')).toEqual(failureOf('PATH_NOT_ALLOWED', 'hidden'));
  await writeFile(path.join(workspace, 'uploads/key.pem'), 'the private key of the server');
  for (const file of [
    'codegen.config.json',
    'policy.json',
    'templates/own.eta',
    'uploads/link.json',
    'uploads/key.pem',
  ])
    expect(await upload(file), file).toEqual(failureOf('PATH_NOT_ALLOWED', 'belongs to the configuration'));
  expect(await upload('uploads/one.txt', button('Choose nothing'))).toEqual(
    failureOf('ACTION_FAILED', 'opened no file chooser', 'input\\[type="file"\\]'),
  );
  expect(await upload(['uploads/one.txt', 'uploads/one.txt'], '#avatar')).toEqual(
    failureOf('ACTION_FAILED', 'single file'),
  );

  expect(await failed({ action: 'saveDownload', path: 'a.txt' })).toEqual(
    failureOf('ACTION_FAILED', 'Nothing has been downloaded'),
  );
  for (const [name, message] of [
    ['Broken', 'The download failed: .+'],
    ['Endless', 'did not finish within 2000 ms'],
  ] as const) {
    await server.record(sessionId, { action: 'click', target: link(name), record: false });
    expect(await failed({ action: 'saveDownload', path: 'a.zip' })).toEqual(
      failureOf('ACTION_FAILED', message, 'Start it again'),
    );
  }
  expect(await failed({ action: 'screenshot', path: '../../page.png' })).toEqual(
    failureOf('PATH_NOT_ALLOWED', 'contains ".."'),
  );
  expect(
    await failed({ action: 'screenshot', path: 'a.png', target: button('Choose nothing'), fullPage: true }),
  ).toEqual(failureOf('INVALID_INPUT', "can't be combined with a target"));
  for (const [action, file] of [
    ['screenshot', 'page.exe'],
    ['pdf', 'page.png'],
  ]) {
    const { error } = await server.record(sessionId, { action, path: file });
    expect(error).toEqual(failureOf('INVALID_INPUT', 'expected a name that ends in'));
  }

  const { error: noTo } = await server.record(sessionId, { action: 'dragTo', target: 'h1' });
  expect(noTo).toEqual(failureOf('INVALID_INPUT', 'needs `to`'));
  const { error: notHere } = await server.record(sessionId, { action: 'click', target: 'h1', to: 'h1' });
  expect(notHere).toEqual(failureOf('INVALID_INPUT', 'no field "to"'));

  const { codes } = await server.record(sessionId, { action: 'undo' });
  expect(codes).toEqual([]);
  const { code } = await server.call('get_codegen_session', { sessionId, include: ['code'] });
  expect(code).not.toMatch(/setInputFiles|saveAs|screenshot|pdf|chooser|path/);
});

test('matchers are distinguished from options, and unproven ones are marked', async ({
  shared: server,
  pages,
}) => {
  const { sessionId } = await server.start({ url: `${pages.url}/inputs.html`, autoAssert: false });
  const refused = async (fields: Record<string, unknown>) =>
    (await server.record(sessionId, { action: 'expect', target: 'h1', ...fields })).error;
  expect(await refused({ matcher: 'toBeInViewport', options: { ratoi: 1 } })).toEqual(
    failureOf('INVALID_INPUT', 'no option "ratoi"; did you mean "ratio"'),
  );
  expect(await refused({ matcher: 'toMatchAriaSnapshott', expected: '- x' })).toEqual(
    failureOf('INVALID_INPUT', 'did you mean "toMatchAriaSnapshot"'),
  );
  expect(await refused({ matcher: 'toMatchAriaSnapshot', expected: 5 })).toEqual(
    failureOf('INVALID_INPUT', 'expected string'),
  );
  expect(await refused({ matcher: 'toHaveScreenshot', not: true })).toEqual(
    failureOf('INVALID_INPUT', 'takes no `not`'),
  );
  expect(await refused({ matcher: 'toHaveScreenshot', name: '../a.png' })).toEqual(
    failureOf('INVALID_INPUT', 'such as "cart.png"'),
  );
  for (const [matcher, expected, message] of [
    ['toHaveText', 5, 'toHaveText: expected text, {"regex", "flags"} or a list'],
    ['toHaveText', [], 'toHaveText: Too small'],
    ['toHaveText', { regex: '(' }, 'regular expression'],
    ['toContainText', '{{secret:X', 'must have the form'],
    ['toContainText', { regex: '{{secret:X}}' }, "a regular expression can't contain {{secret:NAME}}"],
    ['toHaveCount', '3', 'toHaveCount: expected number'],
    ['toHaveCount', -1, 'toHaveCount: .*>=0'],
    ['toHaveValues', 'a', 'toHaveValues: expected array'],
    ['toHaveClass', true, 'toHaveClass: expected text'],
    ['toContainClass', { regex: 'a' }, 'toContainClass: expected text or a list of texts'],
    ['toHaveRole', { regex: 'a' }, 'toHaveRole: expected string'],
    ['toHaveURL', ['/a'], 'toHaveURL: expected text or'],
    ['toBeVisible', true, 'toBeVisible takes no expected value'],
    ['toHaveText', undefined, 'toHaveText needs an expected value'],
    ['toHaveAttribute', 'x', 'toHaveAttribute needs the name of the attribute'],
  ] as const)
    expect(await refused({ matcher, expected }), `${matcher} ${JSON.stringify(expected)}`).toEqual(
      failureOf('INVALID_INPUT', message),
    );
  for (const [device, message] of [
    ['iPhone15', 'no device "iPhone15"; did you mean "iPhone 15"'],
    ['toaster', 'no device "toaster"'],
  ] as const)
    expect((await server.start({ use: { device } })).error).toEqual(
      failureOf('INVALID_INPUT', message, "Playwright's devices"),
    );
  const failed = async (fields: Record<string, unknown>) =>
    (await server.record(sessionId, { action: 'expect', ...fields })).failed;
  expect(await failed({ target: 'h1', matcher: 'toMatchAriaSnapshot', expected: '- "a' })).toEqual(
    failureOf('INVALID_INPUT', 'toMatchAriaSnapshot'),
  );
  expect(await failed({ target: 'h1', matcher: 'toPassAxe' })).toEqual(
    failureOf('INVALID_INPUT', 'checks the page'),
  );
  expect(await failed({ matcher: 'toPassAxe', options: { rules: 'region' } })).toEqual(
    failureOf('ACTION_FAILED', 'axe found violations: region'),
  );

  const { steps, text } = await server.record(sessionId, {
    action: 'expect',
    target: 'h1',
    matcher: 'toMatchAriaSnapshot',
    expected: '- heading "Nothing of the kind"',
  });
  expect(steps).toEqual([expect.objectContaining({ unchecked: true })]);
  expect(text).toContain('unchecked');
  const ended = await server.call('end_codegen_session', { sessionId, dryRun: true });
  expect(ended.text).toContain('No run has checked step 1');
});

test('a frame that closes during an action is reported', async ({ shared, open }) => {
  await shared.configure({ browser: { actionTimeoutMs: 2000 } });
  const { record } = await open('closing.html');
  const inFrame = "locator('iframe').contentFrame().getByRole('checkbox')";
  const { failed } = await record({ action: 'check', target: inFrame });
  expect(failed).toEqual(failureOf('ACTION_FAILED', 'frame closed during check'));
});

test('a page that closes during an action is reported, and its opener continues', async ({ open }) => {
  const { land, record } = await open('closing.html');
  await land({ action: 'click', target: button('Open another') }, { action: 'switchPage', page: 'p2' });
  const { failed, pages } = await record({ action: 'dragTo', target: button('Close'), to: 'p' });
  expect(failed).toEqual(failureOf('ACTION_FAILED', 'page closed during dragTo', 'switchPage: p1'));
  expect(pages).toEqual([expect.objectContaining({ id: 'p1' })]);
  await land({ action: 'switchPage', page: 'p1' }, { action: 'click', target: button('Open another') });
});

test('password fields are masked in screenshots', async ({ shared: server, pages }) => {
  const { sessionId } = await server.start({ url: `${pages.url}/files.html` });
  const bytes = async (name: string): Promise<string> => {
    await server.record(sessionId, { action: 'screenshot', path: name });
    return (await readFile(path.join(server.workspace, '.codegen/artifacts', name))).toString('base64');
  };
  const first = await bytes('first.png');
  await server.record(sessionId, { action: 'fill', target: label('Password'), value: 'a much longer one' });
  await server.record(sessionId, { action: 'blur', target: label('Password') });
  expect(await bytes('second.png')).toBe(first);
  const { content } = await server.client.callTool({
    name: 'get_codegen_session',
    arguments: { sessionId, include: ['screenshot'] },
  });
  expect(content).toContainEqual({ type: 'image', data: first, mimeType: 'image/png' });
});

test('missing responses, invalid times and invalid permissions fail with a reason, and are not recorded', async ({
  shared: server,
  pages,
}) => {
  await server.configure({ browser: { actionTimeoutMs: 1500 } });
  const { sessionId } = await server.start({ url: `${pages.url}/network.html` });
  const unheard = { action: 'waitForResponse', url: '**/never', method: 'POST' };
  const search = { action: 'click', target: button('Search') };
  const late = await server.record(sessionId, unheard, { action: 'step', title: 'Search' }, search);
  expect(late.failed).toEqual(
    failureOf('ACTION_FAILED', 'No response of POST "\\*\\*/never" arrived within 1500 ms', 'not recorded'),
  );
  expect(late.failed?.action).toBe(2);
  expect(late.codes).toEqual(['']);
  const other = { action: 'waitForResponse', url: '**/api/items*', status: 404 };
  const { failed } = await server.record(sessionId, other, search);
  expect(failed).toEqual(failureOf('ACTION_FAILED', 'answered 200, not 404'));

  for (const [action, message] of [
    [{ action: 'clock.install', time: 'tomorrow' }, 'expected a time such as'],
    [{ action: 'clock.setFixedTime' }, 'time'],
    [{ action: 'clock.pauseAt', time: {} }, 'time'],
    [{ action: 'clock.fastForward', ticks: '1:75' }, 'expected "ss", "mm:ss" or "hh:mm:ss"'],
    [{ action: 'clock.fastForward', ticks: -1 }, 'ticks'],
    [{ action: 'clock.resume', time: 1 }, 'time'],
    [{ action: 'grantPermissions', permissions: ['geolocaton'] }, 'permissions'],
    [{ action: 'grantPermissions', permissions: [] }, 'permissions'],
    [
      { action: 'grantPermissions', permissions: ['camera'], origin: 'shop' },
      'expected an http or https origin',
    ],
    [{ action: 'setOffline', offline: 'yes' }, 'offline'],
    [{ action: 'setGeolocation', latitude: 91, longitude: 0 }, 'latitude'],
    [{ action: 'emulateMedia' }, 'expected a media feature'],
    [{ action: 'setViewportSize', width: '400', height: 600 }, 'width'],
    [
      { action: 'addCookies', cookies: [{ name: 'a', value: 'b' }] },
      'expected either url, or domain and path',
    ],
    [{ action: 'setStorage' }, 'expected items in local or session'],
    [{ action: 'clipboard.writeText', text: 5 }, 'text'],
    [{ action: 'route', url: '**/a', json: 1, body: 'b' }, 'expected one of json, body and abort'],
    [{ action: 'waitForResponse', url: '**/a', status: 99 }, 'status'],
    [{ action: 'request', url: '/a', method: 'TRACE' }, 'method'],
  ] as const)
    expect((await server.record(sessionId, action)).error, JSON.stringify(action)).toEqual(
      failureOf('INVALID_INPUT', message),
    );
  const { steps } = await server.call('get_codegen_session', { sessionId, include: ['steps'] });
  expect(steps).toHaveLength(2);
});
