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
 * What it needs is loaded with the first request. A failure costs only that.
 */
export async function openToPeers(host: PeerHost): Promise<void> {
  try {
    const secret = randomBytes(24).toString('base64url');
    const socket = socketPath();
    const server = createServer();
    let respond: ReturnType<typeof load> | undefined;
    const load = async (): Promise<ReturnType<typeof listenerOf>> => {
      const app = await import('./http/app.js');
      // Whoever knows the secret comes by the socket, whatever Host the request names.
      return app.listenerOf(app.createPageApp({ checkHost: () => undefined, page: servePeer(host, secret) }));
    };
    server.on('request', (request, response) => {
      void (respond ??= load()).then((handle) => handle(request, response));
    });
    server.listen(socket);
    await once(server, 'listening');
    if (process.platform !== 'win32') await chmod(socket, 0o600);
    // The client decides how long this process lives.
    server.unref();
    await registerPeer(host.backend.statePlace.directory, { pid: process.pid, socket, secret });
  } catch (error) {
    log(`\`codegen-session-mcp ui\` will not find this server: ${messageOf(error)}`);
  }
}

/** Outside of the workspace: the paths of sockets have to be short. */
function socketPath(): string {
  const name = `codegen-${randomBytes(12).toString('hex')}`;
  return process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : path.join(tmpdir(), `${name}.sock`);
}
