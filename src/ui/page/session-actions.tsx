import { useSignal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import type { EndResult, ResumeResult, SessionSummary } from '../shapes.js';
import { post } from './api.js';
import { Act } from './parts.js';

/** What an operator can do with a session as a whole. */
export function SessionActions({
  session,
  isListed = false,
}: {
  session: SessionSummary;
  /** Whether it is one of many, so that the names of buttons say which. */
  isListed?: boolean;
}): JSX.Element {
  const { id, title, status, steps, person } = session;
  const outcome = useSignal<{ text: ComponentChildren; warnings: string[] } | undefined>(undefined);
  const nameOf = (label: string): string => (isListed ? `${label}: ${title}` : label);
  const end = async (): Promise<void> => {
    const { filePath, verification, warnings } = await post<EndResult>(`sessions/${id}/end`);
    outcome.value = { text: `Wrote ${filePath}; verification: ${verification}.`, warnings };
  };
  const resume = async (): Promise<void> => {
    const { id: next, warnings } = await post<ResumeResult>(`sessions/${id}/resume`);
    const address = `#/sessions/${next}`;
    if (warnings.length === 0) location.hash = address;
    else outcome.value = { text: <a href={address}>The resumed session is open.</a>, warnings };
  };
  const isFree = status !== 'ended' && person === undefined;
  return (
    <div class="actions">
      {isFree && steps > 0 && (
        <Act
          label="End and write the test"
          name={nameOf('End and write the test')}
          needs="operator"
          work={end}
        />
      )}
      {isFree && <Clear id={id} nameOf={nameOf} />}
      {status !== 'open' && steps > 0 && (
        <Act label="Resume" name={nameOf('Resume')} needs="operator" work={resume} />
      )}
      {outcome.value !== undefined && (
        <div role="status">
          <p>{outcome.value.text}</p>
          {outcome.value.warnings.map((warning) => (
            <p key={warning} class="quiet">
              {warning}
            </p>
          ))}
        </div>
      )}
    </div>
  );
}

function Clear({ id, nameOf }: { id: string; nameOf: (label: string) => string }): JSX.Element {
  const isSure = useSignal(false);
  if (!isSure.value)
    return (
      <Act
        label="Clear"
        name={nameOf('Clear')}
        needs="operator"
        work={() => Promise.resolve((isSure.value = true))}
      />
    );
  return (
    <>
      <Act
        label="Yes, discard its steps"
        name={nameOf('Yes, discard its steps')}
        needs="operator"
        kind="danger"
        work={async () => {
          await post(`sessions/${id}/clear`);
          location.hash = '#/sessions';
        }}
      />
      <button type="button" onClick={() => (isSure.value = false)}>
        Keep it
      </button>
    </>
  );
}
