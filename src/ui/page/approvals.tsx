import type { JSX } from 'preact';
import type { ApprovalView } from '../shapes.js';
import { post } from './api.js';
import { Act, Code, Decline, may, Time, useFollowed, View } from './parts.js';

export function ApprovalList(): JSX.Element {
  const followed = useFollowed<ApprovalView[]>('approvals');
  return (
    <View title="Approvals" followed={followed}>
      {(list) =>
        list.length === 0 ? (
          <p class="quiet">No call is pending approval. The policy decides which calls need it.</p>
        ) : (
          <ul class="cards">
            {list.map((approval) => (
              <Approval key={approval.id} approval={approval} />
            ))}
          </ul>
        )
      }
    </View>
  );
}

function Approval({ approval }: { approval: ApprovalView }): JSX.Element {
  const { id, tool, grant, rule, askedAt, expiresAt, subject, status } = approval;
  return (
    <li>
      <h2>
        {tool} <span class={`status ${status}`}>{status}</span>
      </h2>
      <p class="quiet">
        {id} · by {grant} · <Time at={askedAt} />, expires <Time at={expiresAt} /> · {rule}
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
    </li>
  );
}
