import type { ServerResponse } from 'node:http';
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { within } from '../../model/within.js';
import { refusal } from './refusal.js';
import { SessionTransport } from './transport.js';

const maxSessions = 500;
const maxSessionsPerGrant = 100;
/** Concurrent requests of one MCP session. */
const maxRequests = 64;
/** Milliseconds without a request after which an MCP session can be ended to make room for a new one. */
const replaceableMs = 60_000;

/** The server of one MCP session. */
export interface SessionServer {
  server: McpServer;
  end(): Promise<void>;
}

export interface McpSessionsOptions {
  open: (grant: string) => SessionServer;
  newId: () => string;
  /** Milliseconds without a request or stream after which a session is ended. */
  idleMs: () => number;
  now?: () => number;
}

interface Entry {
  grant: string;
  served: SessionServer;
  transport: SessionTransport;
  /** Incomplete responses, and those of them that answer calls. */
  open: number;
  calls: number;
  lastUsed: number;
  idle: NodeJS.Timeout | undefined;
  /** Set once it has ended. */
  ending: Promise<void> | undefined;
}

/** The MCP sessions that are open over HTTP; each belongs to one grant. */
export class McpSessions {
  private readonly entries = new Map<string, Entry>();
  private readonly now: () => number;
  private isDraining = false;
  private onAnswered = (): void => undefined;

  constructor(private readonly options: McpSessionsOptions) {
    this.now = options.now ?? (() => performance.now());
  }

  /** Handles a request of a grant, whose answer is sent through `outgoing`. */
  async handle(request: Request, grant: string, outgoing: ServerResponse): Promise<Response> {
    const { method } = request;
    if (this.isDraining) return refusal(503, 'The server is stopping', { headers: { 'Retry-After': '5' } });
    if (!['GET', 'POST', 'DELETE'].includes(method))
      return refusal(405, 'Method not allowed', { headers: { Allow: 'GET, POST, DELETE' } });
    const id = request.headers.get('mcp-session-id');
    if (id !== null) {
      const entry = this.entries.get(id);
      // A grant must not learn that another has this session.
      if (entry?.grant !== grant) return refusal(404, 'Session not found', { code: -32001 });
      if (entry.open >= maxRequests) return tooMany(`${maxRequests} requests of this session are running`, 1);
      return this.serve(entry, request, outgoing);
    }
    if (method !== 'POST') return refusal(400, 'Bad Request: Mcp-Session-Id header is required');
    if (!this.makeRoom(grant)) return tooMany('too many MCP sessions are open; DELETE ends one', 60);
    const entry = await this.start(grant);
    try {
      return await this.serve(entry, request, outgoing);
    } finally {
      // A request other than `initialize` starts no session.
      if (entry.transport.sessionId === undefined) await entry.transport.close();
    }
  }

  /** Open MCP sessions by grant. */
  counts(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { grant } of this.entries.values()) counts.set(grant, (counts.get(grant) ?? 0) + 1);
    return counts;
  }

  /** Ends the sessions of all other grants. */
  async keepOnly(isGrant: (grant: string) => boolean): Promise<void> {
    const gone = [...this.entries.values()].filter(({ grant }) => !isGrant(grant));
    await Promise.all(gone.map(({ transport }) => transport.close()));
  }

  /** Rejects new requests, and resolves when the running ones are answered or after `milliseconds`. */
  async drain(milliseconds: number): Promise<void> {
    this.isDraining = true;
    const answered = new Promise<void>((resolve) => {
      this.onAnswered = () => {
        if ([...this.entries.values()].every(({ calls }) => calls === 0)) resolve();
      };
      this.onAnswered();
    });
    await within(milliseconds, answered);
  }

  /** Ends all sessions. */
  async close(): Promise<void> {
    const closing = [...this.entries.values()].map(async (entry) => {
      await entry.transport.close();
      await entry.ending;
    });
    await Promise.all(closing);
  }

  private async start(grant: string): Promise<Entry> {
    const id = this.options.newId();
    const served = this.options.open(grant);
    const transport = new SessionTransport({ sessionIdGenerator: () => id });
    const entry: Entry = {
      grant,
      served,
      transport,
      open: 0,
      calls: 0,
      lastUsed: this.now(),
      idle: undefined,
      ending: undefined,
    };
    this.entries.set(id, entry);
    served.server.server.onclose = () => {
      clearTimeout(entry.idle);
      this.entries.delete(id);
      entry.ending ??= served.end();
    };
    await served.server.connect(transport);
    return entry;
  }

  private serve(entry: Entry, request: Request, outgoing: ServerResponse): Promise<Response> {
    const calls = request.method === 'POST' ? 1 : 0;
    clearTimeout(entry.idle);
    entry.open++;
    entry.calls += calls;
    outgoing.once('close', () => {
      entry.open--;
      entry.calls -= calls;
      this.watchIdle(entry);
      this.onAnswered();
    });
    return entry.transport.handleRequest(request);
  }

  private watchIdle(entry: Entry): void {
    clearTimeout(entry.idle);
    entry.lastUsed = this.now();
    if (entry.open > 0 || entry.ending !== undefined) return;
    entry.idle = setTimeout(() => void entry.transport.close(), this.options.idleMs());
    entry.idle.unref();
  }

  /** Whether a grant may open a session. Ends the one that is unused for longest if that is necessary. */
  private makeRoom(grant: string): boolean {
    const own = [...this.entries.values()].filter((entry) => entry.grant === grant);
    if (own.length < maxSessionsPerGrant && this.entries.size < maxSessions) return true;
    const [longest] = own
      .filter(({ open, lastUsed }) => open === 0 && this.now() - lastUsed > replaceableMs)
      .sort((one, other) => one.lastUsed - other.lastUsed);
    void longest?.transport.close();
    return longest !== undefined;
  }
}

function tooMany(why: string, retryAfter: number): Response {
  return refusal(429, `Too many requests: ${why}`, { headers: { 'Retry-After': String(retryAfter) } });
}
