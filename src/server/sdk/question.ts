import { z } from 'zod';
import type { Reply } from '../../guard/approvals.js';

/** The form in which a client asks a person for approval. */
export function questionForm(message: string) {
  return {
    mode: 'form' as const,
    message,
    requestedSchema: {
      type: 'object' as const,
      properties: {
        approve: { type: 'boolean' as const, title: 'Approve', default: true },
        reason: { type: 'string' as const, title: 'Reason', description: 'Shown to the agent.' },
      },
    },
  };
}

/** What a client answers to it; undefined if the person closed the question. */
export const replySchema = z
  .object({
    action: z.enum(['accept', 'decline', 'cancel']),
    content: z.record(z.string(), z.unknown()).optional(),
  })
  .transform(({ action, content }): Reply => {
    if (action === 'cancel') return undefined;
    const reason = typeof content?.['reason'] === 'string' ? content['reason'] : undefined;
    return { approved: action === 'accept' && content?.['approve'] !== false, reason };
  });
