import { randomUUID } from 'node:crypto';

/**
 * Makes ids of sessions, those of MCP and those that record; nobody can guess one. They begin with the name of the
 * server that holds them, if it has one, so that a balancer can route by them.
 */
export function sessionIds(server: string | undefined): () => string {
  return () => (server === undefined ? randomUUID() : `${server}-${randomUUID()}`);
}
