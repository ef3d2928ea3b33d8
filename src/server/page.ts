import type { HttpBindings } from '@hono/node-server';
import { findPeers } from '../state/peers.js';
import type { PageApp, PageOptions } from '../ui/options.js';
import type { Backend, Connection } from './backend.js';

export interface PeerHost extends Pick<PageOptions, 'grants'> {
  backend: Backend;
  workspace: string;
  own: Connection;
}

/** What differs between the servers that serve the page. */
export interface PageHost extends PeerHost, Pick<PageOptions, 'operatorOf' | 'onAccepted'> {
  origin: string;
  /** Whether only this machine can reach it. */
  isLocal: boolean;
  /** Whether it shows the sessions of the other servers of the workspace. */
  showsPeers?: boolean;
}

type PageHandler = (request: Request, env: HttpBindings) => Promise<Response>;

/** The web UI, which is loaded with its first request; undefined if nobody may open it. */
export async function servePage({
  isLocal,
  showsPeers,
  ...host
}: PageHost): Promise<PageHandler | undefined> {
  const { backend, origin } = host;
  const hasOperators = backend.config().ui.operators.length > 0;
  if (!hasOperators && !isLocal) return undefined;
  backend.sessions.servePeople(isLocal ? origin : undefined);
  const { EntryLink } = await import('../ui/entry-link.js');
  const link = hasOperators ? undefined : new EntryLink(origin);
  return handlerOf(() =>
    loadPage(host, {
      link,
      scheme: origin.startsWith('https:') ? 'https' : 'http',
      operatorOf: host.operatorOf,
      onAccepted: host.onAccepted,
      ...(showsPeers === true ? { peers: () => findPeers(backend.statePlace.directory) } : {}),
    }),
  );
}

/** The sessions of this process, for the page that `codegen-session-mcp ui` serves. */
export function servePeer(host: PeerHost, secret: string): PageHandler {
  host.backend.sessions.servePeople();
  return handlerOf(() =>
    loadPage(host, {
      peerSecret: secret,
      link: undefined,
      scheme: 'http',
      operatorOf: () => undefined,
      onAccepted: () => undefined,
    }),
  );
}

function handlerOf(start: () => Promise<PageApp>): PageHandler {
  let app: Promise<PageApp> | undefined;
  return async (request, env) => (await (app ??= start())).fetch(request, env);
}

/** The web UI with what it needs of this server. */
export async function loadPage(
  { backend, own, workspace, grants }: PeerHost,
  access: Pick<PageOptions, 'link' | 'scheme' | 'operatorOf' | 'onAccepted' | 'peers' | 'peerSecret'>,
): Promise<PageApp> {
  const [{ createPage }, { openApprovals }, { openState }, { verifyLog }] = await Promise.all([
    import('../ui/app.js'),
    import('../guard/approvals.js'),
    import('../guard/state.js'),
    import('../guard/audit-verify.js'),
  ]);
  const place = backend.statePlace;
  return createPage({
    ...access,
    workspace,
    grants,
    stateDirectory: place.directory,
    sessions: backend.sessions,
    secrets: backend.secrets,
    contextOf: (grant) => backend.ownConnection(grant).context,
    policyOf: (grant) => backend.policyOf(grant),
    run: (signal, work) => backend.calls.run(signal, work),
    audit: () => own.context.guard.audit(),
    approvals: openApprovals(place),
    verifyLog: () => verifyLog(place.directory, openState(place).audit),
    refresh: own.context.refresh,
    operators: () => backend.config().ui.operators,
  });
}
