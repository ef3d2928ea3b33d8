import { execFile } from 'node:child_process';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib';
import { expect, test } from '../fixtures.js';
import { serve, type Site } from '../fixtures/serve.js';

/** Bytes of memory that a process has. */
async function memoryOf(pid: number): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)]);
  return Number(stdout) * 1024;
}

/** The most memory that a process takes beyond what it has now, while work is done. */
async function growthDuring(pid: number, work: () => Promise<void>): Promise<number> {
  const before = await memoryOf(pid);
  let most = before;
  const done = work();
  const isOver = done.then(
    () => true,
    () => true,
  );
  const measured = async (): Promise<false> => {
    most = Math.max(most, await memoryOf(pid));
    return false;
  };
  while (!(await Promise.race([isOver, measured()])));
  await done;
  return most - before;
}

/** The best quality takes a minute. */
const quick = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };
const compressors = {
  gzip: gzipSync,
  br: (data: Buffer) => brotliCompressSync(data, quick),
  deflate: deflateSync,
};

/** A site that answers with zeros: /zeros/<encoding>/<megabytes>, and pages that load them. */
async function zeros(): Promise<Site> {
  const known = new Map<string, Buffer>();
  return serve(async (_, response, { pathname }) => {
    const [, what, encoding, megabytes] = pathname.split('/');
    const compress = Object.entries(compressors).find(([name]) => name === encoding)?.[1];
    if (what !== 'zeros') {
      response.setHeader('content-type', 'text/html');
      response.end(`<title>Zeros</title>
        <button onclick="fetch('/zeros/gzip/40')">Fetch</button>
        <button onclick="document.body.append(Object.assign(new Image(), { src: '/zeros/gzip/100' }))">Image</button>
        <button onclick="document.title = 'Asked'; fetch('/zeros/gzip/1')">Small</button>`);
      return Promise.resolve();
    }
    const chunk = Buffer.alloc(1_000_000, 'A');
    if (compress === undefined) {
      return pipeline(Readable.from(Array.from({ length: Number(megabytes) }, () => chunk)), response).catch(
        () => undefined,
      );
    }
    const body = known.get(pathname) ?? compress(Buffer.alloc(Number(megabytes) * 1_000_000, 'A'));
    known.set(pathname, body);
    const type = megabytes === '100' ? 'image/png' : 'text/plain';
    const headers = { 'content-encoding': encoding, 'content-type': type, 'content-length': body.length };
    response.writeHead(200, headers).end(body);
    return Promise.resolve();
  }, 0);
}

test('the body of a request costs little memory, whatever its size and compression', async ({ shared }) => {
  test.slow();
  const site = await zeros();
  const { sessionId } = await shared.start({ url: site.url });
  const request = (path: string): Record<string, string> => ({
    action: 'request',
    url: `${site.url}/${path}`,
  });
  const grown = await growthDuring(shared.pid, async () => {
    for (const path of ['zeros/gzip/300', 'zeros/br/300', 'zeros/deflate/300', 'zeros/none/300']) {
      const { failed } = await shared.record(sessionId, request(path));
      expect(failed, path).toMatchObject({
        code: 'ACTION_FAILED',
        message: expect.stringContaining('more than 5000000 bytes'),
      });
    }
  });
  expect(grown).toBeLessThan(120_000_000);
  for (const encoding of ['gzip', 'br', 'deflate', 'none']) {
    const { failed } = await shared.record(sessionId, {
      ...request(`zeros/${encoding}/1`),
      expect: { body: 'A'.repeat(1000) },
    });
    expect(failed, encoding).toBeUndefined();
  }
  await site.close();
});

test('the body of a response that a page gets costs little memory', async ({ shared }) => {
  test.slow();
  const site = await zeros();
  const { sessionId } = await shared.start({ url: site.url });
  const expected = { action: 'waitForResponse', url: '**/zeros/**', body: 'A' };
  const grown = await growthDuring(shared.pid, async () => {
    for (const [button, why] of [
      ['Fetch', 'a body (fetch) that the browser does not keep'],
      ['Image', 'a body (image) that the browser does not keep'],
    ]) {
      const click = { action: 'click', target: `getByText('${button}')` };
      const { failed } = await shared.record(sessionId, expected, click);
      expect(failed).toMatchObject({ code: 'ACTION_FAILED', message: expect.stringContaining(why ?? '') });
    }
  });
  expect(grown).toBeLessThan(120_000_000);
  const small = { action: 'click', target: "getByText('Small')" };
  expect((await shared.record(sessionId, expected, small)).failed).toBeUndefined();
  await site.close();
});

test('a HAR does not contain, and costs no memory for, a picture that is too large', async ({ shared }) => {
  test.slow();
  const site = await zeros();
  const { sessionId } = await shared.start({ url: site.url, har: 'record', file: 'large.spec.ts' });
  const grown = await growthDuring(shared.pid, async () => {
    await shared.record(sessionId, { action: 'click', target: "getByText('Image')" });
    const { error } = await shared.call('end_codegen_session', { sessionId, verify: 'off', dryRun: true });
    expect(error).toBeUndefined();
  });
  expect(grown).toBeLessThan(120_000_000);
  await shared.call('clear_codegen_session', { sessionId });
  await site.close();
});
