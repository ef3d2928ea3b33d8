import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { findPeers } from '../../src/state/peers.js';
import { expect, test } from '../fixtures.js';

test('files that a repository contains name no other socket, and remove no file', async () => {
  const state = test.info().outputPath('state');
  const directory = path.join(state, 'servers');
  await mkdir(directory, { recursive: true });
  const victim = test.info().outputPath('victim.txt');
  await writeFile(victim, 'kept');
  const announce = (pid: number, socket: string): Promise<void> =>
    writeFile(path.join(directory, `${pid}.json`), JSON.stringify({ pid, socket, secret: 's' }));
  const own = `/tmp/codegen-${'0'.repeat(24)}.sock`;
  await announce(2 ** 30, victim);
  await announce(process.pid, '/var/run/docker.sock');
  // Windows would log in to the other machine.
  await announce(1, `\\\\attacker.example\\pipe\\codegen-${'0'.repeat(24)}`);
  await announce(process.ppid, own);
  expect(await findPeers(state)).toEqual([{ pid: process.ppid, socket: own, secret: 's' }]);
  expect(await readFile(victim, 'utf8')).toBe('kept');
  expect(await readdir(directory)).toHaveLength(3);
});
