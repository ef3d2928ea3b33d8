import { randomUUID } from 'node:crypto';

/** Generates unguessable ids that start with the server's name, if it has one, so that a load balancer can route by them. */
export function sessionIds(server: string | undefined): () => string {
  return () => (server === undefined ? randomUUID() : `${server}-${randomUUID()}`);
}
