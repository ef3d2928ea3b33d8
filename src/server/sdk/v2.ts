import { createMcpHandler, McpServer, ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';
import type { Endpoint } from '../http/endpoint.js';
import { instructions, promptOf, prompts } from '../prompts.js';
import { serverInfo, type Service } from '../service.js';

/** A server of the stateless revisions. */
function createServer(service: Service): McpServer {
  const mcp = new McpServer(serverInfo, {
    capabilities: { tools: { listChanged: true }, prompts: {} },
    instructions,
  });
  // Low-level handlers, as in v1.
  const { server } = mcp;
  server.setRequestHandler('tools/list', async () => ({ tools: await service.listTools() }));
  server.setRequestHandler('tools/call', async ({ params }, { mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken;
    const result = await service.callTool({
      name: params.name,
      args: params.arguments,
      signal: mcpReq.signal,
      notify:
        progressToken === undefined
          ? undefined
          : (progress) =>
              mcpReq.notify({ method: 'notifications/progress', params: { progressToken, ...progress } }),
      ask: undefined,
    });
    if (result === undefined)
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown tool: ${params.name}`);
    return result;
  });
  server.setRequestHandler('prompts/list', () => ({ prompts }));
  server.setRequestHandler('prompts/get', ({ params }) => {
    const prompt = promptOf(params.name, params.arguments);
    if (prompt === undefined)
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown prompt: ${params.name}`);
    return prompt;
  });
  return mcp;
}

/** Answers HTTP requests of the stateless revisions. */
export function createEndpoint(service: Service): Endpoint {
  const handler = createMcpHandler(() => createServer(service), { legacy: 'reject' });
  service.onToolsChanged(() => {
    handler.notify.toolsChanged();
    return Promise.resolve();
  });
  return {
    handle: (request, parsedBody) => handler.fetch(request, { parsedBody }),
    isOpen: () => true,
    close: () => handler.close(),
  };
}
