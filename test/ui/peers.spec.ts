import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readdir, stat } from 'node:fs/promises';
import { request } from 'node:http';
import path from 'node:path';
import { z } from 'zod';
import { binary, connect, expect } from '../fixtures.js';
import { test } from './people.js';

const peerSchema = z.object({ socket: z.string(), secret: z.string() });

/** Status of an answer to a request on a server's socket. */
function statusOf(socketPath: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path: '/ui/api/sessions', headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    sent.on('error', reject).end();
  });
}

test('the command ui shows and controls the sessions of all servers of the workspace', async ({
  people: { agent, visitor, workspace, log },
  pages,
}) => {
  const stdio = await connect(workspace);
  await agent.start({ title: 'Over HTTP' });
  const { sessionId } = await stdio.start({ title: 'Over stdio', url: `${pages.url}/todo.html` });
  const ui = spawn(process.execPath, [binary, 'ui'], { cwd: workspace, stdio: ['ignore', 'pipe', 'pipe'] });
  let [printed, said] = ['', ''];
  ui.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  ui.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await expect.poll(() => said).toContain('works once');
  expect(printed).toBe('');

  const page = await visitor();
  await page.goto(/works once: (\S+)/.exec(said)?.[1] ?? '');
  await expect(page.getByRole('link', { name: 'Over HTTP' })).toBeVisible();
  await page.getByRole('link', { name: 'Over stdio' }).click();
  await expect(page.getByRole('img', { name: 'The live page of' })).toBeVisible();
  await page.getByRole('button', { name: 'Take over' }).click();
  await page.getByRole('button', { name: 'Record', exact: true }).click();
  await page.getByLabel('Address').fill(`${pages.url}/todo.html?by=hand`);
  await page.getByRole('button', { name: 'Go to it' }).click();
  await expect(page.getByRole('region', { name: 'Steps' }).getByText('by=hand')).toBeVisible();
  await page.getByRole('button', { name: 'Return control' }).click();
  const { steps } = await stdio.call('get_codegen_session', { sessionId });
  expect(steps).toBe(2);
  expect(await log()).toMatch(/"operator":"local","role":"operator","action":"record goto"/);

  // Only who can read the file of a server gets an answer.
  const directory = path.join(workspace, '.codegen/servers');
  const file = path.join(directory, `${stdio.pid}.json`);
  const { socket, secret } = peerSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  if (process.platform !== 'win32')
    expect([(await stat(file)).mode & 0o777, (await stat(socket)).mode & 0o777]).toEqual([0o600, 0o600]);
  const person = encodeURIComponent(JSON.stringify({ name: 'local', role: 'viewer' }));
  const headers = { 'X-Codegen-Peer': secret, 'X-Codegen-Person': person };
  expect(await statusOf(socket, headers)).toBe(200);
  expect(await statusOf(socket, { ...headers, 'X-Codegen-Peer': 'guessed' })).toBe(401);
  expect(await statusOf(socket, {})).toBe(401);

  // A server that ends takes its sessions with it.
  await page.getByRole('link', { name: 'Sessions' }).click();
  await stdio.close();
  await expect(page.getByRole('link', { name: 'Over stdio' })).toBeHidden();
  await expect(page.getByRole('link', { name: 'Over HTTP' })).toBeVisible();
  expect(await readdir(directory)).toHaveLength(1);
  ui.kill('SIGTERM');
  expect(await once(ui, 'exit')).toEqual([0, null]);
});
