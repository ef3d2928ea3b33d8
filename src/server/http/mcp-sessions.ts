import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { hasManyEntries, maxJsonEntries, parseJson } from '../../model/json.js';
import { within } from '../../model/within.js';
import { isStatelessRequest } from '../sdk/revision.js';
import type { McpEndpoint } from './endpoint.js';
import { refusal } from './refusal.js';

const maxSessions = 500;
const maxSessionsPerGrant = 100;
/** Concurrent requests of one MCP session. */
const maxRequests = 64;
/** Concurrent stateless requests of one grant. */
const maxStateless = 500;
/** Milliseconds without a request after which an MCP session may be closed for a new one. */
const replaceableMs = 60_000;

export interface McpSessionsOptions {
  /** `id` is undefined for stateless requests. */
  open: (
    grant: string,
    session: { id: string | undefined; onClose: () => void },
  ) => { endpoint: McpEndpoint; end: () => Promise<void> };
  newId: () => string;
  /** Milliseconds without a request or stream after which a session is closed. */
  idleMs: () => number;
  now?: () => number;
}

/** Opens a stream of notifications, which is not a call. */
const listenSchema = z.object({ method: z.literal('subscriptions/listen') });

interface Entry {
  grant: string;
  endpoint: McpEndpoint;
  /** Open responses, and how many of them belong to calls. */
  open: number;
  calls: number;
  lastUsed: number;
  idle: NodeJS.Timeout | undefined;
  ending: Promise<void> | undefined;
}

interface Received {
  request: Request;
  /** Parsed; undefined if it is not JSON. */
  body: unknown;
  outgoing: ServerResponse;
}

/** The MCP sessions that are open over HTTP; each belongs to one grant. */
export class McpSessions {
  private readonly entries = new Map<string, Entry>();
  /** The endpoints for stateless requests, by grant. */
  private readonly stateless = new Map<string, Entry>();
  private readonly now: () => number;
  private isDraining = false;
  private onAnswered = (): void => undefined;

  constructor(private readonly options: McpSessionsOptions) {
    this.now = options.now ?? (() => performance.now());
  }

  async handle(request: Request, grant: string, outgoing: ServerResponse): Promise<Response> {
    const { method } = request;
    if (this.isDraining) return refusal(503, 'The server is stopping', { headers: { 'Retry-After': '5' } });
    if (!['GET', 'POST', 'DELETE'].includes(method))
      return refusal(405, 'Method not allowed', { headers: { Allow: 'GET, POST, DELETE' } });
    const text = method === 'POST' ? await request.text().catch(() => '') : '';
    if (hasManyEntries(text))
      return refusal(413, `Payload Too Large: ${maxJsonEntries} entries of JSON at most`);
    const body = parseJson(text);
    if (outgoing.destroyed) return refusal(400, 'The client disconnected');
    const received = { request, body, outgoing };
    if (isStatelessRequest(request, body)) {
      const entry = this.stateless.get(grant) ?? this.start(grant, undefined);
      if (entry.open >= maxStateless) return tooMany(`${maxStateless} requests of this grant are running`, 1);
      return this.serve(entry, received);
    }
    const id = request.headers.get('mcp-session-id');
    if (id !== null) {
      const entry = this.entries.get(id);
      // A grant must not learn that another has this session.
      if (entry?.grant !== grant) return refusal(404, 'Session not found', { code: -32001 });
      if (entry.open >= maxRequests) return tooMany(`${maxRequests} requests of this session are running`, 1);
      return this.serve(entry, received);
    }
    if (method !== 'POST') return refusal(400, 'Bad Request: Mcp-Session-Id header is required');
    if (!this.makeRoom(grant)) return tooMany('too many MCP sessions are open; DELETE ends one', 60);
    const entry = this.start(grant, this.options.newId());
    try {
      return await this.serve(entry, received);
    } finally {
      // Only `initialize` starts a session.
      if (!entry.endpoint.isOpen()) await entry.endpoint.close();
    }
  }

  /** Number of MCP sessions by grant. */
  counts(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { grant } of this.entries.values()) counts.set(grant, (counts.get(grant) ?? 0) + 1);
    return counts;
  }

  /** Closes the sessions of all other grants. */
  async keepOnly(isGrant: (grant: string) => boolean): Promise<void> {
    const gone = this.all().filter(({ grant }) => !isGrant(grant));
    await Promise.all(gone.map(({ endpoint }) => endpoint.close()));
  }

  /** Rejects new requests, and waits up to `milliseconds` for running ones. */
  async drain(milliseconds: number): Promise<void> {
    this.isDraining = true;
    const answered = new Promise<void>((resolve) => {
      this.onAnswered = () => {
        if (this.all().every(({ calls }) => calls === 0)) resolve();
      };
      this.onAnswered();
    });
    await within(milliseconds, answered);
  }

  async close(): Promise<void> {
    const closing = this.all().map(async (entry) => {
      await entry.endpoint.close();
      await entry.ending;
    });
    await Promise.all(closing);
  }

  private all(): Entry[] {
    return [...this.entries.values(), ...this.stateless.values()];
  }

  private start(grant: string, id: string | undefined): Entry {
    const [entries, key] = id === undefined ? [this.stateless, grant] : [this.entries, id];
    const onClose = (): void => {
      clearTimeout(entry.idle);
      if (entries.get(key) === entry) entries.delete(key);
      entry.ending ??= end();
    };
    const { endpoint, end } = this.options.open(grant, { id, onClose });
    const counts = { open: 0, calls: 0, lastUsed: this.now() };
    const entry: Entry = { grant, endpoint, ...counts, idle: undefined, ending: undefined };
    entries.set(key, entry);
    return entry;
  }

  private serve(entry: Entry, { request, body, outgoing }: Received): Promise<Response> {
    const calls = request.method === 'POST' && !listenSchema.safeParse(body).success ? 1 : 0;
    clearTimeout(entry.idle);
    entry.open++;
    entry.calls += calls;
    outgoing.once('close', () => {
      entry.open--;
      entry.calls -= calls;
      this.watchIdle(entry);
      this.onAnswered();
    });
    return entry.endpoint.handle(request, body);
  }

  private watchIdle(entry: Entry): void {
    clearTimeout(entry.idle);
    entry.lastUsed = this.now();
    if (entry.open > 0 || entry.ending !== undefined) return;
    entry.idle = setTimeout(() => void entry.endpoint.close(), this.options.idleMs());
    entry.idle.unref();
  }

  /** Whether a grant may open a session. Closes the least recently used one if necessary. */
  private makeRoom(grant: string): boolean {
    const own = [...this.entries.values()].filter((entry) => entry.grant === grant);
    if (own.length < maxSessionsPerGrant && this.entries.size < maxSessions) return true;
    const [longest] = own
      .filter(({ open, lastUsed }) => open === 0 && this.now() - lastUsed > replaceableMs)
      .sort((one, other) => one.lastUsed - other.lastUsed);
    void longest?.endpoint.close();
    return longest !== undefined;
  }
}

function tooMany(why: string, retryAfter: number): Response {
  return refusal(429, `Too many requests: ${why}`, { headers: { 'Retry-After': String(retryAfter) } });
}
