import { readFileSync } from 'node:fs';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import {
  CallToolRequestSchema,
  ErrorCode,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListToolsRequestSchema,
  ListToolsResultSchema,
  McpError,
  ToolSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { version } from '../model/version.js';
import type { ToolContext } from '../tools/tool.js';
import { withoutDenied } from './advertised.js';
import { createCallHandler, type AnsweredCall } from './call.js';
import type { RunningCalls } from './calls.js';
import { instructions, recordTestMessage, recordTestPrompt } from './prompts.js';

/** The tools as clients see them. The build writes this file, so that start-up need not load the tools. */
const { tools: listedTools } = ListToolsResultSchema.parse(
  JSON.parse(readFileSync(new URL('../../schema/tools.json', import.meta.url), 'utf8')),
);

const { inputSchema } = ToolSchema.shape;

/** The MCP server of one connection. `onAnswered` is called for each answered call. */
export function createServer(
  { context, calls }: { context: ToolContext; calls: RunningCalls },
  onAnswered: (call: AnsweredCall) => void = () => undefined,
): McpServer {
  const mcp = new McpServer(
    { name: 'codegen-session-mcp', title: 'Codegen sessions for Playwright', version },
    { capabilities: { tools: { listChanged: true }, prompts: {} }, instructions },
  );
  // Low-level handlers, because the SDK's validation drops unknown keys.
  const { server } = mcp;
  const visibleTools = (): typeof listedTools =>
    listedTools
      .filter(({ name }) => context.guard.visible(name))
      .map((tool) => ({
        ...tool,
        inputSchema: inputSchema.parse(
          withoutDenied(tool.inputSchema, (args) => context.guard.permits(tool.name, args)),
        ),
      }));
  /** The tools that the client knows, as text. */
  let known = JSON.stringify(visibleTools());

  /** Reads the configuration, and notifies the client if the visible tools changed. */
  async function refresh(): Promise<void> {
    await context.refresh();
    const tools = JSON.stringify(visibleTools());
    if (tools === known) return;
    known = tools;
    await server.sendToolListChanged().catch(() => undefined);
  }
  context.watch(refresh);

  server.setRequestHandler(ListToolsRequestSchema, async () => {
    await context.refresh();
    const visible = visibleTools();
    known = JSON.stringify(visible);
    // After the answer: opens the log and loads the tools for the first call.
    setImmediate(() => {
      void context.guard.audit().then((audit) => audit.start());
      void import('../tools/registry.js');
    });
    return { tools: visible };
  });
  server.setRequestHandler(
    CallToolRequestSchema,
    createCallHandler({ mcp, context, calls, refresh, onAnswered }),
  );
  server.setRequestHandler(ListPromptsRequestSchema, () => ({ prompts: [recordTestPrompt] }));
  server.setRequestHandler(GetPromptRequestSchema, ({ params }) => {
    if (params.name !== recordTestPrompt.name)
      throw new McpError(ErrorCode.InvalidParams, `Unknown prompt: ${params.name}`);
    return recordTestMessage(params.arguments ?? {});
  });
  return mcp;
}
