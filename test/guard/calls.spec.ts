import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { configure, connect, expect, test } from '../fixtures.js';

const policyFor = (actions: object) => ({
  policy: { version: '1', default: 'allow', tools: { record_codegen_session: { actions } } },
});

test('no call performs denied actions, and evaluate runs only if it is allowed', async ({
  shared: server,
  pages,
}) => {
  const url = `${pages.url}/landing.html`;
  const { sessionId } = await server.start({ url, title: 'evaluates' });
  const mark = { action: 'evaluate', expression: 'document.title = "marked"' };
  const denied = await server.record(sessionId, { action: 'reload' }, mark);
  expect(denied.error).toMatchObject({
    code: 'POLICY_DENIED',
    message: expect.stringContaining(
      '(tools.record_codegen_session.actions.allow): the action "evaluate" is not allowed',
    ),
  });
  const { pageTitle } = await server.call('get_codegen_session', { sessionId });
  expect(pageTitle).not.toBe('marked');

  await server.configure(policyFor({ allow: ['evaluate'] }));
  const allowed = await server.record(sessionId, mark, {
    action: 'evaluate',
    expression: '({ answer: 6 * 7, nothing: undefined, quote: "`${1}`" })',
    record: false,
  });
  expect(allowed).toMatchObject({
    recorded: 1,
    codes: [`await page.evaluate('document.title = "marked"');`],
    pageTitle: 'marked',
    events: [
      { type: 'result', action: 'evaluate', text: '"marked"' },
      { type: 'result', action: 'evaluate', text: '{"answer":42,"quote":"`${1}`"}' },
    ],
  });
  expect(allowed.text).toMatch(/<page-content[^]*answer[^]*<\/page-content/);
  const wrong = await server.record(sessionId, { action: 'evaluate', expression: 'nowhere.at.all' });
  expect(wrong.failed).toMatchObject({ code: 'ACTION_FAILED', message: expect.stringContaining('nowhere') });
  const { files } = await server.call('end_codegen_session', { sessionId });

  await server.configure(policyFor({ deny: ['got*'], allow: ['evaluate'] }));
  const opened = await server.start({ url });
  expect(opened.error).toMatchObject({ code: 'POLICY_DENIED', message: expect.stringContaining('deny[0]') });
  expect((await server.start()).error).toBeUndefined();
  await server.configure(policyFor({}));
  const resume = { resume: files[0]?.path };
  const resumed = await server.start(resume);
  expect(resumed.error).toMatchObject({
    code: 'POLICY_DENIED',
    message: expect.stringContaining('"evaluate"'),
  });

  // Replaying a session is recording it: the same rules apply to each of its actions.
  const contains = { path: 'args.actions.expression', op: 'contains', value: 'marked' };
  for (const [rules, code] of [
    [{ action: 'deny' }, 'POLICY_DENIED'],
    [{ deny_if: [contains] }, 'POLICY_DENIED'],
    [{ action: 'require_approval' }, 'APPROVAL_REQUIRED'],
    [{ rate_limit: { max: 0, window: 'day' } }, 'RATE_LIMITED'],
  ] as const) {
    const tools = { record_codegen_session: { ...rules, actions: { allow: ['evaluate'] } } };
    await server.configure({ policy: { version: '1', default: 'allow', tools } });
    expect((await server.start(resume)).error).toMatchObject({ code });
  }
});

test('a person is asked through the client, with what is to be written', async ({ workspace, pages }) => {
  test.slow();
  await configure(workspace, {
    policy: {
      version: '1',
      default: 'allow',
      tools: { end_codegen_session: { action: 'require_approval' } },
    },
  });
  const questions: string[] = [];
  const replies: (() => Promise<ReturnType<typeof reply>>)[] = [];
  const reply = (action: 'accept' | 'decline' | 'cancel', content: Record<string, string | boolean> = {}) =>
    action === 'accept' ? { action, content } : { action };
  const server = await connect(workspace, {
    answer(question) {
      questions.push(question);
      return replies.shift()?.() ?? Promise.resolve(reply('cancel'));
    },
  });
  const { sessionId } = await server.start({ url: `${pages.url}/landing.html`, file: 'asked.spec.ts' });
  const end = () => server.call('end_codegen_session', { sessionId });
  const written = () => readdir(path.join(workspace, 'generated-tests')).catch(() => []);

  replies.push(() => Promise.resolve(reply('accept', { approve: false, reason: 'Wrong page.' })));
  expect((await end()).error).toMatchObject({
    code: 'POLICY_DENIED',
    message: 'A person declined end_codegen_session: Wrong page.',
  });
  expect(questions[0]).toMatch(/\+\+\+ generated-tests\/asked\.spec\.ts\n[^]*^\+.*page\.goto\(/m);
  const closed = await end();
  expect(closed.error).toMatchObject({
    code: 'APPROVAL_REQUIRED',
    hint: expect.stringMatching(/approvals approve \w+/),
  });

  // An answer that comes after the call was cancelled writes nothing.
  const cancelling = new AbortController();
  let answerLate: () => void = () => undefined;
  const late = new Promise<void>((resolve) => (answerLate = resolve));
  replies.push(async () => {
    cancelling.abort();
    await late;
    return reply('accept');
  });
  const cancelled = server.client.callTool(
    { name: 'end_codegen_session', arguments: { sessionId } },
    undefined,
    { signal: cancelling.signal },
  );
  await expect(cancelled).rejects.toThrow();
  answerLate();
  const dry = await server.call('end_codegen_session', { sessionId, dryRun: true });
  expect(dry.error).toBeUndefined();
  expect(await written()).toEqual([]);

  replies.push(() => Promise.resolve(reply('accept')));
  const { files } = await end();
  expect(files).toMatchObject([{ path: 'generated-tests/asked.spec.ts', change: 'created' }]);
  expect(questions).toHaveLength(4);
  await server.close();
});

test('changes of the tool list are announced, and a broken file is reported', async ({
  server,
  workspace,
}) => {
  const tools = async () => (await server.client.listTools()).tools.map(({ name }) => name);
  expect(await tools()).toContain('clear_codegen_session');
  let announced = 0;
  server.client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
    announced++;
  });
  await configure(workspace, { policy: 'policy.yaml' });
  await writeFile(path.join(workspace, 'policy.yaml'), 'version: "1"\ndefault: allow\nhide: [clear_*]\n');
  await expect.poll(() => announced, { timeout: 20_000 }).toBe(1);
  expect(await tools()).not.toContain('clear_codegen_session');
  const hidden = await server.call('clear_codegen_session', { sessionId: 'x' });
  expect(hidden.error).toMatchObject({ code: 'POLICY_DENIED', message: expect.stringContaining('hide[0]') });

  await writeFile(path.join(workspace, 'policy.yaml'), 'version: "1"\ndefault: maybe\n');
  const told = await server.call('get_codegen_session');
  expect(told['configuration']).toContain('policy.yaml: default is "maybe"');
  expect(told.text).toContain('The last valid configuration is in effect');
  expect(server.stderr()).toContain('default is "maybe"');
  expect(await tools()).not.toContain('clear_codegen_session');

  await writeFile(path.join(workspace, 'policy.yaml'), 'version: "1"\ndefault: allow\n');
  await expect.poll(() => announced, { timeout: 20_000 }).toBe(2);
  expect((await server.call('get_codegen_session'))['configuration']).toBeUndefined();
});
