import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { createBrowserPool } from '../../src/browser/launch.js';
import { includesRole, roles, type Role } from '../../src/model/role.js';
import { sha256 } from '../../src/model/text.js';
import { createBackend } from '../../src/server/backend.js';
import { loadPage } from '../../src/server/page.js';
import type { PageApp } from '../../src/ui/options.js';
import { configure, expect, test } from '../fixtures.js';

const policy = '{ "version": "1", "default": "allow" }\n';
const change = { grant: 'local', text: policy, hash: sha256(policy) };
const place = { x: 1, y: 1 };

interface Row {
  route: string;
  needs: Role;
  body?: unknown;
  /** What the line says; undefined for what changes nothing, and so has none. */
  line?: { action: string; error?: string; [detail: string]: unknown };
}

/** What happens to a session that does not exist. */
function inSession(name: string, action: string | undefined, body?: unknown, details: object = {}): Row {
  const error = ['take over', 'decline hand-over', 'verify', 'end', 'clear', 'resume'];
  const isFound = action !== undefined && (error.includes(action) || action.startsWith('edit'));
  return {
    route: `sessions/:session/${name}`,
    needs: 'operator',
    body,
    ...(action !== undefined && {
      line: { action, session: 'none', error: isFound ? 'SESSION_NOT_FOUND' : 'REFUSED', ...details },
    }),
  };
}

const edited = { step: 3, code: 'await page.close();' };

/** Every route to which people post, but those of logging in. */
const rows: Row[] = [
  inSession('take', 'take over'),
  inSession('release', 'release'),
  inSession('decline', 'decline hand-over', { reason: 'No' }),
  inSession('input', undefined, [{ type: 'move', ...place }]),
  inSession('input', 'click by hand', [{ type: 'move', ...place }, { type: 'down' }]),
  inSession('dialog', 'answer dialog', { accept: true }, { accept: true }),
  inSession('file', 'choose file', { file: 'a.txt' }, { file: 'a.txt' }),
  inSession('point', undefined, place),
  inSession('act', 'record goto', { action: 'goto', url: 'https://shop.example' }),
  inSession('edit', 'edit title', { type: 'title', title: 'Pays' }),
  inSession('edit', 'edit remove', { type: 'remove', ...edited }, { step: 3 }),
  inSession('edit', 'edit removeAssertion', { type: 'removeAssertion', ...edited, assertion: 0 }),
  inSession('edit', 'edit note', { type: 'note', ...edited, note: '' }),
  inSession('edit', 'edit move', { type: 'move', ...edited, before: 1 }),
  inSession('edit', 'edit group', { type: 'group', ...edited, title: 'Pays' }),
  inSession('verify', 'verify'),
  inSession('end', 'end'),
  inSession('clear', 'clear'),
  inSession('resume', 'resume'),
  ...[true, false].map((approve) => ({
    route: 'approvals/:approval',
    needs: 'approver' as const,
    body: { approve },
    line: { action: approve ? 'approve' : 'decline', approval: 'none', error: 'INVALID_INPUT' },
  })),
  { route: 'policy/try', needs: 'viewer', body: { grant: 'local', tool: 'x', args: {} } },
  { route: 'policy/diff', needs: 'operator', body: change },
  {
    ...{ route: 'policy/save', needs: 'operator', body: change },
    line: { action: 'edit policy', policyOf: 'local', before: change.hash, after: change.hash },
  },
  {
    ...{ route: 'policy/save', needs: 'operator', body: { ...change, grant: 'unknown' } },
    line: { action: 'edit policy', policyOf: 'unknown', error: 'REFUSED' },
  },
  {
    ...{ route: 'tests/run', needs: 'operator', body: { grant: 'local', file: 'a.spec.ts', repeat: 1 } },
    line: { action: 'run', file: 'a.spec.ts', error: 'REFUSED' },
  },
  {
    ...{ route: 'tests/trace', needs: 'operator', body: { grant: 'local', file: 'a.spec.ts' } },
    line: { action: 'trace', file: 'a.spec.ts', error: 'REFUSED' },
  },
];

const keySchema = z.looseObject({ key: z.string() });
const host = 'localhost';

/** A person who has logged in. */
async function logIn(
  app: PageApp,
  name: string,
): Promise<(path: string, body?: unknown) => Promise<Response>> {
  let known: Record<string, string> = {};
  const post = async (path: string, body?: unknown): Promise<Response> =>
    app.request(
      `http://${host}/ui/api/${path}`,
      {
        method: 'POST',
        headers: { Host: host, Origin: `http://${host}`, ...known },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      },
      {},
    );
  const answer = await post('login', { token: name });
  const Cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? '';
  known = { Cookie, 'X-Codegen-Page': keySchema.parse(await answer.json()).key };
  return post;
}

test('everything that people change, try to change or may not change is a line with their name', async ({
  workspace,
}) => {
  await writeFile(path.join(workspace, 'policy.json'), policy);
  await configure(workspace, {
    policy: 'policy.json',
    ui: { operators: roles.map((role) => ({ name: `A ${role}`, role, tokenEnv: `TOKEN_${role}` })) },
  });
  const backend = await createBackend({
    ...{ workspace, name: undefined, browsers: createBrowserPool() },
    ...{ mustBeKnown: () => false, accept: () => undefined },
  });
  const own = backend.connect('local');
  const server = { backend, own, workspace, grants: () => ['local'] };
  const access = {
    ...({ link: undefined, scheme: 'http', onAccepted: () => undefined } as const),
    operatorOf: (token: string) => token,
  };
  const app = await loadPage(server, access);
  const posted = app.routes.filter(({ method }) => !['GET', 'ALL'].includes(method));
  expect(new Set(posted.map(({ path }) => path.replace('/ui/api/', '')))).toEqual(
    new Set(['login', 'logout', ...rows.map(({ route }) => route)]),
  );

  const expected: Record<string, unknown>[] = [];
  for (const role of roles) {
    const operator = `A ${role}`;
    const post = await logIn(app, operator);
    expected.push({ operator, role, action: 'login' });
    for (const { route, needs, body, line } of rows) {
      const mayNot = !includesRole(role, needs);
      const answer = await (await post(route.replace(/:\w+/, 'none'), body)).text();
      const what = `${route} ${JSON.stringify(body)} by ${operator}`;
      if (mayNot) expect(answer, what).toContain(`This needs the role \\"${needs}\\"`);
      else expect(answer, what).not.toContain('This needs the role');
      if (line === undefined) continue;
      const named = Object.entries(line).filter(([key]) => ['action', 'session', 'approval'].includes(key));
      expected.push({
        operator,
        role,
        ...(mayNot ? { ...Object.fromEntries(named), error: 'REFUSED' } : line),
      });
    }
    await post('logout');
    expected.push({ operator, role, action: 'logout' });
  }
  // A session whose server has stopped.
  const peers = await loadPage(server, { ...access, peers: () => Promise.resolve([]) });
  await (
    await logIn(peers, 'A viewer')
  )('sessions/none/end');
  const viewer = { operator: 'A viewer', role: 'viewer' };
  expected.push({ ...viewer, action: 'login' });
  expected.push({ ...viewer, action: 'end', session: 'none', error: 'REFUSED' });

  await own.end();
  await backend.close(0);
  const log = await readFile(path.join(workspace, '.codegen/audit.jsonl'), 'utf8');
  const lines = log
    .split('\n')
    .filter((text) => text.includes('"event":"operator"'))
    .map((text) => z.record(z.string(), z.unknown()).parse(JSON.parse(text)));
  expect(lines).toEqual(expected.map((line) => expect.objectContaining(line)));
  expect(lines.map(({ error }) => error)).toEqual(expected.map(({ error }) => error));
});
