import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { PolicyChange, PolicyText } from '../shapes.js';
import { get, post } from './api.js';
import { Act, Code, may } from './parts.js';

/** Edits the file of a grant's policy: text, then the difference, then save. */
export function PolicyEditor({
  grant,
  file,
}: {
  grant: string;
  file: string | undefined;
}): JSX.Element | null {
  const opened = useSignal<PolicyText | undefined>(undefined);
  const text = useSignal('');
  const change = useSignal<PolicyChange | undefined>(undefined);
  const isSaved = useSignal(false);
  if (!may('operator')) return null;
  if (file === undefined)
    return (
      <p class="quiet">
        This policy is written in the configuration. One in a file of its own can be edited here.
      </p>
    );
  const close = (): void => {
    opened.value = change.value = undefined;
  };
  if (opened.value === undefined)
    return (
      <div class="actions">
        <Act
          label={`Edit ${file}`}
          needs="operator"
          work={async () => {
            opened.value = await get<PolicyText>(`policy/text/${encodeURIComponent(grant)}`);
            text.value = opened.value.text;
            isSaved.value = false;
          }}
        />
        <p role="status">{isSaved.value && 'Saved. It is in effect.'}</p>
      </div>
    );
  const body = { grant, text: text.value, hash: opened.value.hash };
  return (
    <>
      <label class="wide">
        Text of {file}
        <textarea
          rows={16}
          spellcheck={false}
          value={text.value}
          onInput={({ currentTarget }) => {
            text.value = currentTarget.value;
            change.value = undefined;
          }}
        />
      </label>
      {change.value?.diff === '' && <p role="status">Nothing would change.</p>}
      {change.value !== undefined && change.value.diff !== '' && (
        <Code label={`Changes to ${file}`} text={change.value.diff} isDiff />
      )}
      <div class="actions">
        <Act
          label="Show the change"
          needs="operator"
          work={async () => (change.value = await post<PolicyChange>('policy/diff', body))}
        />
        {change.value !== undefined && change.value.diff !== '' && (
          <Act
            label="Save"
            needs="operator"
            kind="main"
            work={async () => {
              await post('policy/save', body);
              close();
              isSaved.value = true;
            }}
          />
        )}
        <button type="button" onClick={close}>
          Close
        </button>
      </div>
    </>
  );
}
