import type { JSX } from 'preact';
import type { ApprovalView } from '../shapes.js';
import { post } from './api.js';
import { Act, Code, Decline, ListView, may, Time } from './parts.js';

export function ApprovalList(): JSX.Element {
  return (
    <ListView
      path="approvals"
      title="Approvals"
      empty="No call is pending approval. The policy decides which calls need it."
      keyOf={({ id }) => id}
    >
      {(approval: ApprovalView) => <Approval approval={approval} />}
    </ListView>
  );
}

function Approval({ approval }: { approval: ApprovalView }): JSX.Element {
  const { id, tool, grant, rule, askedAt, expiresAt, subject, status } = approval;
  return (
    <>
      <h2>
        {tool} <span class={`status ${status}`}>{status}</span>
      </h2>
      <p class="quiet">
        {id} · asked by {grant} at <Time at={askedAt} />, expires at <Time at={expiresAt} /> · {rule}
      </p>
      <Code label={`What ${tool} would do`} text={subject} isDiff />
      {status === 'pending' && may('approver') && (
        <div class="actions">
          <Act
            label="Approve once"
            needs="approver"
            kind="main"
            work={() => post(`approvals/${id}`, { approve: true })}
          />
          <Decline needs="approver" work={(given) => post(`approvals/${id}`, { approve: false, ...given })} />
        </div>
      )}
    </>
  );
}
