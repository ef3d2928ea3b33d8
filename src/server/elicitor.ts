import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { RequestId } from '@modelcontextprotocol/sdk/types.js';
import type { Elicitor } from '../guard/approvals.js';

/** Milliseconds that a person has to answer. */
const answerMs = 15 * 60_000;

/** Asks a person for approval through the client, if it supports elicitation. */
export function elicitorFor(
  { server }: McpServer,
  call: { signal: AbortSignal; requestId: RequestId; progress: (message: string) => void },
): Elicitor {
  const { signal, requestId: relatedRequestId, progress } = call;
  if (server.getClientCapabilities()?.elicitation?.form === undefined) return { signal, ask: undefined };
  return {
    signal,
    async ask(message) {
      progress('Waiting for approval');
      const { action, content } = await server.elicitInput(
        {
          mode: 'form',
          message,
          requestedSchema: {
            type: 'object',
            properties: {
              approve: { type: 'boolean', title: 'Approve', default: true },
              reason: { type: 'string', title: 'Reason', description: 'Shown to the agent.' },
            },
          },
        },
        { signal, relatedRequestId, timeout: answerMs },
      );
      if (action === 'cancel') return undefined;
      const reason = typeof content?.['reason'] === 'string' ? content['reason'] : undefined;
      return { approved: action === 'accept' && content?.['approve'] !== false, reason };
    },
  };
}
