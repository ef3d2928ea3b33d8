import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { sendJson, serve, type Site } from '../fixtures/serve.js';
import { expect, secretValues, test as base } from '../fixtures.js';

const password = secretValues.ODD_PASSWORD;
const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlLWJ5dGVz';

const html = `<!doctype html><title>Notes</title><h1>Notes</h1><img src="/logo.png" alt="Logo">
<input type="password" aria-label="Password"><input aria-label="Note"><button>Add</button><ul></ul><p role="status"></p>
<script>
  const show = async () => {
    const notes = await (await fetch('/api/notes')).json();
    document.querySelector('ul').innerHTML = notes.map((each) => '<li>' + each + '</li>').join('');
  };
  document.querySelector('button').onclick = async () => {
    const [secret, note] = [...document.querySelectorAll('input')].map((each) => each.value);
    const answer = await fetch('/api/notes', { method: 'POST', body: JSON.stringify({ secret, note, at: Math.random() }) });
    document.querySelector('[role=status]').textContent = answer.ok ? 'Saved' : 'Refused';
    await show();
  };
  show();
</script>`;

/** An application whose answers change, and that can be switched off. */
async function startNotes(): Promise<Site> {
  const notes = ['Milk'];
  return serve(async (request, response, url) => {
    response.setHeader('set-cookie', 'session=very-private-cookie');
    response.setHeader('x-internal', 'internal-header');
    if (url.pathname === '/logo.png') {
      response.setHeader('content-type', 'image/png').end(Buffer.from([137, 80, 78, 71, 0, 255, 254]));
    } else if (url.pathname === '/old') {
      response.writeHead(302, { location: '/' }).end();
    } else if (url.pathname !== '/api/notes') {
      response.setHeader('content-type', 'text/html').end(html);
    } else if (request.method === 'GET') {
      sendJson(response, 200, notes);
    } else {
      let text = '';
      for await (const chunk of request) text += String(chunk);
      notes.push(/"note":"([^"]*)"/.exec(text)?.[1] ?? '');
      sendJson(response, 201, { echo: password, token: jwt });
    }
  }, 0);
}

const test = base.extend<{ notes: Site }>({
  notes: async ({}, use) => {
    const site = await startNotes();
    await use(site);
    await site.close();
  },
});

test('a test replays the network from a HAR, and runs without the server', async ({
  shared: server,
  notes,
}) => {
  test.slow();
  await server.configure({
    verify: { mode: 'require', sensitivity: 'off' },
    secrets: ['ODD_PASSWORD'],
  });
  const { sessionId, error } = await server.start({
    title: 'adds notes',
    url: `${notes.url}/old`,
    har: 'record',
  });
  expect(error).toBeUndefined();
  const note = (text: string, count: number): Record<string, unknown>[] => [
    { action: 'fill', target: 'getByLabel("Note")', value: text },
    { action: 'click', target: 'getByRole("button")' },
    { action: 'expect', target: 'getByRole("listitem")', matcher: 'toHaveCount', expected: count },
  ];
  const { failed } = await server.record(
    sessionId,
    { action: 'expect', target: 'getByRole("listitem")', matcher: 'toHaveText', expected: ['Milk'] },
    { action: 'fill', target: 'getByLabel("Password")', value: '{{secret:ODD_PASSWORD}}' },
    ...note('Bread', 2),
    ...note('Butter', 3),
    { action: 'expect', target: 'getByRole("status")', matcher: 'toHaveText', expected: 'Saved' },
  );
  expect(failed).toBeUndefined();
  // From now on, only the HAR answers.
  await notes.close();
  const ended = await server.call('end_codegen_session', { sessionId });
  expect(ended.error).toBeUndefined();
  expect(ended).toMatchObject({ verification: { status: 'passed' } });
  const names = ['adds-notes.spec.ts', 'adds-notes.har', 'adds-notes.2.har', 'adds-notes.3.har'];
  expect(ended.files.map((file) => path.basename(file['path']))).toEqual(names);
  const source = await readFile(ended.filePath, 'utf8');
  expect(source).toContain('test.use({ serviceWorkers: "block" });');
  expect(source).toContain('await context.routeFromHAR(');
  expect(source).toMatch(/"adds-notes\.2\.har"\),\s*\{ notFound: "fallback" \}/);
  expect(ended['warnings']).toContainEqual(expect.stringContaining(`the answer of ${notes.url}/api/notes`));

  // Nothing private is in the files.
  const directory = path.dirname(ended.filePath);
  const hars = await Promise.all(names.slice(1).map((name) => readFile(path.join(directory, name), 'utf8')));
  const whole = hars.join('\n');
  for (const secret of ['Pa\\"ss', password, encodeURIComponent(password), 'very-private', 'internal-header'])
    expect(whole).not.toContain(secret);
  expect(whole).toContain('{{secret:ODD_PASSWORD}}');
  expect(whole).not.toContain('postData');
});

test('a HAR is refused over its limit, and replaces only its own earlier form', async ({ shared }) => {
  let size = 1000;
  const site = await serve(async (_, response) => {
    await Promise.resolve();
    response
      .setHeader('content-type', 'text/html')
      .end(`<title>Big</title><h1>Big</h1><!--${'x'.repeat(size)}-->`);
  }, 0);
  const record = async (): Promise<string> => {
    const { sessionId, error } = await shared.start({ title: 'big', url: site.url, har: 'record' });
    expect(error).toBeUndefined();
    return sessionId;
  };
  const end = async (sessionId: string, onConflict: string) =>
    shared.call('end_codegen_session', { sessionId, onConflict });
  const first = await end(await record(), 'fail');
  expect(first.error).toBeUndefined();
  size++;
  const second = await record();
  expect((await end(second, 'fail')).error?.code).toBe('FILE_EXISTS');
  expect(await end(second, 'overwrite')).toMatchObject({
    files: [{ change: 'unchanged' }, { change: 'replaced' }],
  });
  const renamed = await end(await record(), 'rename');
  expect(renamed).toMatchObject({
    files: [{ path: 'generated-tests/big-2.spec.ts' }, { path: 'generated-tests/big-2.har' }],
  });
  expect(renamed.testCode).toContain('"big-2.har"');
  // Edited by a person.
  const har = path.join(shared.workspace, 'generated-tests', 'big.har');
  await writeFile(har, (await readFile(har, 'utf8')).replace('"Big"', '"Small"').replace('xxx', 'yyy'));
  expect((await end(await record(), 'overwrite')).error?.code).toBe('FILE_CHANGED');

  const third = await record();
  for (const [action, fields] of [
    ['request', { method: 'GET', url: site.url }],
    ['newContext', { name: 'bob' }],
  ] as const) {
    const { error } = await shared.record(third, { action, ...fields });
    expect(error).toMatchObject({
      code: 'INVALID_INPUT',
      message: `${action} can't be replayed from a HAR.`,
    });
  }
  size = 11_000_000;
  await shared.record(third, { action: 'reload' });
  const over = await shared.call('end_codegen_session', { sessionId: third, file: 'over.spec.ts' });
  expect(over.error).toMatchObject({
    code: 'FILE_TOO_LARGE',
    message: expect.stringContaining('HAR'),
    hint: expect.stringContaining('blockedOrigins'),
  });
  expect(over.error?.hint).toContain('network.blockedOrigins');
  await site.close();
});
