import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { messageOf } from '../model/errors.js';
import { log } from '../model/log.js';
import { registerPeer } from '../state/peers.js';
import type { listenerOf } from './http/app.js';
import { servePeer, type PeerHost } from './page.js';

/**
 * Lets `codegen-session-mcp ui` of the same user show the sessions of this process, on a Unix socket or a named pipe.
 * Loads its modules with the first request. Logs a failure, and never throws.
 */
export async function openToPeers(host: PeerHost): Promise<void> {
  try {
    const secret = randomBytes(24).toString('base64url');
    const socket = socketPath();
    const server = createServer();
    let respond: ReturnType<typeof load> | undefined;
    const load = async (): Promise<ReturnType<typeof listenerOf>> => {
      const app = await import('./http/app.js');
      // The secret authenticates the request, so any Host is accepted.
      return app.listenerOf(app.createPageApp({ checkHost: () => undefined, page: servePeer(host, secret) }));
    };
    server.on('request', (request, response) => {
      void (respond ??= load()).then((handle) => handle(request, response));
    });
    server.listen(socket);
    await once(server, 'listening');
    if (process.platform !== 'win32') await chmod(socket, 0o600);
    // Must not keep the process alive.
    server.unref();
    await registerPeer(host.backend.statePlace.directory, { pid: process.pid, socket, secret });
  } catch (error) {
    log(`\`codegen-session-mcp ui\` will not find this server: ${messageOf(error)}`);
  }
}

/** Outside of the workspace, because the paths of sockets must be short. */
function socketPath(): string {
  const name = `codegen-${randomBytes(12).toString('hex')}`;
  return process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : path.join(tmpdir(), `${name}.sock`);
}
