import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import { isJSONRPCRequest, type RequestId } from '@modelcontextprotocol/sdk/types.js';
import type { McpEndpoint } from '../http/endpoint.js';
import { refusal } from '../http/refusal.js';
import type { Service } from '../service.js';
import { createServer } from './v1.js';

/** The SDK rejects longer batches. */
const maxMessages = 100;

/** Rejects a request whose id is in use: the SDK would send the response of the first request to the second. */
class SessionTransport extends WebStandardStreamableHTTPServerTransport {
  private readonly pending = new Set<RequestId>();

  override async handleRequest(request: Request, given: { parsedBody?: unknown } = {}): Promise<Response> {
    if (request.method !== 'POST') return super.handleRequest(request);
    const ids = [given.parsedBody]
      .flat()
      .slice(0, maxMessages)
      .filter(isJSONRPCRequest)
      .map(({ id }) => id);
    if (new Set(ids).size < ids.length || ids.some((id) => this.pending.has(id)))
      return refusal(400, 'Invalid Request: a request with this id is running', { code: -32600 });
    for (const id of ids) this.pending.add(id);
    // The SDK checks the headers, and rejects a body that is not JSON.
    const response = await super.handleRequest(request, given);
    if (!response.ok) for (const id of ids) this.pending.delete(id);
    return response;
  }

  override async send(
    ...[message, options]: Parameters<WebStandardStreamableHTTPServerTransport['send']>
  ): Promise<void> {
    if (!('method' in message) && message.id !== undefined) this.pending.delete(message.id);
    await super.send(message, options);
  }
}

/** Serves the MCP session with an id, or stateless requests if there is none. */
export function endpointOf(service: Service, id: string | undefined, onClose: () => void): McpEndpoint {
  return id === undefined
    ? statelessEndpoint(service, onClose)
    : sessionEndpoint(createServer(service), { id, onClose });
}

/** Serves one MCP session of the revisions up to 2025-11-25. */
export function sessionEndpoint(
  { server }: McpServer,
  { id, onClose }: { id: string; onClose: () => void },
): McpEndpoint {
  const transport = new SessionTransport({ sessionIdGenerator: () => id });
  server.onclose = onClose;
  const connected = server.connect(transport);
  return {
    async handle(request, parsedBody) {
      await connected;
      return transport.handleRequest(request, { parsedBody });
    },
    isOpen: () => transport.sessionId !== undefined,
    close: () => transport.close(),
  };
}

/** Serves the stateless requests of one grant. Loads their SDK with the first request. */
function statelessEndpoint(service: Service, onClose: () => void): McpEndpoint {
  let handler: Promise<McpEndpoint> | undefined;
  return {
    async handle(request, body) {
      handler ??= import('./v2.js').then(({ createEndpoint }) => createEndpoint(service));
      return (await handler).handle(request, body);
    },
    isOpen: () => true,
    async close() {
      // First, so that a new request gets another endpoint.
      onClose();
      await (await handler)?.close();
    },
  };
}
