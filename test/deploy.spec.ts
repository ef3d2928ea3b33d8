import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { npm } from '../scripts/npm.js';
import { loadConfig } from '../src/config/load.js';
import { startChromium } from './fixtures/browser-hosts.js';
import { startBalancer } from './fixtures/nginx.js';
import { freePort, startRedis } from './fixtures/redis.js';
import { serve as serveSite, type Site } from './fixtures/serve.js';
import { configure, expect, test } from './fixtures.js';
import { connectAt, serve, type Connecting, type Serving } from './server/http/serving.js';

const tokens = { team: 'team-'.repeat(8), other: 'other-'.repeat(8) };

test('nginx keeps the requests of a grant that have no MCP session on one server', async () => {
  const serveName = (name: string): Promise<Site> =>
    serveSite((_, response) => {
      response.end(name);
      return Promise.resolve();
    }, 0);
  const sites = await Promise.all([serveName('one'), serveName('two')]);
  const [one, two] = sites.map(({ url }) => Number(new URL(url).port));
  const port = await freePort();
  const balancer = await startBalancer(test.info().outputPath('nginx'), port, [one ?? 0, two ?? 0]);
  const send = async (token: string, headers: Record<string, string>): Promise<string> => {
    const all = { Authorization: `Bearer ${token}`, ...headers };
    return (await fetch(`http://127.0.0.1:${port}/mcp`, { method: 'POST', headers: all, body: '{}' })).text();
  };
  const serversOf = async (
    tokens: string[],
    headers: Record<string, string> = { 'Mcp-Method': 'tools/call' },
  ): Promise<Set<string>> => new Set(await Promise.all(tokens.map((token) => send(token, headers))));
  try {
    const many = Array.from({ length: 20 }, (_, index) => `token-${index}`);
    expect(await serversOf(many)).toEqual(new Set(['one', 'two']));
    for (const token of many.slice(0, 5))
      expect((await serversOf(Array<string>(8).fill(token))).size, token).toBe(1);
    expect(await serversOf(many, { 'Mcp-Session-Id': 'two-1', 'Mcp-Method': 'ping' })).toEqual(
      new Set(['two']),
    );
    expect(await serversOf(Array<string>(8).fill('token'), {})).toEqual(new Set(['one', 'two']));
  } finally {
    await balancer.stop();
    await Promise.all(sites.map((site) => site.close()));
  }
});

test('two servers behind nginx, with one Redis and one browser host: one team works on, whatever of it stops', async ({
  pages,
}) => {
  test.setTimeout(180_000);
  const redis = await startRedis(test.info().outputPath('redis'), { persistent: true });
  const host = await startChromium(test.info().outputPath('profile'));
  const names = ['one', 'two'] as const;
  const [port, ...ports] = await Promise.all([freePort(), freePort(), freePort()]);
  const place = (name: string): string => test.info().outputPath(name);
  for (const name of names) {
    await mkdir(place(name));
    await configure(place(name), {
      browser: { endpoint: host.url, maxSessions: 20 },
      state: { url: redis.url },
      grants: [
        { name: 'team', tokenEnv: 'TEAM_TOKEN' },
        { name: 'other', tokenEnv: 'OTHER_TOKEN', output: { dir: 'other-tests' } },
      ],
      http: { allowedHosts: [`127.0.0.1:${port}`] },
      verify: { mode: 'require', sensitivity: 'off' },
      policy: {
        version: '1',
        default: 'allow',
        tools: { get_codegen_session: { limits: [{ counter: 'looks', window: 'hour', max: 6 }] } },
      },
    });
  }
  const serveAs = (name: 'one' | 'two'): Promise<Serving> =>
    serve(place(name), {
      args: ['--port', String(ports[names.indexOf(name)]), '--name', name],
      env: { TEAM_TOKEN: tokens.team, OTHER_TOKEN: tokens.other },
    });
  const servers = { one: await serveAs('one'), two: await serveAs('two') };
  const balancer = await startBalancer(place('nginx'), port, [ports[0], ports[1]]);
  const url = `http://127.0.0.1:${port}/mcp`;
  const join = (token = tokens.team): Promise<Connecting> => connectAt(url, token);
  const serverOf = ({ transport }: Connecting): string => transport.sessionId?.split('-')[0] ?? '';
  const clients: Connecting[] = [];
  try {
    clients.push(...(await Promise.all(Array.from({ length: 8 }, () => join()))));
    expect(new Set(clients.map(serverOf))).toEqual(new Set(names));
    const started = await Promise.all(
      clients.map((client, index) => client.start({ url: `${pages.url}/todo.html`, title: `task ${index}` })),
    );
    const sessions = started.map(({ sessionId }) => sessionId);
    expect(sessions.map((id) => id.split('-')[0])).toEqual(clients.map(serverOf));
    const fill = { action: 'fill', target: 'getByPlaceholder("What needs to be done?")', value: 'Ask Ann' };
    const recorded = await Promise.all(
      clients.map((client, index) =>
        client.record(sessions[index] ?? '', fill, { action: 'press', key: 'Enter' }),
      ),
    );
    expect(recorded.map(({ recorded }) => recorded)).toEqual(Array(8).fill(2));
    const looks = await Promise.all(clients.map((client) => client.call('get_codegen_session')));
    expect(looks.map(({ error }) => error?.code).toSorted()).toEqual([
      ...Array<string>(2).fill('RATE_LIMITED'),
      ...Array<undefined>(6).fill(undefined),
    ]);

    const ofOne = clients.findIndex((client) => serverOf(client) === 'one');
    const ofTwo = clients.findIndex((client) => serverOf(client) === 'two');
    const [one, two] = [clients[ofOne], clients[ofTwo]];
    const inOne = sessions[ofOne] ?? '';
    const inTwo = sessions[ofTwo] ?? '';
    const ended = await two?.call('end_codegen_session', { sessionId: inTwo });
    expect(ended?.error).toBeUndefined();
    expect(ended?.['verification']).toMatchObject({ status: 'passed' });
    expect(existsSync(path.join(place('two'), ended?.files[0]?.path ?? ''))).toBe(true);

    // Held by the other server: its own grant is told where, and no other that there is one.
    const strayed = await two?.record(inOne, fill);
    expect(strayed?.error).toMatchObject({
      code: 'SESSION_NOT_FOUND',
      hint: expect.stringContaining('lives on server "one"'),
    });
    const stranger = await servers.two.connect(tokens.other);
    expect((await stranger.record(inOne, fill)).error?.hint).not.toContain('"one"');
    await stranger.close();

    await redis.kill();
    expect((await two?.call('get_codegen_session'))?.error).toMatchObject({
      code: 'WRITE_FAILED',
      retryAfterMs: 1_000,
    });
    expect((await one?.record(inOne, fill))?.recorded).toBe(1);
    await redis.start();
    expect((await one?.call('get_codegen_session'))?.error?.code).toBe('RATE_LIMITED');

    process.kill(servers.one.pid, 'SIGKILL');
    await expect(one?.record(inOne, fill)).rejects.toThrow(/404|Session not found/);
    const again = await Promise.all([1, 2, 3].map(() => join()));
    clients.push(...again);
    expect(again.map(serverOf)).toEqual(['two', 'two', 'two']);
    expect((await again[0]?.start({ url: `${pages.url}/todo.html` }))?.error).toBeUndefined();

    servers.one = await serveAs('one');
    const back = await servers.one.connect(tokens.team);
    clients.push(back);
    const resumed = await back.start({ resume: inOne });
    expect(resumed).toMatchObject({ resumed: 4 });
    // The balancer sends new sessions there again.
    await expect
      .poll(
        async () => {
          const client = await join();
          await client.close();
          return serverOf(client);
        },
        { timeout: 20_000 },
      )
      .toBe('one');
  } finally {
    await Promise.allSettled(clients.map((client) => client.close()));
    await balancer.stop();
    await Promise.all([servers.one.stop(), servers.two.stop()]);
    await host.kill();
    await redis.kill();
  }
});

test('what is deployed names one version of Playwright, and a configuration that is valid', async () => {
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync('node_modules/playwright/package.json', 'utf8')));
  const compose = readFileSync('deploy/compose.yaml', 'utf8');
  expect(compose).toContain(`playwright:v${version}-`);
  expect(compose).toContain(`playwright@${version} run-server`);
  expect(readFileSync('deploy/Dockerfile', 'utf8')).toContain(`playwright:v${version}-`);
  const { services } = z
    .object({ services: z.record(z.string(), z.looseObject({})) })
    .parse(parse(compose, { merge: true }));
  const { config } = await loadConfig({ workspace: '.', configPath: 'deploy/codegen.config.json' });
  const hosts = [config.state.url ?? '', ...[config.browser.endpoint ?? []].flat()].map(
    (url) => new URL(url).hostname,
  );
  for (const name of [...hosts, 'server-one', 'server-two', 'nginx']) expect(services).toHaveProperty(name);
});

test('what the image copies is enough to build the server, and what it takes from the build is there', async () => {
  test.setTimeout(180_000);
  const directory = test.info().outputPath('build');
  await mkdir(directory);
  const dockerfile = readFileSync('deploy/Dockerfile', 'utf8');
  const [first, ...allowed] = readFileSync('deploy/Dockerfile.dockerignore', 'utf8').trim().split('\n');
  expect(first).toBe('*');
  for (const name of allowed.map((line) => line.replace(/^!/, '')))
    await cp(name, path.join(directory, name), { recursive: true });
  // In place of `npm ci`.
  await symlink(path.resolve('node_modules'), path.join(directory, 'node_modules'), 'junction');
  npm(directory, 'run', 'build');
  const copied = [...dockerfile.matchAll(/^COPY --from=build \/build\/(\S+)/gm)].map(([, name = '']) => name);
  expect(copied).toContain('dist');
  for (const name of copied) expect(existsSync(path.join(directory, name)), name).toBe(true);
  const { stdout } = spawnSync(process.execPath, [path.join(directory, 'dist/cli.js'), '--version']);
  expect(stdout.toString()).toMatch(/^\d+\.\d+\.\d+\n$/);
  // Neither image runs as root.
  expect(
    dockerfile.match(/^USER (?!root)\w+\nWORKDIR \/workspace\nHEALTHCHECK .*\nENTRYPOINT /gm),
  ).toHaveLength(2);
});

test('the health check of the image asks the server at its port', async () => {
  const workspace = test.info().outputPath('workspace');
  await mkdir(workspace);
  const server = await serve(workspace);
  const commandLine = test.info().outputPath('cmdline');
  const check = async (...args: string[]): Promise<number | null> => {
    await writeFile(commandLine, ['node', 'dist/cli.js', ...args, ''].join('\0'));
    return spawnSync(process.execPath, ['deploy/healthcheck.js', commandLine]).status;
  };
  try {
    expect(await check('--port', String(server.port))).toBe(0);
    expect(await check('--config', 'a.json')).toBe(0);
  } finally {
    await server.stop();
  }
  expect(await check('--port', String(server.port))).toBe(1);
});
