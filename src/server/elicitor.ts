import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { RequestId } from '@modelcontextprotocol/sdk/types.js';
import type { Person } from '../guard/approvals.js';

/** Milliseconds that a person has for an answer. */
const answerMs = 15 * 60_000;

/** The person behind a call: asked through the client, where it can ask. */
export function elicitorFor(
  { server }: McpServer,
  call: { signal: AbortSignal; requestId: RequestId; progress: (message: string) => void },
): Person {
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
              reason: { type: 'string', title: 'Reason', description: 'Told to the agent.' },
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
