import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { configure, expect, test } from '../../fixtures.js';
import { initialize, messageHeaders, serve } from './serving.js';

test('a server that would not be safe does not start', async ({ workspace }) => {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  const address = taken.address();
  const port = String(typeof address === 'object' ? address?.port : '');
  const withGrants = path.join(workspace, 'grants.json');
  const withCertificate = path.join(workspace, 'tls.json');
  await writeFile(withGrants, JSON.stringify({ grants: [{ name: 'ci', tokenEnv: 'CI_TOKEN' }] }));
  await writeFile(withCertificate, JSON.stringify({ http: { tls: { cert: 'none.pem', key: 'none.pem' } } }));
  const withLink = path.join(workspace, 'link.json');
  await writeFile(withLink, JSON.stringify({ state: { dir: 'linked' } }));
  await mkdir(path.join(workspace, 'linked'));
  await symlink(workspace, path.join(workspace, 'linked/approvals'), 'junction');
  const env = { CI_TOKEN: 'c'.repeat(32) };
  const cases: [args: string[], env: Record<string, string>, message: string][] = [
    [['--host', '0.0.0.0'], {}, 'Without grants, the server does not listen on 0.0.0.0'],
    [['--host', 'no.such.host.invalid'], {}, "--host no.such.host.invalid can't be resolved"],
    [['--port', '70000'], {}, "argument '70000' is invalid"],
    [['--port', port], {}, `--port ${port} can't be used`],
    [['--config', withGrants], {}, 'grants.0.tokenEnv is "CI_TOKEN"'],
    [['--config', withGrants], { CI_TOKEN: 'two words' }, 'contains characters other than'],
    [['--config', withGrants, '--grant', 'ci'], env, '--grant does not apply'],
    [['--config', withLink], {}, 'approvals is a symbolic link'],
    [['--config', withCertificate], {}, "http.tls can't be used"],
  ];
  await Promise.all(
    cases.map(async ([args, env, message]) => {
      const outcome = await serve(workspace, { args, env }).then(
        () => 'it started',
        (error: unknown) => String(error),
      );
      expect(outcome).toContain(message);
    }),
  );
  taken.close();
});

test('a stopping server answers running calls, keeps recorded steps, and rejects new requests', async ({
  workspace,
}) => {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  let arrive = (): void => undefined;
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  const site = createServer((request, response) => {
    response.setHeader('Content-Type', 'text/html');
    if (request.url !== '/held') return response.end('<h1>Here</h1>');
    arrive();
    return void held.then(() => response.end('<h1>Late</h1>'));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => site.once('listening', resolve));
  const address = site.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;

  const serving = await serve(workspace);
  const agent = await serving.connect();
  const { sessionId } = await agent.start({ url });
  const running = agent.record(sessionId, { action: 'goto', url: `${url}/held` });
  await arrived;
  const stopped = serving.stop();
  await expect
    .poll(() =>
      serving.send({ method: 'GET', path: '/healthz' }).then(
        ({ status }) => status,
        () => 'refused',
      ),
    )
    .toBe('refused');
  release();
  expect(await running).toMatchObject({ recorded: 1, pageTitle: '' });
  expect(await stopped).toBe(0);

  const again = await serve(workspace);
  const returning = await again.connect();
  const resumed = await returning.start({ resume: sessionId });
  expect(resumed).toMatchObject({ resumed: 2, url: `${url}/held` });
  await returning.close();
  await again.stop();
  site.close();
});

test('over TLS an unused session ends, and /healthz reports whether the state is reachable', async ({
  workspace,
}) => {
  const [cert, key] = ['cert.pem', 'key.pem'].map((name) => path.join(workspace, name));
  await promisify(execFile)('openssl', [
    ...'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost'.split(
      ' ',
    ),
    ...['-out', String(cert), '-keyout', String(key)],
  ]);
  await configure(workspace, {
    http: { tls: { cert: 'cert.pem', key: 'key.pem' } },
    browser: { idleTimeoutMs: 500 },
  });
  const serving = await serve(workspace);
  const { send } = serving;
  expect(serving.url).toMatch(/^https:/);
  const begun = await send({ headers: messageHeaders, body: initialize() });
  expect(begun.status).toBe(200);
  await expect
    .poll(async () => (await send({ method: 'GET', path: '/metrics' })).text)
    .not.toContain('codegen_mcp_sessions_open{');
  const session = { ...messageHeaders, 'Mcp-Session-Id': String(begun.headers['mcp-session-id']) };
  const late = await send({
    headers: session,
    body: JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'ping' }),
  });
  expect(late.status).toBe(404);

  const health = (): Promise<string> => send({ method: 'GET', path: '/healthz' }).then(({ text }) => text);
  expect(await health()).toBe('{"status":"ok"}');
  await mkdir(path.join(workspace, '.codegen'), { recursive: true });
  const state = path.join(workspace, '.codegen/state');
  await rm(state, { recursive: true, force: true });
  await writeFile(state, '');
  await expect.poll(health).toBe('{"status":"state unreachable"}');
  await rm(state);
  await expect.poll(health).toBe('{"status":"ok"}');
  expect(await serving.stop()).toBe(0);
});
