import { configure, expect, test } from '../fixtures.js';

const policyFor = (actions: object) => ({
  policy: { version: '1', default: 'allow', tools: { record_codegen_session: { actions } } },
});

test('actions that the policy denies are performed by no call, and evaluate only where it is allowed', async ({
  server,
  workspace,
  pages,
}) => {
  const url = `${pages.url}/landing.html`;
  const { sessionId } = await server.start({ url, title: 'evaluates' });
  const mark = { action: 'evaluate', expression: 'document.title = "marked"' };
  const denied = await server.record(sessionId, { action: 'reload' }, mark);
  expect(denied.error).toMatchObject({
    code: 'POLICY_DENIED',
    message: expect.stringContaining(
      '"evaluate" is not allowed (tools.record_codegen_session.actions.allow)',
    ),
  });
  const { pageTitle } = await server.call('get_codegen_session', { sessionId });
  expect(pageTitle).not.toBe('marked');

  await configure(workspace, policyFor({ allow: ['evaluate'] }));
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

  await configure(workspace, policyFor({ deny: ['got*'], allow: ['evaluate'] }));
  const opened = await server.start({ url });
  expect(opened.error).toMatchObject({ code: 'POLICY_DENIED', message: expect.stringContaining('deny[0]') });
  expect((await server.start()).error).toBeUndefined();
  await configure(workspace, policyFor({}));
  const resumed = await server.start({ resume: files[0]?.path });
  expect(resumed.error).toMatchObject({
    code: 'POLICY_DENIED',
    message: expect.stringContaining('"evaluate"'),
  });
});
