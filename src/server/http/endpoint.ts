import type { IncomingMessage, ServerResponse } from 'node:http';
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { within } from '../../model/within.js';
import { readMessage } from './message.js';
import { refuse, type Refusal } from './refuse.js';

/** MCP sessions in all, and of one grant. */
const sessionsAtMost = 500;
const sessionsOfGrantAtMost = 100;
/** Requests of one MCP session that may be under way. */
const requestsAtMost = 64;
/** Milliseconds without a request after which an MCP session gives way to a new one, where there is no room. */
const givesWayMs = 60_000;

/** The server side of one MCP session. */
export interface Served {
  server: McpServer;
  end(): Promise<void>;
}

/** The MCP endpoint: its sessions, each of one grant. */
export interface Endpoint {
  /** Serves a request of a grant. */
  handle(request: IncomingMessage, response: ServerResponse, grant: string): Promise<void>;
  /** Open MCP sessions by grant. */
  counts(): Map<string, number>;
  /** Ends the sessions of grants that are no more. */
  keepOnly(isGrant: (grant: string) => boolean): Promise<void>;
  /** Takes no more requests, and resolves when those under way are answered, at the latest after `milliseconds`. */
  drain(milliseconds: number): Promise<void>;
  /** Ends all sessions. */
  close(): Promise<void>;
}

interface Entry {
  grant: string;
  served: Served;
  transport: StreamableHTTPServerTransport;
  /** Responses that are not complete, and those of them that answer calls. */
  open: Set<ServerResponse>;
  calls: Set<ServerResponse>;
  lastUsed: number;
  idle: NodeJS.Timeout | undefined;
  /** Set once it has ended. */
  ending: Promise<void> | undefined;
}

/** `idleMs` is how long a session may be without a request and without a stream. */
export function createEndpoint(
  open: (grant: string) => Served,
  newId: () => string,
  idleMs: () => number,
  now: () => number = () => performance.now(),
): Endpoint {
  const entries = new Map<string, Entry>();
  let isDraining = false;
  let onAnswered = (): void => undefined;

  const isBusy = (): boolean => [...entries.values()].some(({ calls }) => calls.size > 0);

  function watchIdle(entry: Entry): void {
    clearTimeout(entry.idle);
    entry.lastUsed = now();
    if (entry.open.size > 0 || entry.ending !== undefined) return;
    entry.idle = setTimeout(() => void entry.transport.close(), idleMs());
    entry.idle.unref();
  }

  async function start(id: string, grant: string): Promise<Entry> {
    const served = open(grant);
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: () => id });
    const entry: Entry = {
      grant,
      served,
      transport,
      open: new Set(),
      calls: new Set(),
      lastUsed: now(),
      idle: undefined,
      ending: undefined,
    };
    entries.set(id, entry);
    served.server.server.onclose = () => {
      clearTimeout(entry.idle);
      entries.delete(id);
      entry.ending ??= served.end();
    };
    await served.server.connect(transport);
    return entry;
  }

  async function serve(entry: Entry, request: IncomingMessage, response: ServerResponse): Promise<void> {
    clearTimeout(entry.idle);
    entry.open.add(response);
    if (request.method === 'POST') entry.calls.add(response);
    response.once('close', () => {
      entry.open.delete(response);
      entry.calls.delete(response);
      watchIdle(entry);
      onAnswered();
    });
    const sent = await readMessage(request);
    if ('status' in sent) refuse(response, sent);
    else await entry.transport.handleRequest(request, response, sent.message);
  }

  /** Whether there is room for a session of a grant, made where need be by ending one that nobody seems to use. */
  function makeRoom(grant: string): boolean {
    const own = [...entries.values()].filter((entry) => entry.grant === grant);
    if (own.length < sessionsOfGrantAtMost && entries.size < sessionsAtMost) return true;
    const [longest] = own
      .filter(({ open, lastUsed }) => open.size === 0 && now() - lastUsed > givesWayMs)
      .sort((one, other) => one.lastUsed - other.lastUsed);
    void longest?.transport.close();
    return longest !== undefined;
  }

  return {
    async handle(request, response, grant) {
      if (isDraining) {
        refuse(response, { status: 503, message: 'The server is stopping', headers: { 'Retry-After': '5' } });
        return;
      }
      if (!['GET', 'POST', 'DELETE'].includes(request.method ?? '')) {
        const headers = { Allow: 'GET, POST, DELETE' };
        refuse(response, { status: 405, message: 'Method not allowed', headers });
        return;
      }
      const named = request.headers['mcp-session-id'];
      if (named !== undefined) {
        const entry = entries.get(String(named));
        // Of another grant's session nobody learns that there is one.
        if (entry?.grant !== grant)
          refuse(response, { status: 404, code: -32001, message: 'Session not found' });
        else if (entry.open.size >= requestsAtMost)
          refuse(response, tooMany(`${requestsAtMost} requests of this session are under way`, 1));
        else await serve(entry, request, response);
        return;
      }
      if (request.method !== 'POST') {
        refuse(response, { status: 400, message: 'Bad Request: Mcp-Session-Id header is required' });
        return;
      }
      if (!makeRoom(grant)) {
        refuse(response, tooMany('too many MCP sessions are open; DELETE ends one', 60));
        return;
      }
      const entry = await start(newId(), grant);
      try {
        await serve(entry, request, response);
      } finally {
        // What did not begin with `initialize` has begun no session.
        if (entry.transport.sessionId === undefined) await entry.transport.close();
      }
    },

    counts() {
      const counts = new Map<string, number>();
      for (const { grant } of entries.values()) counts.set(grant, (counts.get(grant) ?? 0) + 1);
      return counts;
    },

    async keepOnly(isGrant) {
      const gone = [...entries.values()].filter(({ grant }) => !isGrant(grant));
      await Promise.all(gone.map(({ transport }) => transport.close()));
    },

    async drain(milliseconds) {
      isDraining = true;
      const answered = new Promise<void>((resolve) => {
        onAnswered = () => {
          if (!isBusy()) resolve();
        };
        onAnswered();
      });
      await within(milliseconds, answered);
    },

    async close() {
      await Promise.all(
        [...entries.values()].map(async (entry) => {
          await entry.transport.close();
          await entry.ending;
        }),
      );
    },
  };
}

function tooMany(why: string, retryAfter: number): Refusal {
  const headers = { 'Retry-After': String(retryAfter) };
  return { status: 429, message: `Too many requests: ${why}`, headers };
}
