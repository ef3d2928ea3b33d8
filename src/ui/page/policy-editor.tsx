import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { PolicyChange, PolicyText } from '../shapes.js';
import { get, post } from './api.js';
import { Act, Code, may } from './parts.js';

/** Edits the file of a grant's policy: shows the text, then the difference, then saves. */
export function PolicyEditor({
  grant,
  file,
}: {
  grant: string;
  file: string | undefined;
}): JSX.Element | null {
  const opened = useSignal<PolicyText | undefined>(undefined);
  const text = useSignal('');
  const diff = useSignal<string | undefined>(undefined);
  const isSaved = useSignal(false);
  if (!may('operator')) return null;
  if (file === undefined)
    return (
      <p class="quiet">
        This policy is part of the configuration. Only a policy in a file of its own can be edited here.
      </p>
    );
  const close = (): void => {
    opened.value = diff.value = undefined;
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
        <p role="status">{isSaved.value && 'Saved. The policy is in effect.'}</p>
      </div>
    );
  const change = diff.value ?? '';
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
            diff.value = undefined;
          }}
        />
      </label>
      {diff.value === '' && <p role="status">Nothing would change.</p>}
      {change !== '' && <Code label={`Changes to ${file}`} text={change} isDiff />}
      <div class="actions">
        <Act
          label="Show the change"
          needs="operator"
          work={async () => (diff.value = (await post<PolicyChange>('policy/diff', body)).diff)}
        />
        {change !== '' && (
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
