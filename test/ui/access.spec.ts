import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { Logins } from '../../src/ui/logins.js';
import { configure, connect, expect } from '../fixtures.js';
import { serve } from '../server/http/serving.js';
import { test } from './people.js';

const tokens = {
  ANN_TOKEN: 'a'.repeat(40),
  BOB_TOKEN: 'b'.repeat(40),
  CI_TOKEN: 'c'.repeat(40),
};

test('the printed link opens the page once, and the next one is printed', async ({ people }) => {
  const { link, visitor, serving } = people;
  const used = link();
  const page = await visitor();
  const outside: string[] = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(new URL(used).origin) && !request.url().startsWith('data:'))
      outside.push(request.url());
  });
  await page.goto(used);
  await expect(page.getByText('local (operator)')).toBeVisible();
  // The key is in no address that a person could copy or the browser could keep.
  await expect(page).toHaveURL(/#\/sessions$/);
  const [cookie] = await page.context().cookies();
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
  expect(outside).toEqual([]);

  const other = await visitor();
  await other.goto(used);
  await expect(other.getByRole('alert')).toContainText('This link has been used');
  await expect.poll(link).not.toBe(used);
  await other.goto(link());
  await expect(other.getByText('local (operator)')).toBeVisible();
  await other.reload();
  await expect(other.getByRole('heading', { name: 'Sessions', level: 1 })).toBeVisible();
  await other.getByRole('button', { name: 'Log out' }).click();
  await expect(other.getByRole('button', { name: 'Log in' })).toBeVisible();
  await other.reload();
  await expect(other.getByRole('button', { name: 'Log in' })).toBeVisible();

  const log = await people.log();
  expect(log).toContain('"event":"operator"');
  expect(log).toContain('"operator":"local"');
  expect(serving.stderr()).not.toContain('Unexpected');
});

test('without cookie and key, from another origin or host, and in a frame, nothing is answered', async ({
  people,
}) => {
  const { serving, person } = people;
  const page = await person();
  const [cookie] = await page.context().cookies();
  const key = await page.evaluate(() => localStorage.getItem('codegen-page-key') ?? '');
  const own = `http://127.0.0.1:${serving.port}`;
  const known = {
    Cookie: `${cookie?.name ?? ''}=${cookie?.value ?? ''}`,
    'X-Codegen-Page': key,
    Host: `127.0.0.1:${serving.port}`,
  };
  const get = { method: 'GET', path: '/ui/api/sessions' };
  const clear = { path: '/ui/api/sessions/none/clear', headers: { ...known, Origin: own } };
  const { Cookie, ...withoutCookie } = known;
  const { 'X-Codegen-Page': _, ...withoutKey } = known;

  expect((await serving.send({ ...get, headers: known })).status).toBe(200);
  expect((await serving.send(clear)).text).toContain('SESSION_NOT_FOUND');
  for (const [what, sent, status] of [
    ['no cookie', { ...get, headers: withoutCookie }, 401],
    ['no key', { ...get, headers: withoutKey }, 401],
    ['another key', { ...get, headers: { ...known, 'X-Codegen-Page': 'x'.repeat(43) } }, 401],
    ['a bearer token', { ...get, headers: { Authorization: `Bearer ${key}` } }, 401],
    ['another host', { ...get, headers: { ...known, Host: 'attacker.example' } }, 403],
    ['another origin', { ...clear, headers: { ...known, Origin: 'https://attacker.example' } }, 403],
    ['another port', { ...clear, headers: { ...known, Origin: 'http://127.0.0.1:1' } }, 403],
    ['no origin', { ...clear, headers: known }, 403],
    ['a guessed link', { path: '/ui/api/login', headers: { Origin: own }, body: '{"link":"x"}' }, 401],
  ] as const)
    expect((await serving.send(sent)).status, what).toBe(status);

  const { headers } = await serving.send({ method: 'GET', path: '/' });
  expect(headers['content-security-policy']).toContain("default-src 'none'");
  expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
  expect(headers).toMatchObject({ 'x-frame-options': 'DENY', 'cache-control': 'no-store' });
  expect(headers).not.toHaveProperty('access-control-allow-origin');
});

test('operators log in with tokens of their own, and may do what their role says', async ({
  workspace,
  people: { visitor },
}) => {
  await configure(workspace, {
    grants: [{ name: 'ci', tokenEnv: 'CI_TOKEN' }],
    ui: {
      operators: [
        { name: 'Ann', role: 'operator', tokenEnv: 'ANN_TOKEN' },
        { name: 'Bob', tokenEnv: 'BOB_TOKEN' },
      ],
    },
  });
  const serving = await serve(workspace, { env: tokens });
  expect(serving.stderr()).not.toContain('works once');
  const agent = await serving.connect(tokens.CI_TOKEN);
  const { sessionId } = await agent.start({ title: 'Pays' });
  const page = await visitor();
  const logIn = async (token: string): Promise<void> => {
    await page.getByLabel('Token').fill(token);
    await page.getByRole('button', { name: 'Log in' }).click();
  };

  await page.goto(`http://127.0.0.1:${serving.port}/`);
  await logIn(tokens.CI_TOKEN);
  await expect(page.getByRole('alert')).toContainText('This is not the token of an operator.');
  await logIn(tokens.BOB_TOKEN);
  await expect(page.getByText('Bob (viewer)')).toBeVisible();
  await page.getByRole('link', { name: 'Pays' }).click();
  await expect(page.getByRole('heading', { name: 'Steps' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Clear' })).toBeHidden();
  // What the page hides, the server refuses.
  for (const refused of [`sessions/${sessionId}/clear`, 'policy/diff', 'policy/save']) {
    const answer = await page.evaluate(async (url) => {
      const headers = { 'X-Codegen-Page': localStorage.getItem('codegen-page-key') ?? '' };
      const body = JSON.stringify({ grant: 'ci', text: '', hash: '' });
      return (await fetch(`/ui/api/${url}`, { method: 'POST', headers, body })).text();
    }, refused);
    expect(answer).toContain('This needs the role');
  }

  await page.getByRole('button', { name: 'Log out' }).click();
  await logIn(tokens.ANN_TOKEN);
  await page.getByRole('button', { name: 'Clear' }).click();
  await page.getByRole('button', { name: 'Yes, discard its steps' }).click();
  await expect(page.getByText('No sessions.')).toBeVisible();
  const log = await readFile(path.join(workspace, '.codegen/audit.jsonl'), 'utf8');
  expect(log).toMatch(/"operator":"Ann","role":"operator","action":"clear","session":"/);
  expect(log).toMatch(/"operator":"Bob".*"action":"clear".*"error":"REFUSED"/);
  expect(log).not.toContain(tokens.ANN_TOKEN);

  // A role that was taken away also ends what was taken over.
  const taken = (await agent.start({ title: 'Taken over' })).sessionId;
  const Origin = `http://127.0.0.1:${serving.port}`;
  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    serving.send({ path: `/ui/api/${path}`, headers: { Origin, ...headers }, body: JSON.stringify(body) });
  const enter = async (): Promise<Record<string, string>> => {
    const { headers, text } = await post('login', { token: tokens.ANN_TOKEN });
    const person = z.strictObject({ name: z.string(), role: z.string() });
    const { key } = z.object({ key: z.string(), person }).parse(JSON.parse(text));
    return { Cookie: headers['set-cookie']?.[0]?.split(';')[0] ?? '', 'X-Codegen-Page': key };
  };
  // Before anyone is logged in, a request causes no long answer and no line in the log.
  const unknown = Object.fromEntries(Array.from({ length: 9000 }, (_, index) => [`key${index}`, 0]));
  for (const body of [unknown, { token: 'x'.repeat(300_000) }]) {
    const { status, text } = await post('login', body);
    expect([status, text.length < 2000]).toEqual([400, true]);
  }
  expect(serving.stderr()).not.toContain('Error');
  expect((await post(`sessions/${taken}/take`, {}, await enter())).status).toBe(200);
  await configure(workspace, {
    grants: [{ name: 'ci', tokenEnv: 'CI_TOKEN' }],
    ui: { operators: [{ name: 'Ann', tokenEnv: 'ANN_TOKEN' }] },
  });
  const input = await post(`sessions/${taken}/input`, [{ type: 'move', x: 1, y: 1 }], await enter());
  expect([input.status, input.text]).toEqual([403, expect.stringContaining('Ann is viewer')]);

  // An operator who is removed is logged out.
  await configure(workspace, {
    grants: [{ name: 'ci', tokenEnv: 'CI_TOKEN' }],
    ui: { operators: [{ name: 'Bob', tokenEnv: 'BOB_TOKEN' }] },
  });
  await expect(page.getByRole('button', { name: 'Log in' })).toBeVisible();
  await agent.close();
  await serving.stop();
});

test('one who logs in again and again logs out nobody else', () => {
  const logins = new Logins(() => true);
  const { cookie, key } = logins.create({ name: 'Ann', role: 'operator' });
  for (let count = 0; count < 100; count++) logins.create({ name: 'Bob', role: 'viewer' });
  expect(logins.find(cookie, key)?.person.name).toBe('Ann');
});

test('a token can not be that of a grant and of an operator', async ({ workspace }) => {
  await configure(workspace, {
    grants: [{ name: 'ci', tokenEnv: 'CI_TOKEN' }],
    ui: { operators: [{ name: 'Ann', tokenEnv: 'CI_TOKEN' }] },
  });
  await expect(serve(workspace, { env: tokens })).rejects.toThrow('a grant has this token');
  await configure(workspace, {
    grants: [{ name: 'ci', tokenEnv: 'CI_TOKEN' }],
    ui: { operators: [{ name: 'Ann', tokenEnv: 'ANN_TOKEN' }] },
  });
  const same = serve(workspace, { env: { ...tokens, ANN_TOKEN: tokens.CI_TOKEN } });
  await expect(same).rejects.toThrow('another grant or operator has the same token');
});

test('a server over stdio serves the page on its own port, and prints the link to stderr', async ({
  workspace,
  people: { visitor },
}) => {
  await configure(workspace, { ui: { port: 0 } });
  const server = await connect(workspace);
  await expect.poll(server.stderr).toContain('works once');
  const link = /works once: (\S+)/.exec(server.stderr())?.[1] ?? '';
  await server.start({ title: 'Signs up' });
  const page = await visitor();
  await page.goto(link);
  await expect(page.getByRole('link', { name: 'Signs up' })).toBeVisible();
  await server.close();
  await expect(page.getByRole('alert')).toContainText('The server does not respond.');
});
