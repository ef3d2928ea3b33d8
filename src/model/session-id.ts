import { randomUUID } from 'node:crypto';

/** A new id of a session, one of MCP or one that records; nobody can guess it. */
export function newSessionId(): string {
  return randomUUID();
}
