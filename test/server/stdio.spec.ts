import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { expect, test } from '../fixtures.js';

test('a request with the id of a running one is ignored, and the first gets its answer', async () => {
  const cwd = test.info().outputPath('workspace');
  await mkdir(cwd, { recursive: true });
  const child = spawn(process.execPath, [new URL('../../dist/cli.js', import.meta.url).pathname], { cwd });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  const call = { name: 'get_codegen_session', arguments: {} };
  const clientInfo = { name: 'test', version: '1' };
  const requests = [
    {
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo },
    },
    { id: 7, method: 'tools/call', params: call },
    { id: 7, method: 'tools/list', params: {} },
    { id: 7, method: 'prompts/list', params: {} },
  ];
  const send = (request: object): unknown =>
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...request })}\n`);
  const answers = (): string[] => lines.filter((line) => line.includes('"id":7'));
  requests.forEach(send);
  await expect.poll(answers).toEqual([expect.stringContaining('"structuredContent"')]);
  // The id is free again.
  send({ id: 7, method: 'tools/list', params: {} });
  await expect.poll(() => answers().slice(1)).toEqual([expect.stringContaining('"tools"')]);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.stdin.end();
  await ended;
});
