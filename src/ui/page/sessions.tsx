import type { JSX } from 'preact';
import type { SessionSummary } from '../shapes.js';
import { ListView } from './parts.js';
import { SessionActions } from './session-actions.js';
import { LoadedThumbnail } from './thumbnail.js';

/** Milliseconds after which the picture of a session that is in view is loaded again. */
const refreshMs = 4000;

export function SessionList(): JSX.Element {
  return (
    <ListView
      path="sessions"
      title="Sessions"
      empty="No sessions. Ask an agent to record a test; its session appears here."
      keyOf={({ id }) => id}
    >
      {(session: SessionSummary) => (
        <div class="session">
          {session.status === 'open' && (
            <LoadedThumbnail
              path={`sessions/${session.id}/thumbnails/now`}
              alt={`The page of ${session.title}`}
              refreshMs={refreshMs}
            />
          )}
          <h2>
            <a href={`#/sessions/${session.id}`}>{session.title}</a> <Status of={session} />
          </h2>
          <p class="quiet">
            {session.grant} · {session.steps === 1 ? '1 step' : `${session.steps} steps`} ·{' '}
            <span class="address">{session.url}</span>
          </p>
          {session.handOver !== undefined && <p class="asks">Asks for a person: {session.handOver}</p>}
          {session.person !== undefined && <p>{session.person} has taken it over.</p>}
          {session.lastAction !== '' && <code class="line">{session.lastAction}</code>}
          <SessionActions session={session} isListed />
        </div>
      )}
    </ListView>
  );
}

export function Status({ of: { status } }: { of: Pick<SessionSummary, 'status'> }): JSX.Element {
  return <span class={`status ${status}`}>{status}</span>;
}
