import { randomUUID } from 'node:crypto';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import {
  CallToolRequestSchema,
  ErrorCode,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListToolsRequestSchema,
  McpError,
  type CallToolRequest,
  type ServerNotification,
  type ServerRequest,
} from '@modelcontextprotocol/sdk/types.js';
import type { CallRequest } from '../call.js';
import type { CallResult } from '../render.js';
import { instructions, promptOf, prompts } from '../prompts.js';
import { serverInfo, type Service } from '../service.js';
import { questionForm, replySchema } from './question.js';

/** Milliseconds for the user to answer. */
const answerMs = 15 * 60_000;

export type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

/** A server of the revisions up to 2025-11-25. */
export function createServer(service: Service): McpServer {
  const mcp = new McpServer(serverInfo, {
    capabilities: { tools: { listChanged: true }, prompts: {} },
    instructions,
  });
  // Low-level handlers, because the SDK's validation drops unknown keys.
  const { server } = mcp;
  service.onToolsChanged(() => server.sendToolListChanged());
  server.setRequestHandler(ListToolsRequestSchema, async () => ({ tools: await service.listTools() }));
  server.setRequestHandler(CallToolRequestSchema, callHandler(mcp, service));
  server.setRequestHandler(ListPromptsRequestSchema, () => ({ prompts }));
  server.setRequestHandler(GetPromptRequestSchema, ({ params }) => {
    const prompt = promptOf(params.name, params.arguments);
    if (prompt === undefined) throw new McpError(ErrorCode.InvalidParams, `Unknown prompt: ${params.name}`);
    return prompt;
  });
  return mcp;
}

/** Handles `tools/call`. */
export function callHandler(
  mcp: McpServer,
  service: Service,
): (request: CallToolRequest, extra: Extra) => Promise<CallResult> {
  return async ({ params }, extra) => {
    const result = await service.callTool({
      name: params.name,
      args: params.arguments,
      signal: extra.signal,
      notify: notifierOf(extra, params._meta?.progressToken),
      ask: questionerOf(mcp, extra),
      invite: inviterOf(mcp, extra),
    });
    if (result === undefined) throw new McpError(ErrorCode.InvalidParams, `Unknown tool: ${params.name}`);
    return result;
  };
}

function notifierOf(
  { sendNotification }: Extra,
  progressToken: string | number | undefined,
): CallRequest['notify'] {
  if (progressToken === undefined) return undefined;
  return (progress) =>
    sendNotification({ method: 'notifications/progress', params: { progressToken, ...progress } });
}

function questionerOf({ server }: McpServer, { signal, requestId }: Extra): CallRequest['ask'] {
  if (server.getClientCapabilities()?.elicitation?.form === undefined) return undefined;
  return async (message) => {
    const options = { signal, relatedRequestId: requestId, timeout: answerMs };
    return replySchema.parse(await server.elicitInput(questionForm(message), options));
  };
}

function inviterOf({ server }: McpServer, { signal, requestId }: Extra): CallRequest['invite'] {
  if (server.getClientCapabilities()?.elicitation?.url === undefined) return undefined;
  return {
    isFirst: false,
    async show(message, url) {
      const { action } = await server.elicitInput(
        { mode: 'url', message, url, elicitationId: randomUUID() },
        { signal, relatedRequestId: requestId, timeout: answerMs },
      );
      return action !== 'decline';
    },
  };
}
