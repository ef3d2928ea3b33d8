import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { version } from '../model/version.js';
import { listedToolSchema, type ListedTool } from '../tools/listed-tool.js';
import type { ToolContext } from '../tools/tool.js';
import { withoutDenied } from './advertised.js';
import { createCallHandler, type AnsweredCall, type CallRequest } from './call.js';
import type { RunningCalls } from './calls.js';
import type { CallResult } from './render.js';

export const serverInfo = { name: 'codegen-session-mcp', title: 'Codegen sessions for Playwright', version };

/** The service of one connection, for all revisions of MCP. */
export interface Service {
  listTools: () => Promise<ListedTool[]>;
  /** Resolves to undefined if there is no such tool. */
  callTool: (call: CallRequest) => Promise<CallResult | undefined>;
  /** Calls `listener` when the visible tools change. */
  onToolsChanged: (listener: () => Promise<void>) => void;
}

/** The tools as clients see them. The build writes this file, so that the tools need not be loaded at start-up. */
const { tools: listedTools } = z
  .object({ tools: z.array(listedToolSchema) })
  .parse(JSON.parse(readFileSync(new URL('../../schema/tools.json', import.meta.url), 'utf8')));

const { inputSchema } = listedToolSchema.shape;

export function createService(
  { context, calls }: { context: ToolContext; calls: RunningCalls },
  onAnswered: (call: AnsweredCall) => void = () => undefined,
): Service {
  const listeners: (() => Promise<void>)[] = [];
  const visibleTools = (): ListedTool[] =>
    listedTools
      .filter(({ name }) => context.guard.visible(name))
      .map((tool) => ({
        ...tool,
        inputSchema: inputSchema.parse(
          withoutDenied(tool.inputSchema, (args) => context.guard.permits(tool.name, args)),
        ),
      }));
  let known = JSON.stringify(visibleTools());

  /** Reloads the configuration, and notifies the client if the visible tools have changed. */
  async function refresh(): Promise<void> {
    await context.refresh();
    const tools = JSON.stringify(visibleTools());
    if (tools === known) return;
    known = tools;
    await Promise.allSettled(listeners.map((listener) => listener()));
  }
  context.watch(refresh);

  return {
    async listTools() {
      await context.refresh();
      const visible = visibleTools();
      known = JSON.stringify(visible);
      // After the response: prepares for the first call.
      setImmediate(() => {
        void context.guard.audit().then((audit) => audit.start());
        void import('../tools/registry.js');
      });
      return visible;
    },
    callTool: createCallHandler({ context, calls, refresh, onAnswered }),
    onToolsChanged(listener) {
      listeners.push(listener);
    },
  };
}
