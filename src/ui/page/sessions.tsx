import type { JSX } from 'preact';
import type { SessionSummary } from '../shapes.js';
import { useFollowed, View } from './parts.js';

export function SessionList(): JSX.Element {
  const followed = useFollowed<SessionSummary[]>('sessions');
  return (
    <View title="Sessions" followed={followed}>
      {(list) =>
        list.length === 0 ? (
          <p class="quiet">No sessions. They appear here when an agent calls start_codegen_session.</p>
        ) : (
          <ul class="cards">
            {list.map((session) => (
              <li key={session.id}>
                <h2>
                  <a href={`#/sessions/${session.id}`}>{session.title}</a> <Status of={session} />
                </h2>
                <p class="quiet">
                  {session.grant} · {session.steps === 1 ? '1 step' : `${session.steps} steps`} ·{' '}
                  <span class="address">{session.url}</span>
                </p>
                {session.handOver !== undefined && <p class="asks">Asks for a person: {session.handOver}</p>}
                {session.lastAction !== '' && <code class="line">{session.lastAction}</code>}
              </li>
            ))}
          </ul>
        )
      }
    </View>
  );
}

export function Status({ of: { status } }: { of: Pick<SessionSummary, 'status'> }): JSX.Element {
  return <span class={`status ${status}`}>{status}</span>;
}
