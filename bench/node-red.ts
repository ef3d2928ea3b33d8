import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Site } from '../test/fixtures/serve.js';
import { installPackages } from './mutants/packages.js';

/** Starts Node-RED, installed from npm outside of this project, with no flows and without its first-run tour. */
export async function startNodeRed(): Promise<Site> {
  const modules = await installPackages('node-red', ['node-red@4.1.8']);
  const userDir = await mkdtemp(path.join(tmpdir(), 'codegen-bench-node-red-'));
  const port = await freePort();
  const settings = { uiHost: '127.0.0.1', telemetry: { enabled: false }, editorTheme: { tours: false } };
  const settingsFile = path.join(userDir, 'settings.js');
  await writeFile(settingsFile, `module.exports = ${JSON.stringify(settings)};\n`);
  const args = [
    path.join(modules, 'node-red', 'red.js'),
    '-p',
    String(port),
    '-u',
    userDir,
    '-s',
    settingsFile,
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  // The output is read to its end, since Node-RED stops if it can't write.
  await new Promise<void>((resolve, reject) => {
    child.once('exit', () => {
      reject(new Error('Node-RED does not start.'));
    });
    child.stdout.on('data', (chunk: Buffer) => {
      if (chunk.includes('Started flows')) resolve();
    });
  });
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      child.kill();
      if (child.exitCode === null) await once(child, 'exit');
      await rm(userDir, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
