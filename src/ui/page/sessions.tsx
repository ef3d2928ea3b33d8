import type { JSX } from 'preact';
import type { SessionSummary } from '../shapes.js';
import { ListView } from './parts.js';

export function SessionList(): JSX.Element {
  return (
    <ListView
      path="sessions"
      title="Sessions"
      empty="No sessions. Ask an agent to record a test; its session appears here."
      keyOf={({ id }) => id}
    >
      {(session: SessionSummary) => (
        <>
          <h2>
            <a href={`#/sessions/${session.id}`}>{session.title}</a> <Status of={session} />
          </h2>
          <p class="quiet">
            {session.grant} · {session.steps === 1 ? '1 step' : `${session.steps} steps`} ·{' '}
            <span class="address">{session.url}</span>
          </p>
          {session.handOver !== undefined && <p class="asks">Asks for a person: {session.handOver}</p>}
          {session.lastAction !== '' && <code class="line">{session.lastAction}</code>}
        </>
      )}
    </ListView>
  );
}

export function Status({ of: { status } }: { of: Pick<SessionSummary, 'status'> }): JSX.Element {
  return <span class={`status ${status}`}>{status}</span>;
}
