import { rmSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { ensureDir } from 'fs-extra/esm';
import { z } from 'zod';
import { createDurably, ensureStateDirectory, isRunning } from './files.js';

const peerSchema = z.object({
  pid: z.int(),
  /**
   * A Unix socket, or a named pipe. A repository can contain such a file too: the pattern prevents requests to other
   * sockets, and the removal of other files.
   */
  socket: z.string().regex(/^(?:\\\\\.\\pipe\\|\/(?:[^/\\]+\/)*)codegen-[\da-f]{24}(?:\.sock)?$/),
  /** Every request needs it, so only those who can read this file get an answer. */
  secret: z.string(),
});

/** A running server of the workspace, for `codegen-session-mcp ui`. */
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

/** The running servers. Removes the files of killed ones. */
export async function findPeers(stateDirectory: string): Promise<Peer[]> {
  const directory = directoryOf(stateDirectory);
  const names = await readdir(directory).catch(() => []);
  const peers = await Promise.all(
    names.map(async (name) => {
      const file = path.join(directory, name);
      const peer = await read(file);
      if (isRunning(Number.parseInt(name))) return peer;
      const left = [file, ...peer.map(({ socket }) => socket)];
      await Promise.allSettled(left.map((each) => rm(each, { force: true })));
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
