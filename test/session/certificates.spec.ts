import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer } from 'node:https';
import path from 'node:path';
import { TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { expect, test } from '../fixtures.js';

const tls = (name: string): string => fileURLToPath(new URL(`../fixtures/tls/${name}.pem`, import.meta.url));

test('a client certificate of the configuration is used while recording, and by the test', async ({
  shared: server,
}) => {
  const { workspace } = server;
  const [key, cert] = await Promise.all([readFile(tls('key')), readFile(tls('cert'))]);
  const site = createServer(
    { key, cert, requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      const { socket } = request;
      const peer: object = socket instanceof TLSSocket ? socket.getPeerCertificate() : {};
      const isKnown = 'fingerprint' in peer;
      response.setHeader('content-type', 'text/html');
      response.end(`<title>Door</title><h1>${isKnown ? 'Come in' : 'Who are you?'}</h1>`);
    },
  );
  await once(site.listen(0, '127.0.0.1'), 'listening');
  const address = site.address();
  const origin = `https://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  for (const name of ['key', 'cert']) await copyFile(tls(name), path.join(workspace, `${name}.pem`));
  const certificate = { origin, certPath: 'cert.pem', keyPath: 'key.pem' };
  const project = { testDir: '.', use: { clientCertificates: [certificate] } };
  await writeFile(
    path.join(workspace, 'playwright.config.cjs'),
    `module.exports = ${JSON.stringify(project)};`,
  );
  await server.configure({
    verify: { mode: 'require', sensitivity: 'off' },
    browser: { clientCertificates: [certificate] },
  });
  const use = { ignoreHTTPSErrors: true };
  const { sessionId, error, snapshot } = await server.start({ title: 'enters', url: origin, use });
  expect(error).toBeUndefined();
  expect(snapshot).toContain('Come in');
  await server.record(sessionId, {
    action: 'expect',
    target: 'getByRole("heading")',
    matcher: 'toHaveText',
    expected: 'Come in',
  });
  const ended = await server.call('end_codegen_session', { sessionId });
  expect(ended.error).toBeUndefined();
  expect(ended).toMatchObject({ verification: { status: 'passed' } });
  expect(ended['warnings']).toEqual([]);
  // Agents can't name one.
  const refused = await server.start({ use: { clientCertificates: [certificate] } });
  expect(refused.error?.code).toBe('INVALID_INPUT');
  site.closeAllConnections();
  site.close();
});
