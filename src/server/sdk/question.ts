import { z } from 'zod';
import type { Reply } from '../../guard/approvals.js';

/** The form with which a client asks its user for approval. */
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

/** The client's answer; undefined if the user closed the question. */
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
