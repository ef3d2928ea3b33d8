import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import path from 'node:path';
import { z } from 'zod';
import { Telemetry } from '../../src/server/telemetry.js';
import { serve } from '../fixtures/serve.js';
import { binary, configure, connect, expect, test } from '../fixtures.js';

const spanSchema = z.object({
  traceId: z.string().regex(/^[0-9a-f]{32}$/),
  spanId: z.string().regex(/^[0-9a-f]{16}$/),
  parentSpanId: z.string().optional(),
  name: z.string(),
  startTimeUnixNano: z.string().regex(/^\d{19}$/),
  endTimeUnixNano: z.string(),
  attributes: z.array(z.object({ key: z.string(), value: z.object({ stringValue: z.string() }) })),
  status: z.object({ code: z.number() }),
});

const tracesSchema = z.object({
  resourceSpans: z.array(
    z.looseObject({ scopeSpans: z.array(z.looseObject({ spans: z.array(spanSchema) })) }),
  ),
});

test('calls, actions and verification are spans, if an endpoint is set; else nothing of it is loaded', async ({
  workspace,
  pages,
}) => {
  test.setTimeout(90_000);
  await configure(workspace, { verify: { mode: 'require', sensitivity: 'off' } });
  const spans: z.infer<typeof spanSchema>[] = [];
  const metrics: string[] = [];
  const receiver = createServer((request, response) => {
    void text(request).then((body) => {
      if (request.url === '/v1/traces' && request.headers['x-key'] === 'one two')
        for (const { scopeSpans } of tracesSchema.parse(JSON.parse(body)).resourceSpans)
          spans.push(...scopeSpans.flatMap((scope) => scope.spans));
      else if (request.url === '/v1/metrics') metrics.push(body);
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const address = receiver.address();
  const port = typeof address === 'object' ? address?.port : 0;

  // Notes the modules that a server loads.
  const hooks = `import { appendFileSync } from 'node:fs'; export async function load(url, context, next) { appendFileSync(process.env.LOADED, url + '\\n'); return next(url, context); }`;
  const hooksUrl = JSON.stringify(`data:text/javascript,${encodeURIComponent(hooks)}`);
  const register = `import { register } from 'node:module'; register(${hooksUrl});`;
  const command = [
    process.execPath,
    '--import',
    `data:text/javascript,${encodeURIComponent(register)}`,
    binary,
  ];
  const run = async (name: string, env: Record<string, string>): Promise<string> => {
    const LOADED = path.join(workspace, name);
    const server = await connect(workspace, { command, env: { ...env, LOADED } });
    const { sessionId } = await server.start({ title: name, url: `${pages.url}/landing.html?secret=words` });
    await server.record(sessionId, { action: 'click', target: '#nowhere', timeout: 100 });
    expect((await server.call('end_codegen_session', { sessionId })).error).toBeUndefined();
    await server.close();
    return readFile(LOADED, 'utf8');
  };
  expect(await run('plain', {})).not.toContain('chunks/telemetry-');
  expect(spans).toEqual([]);
  const loaded = await run('traced', {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}/`,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-key=one%20two',
  });
  expect(loaded).toContain('chunks/telemetry-');
  await expect
    .poll(() => spans.map(({ name }) => name).sort())
    .toEqual([
      'action click',
      'action goto',
      'tools/call end_codegen_session',
      'tools/call record_codegen_session',
      'tools/call start_codegen_session',
      'verification',
    ]);
  const named = (name: string) => spans.find((each) => each.name === name);
  expect(named('verification')?.parentSpanId).toBe(named('tools/call end_codegen_session')?.spanId);
  expect(named('action goto')?.parentSpanId).toBe(named('tools/call start_codegen_session')?.spanId);
  expect(named('action click')?.status.code).toBe(2);
  expect(JSON.stringify(spans)).not.toContain('secret=words');
  expect(metrics.join()).toContain('"name":"codegen.duration"');
  receiver.close();
});

test('a redirect does not get the headers of an export', async () => {
  const got: unknown[] = [];
  const other = await serve((request, response) => {
    got.push(request.headers);
    response.end();
    return Promise.resolve();
  }, 0);
  const collector = await serve((_, response) => {
    response.writeHead(307, { location: other.url }).end();
    return Promise.resolve();
  }, 0);
  const telemetry = new Telemetry(collector.url, { 'x-api-key': 'k' }, 'test');
  await telemetry.trace('call', {}, () => Promise.resolve());
  await telemetry.close();
  expect(got).toEqual([]);
  await collector.close();
  await other.close();
});
