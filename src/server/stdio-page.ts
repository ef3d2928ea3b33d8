import type { Server } from 'node:http';
import { messageOf } from '../model/errors.js';
import { log } from '../model/log.js';
import { createHostCheck } from './http/access.js';
import { createPageApp, listenerOf } from './http/app.js';
import { createListener, listen } from './http/listener.js';
import { servePage, type PageHost } from './page.js';

const address = '127.0.0.1';

interface OwnPage extends Omit<PageHost, 'origin' | 'isLocal' | 'onAccepted'> {
  port: number;
}

/** Serves the page for a server over stdio. If the port is taken, the server runs without the page. */
export async function openPage({ port, ...host }: OwnPage): Promise<void> {
  const server = await servePageAt(port, host).catch((error: unknown) => {
    log(`ui.port ${port} can't be used: ${messageOf(error)}`);
  });
  // Must not keep the process alive.
  server?.unref();
}

/** Serves the page on a port of this machine. Throws CONFIG_INVALID. */
export async function servePageAt(port: number, host: Omit<OwnPage, 'port'>): Promise<Server> {
  const { server, accept } = await createListener(null);
  const bound = await listen(server, port, address);
  const origin = `http://${address}:${bound}`;
  const page = await servePage({ ...host, origin, isLocal: true, onAccepted: accept });
  const checkHost = createHostCheck({ scheme: 'http', address, port: bound });
  const respond = listenerOf(createPageApp({ checkHost, page }));
  server.on('request', (request, response) => void respond(request, response));
  return server;
}
