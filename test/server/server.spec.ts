import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { actions } from '../../src/actions/registry.js';
import { restrictedActions } from '../../src/model/policy.js';
import { binary, connect, descendants, expect, test } from '../fixtures.js';

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('the tool list is what the contract says, and small', async ({ shared: server }) => {
  const list = await server.client.listTools();
  expect(list.tools.map(({ name }) => name)).toEqual([
    'start_codegen_session',
    'record_codegen_session',
    'get_codegen_session',
    'end_codegen_session',
    'clear_codegen_session',
    'run_generated_test',
  ]);
  expect(Buffer.byteLength(JSON.stringify(list))).toBeLessThan(9000);
  for (const tool of list.tools) {
    expect(tool.title).toBeTruthy();
    expect(tool.annotations).toHaveProperty('readOnlyHint');
    expect(tool.inputSchema).toHaveProperty('type', 'object');
    expect(tool.outputSchema).toHaveProperty('properties.error');
    expect(tool.outputSchema).not.toHaveProperty('required');
  }
  const recording = JSON.stringify(list.tools[1]?.inputSchema);
  expect(recording).toContain('expect matcher,expected,name,options,not');
  expect(recording).not.toContain('dblclick modifiers');
  for (const name of actions.keys())
    if (!restrictedActions.includes(name)) expect(recording).toContain(JSON.stringify(name));
});

test('what the policy denies is not advertised', async ({ shared: server }) => {
  const rules = (record: object) => ({
    version: '1',
    default: 'allow',
    tools: {
      record_codegen_session: record,
      start_codegen_session: { deny_if: [{ path: 'args.options.language', op: 'eq', value: 'javascript' }] },
      end_codegen_session: { require: [{ path: 'args.onConflict', op: 'in', value: ['fail', 'rename'] }] },
    },
  });
  await server.configure({ policy: rules({ actions: { deny: ['mouse.*'] } }) });
  const listed = async () =>
    JSON.stringify((await server.client.listTools()).tools.map((tool) => tool.inputSchema));
  const first = await listed();
  expect(first).not.toMatch(/"mouse\.\w+"|evaluate|"javascript"|"overwrite"/);
  for (const kept of ['"click"', '"typescript"', '"rename"']) expect(first).toContain(kept);

  await server.configure({ policy: rules({ actions: { allow: ['evaluate', 'goto'] } }) });
  await expect.poll(listed).toMatch(/"enum":\["goto","evaluate"\]/);
});

test('instructions and prompt tell an agent how to work here', async ({ shared: server }) => {
  const instructions = server.client.getInstructions() ?? '';
  const { prompts } = await server.client.listPrompts();
  expect(prompts.map(({ name }) => name)).toEqual(['record_test']);
  expect(prompts[0]?.arguments?.map(({ name }) => name)).toEqual(['url', 'plan']);
  const prompt = await server.client.getPrompt({
    name: 'record_test',
    arguments: { url: 'http://shop.example/', plan: 'buy a teapot' },
  });
  const text = JSON.stringify(prompt.messages);
  expect(text).toContain('http://shop.example/');
  expect(text).toContain('buy a teapot');
  expect(Buffer.byteLength(instructions)).toBeLessThan(1500);
  expect(Buffer.byteLength(text)).toBeLessThan(1500);
  for (const word of ['snapshot', 'one call', 'expect', 'end_codegen_session'])
    expect(instructions).toContain(word);
});

test('nothing but protocol goes to stdout', async ({ workspace, pages }) => {
  const child = spawn(process.execPath, [binary], { cwd: workspace });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const send = (message: object): boolean =>
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const clientInfo = { name: 'raw', version: '1' };
  send({
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo },
  });
  send({ method: 'notifications/initialized' });
  send({
    id: 2,
    method: 'tools/call',
    params: { name: 'start_codegen_session', arguments: { url: `${pages.url}/console.html` } },
  });
  await expect.poll(() => output, { timeout: 20_000 }).toContain('"id":2');
  child.stdin.end();
  await new Promise((resolve) => child.on('close', resolve));
  for (const line of output.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('jsonrpc', '2.0');
});

test('sessions run side by side in one browser process, whose start is reported, and each emits its own test', async ({
  server,
  pages,
}) => {
  const url = `${pages.url}/todo.html`;
  const names = Array.from({ length: 8 }, (_, index) => `task ${index} of eight`);
  const [first, ...others] = names;
  const told: (string | undefined)[] = [];
  const one = await server.call('start_codegen_session', { title: first, url }, ({ message }) =>
    told.push(message),
  );
  expect(told).toEqual(['Starting chromium', 'Opening the page']);
  const browsers = (await descendants(server.pid)).length;
  const rest = await Promise.all(others.map((title) => server.start({ title, url })));
  // A further session adds renderers, never a second browser with its own helper processes.
  expect((await descendants(server.pid)).length - browsers).toBeLessThanOrEqual(3 * others.length);
  const recorded = await Promise.all(
    [one, ...rest].map(({ sessionId }, index) =>
      server.record(
        sessionId,
        { action: 'fill', target: 'getByPlaceholder("What needs to be done?")', value: names[index] },
        { action: 'press', key: 'Enter' },
      ),
    ),
  );
  for (const [index, { error, snapshot }] of recorded.entries()) {
    expect(error).toBeUndefined();
    expect(new Set(snapshot.match(/task \d of eight/g))).toEqual(new Set([names[index]]));
  }
  const { sessions } = await server.call('get_codegen_session');
  expect(sessions.map(({ status }) => status)).toEqual(names.map(() => 'open'));
  const ended = await Promise.all(
    [one, ...rest].map(({ sessionId }) => server.call('end_codegen_session', { sessionId })),
  );
  for (const [index, { error, testCode, filePath }] of ended.entries()) {
    expect(error).toBeUndefined();
    expect(new Set(testCode.match(/task \d of eight/g))).toEqual(new Set([names[index]]));
    expect(await readFile(filePath, 'utf8')).toBe(testCode);
  }
});

test('no more sessions open than configured', async ({ shared: server, pages }) => {
  await server.configure({ browser: { maxSessions: 1 } });
  const url = `${pages.url}/landing.html`;
  const first = await server.start({ url });
  const second = await server.start({ url });
  expect(second.error).toMatchObject({ code: 'SESSION_LIMIT' });
  expect(second.error?.hint).toBeTruthy();
  await server.call('clear_codegen_session', { sessionId: first.sessionId });
  expect((await server.start({ url })).error).toBeUndefined();
});

test('an action that began and failed counts against its limit; a call that began nothing does not', async ({
  shared: server,
  pages,
}) => {
  const limits = [{ counter: 'records', window: 'hour', max: 3, scope: 'grant' }];
  const tools = { record_codegen_session: { limits, actions: { allow: ['evaluate'] } } };
  await server.configure({ policy: { version: '1', default: 'allow', tools } });
  const { sessionId } = await server.start({ url: `${pages.url}/landing.html` });
  const effect = '(() => { document.title += "!"; throw new Error("failed after its effect"); })()';
  for (let call = 0; call < 5; call++) {
    const missing = await server.record(sessionId, { action: 'evaluate' });
    expect(missing.error?.code).toBe(call < 3 ? 'INVALID_INPUT' : 'RATE_LIMITED');
    const acted = await server.record(sessionId, { action: 'evaluate', expression: effect });
    expect(acted.error?.code, acted.text).toBe(call < 3 ? 'ACTION_FAILED' : 'RATE_LIMITED');
  }
  expect((await server.call('get_codegen_session', { sessionId })).pageTitle).toMatch(/[^!]!!!$/);
});

test('an idle session closes, and its recorded steps can still be read', async ({
  shared: server,
  pages,
}) => {
  await server.configure({ browser: { idleTimeoutMs: 200 } });
  const { sessionId } = await server.start({ url: `${pages.url}/landing.html` });
  await expect
    .poll(async () => (await server.call('get_codegen_session', { sessionId }))['status'], {
      timeout: 10_000,
    })
    .toBe('ended');
  const late = await server.record(sessionId, { action: 'reload' });
  expect(late.error).toMatchObject({ code: 'SESSION_NOT_FOUND' });
  const seen = await server.call('get_codegen_session', { sessionId, include: ['code'] });
  expect(seen.code).toContain('landing.html');
  expect((await server.start({ resume: sessionId })).resumed).toBe(1);
});

for (const [way, stop] of [
  ['the client disconnects', (connection) => connection.close()],
  ['SIGINT', (connection) => process.kill(connection.pid, 'SIGINT')],
  ['SIGTERM', (connection) => process.kill(connection.pid, 'SIGTERM')],
  ['the server is killed', (connection) => process.kill(connection.pid, 'SIGKILL')],
] satisfies [string, (connection: Awaited<ReturnType<typeof connect>>) => unknown][]) {
  test(`every browser is gone after ${way}`, async ({ workspace, pages }) => {
    const server = await connect(workspace);
    await server.start({ url: `${pages.url}/landing.html` });
    const started = (await descendants(server.pid)).map(({ pid }) => pid);
    expect(started.length).toBeGreaterThan(0);
    await stop(server);
    await expect.poll(() => [server.pid, ...started].filter(isAlive), { timeout: 15_000 }).toEqual([]);
    await server.close();
  });
}

test('no server and no browser outlives a client that is killed while its page hangs', async ({
  workspace,
  pages,
}) => {
  const script = path.join(import.meta.dirname, '..', 'fixtures', 'lonely-client.ts');
  const url = `${pages.url}/landing.html?${'a'.repeat(40)}!`;
  const client = spawn(process.execPath, ['--import', 'tsx', script, workspace, url]);
  let output = '';
  client.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await expect.poll(() => output, { timeout: 20_000 }).toContain('server ');
  const server = Number(/server (\d+)/.exec(output)?.[1]);
  const left = [server, ...(await descendants(server)).map(({ pid }) => pid)];
  expect(left.length).toBeGreaterThan(1);
  client.kill('SIGKILL');
  await expect.poll(() => left.filter(isAlive), { timeout: 20_000 }).toEqual([]);
});

test('our own validation checks arguments and names the expected fields', async ({ shared: server }) => {
  const unknown = await server.call('start_codegen_session', { ulr: 'http://127.0.0.1/' });
  expect(unknown.error).toMatchObject({ code: 'INVALID_INPUT' });
  expect(unknown.error?.message).toContain('did you mean "url"');
  expect(unknown.error?.hint).toContain('title, url, file, options, use');
  const wrong = await server.call('record_codegen_session', { sessionId: 'x', actions: 'click' });
  expect(wrong.error?.message).toContain('actions');
  const none = await server.call('end_codegen_session');
  expect(none.error?.message).toContain('sessionId');
  const use = await server.call('start_codegen_session', { use: { viewprot: {} } });
  expect(use.error?.message).toContain(
    'start_codegen_session.use has no field "viewprot"; did you mean "viewport"?',
  );
  const option = await server.call('start_codegen_session', { options: { langauge: 'typescript' } });
  expect(option.error?.message).toContain('did you mean "language"');
  expect(option.error?.hint).toContain('language, template');
  await expect(server.client.callTool({ name: 'no_such_tool', arguments: {} })).rejects.toThrow(
    /Unknown tool/,
  );
});

test('an unknown session is distinguished from one that has ended', async ({ shared: server, pages }) => {
  for (const tool of [
    'record_codegen_session',
    'end_codegen_session',
    'clear_codegen_session',
    'get_codegen_session',
  ]) {
    const actions = tool.startsWith('record') ? { actions: [{ action: 'reload' }] } : {};
    const result = await server.call(tool, { sessionId: 'nowhere', ...actions });
    expect(result.error, tool).toMatchObject({ code: 'SESSION_NOT_FOUND' });
    expect(result.error?.hint, tool).toBeTruthy();
  }
  const { sessionId } = await server.start({ url: `${pages.url}/landing.html` });
  await server.call('end_codegen_session', { sessionId });
  const again = await server.call('end_codegen_session', { sessionId });
  expect(again.error).toMatchObject({ code: 'SESSION_NOT_FOUND' });
  expect(again.error?.message).toContain('has ended');
});

test('a missing browser is an error with a hint', async ({ shared: server, pages }) => {
  await server.configure({ browser: { executablePath: path.join(server.workspace, 'no-browser') } });
  const result = await server.start({ url: `${pages.url}/landing.html` });
  expect(result.error).toMatchObject({ code: 'BROWSER_FAILED' });
  expect(result.error?.hint).toContain('doctor');
});

test('a changed configuration is picked up; a broken one keeps the last good', async ({
  shared: server,
  pages,
}) => {
  const file = path.join(server.workspace, 'codegen.config.json');
  await server.configure({ output: { dir: 'one' } });
  expect((await server.start({ url: `${pages.url}/landing.html` })).file).toMatch(/^one\//);
  await server.configure({ output: { dir: 'another' } });
  expect((await server.start({ url: `${pages.url}/landing.html` })).file).toMatch(/^another\//);
  await writeFile(file, '{ "output": ');
  expect((await server.start({ url: `${pages.url}/landing.html` })).file).toMatch(/^another\//);
  expect(server.stderr()).toContain('codegen.config.json');
});
