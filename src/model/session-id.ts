import { randomUUID } from 'node:crypto';

/**
 * Makes unguessable ids, for MCP sessions and for recordings. They begin with the name of their server, if it has one,
 * so that a balancer can route by them.
 */
export function sessionIds(server: string | undefined): () => string {
  return () => (server === undefined ? randomUUID() : `${server}-${randomUUID()}`);
}
