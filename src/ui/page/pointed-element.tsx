import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { FittingAssertion, PointedElement } from '../../session/pointed.js';
import type { SessionDetail } from '../shapes.js';
import type { Remote, Request } from './remote.js';

/** What a person can do with the element that they clicked. */
export function ElementPanel({ remote, session }: { remote: Remote; session: SessionDetail }): JSX.Element {
  const mode = remote.mode.value;
  const pointed = remote.pointed.value;
  const act = async (request: Request): Promise<void> => {
    if (await remote.record(request)) remote.pointed.value = undefined;
  };
  return (
    <div role="status">
      {remote.isBusy.value && <p class="quiet">Working…</p>}
      {pointed !== undefined && (
        <div class="pointed">
          <code class="line">{pointed.target}</code>
          {mode === 'record' && (
            <Field key={pointed.target} pointed={pointed} act={act} secrets={session.secrets} />
          )}
          {mode === 'assert' && <Assertions pointed={pointed} act={act} />}
        </div>
      )}
    </div>
  );
}

function Field({
  pointed: { kind, target, value, typed, options, isPassword, isMultiline },
  act,
  secrets,
}: {
  pointed: PointedElement & { typed: string };
  act: (request: Request) => Promise<void>;
  secrets: readonly string[];
}): JSX.Element {
  const text = useSignal(typed === '' ? value : typed);
  const field = useRef<HTMLInputElement & HTMLTextAreaElement & HTMLSelectElement>(null);
  useEffect(() => {
    field.current?.focus();
    if (typed === '' && kind === 'text') field.current?.select();
  }, []);
  const commit = async (): Promise<void> => {
    if (kind === 'select') await act({ action: 'selectOption', target, values: [text.value] });
    else if (kind === 'file') await act({ action: 'setInputFiles', target, files: [text.value] });
    else await act({ action: 'fill', target, value: isPassword ? `{{secret:${text.value}}}` : text.value });
  };
  const shared = {
    ref: field,
    value: text.value,
    onInput: ({ currentTarget }: { currentTarget: { value: string } }) => {
      text.value = currentTarget.value;
    },
  };
  return (
    <form
      class="actions"
      onSubmit={(event) => {
        event.preventDefault();
        void commit();
      }}
    >
      {kind === 'select' || isPassword ? (
        <label>
          {isPassword ? 'Secret to type' : 'Option'}
          <select {...shared} required>
            <option value="">Choose one</option>
            {(isPassword ? secrets : options).map((option) => (
              <option key={option}>{option}</option>
            ))}
          </select>
        </label>
      ) : isMultiline ? (
        <label>
          Text
          <textarea {...shared} rows={4} />
        </label>
      ) : (
        <label>
          {kind === 'file' ? 'File, relative to the workspace' : 'Text'}
          <input {...shared} required={kind === 'file'} autocomplete="off" />
        </label>
      )}
      <button type="submit" class="main">
        Record
      </button>
      {kind !== 'file' && (
        <button type="button" onClick={() => void act({ action: 'click', target })}>
          Only click
        </button>
      )}
      {isPassword && <p class="quiet">Only secrets of the configuration are recorded in password fields.</p>}
    </form>
  );
}

function Assertions({
  pointed,
  act,
}: {
  pointed: PointedElement;
  act: (request: Request) => Promise<void>;
}): JSX.Element {
  return (
    <div class="actions" role="group" aria-label="Matchers that fit">
      {pointed.assertions.map((assertion) => (
        <button
          key={JSON.stringify(assertion)}
          type="button"
          class="clipped"
          onClick={() => void act({ action: 'expect', ...assertion })}
        >
          {labelOf(assertion)}
        </button>
      ))}
    </div>
  );
}

function labelOf({ matcher, name, expected, not, options }: FittingAssertion): string {
  const parts = [
    ...(not === true ? ['not'] : []),
    ...[matcher, name, Array.isArray(expected) ? expected.join(', ') : expected],
    ...(options === undefined ? [] : ['indeterminate']),
  ];
  return parts.filter((part) => part !== undefined && part !== '').join(' ');
}
