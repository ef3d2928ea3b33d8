import {
  CLIENT_CAPABILITIES_META_KEY,
  createMcpHandler,
  inputRequired,
  McpServer,
  ProtocolError,
  ProtocolErrorCode,
  type CallToolRequest,
  type InputRequiredResult,
  type ServerContext,
  type Transport,
} from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';
import { CodegenError } from '../../model/errors.js';
import type { Invite } from '../../tools/tool.js';
import type { CallRequest } from '../call.js';
import type { McpEndpoint } from '../http/endpoint.js';
import { refusal } from '../http/refusal.js';
import type { CallResult } from '../render.js';
import { instructions, promptOf, prompts } from '../prompts.js';
import { serverInfo, type Service } from '../service.js';
import { questionForm } from './question.js';
import { Questions, type Round } from './questions.js';

type Request = ServerContext['mcpReq'];

/** A client that can show forms, also if it names no mode. */
const formSchema = z.object({
  [CLIENT_CAPABILITIES_META_KEY]: z.object({
    elicitation: z.union([z.object({ form: z.object({}) }), z.strictObject({})]),
  }),
});

/** A client that can show URLs. */
const urlSchema = z.object({
  [CLIENT_CAPABILITIES_META_KEY]: z.object({ elicitation: z.object({ url: z.object({}) }) }),
});

/** A server of the stateless revisions. */
export function createServer(service: Service, questions: Questions): McpServer {
  const mcp = new McpServer(serverInfo, {
    capabilities: { tools: { listChanged: true }, prompts: {} },
    instructions,
  });
  // Low-level handlers, as in v1.
  const { server } = mcp;
  server.setRequestHandler('tools/list', async () => ({ tools: await service.listTools() }));
  server.setRequestHandler('tools/call', callHandler(service, questions));
  server.setRequestHandler('prompts/list', () => ({ prompts }));
  server.setRequestHandler('prompts/get', ({ params }) => {
    const prompt = promptOf(params.name, params.arguments);
    if (prompt === undefined)
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown prompt: ${params.name}`);
    return prompt;
  });
  return mcp;
}

/** Handles `tools/call`. */
export function callHandler(
  service: Service,
  questions: Questions,
): (request: CallToolRequest, context: ServerContext) => Promise<CallResult | InputRequiredResult> {
  return async ({ params: { name, arguments: args } }, { mcpReq }) => {
    const { signal, inputResponses: answers = {} } = mcpReq;
    const [hasForms, hasUrls] = [formSchema, urlSchema].map(
      (schema) => schema.safeParse(mcpReq.envelope).success,
    );
    const { ask, end } = questions.round({ name, args, answers });
    const result = await service.callTool({
      name,
      args,
      signal,
      notify: notifierOf(mcpReq),
      ask: hasForms ? ask : undefined,
      invite: hasUrls ? { isFirst: true, show: inviterOf(ask) } : undefined,
    });
    if (result === undefined)
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown tool: ${name}`);
    const open = end(result.isError === true);
    if (open === undefined) return result;
    const { id, question, url } = open;
    const asked =
      url === undefined
        ? inputRequired.elicit(questionForm(question))
        : inputRequired.elicitUrl({ message: question, url });
    return inputRequired({ inputRequests: { [id]: asked } });
  };
}

/** Shows a URL by failing the call, until the client repeats it with the user's answer. */
function inviterOf(ask: Round['ask']): Invite['show'] {
  const answers = new Map<string, Promise<boolean>>();
  return (message, url) => {
    const known = answers.get(message);
    if (known !== undefined) return known;
    const answer = ask(message, url).then((reply) => {
      if (reply === 'pending') throw new CodegenError('ACTION_FAILED', 'The user is asked first.');
      return reply?.approved !== false;
    });
    answers.set(message, answer);
    return answer;
  };
}

function notifierOf({ _meta, notify }: Request): CallRequest['notify'] {
  const progressToken = _meta?.progressToken;
  if (progressToken === undefined) return undefined;
  return (progress) => notify({ method: 'notifications/progress', params: { progressToken, ...progress } });
}

/** Handles HTTP requests of the stateless revisions. */
export function createEndpoint(service: Service, create = createServer): McpEndpoint {
  const questions = new Questions();
  const handler = createMcpHandler(() => create(service, questions), { legacy: 'reject' });
  service.onToolsChanged(() => {
    handler.notify.toolsChanged();
    return Promise.resolve();
  });
  return {
    async handle(request, parsedBody) {
      // The SDK would read the body again, which is no longer possible.
      if (request.method === 'POST' && parsedBody === undefined)
        return refusal(400, 'Parse error: the body is not JSON', { code: -32700 });
      return handler.fetch(request, { parsedBody });
    },
    isOpen: () => true,
    close: () => handler.close(),
  };
}

/** Serves a client of the stateless revisions over stdio. */
export function serveStream(service: Service, transport: Transport): void {
  const mcp = createServer(service, new Questions());
  service.onToolsChanged(() => mcp.server.sendToolListChanged());
  serveStdio(() => mcp, { legacy: 'reject', transport });
}
