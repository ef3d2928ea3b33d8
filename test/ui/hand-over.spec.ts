import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { expect, resultOf, type Result } from '../fixtures.js';
import { test } from './people.js';

test('handOver waits for a person, and answers with the steps that they recorded', async ({
  people: { agent, person },
  pages,
}) => {
  const { sessionId } = await agent.start({ title: 'Asks', url: `${pages.url}/todo.html` });
  const page = await person();
  const heard: string[] = [];
  const call = agent.call(
    'record_codegen_session',
    {
      sessionId,
      actions: [
        { action: 'handOver', reason: 'Solve the <b>captcha</b>' },
        { action: 'click', target: "getByRole('link', { name: 'Active' })" },
      ],
    },
    ({ message = '' }) => heard.push(message),
  );
  await expect(page.getByText('Asks for a person: Solve the <b>captcha</b>')).toBeVisible();
  await page.getByRole('link', { name: 'Asks' }).click();
  await page.getByRole('button', { name: 'Take over' }).click();
  await page.getByRole('button', { name: 'Record', exact: true }).click();
  await page.getByLabel('Address').fill(`${pages.url}/todo.html?by=hand`);
  await page.getByRole('button', { name: 'Go to it' }).click();
  await expect(page.getByRole('region', { name: 'Steps' }).getByText('by=hand')).toBeVisible();
  await page.getByRole('button', { name: 'Return control' }).click();
  const { failed, codes, text } = await call;
  expect(failed).toBeUndefined();
  expect(codes).toEqual([
    expect.stringContaining('goto("'),
    expect.stringContaining('getByRole("link", { name: "Active" }).click()'),
  ]);
  expect(text).toContain('local returned control of the session.');
  expect(heard).toContain('Waiting for a person: Solve the <b>captcha</b>');
  await expect(page.getByRole('button', { name: 'Take over' })).toBeVisible();
});

test('a person declines a handOver with a reason, and nobody comes within its time-out', async ({
  people: { agent, person, log },
  pages,
}) => {
  const { sessionId } = await agent.start({ title: 'Asks', url: `${pages.url}/todo.html` });
  const page = await person();
  await page.getByRole('link', { name: 'Asks' }).click();
  const call = agent.record(sessionId, { action: 'handOver', reason: 'Log in' });
  await page.getByLabel('Reason to decline').fill('No account');
  await page.getByRole('button', { name: 'Decline' }).click();
  expect((await call).failed).toMatchObject({ code: 'ACTION_FAILED', message: 'local declined: No account' });
  await expect.poll(log).toMatch(/"operator":"local","role":"operator","action":"decline hand-over"/);
  const alone = await agent.record(sessionId, { action: 'handOver', reason: 'Log in', timeout: 1000 });
  expect(alone.failed).toMatchObject({ message: 'Nobody took over within 1000 ms.' });
});

test('a client that shows URLs asks its user, who may decline there', async ({ people, pages }) => {
  const asked: object[] = [];
  const agent = await people.serving.connect(undefined, (question) => {
    asked.push(question);
    return { action: 'decline' };
  });
  const { sessionId } = await agent.start({ title: 'Asks', url: `${pages.url}/todo.html` });
  const { failed } = await agent.record(sessionId, { action: 'handOver', reason: 'Log in' });
  expect(failed).toMatchObject({ message: 'The user declined.' });
  const url = `http://127.0.0.1:${people.serving.port}/#/sessions/${sessionId}`;
  expect(asked).toEqual([
    expect.objectContaining({ mode: 'url', url, message: 'The agent asks you to take over: Log in' }),
  ]);
  await agent.close();
});

test('a client of revision 2026-07-28 asks its user before anything is performed', async ({
  people,
  pages,
}) => {
  const { agent, serving } = people;
  const asked: object[] = [];
  const client = new Client(
    { name: 'test', version: '1' },
    { versionNegotiation: { mode: { pin: '2026-07-28' } }, capabilities: { elicitation: { url: {} } } },
  );
  const actions = ['decline', 'accept'] as const;
  client.setRequestHandler('elicitation/create', ({ params }) => {
    asked.push(params);
    return { action: actions[asked.length - 1] ?? 'cancel' };
  });
  await client.connect(new StreamableHTTPClientTransport(new URL(serving.url)));
  const { sessionId } = await agent.start({ title: 'Asks', url: `${pages.url}/todo.html` });
  const record = async (value: string): Promise<Result> => {
    const given = [
      { action: 'fill', target: "getByRole('textbox')", value },
      { action: 'handOver', reason: 'Log in', timeout: 1000 },
    ];
    const { structuredContent } = await client.callTool({
      name: 'record_codegen_session',
      arguments: { sessionId, actions: given },
    });
    return resultOf(structuredContent, '');
  };
  const declined = await record('Milk');
  expect(declined.failed).toMatchObject({ action: 1, message: 'The user declined.' });
  expect(declined.codes).toEqual([expect.stringContaining('.fill("Milk")')]);
  const url = `http://127.0.0.1:${serving.port}/#/sessions/${sessionId}`;
  expect(asked).toEqual([
    expect.objectContaining({ mode: 'url', url, message: 'The agent asks you to take over: Log in' }),
  ]);
  expect((await record('Tea')).failed).toMatchObject({ message: 'Nobody took over within 1000 ms.' });
  const { steps } = await agent.call('get_codegen_session', { sessionId, include: ['steps'] });
  expect(steps).toHaveLength(3);
  await client.close();
});

test('without a web UI, handOver fails at once with a hint', async ({ shared: server, pages }) => {
  const { sessionId } = await server.start({ url: `${pages.url}/todo.html` });
  const { failed } = await server.record(sessionId, { action: 'handOver', reason: 'Log in' });
  expect(failed).toMatchObject({ code: 'ACTION_FAILED', hint: /ui\.port/ });
});
