import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, secretValues, test, type Connection, type Shared } from '../fixtures.js';
import { serve } from '../fixtures/serve.js';
import { errorCode } from '../../src/state/files.js';

const token = secretValues.TOKEN;

const html = `<title>App</title><a href="/%7B%7Bsecret:HOME%7D%7D">Link</a>
<a href="/file" download="{{secret:HOME}}.csv">File</a>
<button id="copy" onclick="navigator.clipboard.writeText('{{secret:HOME}}')">Copy</button>
<label>Token <input id="token" onchange="location = '/of/' + value + '/page'"></label>`;

/** All files of a workspace below a directory. The server may remove old states meanwhile. */
async function textsBelow(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const texts = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) =>
      readFile(path.join(parentPath, name), 'latin1').catch((error: unknown) => {
        if (errorCode(error) === 'ENOENT') return '';
        throw error;
      }),
    );
  return (await Promise.all(texts)).join();
}

async function withApp(
  server: Shared,
  config: object,
  run: (server: Connection, url: string) => Promise<void>,
): Promise<void> {
  const app = await serve(async (_, response, url) => {
    const [, route, name] = url.pathname.split('/');
    const title = route === 'of' ? `Welcome ${name}` : 'App';
    response.setHeader('content-type', 'text/html').end(html.replace('App', title));
    return Promise.resolve();
  }, 0);
  await server.configure({ secrets: ['TOKEN'], browser: { actionTimeoutMs: 2000 }, ...config });
  await run(server, app.url);
  await app.close();
}

test('no text of a page becomes a reference to a secret', async ({ shared }) => {
  await withApp(shared, { autoAssert: true }, async (server, url) => {
    const { sessionId } = await server.start({ url, use: { baseURL: url } });
    const result = await server.record(
      sessionId,
      { action: 'click', target: 'getByText("File")' },
      { action: 'click', target: '#copy' },
      { action: 'clipboard.readText' },
      { action: 'goto', url: `${url}/%7B%7Bsecret:HOME%7D%7D` },
      { action: 'click', target: 'getByText("Link")' },
    );
    expect(result.failed).toBeUndefined();
    const { code } = await server.call('get_codegen_session', { sessionId, include: ['code'] });
    expect(code).toContain('{{secret:HOME}}');
    expect(code).not.toContain('process.env');
    const ended = await server.call('end_codegen_session', { sessionId });
    expect(ended.error).toBeUndefined();
    const resumed = await server.start({ resume: ended.files[0]?.path });
    expect(resumed.failed).toBeUndefined();
  });
});

test('no field of a step and no file gets the value of a secret from a page', async ({ shared }) => {
  await withApp(shared, { autoAssert: true }, async (server, url) => {
    const { sessionId } = await server.start({ url, options: { template: 'pom' } });
    const result = await server.record(
      sessionId,
      { action: 'fill', target: '#token', value: '{{secret:TOKEN}}' },
      { action: 'press', target: '#token', key: 'Enter' },
      { action: 'click', target: '#copy' },
    );
    expect(result.failed).toBeUndefined();
    expect(result.url).toContain('{{secret:TOKEN}}');
    expect(await textsBelow(shared.workspace)).not.toMatch(/zebra|quagga/i);
    const { error, testCode } = await server.call('end_codegen_session', { sessionId });
    expect(error).toBeUndefined();
    expect(testCode).toContain('process.env.TOKEN');
    expect(await textsBelow(shared.workspace)).not.toMatch(/zebra|quagga/i);
  });
});

test('errors and addresses show no part of a secret', async ({ shared }) => {
  await withApp(shared, {}, async (server, url) => {
    const { sessionId } = await server.start({ url });
    for (const action of [
      { action: 'goto', url: `http://[${'A'.repeat(780)}{{secret:TOKEN}}` },
      { action: 'goto', url: `http://[${'A'.repeat(4990)}{{secret:TOKEN}}` },
      { action: 'goto', url: 'http://{{secret:TOKEN}}.example' },
      { action: 'request', url: 'http://{{secret:TOKEN}}.example' },
      { action: 'press', target: '#token', key: '{{secret:TOKEN}}' },
      { action: 'expect', matcher: 'toHaveTitle', expected: 'Welcome {{secret:TOKEN}}' },
      { action: 'selectOption', target: '#token', values: '{{secret:TOKEN}}' },
    ]) {
      const { failed, error, text } = await server.record(sessionId, action);
      expect(failed ?? error).toBeDefined();
      expect(text).not.toMatch(/zebra|quagga/i);
    }
  });
});

test('a file with the value of a secret is not written', async ({ shared }) => {
  await withApp(shared, {}, async (server, url) => {
    const { sessionId } = await server.start({ url: `${url}/of/x`, use: { baseURL: url } });
    await server.record(sessionId, { action: 'fill', target: '#token', value: '{{secret:TOKEN}}' });
    const ended = await server.call('end_codegen_session', {
      sessionId,
      file: `${token.toLowerCase()}.spec.ts`,
    });
    expect(ended.error?.code).toBe('WRITE_FAILED');
    expect(await textsBelow(shared.workspace)).not.toMatch(/zebra|quagga/i);
  });
});
