import { messageOf } from '../model/errors.js';
import { createHostCheck } from './http/access.js';
import { createPageApp, listenerOf } from './http/app.js';
import { createListener, listen } from './http/listener.js';
import { servePage, type PageHost } from './page.js';

const address = '127.0.0.1';

interface StdioPage extends Pick<PageHost, 'backend' | 'workspace' | 'own' | 'operatorOf'> {
  port: number;
  /** Who calls over stdio. */
  grant: string;
}

/** Serves the page beside a server over stdio. A port that is taken costs the page, not the server. */
export async function openPage({ port, grant, ...host }: StdioPage): Promise<void> {
  const { server, accept } = await createListener(null);
  const bound = await listen(server, port, address).catch((error: unknown) => {
    process.stderr.write(`codegen-session-mcp: ui.port ${port} can't be used: ${messageOf(error)}\n`);
  });
  if (bound === undefined) return;
  // The client decides how long this process lives.
  server.unref();
  const page = await servePage({
    ...host,
    origin: `http://${address}:${bound}`,
    isLocal: true,
    grants: () => [grant],
    onAccepted: accept,
  });
  const checkHost = createHostCheck({
    scheme: 'http',
    address,
    port: bound,
    allowedHosts: [],
    allowedOrigins: [],
  });
  const respond = listenerOf(createPageApp({ checkHost, page }));
  server.on('request', (request, response) => void respond(request, response));
}
