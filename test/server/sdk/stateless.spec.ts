import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { Client, StreamableHTTPClientTransport, type CallToolResult } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { z } from 'zod';
import { openApprovals } from '../../../src/guard/approvals.js';
import { binary, configure, expect, resultOf, test, type Result } from '../../fixtures.js';
import { initialize, serve } from '../http/serving.js';

type Answer = { action: 'accept' | 'decline'; content?: Record<string, string | boolean> };

/** A client that uses only the revision without sessions. */
function createClient(answer: (question: string) => Answer, onTools: () => void): Client {
  const client = new Client(
    { name: 'test', version: '1' },
    {
      versionNegotiation: { mode: { pin: '2026-07-28' } },
      capabilities: { elicitation: { form: {} } },
      listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged: onTools } },
    },
  );
  client.setRequestHandler('elicitation/create', ({ params }) => answer(params.message));
  return client;
}

function read({ content, structuredContent }: CallToolResult): Result {
  return resultOf(
    structuredContent,
    content.map((part) => (part.type === 'text' ? part.text : '')).join('\n'),
  );
}

const policy = {
  version: '1',
  default: 'allow',
  tools: { end_codegen_session: { action: 'require_approval' } },
};

for (const kind of ['stdio', 'HTTP'] as const)
  test(`revision 2026-07-28 over ${kind}: a flow with progress, a cancelled call and approvals`, async ({
    workspace,
    pages,
  }) => {
    await configure(workspace, { policy });
    const serving = kind === 'HTTP' ? await serve(workspace) : undefined;
    const questions: string[] = [];
    const answers: Answer[] = [
      { action: 'accept', content: { approve: false, reason: 'Wrong page.' } },
      { action: 'accept', content: {} },
    ];
    let changes = 0;
    const client = createClient(
      (question) => {
        questions.push(question);
        return answers.shift() ?? { action: 'decline' };
      },
      () => changes++,
    );
    const env = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' };
    await client.connect(
      serving === undefined
        ? new StdioClientTransport({ command: process.execPath, args: [binary], cwd: workspace, env })
        : new StreamableHTTPClientTransport(new URL(serving.url)),
    );
    const call = async (name: string, args: Record<string, unknown> = {}): Promise<Result> =>
      read(await client.callTool({ name, arguments: args }));

    expect(client.getNegotiatedProtocolVersion()).toBe('2026-07-28');
    expect(client.getInstructions()).toContain('start_codegen_session');
    const { tools } = await client.listTools();
    expect(tools).toHaveLength(6);
    const prompt = await client.getPrompt({
      name: 'record_test',
      arguments: { url: 'http://shop.example/' },
    });
    expect(JSON.stringify(prompt.messages)).toContain('http://shop.example/');
    await expect(client.callTool({ name: 'unknown' })).rejects.toThrow('Unknown tool: unknown');

    const heard: (string | undefined)[] = [];
    const cancelling = new AbortController();
    const start = { url: `${pages.url}/todo.html`, file: 'stateless.spec.ts' };
    const cancelled = client.callTool(
      { name: 'start_codegen_session', arguments: start },
      {
        signal: cancelling.signal,
        onprogress({ message }) {
          heard.push(message);
          if (message === 'Opening the page') cancelling.abort();
        },
      },
    );
    await expect(cancelled).rejects.toThrow();
    expect(heard).toEqual(['Starting chromium', 'Opening the page']);
    const openSessions = async (): Promise<number> =>
      (await call('get_codegen_session')).sessions.filter(({ status }) => status === 'open').length;
    await expect.poll(openSessions).toBe(0);

    const { sessionId } = await call('start_codegen_session', start);
    const actions = [
      { action: 'fill', target: "getByRole('textbox')", value: 'Buy tea' },
      { action: 'press', target: "getByRole('textbox')", key: 'Enter' },
    ];
    expect(await call('record_codegen_session', { sessionId, actions })).toMatchObject({ recorded: 2 });
    const shot = await client.callTool({
      name: 'get_codegen_session',
      arguments: { sessionId, include: ['screenshot'] },
    });
    expect(shot.content.map(({ type }) => type)).toContain('image');

    const end = (): Promise<Result> => call('end_codegen_session', { sessionId });
    expect((await end()).error).toMatchObject({
      code: 'POLICY_DENIED',
      message: 'A person declined end_codegen_session: Wrong page.',
    });
    const written = (): Promise<string[]> =>
      readdir(path.join(workspace, 'generated-tests')).catch((): string[] => []);
    expect(await written()).toEqual([]);
    expect((await end()).files).toMatchObject([{ path: 'generated-tests/stateless.spec.ts' }]);
    expect(questions).toHaveLength(2);
    const directory = path.join(workspace, '.codegen');
    expect(await openApprovals({ directory, redis: undefined }).list()).toEqual([]);
    expect(questions[1]).toMatch(/\+\+\+ generated-tests\/stateless\.spec\.ts\n[^]*Buy tea/);

    if (serving !== undefined) {
      const older = await serving.connect();
      expect((await older.call('get_codegen_session')).sessions).toMatchObject([{ sessionId }]);
      await older.close();
    }
    await configure(workspace, { policy: { ...policy, hide: ['clear_*'] } });
    await expect.poll(() => changes, { timeout: 20_000 }).toBeGreaterThan(0);
    expect((await client.listTools()).tools).toHaveLength(5);
    await client.close();
    if (serving !== undefined) expect(await serving.stop()).toBe(0);
  });

const answerSchema = z.object({ id: z.union([z.string(), z.number()]), result: z.unknown() });

test('a client that discovers the revisions and then initializes is served by the older one', async ({
  workspace,
}) => {
  const child = spawn(process.execPath, [binary], { cwd: workspace, stdio: ['pipe', 'pipe', 'ignore'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const prefix = 'io.modelcontextprotocol/';
  const _meta = { [`${prefix}protocolVersion`]: '2026-07-28', [`${prefix}clientCapabilities`]: {} };
  const discover = { jsonrpc: '2.0', id: 'probe', method: 'server/discover', params: { _meta } };
  const list = { jsonrpc: '2.0', id: 'list', method: 'tools/list' };
  const initialized = { jsonrpc: '2.0', method: 'notifications/initialized' };
  child.stdin.write(
    [JSON.stringify(discover), initialize(), JSON.stringify(initialized), JSON.stringify(list), ''].join(
      '\n',
    ),
  );
  const answers = (): object =>
    Object.fromEntries(
      output
        .split('\n')
        .slice(0, -1)
        .map((line) => answerSchema.parse(JSON.parse(line)))
        .map(({ id, result }) => [id, result]),
    );
  await expect.poll(answers, { timeout: 20_000 }).toMatchObject({
    probe: { supportedVersions: ['2026-07-28'] },
    1: { protocolVersion: '2025-11-25' },
    list: { tools: { length: 6 } },
  });
  child.stdin.end();
  await new Promise((resolve) => child.on('close', resolve));
});
