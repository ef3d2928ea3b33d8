import { rmSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { ensureDir } from 'fs-extra/esm';
import { z } from 'zod';
import { createDurably, ensureStateDirectory, isRunning } from './files.js';

const peerSchema = z.object({
  pid: z.int(),
  /**
   * Path of a Unix socket, or of a named pipe. A repository can contain such a file too: its name keeps requests from other
   * sockets, and other files from removal.
   */
  socket: z.string().regex(/[\\/]codegen-[\da-f]{24}(?:\.sock)?$/),
  /** What a request has to bring: only who can read this file gets an answer. */
  secret: z.string(),
});

/** A running server of the workspace, as `codegen-session-mcp ui` reaches it. */
export type Peer = z.infer<typeof peerSchema>;

function directoryOf(stateDirectory: string): string {
  return path.join(stateDirectory, 'servers');
}

/** Lists this process among the servers of the workspace, until it exits. */
export async function registerPeer(stateDirectory: string, peer: Peer): Promise<void> {
  const directory = directoryOf(stateDirectory);
  await ensureStateDirectory(stateDirectory);
  await ensureDir(directory, { mode: 0o700 });
  const file = path.join(directory, `${peer.pid}.json`);
  // An earlier process may have had this id.
  await rm(file, { force: true });
  await createDurably(file, JSON.stringify(peer), 0o600);
  process.once('exit', () => {
    rmSync(file, { force: true });
    rmSync(peer.socket, { force: true });
  });
}

/** The running servers; what killed ones left is removed. */
export async function findPeers(stateDirectory: string): Promise<Peer[]> {
  const directory = directoryOf(stateDirectory);
  const names = await readdir(directory).catch(() => []);
  const peers = await Promise.all(
    names.map(async (name) => {
      const file = path.join(directory, name);
      if (isRunning(Number.parseInt(name))) return read(file);
      const left = await read(file);
      await Promise.all(left.map(({ socket }) => rm(socket, { force: true }).catch(() => undefined)));
      await rm(file, { force: true }).catch(() => undefined);
      return [];
    }),
  );
  return peers.flat();
}

async function read(file: string): Promise<Peer[]> {
  try {
    return [peerSchema.parse(JSON.parse(await readFile(file, 'utf8')))];
  } catch {
    return [];
  }
}
