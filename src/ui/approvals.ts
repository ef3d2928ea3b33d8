import { z } from 'zod';
import { titleOf, validMs, type Approval } from '../guard/approvals.js';
import { perform } from './access.js';
import { follow } from './follow.js';
import type { PageApp, PageOptions } from './options.js';
import type { ApprovalView } from './shapes.js';

const decisionSchema = z.strictObject({ approve: z.boolean(), reason: z.string().max(500).optional() });

/** What waits for a person, and its decision. */
export function addApprovals(app: PageApp, options: PageOptions): void {
  const { approvals } = options;
  app.get('/ui/api/approvals', (context) =>
    follow(context, options, async () => {
      const list = await approvals.list();
      return Promise.all(list.reverse().map(async (each) => viewOf(each, await approvals.subjectOf(each))));
    }),
  );

  app.post('/ui/api/approvals/:id', async (context) => {
    const id = context.req.param('id');
    const { approve, reason } = decisionSchema.parse(await context.req.json());
    const { person } = context.get('login');
    const action = approve ? 'approve' : 'decline';
    await perform(options, person, { needs: 'approver', action }, async (note) => {
      const { tool, grant } = await approvals.decide(id, approve, reason);
      note({ approval: id, tool, for: grant });
    });
    return context.json({});
  });
}

function viewOf(approval: Approval, subject: string): ApprovalView {
  const { id, grant, tool, asked, decision, usedBy } = approval;
  const decided = decision === undefined ? 'pending' : decision.approved ? 'approved' : 'declined';
  return {
    id,
    grant,
    tool,
    rule: titleOf(approval),
    askedAt: new Date(asked.wall).toISOString(),
    expiresAt: new Date(asked.wall + validMs).toISOString(),
    subject,
    status: usedBy === undefined ? decided : 'used',
  };
}
