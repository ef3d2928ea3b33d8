import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { Edit } from '../edit.js';
import type { SessionDetail, StepView, VerificationView } from '../shapes.js';
import { post } from './api.js';
import { Act, Code, may, Problem, SnapshotDetails, TextInput } from './parts.js';
import { LoadedThumbnail, Thumbnail } from './thumbnail.js';

/** The recorded steps, which an operator edits, and the run of the test as it is now. */
export function StepList({ session }: { session: SessionDetail }): JSX.Element {
  const { id, list } = session;
  const isEditing = useSignal(false);
  const result = useSignal<VerificationView | undefined>(undefined);
  const verify = async (): Promise<void> => {
    result.value = undefined;
    result.value = await post<VerificationView>(`sessions/${id}/verify`);
  };
  return (
    <section aria-labelledby="steps">
      <h2 id="steps">Steps</h2>
      {may('operator') && session.status !== 'ended' && list.length > 0 && (
        <div class="actions">
          <button
            type="button"
            aria-pressed={isEditing.value}
            onClick={() => (isEditing.value = !isEditing.value)}
          >
            Edit
          </button>
          {session.person === undefined && <Act label="Run the test" needs="operator" work={verify} />}
        </div>
      )}
      {isEditing.value && (
        <div class="actions edit">
          <TextEdit
            label="Title"
            button="Rename"
            initial={session.title}
            save={(text) => post(`sessions/${id}/edit`, { type: 'title', title: text } satisfies Edit)}
          />
        </div>
      )}
      {result.value !== undefined && <Result result={result.value} />}
      {list.length === 0 ? (
        <p class="quiet">Nothing is recorded yet.</p>
      ) : (
        <ol class="steps" start={0}>
          {list.map((step) => (
            <Step
              key={`${step.index} ${step.code} ${step.note ?? ''}`}
              session={id}
              step={step}
              picture={result.value?.pictures[step.index]}
              duration={result.value?.durations[step.index]}
              isFailed={result.value?.failure?.step === step.index}
              count={isEditing.value ? list.length : undefined}
            />
          ))}
        </ol>
      )}
    </section>
  );
}

interface StepProps {
  session: string;
  step: StepView;
  /** The page before it, in the latest run. */
  picture: string | undefined;
  duration: number | undefined;
  isFailed: boolean;
  /** Number of steps, if they are edited. */
  count: number | undefined;
}

function Step({ session, step, picture = '', duration, isFailed, count }: StepProps): JSX.Element {
  const { index, code, assertions, note, group, thumbnail } = step;
  const edit = (change: Partial<Edit>) => () =>
    post(`sessions/${session}/edit`, { step: index, code, ...change });
  const facts = [
    ...(step.unchecked === true ? ['Not checked while recording'] : []),
    ...(duration === undefined ? [] : [`${(duration / 1000).toFixed(1)} s`]),
  ];
  return (
    <li class={isFailed ? 'failed-step' : ''}>
      {note !== undefined && <p class="quiet">{note}</p>}
      {group === undefined ? <code class="line">{code}</code> : <h3>{group}</h3>}
      {assertions.map((each, number) => (
        <div key={each} class="assertion edit">
          <code class="line">{each}</code>
          {count !== undefined && (
            <Act
              label="Remove"
              name={`Remove assertion ${number} of step ${index}`}
              needs="operator"
              kind="danger"
              work={edit({ type: 'removeAssertion', assertion: number })}
            />
          )}
        </div>
      ))}
      {facts.length > 0 && <p class="quiet">{facts.join(' · ')}</p>}
      {picture !== '' && <Thumbnail data={picture} alt={`The page before step ${index}`} />}
      {picture === '' && thumbnail !== undefined && (
        <LoadedThumbnail
          key={thumbnail}
          path={`sessions/${session}/thumbnails/${thumbnail}`}
          alt={`The page after step ${index}`}
        />
      )}
      {count !== undefined && <StepEditor step={step} count={count} edit={edit} />}
    </li>
  );
}

function StepEditor({
  step: { index, note = '' },
  count,
  edit,
}: {
  step: StepView;
  count: number;
  edit: (change: Partial<Edit>) => () => Promise<unknown>;
}): JSX.Element {
  const move = (direction: 'up' | 'down', before: number): JSX.Element => (
    <Act
      label={direction === 'up' ? 'Up' : 'Down'}
      name={`Move step ${index} ${direction}`}
      needs="operator"
      work={edit({ type: 'move', before })}
    />
  );
  return (
    <div class="actions edit" role="group" aria-label={`Edit step ${index}`}>
      {index > 0 && move('up', index - 1)}
      {index < count - 1 && move('down', index + 2)}
      <Act
        label="Remove"
        name={`Remove step ${index}`}
        needs="operator"
        kind="danger"
        work={edit({ type: 'remove' })}
      />
      <TextEdit
        label="Note"
        of={` of step ${index}`}
        button="Save"
        initial={note}
        save={(text) => edit({ type: 'note', note: text })()}
      />
      <TextEdit
        label="New group"
        of={` before step ${index}`}
        button="Begin"
        initial=""
        save={(text) => edit({ type: 'group', title: text })()}
      />
    </div>
  );
}

function TextEdit({
  label,
  of = '',
  button,
  initial,
  save,
}: {
  label: string;
  /** What it is for, which only screen readers say. */
  of?: string;
  button: string;
  initial: string;
  save: (text: string) => Promise<unknown>;
}): JSX.Element {
  const text = useSignal(initial);
  return (
    <span class="text-edit">
      <TextInput label={label} name={label + of} text={text} />
      <Act
        label={button}
        name={`${button} ${(label + of).toLowerCase()}`}
        needs="operator"
        work={() => save(text.value)}
      />
    </span>
  );
}

function Result({ result }: { result: VerificationView }): JSX.Element {
  const { status, runs, passed, durationMs, failure, dropped, warnings, end = '' } = result;
  return (
    <section aria-label="Result of the run">
      <p role="status">
        <span class={`status ${status}`}>{status}</span> Passed {passed} of {runs} in{' '}
        {(durationMs / 1000).toFixed(1)} s.
      </p>
      {failure !== undefined && (
        <>
          <Problem
            failure={{
              code: 'VERIFY_FAILED',
              message: failure.step === undefined ? 'The test failed.' : `Step ${failure.step} failed.`,
              hint: failure.hint,
            }}
          />
          {failure.code !== undefined && <code class="line">{failure.code}</code>}
          <Code label="Why the test failed" text={failure.message} />
          {end !== '' && <Thumbnail data={end} alt="The page at the failure" />}
          {failure.snapshot !== undefined && <SnapshotDetails text={failure.snapshot} />}
        </>
      )}
      {dropped.map(({ step, code, reason }) => (
        <p key={`${step} ${code}`} class="quiet">
          Removed from step {step}: <code>{code}</code> It {reason}.
        </p>
      ))}
      {warnings.map((warning) => (
        <p key={warning} class="quiet">
          {warning}
        </p>
      ))}
    </section>
  );
}
