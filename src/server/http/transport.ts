import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import { isJSONRPCRequest, type RequestId } from '@modelcontextprotocol/sdk/types.js';
import { refusal } from './refusal.js';

/** Longer batches are rejected by the SDK. */
const maxMessages = 100;

/**
 * Rejects a request whose id is in use: the SDK would send the answer for the first request to the second, and the
 * first would never get one.
 */
export class SessionTransport extends WebStandardStreamableHTTPServerTransport {
  private readonly pending = new Set<RequestId>();

  override async handleRequest(request: Request): Promise<Response> {
    if (request.method !== 'POST') return super.handleRequest(request);
    // The SDK answers for a body that is not JSON, after it has checked the headers.
    const parsedBody: unknown = await request.json().catch(() => undefined);
    const ids = [parsedBody]
      .flat()
      .slice(0, maxMessages)
      .filter(isJSONRPCRequest)
      .map(({ id }) => id);
    if (new Set(ids).size < ids.length || ids.some((id) => this.pending.has(id)))
      return refusal(400, 'Invalid Request: a request with this id is running', { code: -32600 });
    for (const id of ids) this.pending.add(id);
    const response = await super.handleRequest(request, { parsedBody });
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
