import { z } from 'zod';
import { titleOf, validMs, type Approval } from '../guard/approvals.js';
import { onPost } from './access.js';
import { follow } from './follow.js';
import type { PageApp, PageOptions } from './options.js';
import type { ApprovalView } from './shapes.js';

const decisionSchema = z.strictObject({ approve: z.boolean(), reason: z.string().max(500).optional() });

/** Pending approvals, and decisions about them. */
export function addApprovals(app: PageApp, options: PageOptions): void {
  const { approvals } = options;
  app.get('/ui/api/approvals', (context) =>
    follow(context, options, async () => {
      const list = await approvals.list();
      const views = list.reverse().map(async (each) => {
        const subject = await approvals.subjectOf(each);
        return subject === undefined ? [] : [viewOf(each, subject)];
      });
      return (await Promise.all(views)).flat();
    }),
  );

  onPost(
    { app, options },
    'approvals/:approval',
    {
      needs: 'approver',
      action: ({ approve }) => (approve ? 'approve' : 'decline'),
      body: decisionSchema,
    },
    async ({ id, body: { approve, reason }, note }) => {
      const { tool, grant } = await approvals.decide(id, approve, reason);
      note({ tool, for: grant });
    },
  );
}

function viewOf(approval: Approval, subject: string): ApprovalView {
  const { id, grant, tool, asked, decision, usedBy } = approval;
  const decided = decision === undefined ? 'pending' : decision.approved ? 'approved' : 'declined';
  return {
    ...{ id, grant, tool, subject },
    rule: titleOf(approval),
    askedAt: new Date(asked.wall).toISOString(),
    expiresAt: new Date(asked.wall + validMs).toISOString(),
    status: usedBy === undefined ? decided : 'used',
  };
}
