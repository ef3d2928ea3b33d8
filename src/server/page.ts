import { randomBytes } from 'node:crypto';
import type { HttpBindings } from '@hono/node-server';
import type { EntryLink } from '../ui/entry-link.js';
import type { PageApp, PageOptions } from '../ui/options.js';
import type { Backend, Connection } from './backend.js';

/** What differs between the servers that serve the page. */
export interface PageHost extends Pick<PageOptions, 'grants' | 'operatorOf' | 'onAccepted'> {
  backend: Backend;
  workspace: string;
  /** The connection of the server itself. */
  own: Connection;
  /** Where the page is served. */
  origin: string;
  /** Whether only this machine reaches it. */
  isLocal: boolean;
}

export type PageHandler = (request: Request, env: HttpBindings) => Promise<Response>;

/** The page for people, which is loaded with its first request; undefined if nobody may open it. */
export async function servePage(host: PageHost): Promise<PageHandler | undefined> {
  const hasOperators = host.backend.config().ui.operators.length > 0;
  if (!hasOperators && !host.isLocal) return undefined;
  host.backend.sessions.servePeople();
  const { EntryLink } = await import('../ui/entry-link.js');
  const link = hasOperators ? undefined : new EntryLink(host.origin, (line) => process.stderr.write(line));
  let app: ReturnType<typeof load> | undefined;
  return async (request, env) => (await (app ??= load(host, link))).fetch(request, env);
}

async function load(
  { backend, own, origin, isLocal: _, ...rest }: PageHost,
  link: EntryLink | undefined,
): Promise<PageApp> {
  const [{ createPage }, { openApprovals }, { openState }, { verifyLog }] = await Promise.all([
    import('../ui/app.js'),
    import('../guard/approvals.js'),
    import('../guard/state.js'),
    import('../guard/audit-verify.js'),
  ]);
  const connections = new Map<string, Connection>();
  const place = backend.statePlace;
  return createPage({
    ...rest,
    link,
    scheme: origin.startsWith('https:') ? 'https' : 'http',
    stateDirectory: place.directory,
    sessions: backend.sessions,
    secrets: backend.secrets,
    contextOf(grant) {
      const known = connections.get(grant);
      if (known !== undefined) return known.context;
      const connection = backend.connect({ grant, connection: randomBytes(8).toString('hex') });
      connections.set(grant, connection);
      return connection.context;
    },
    policyOf: (grant) => backend.policyOf(grant),
    run: (signal, work) => backend.calls.run(signal, work),
    audit: () => own.context.guard.audit(),
    approvals: openApprovals(place),
    verifyLog: () => verifyLog(place.directory, openState(place).audit),
    refresh: own.context.refresh,
    operators: () => backend.config().ui.operators,
  });
}
