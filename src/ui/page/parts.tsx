import { useSignal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { includesRole, type Role } from '../../model/role.js';
import type { Failure, LivePicture } from '../shapes.js';
import { failureToShow, subscribe, person } from './api.js';
import { Highlighted } from './highlight.js';

/** A view with its heading and its error. Its state is kept up to date while it is shown. */
export function View<Shape>({
  path,
  title,
  titleOf,
  onPicture,
  children,
}: {
  path: string;
  title: string;
  /** A title that depends on the state. */
  titleOf?: (state: Shape) => string;
  onPicture?: (picture: LivePicture) => void;
  children: (state: Shape) => ComponentChildren;
}): JSX.Element {
  const state = useSignal<Shape | undefined>(undefined);
  const failure = useSignal<Failure | undefined>(undefined);
  useEffect(() => {
    const left = new AbortController();
    const watcher = {
      state: (next: Shape) => (state.value = next),
      failure: (next: Failure | undefined) => (failure.value = next),
      picture: onPicture,
    };
    void subscribe<Shape>(path, watcher, left.signal);
    return () => {
      left.abort();
    };
  }, []);
  const heading = (state.value && titleOf?.(state.value)) ?? title;
  useEffect(() => {
    document.title = `${heading} – Codegen sessions`;
  }, [heading]);
  return (
    <main id="main" tabIndex={-1}>
      <h1>{heading}</h1>
      <Problem failure={failure.value} />
      {state.value === undefined
        ? failure.value === undefined && <p class="quiet">Loading…</p>
        : children(state.value)}
    </main>
  );
}

/** A view that is a list; `empty` says how something gets into it. */
export function ListView<Item>({
  path,
  title,
  empty,
  keyOf,
  children,
}: {
  path: string;
  title: string;
  empty: string;
  keyOf: (item: Item) => string;
  children: (item: Item) => ComponentChildren;
}): JSX.Element {
  return (
    <View path={path} title={title}>
      {(list: Item[]) =>
        list.length === 0 ? (
          <p class="quiet">{empty}</p>
        ) : (
          <ul class="cards">
            {list.map((item) => (
              <li key={keyOf(item)}>{children(item)}</li>
            ))}
          </ul>
        )
      }
    </View>
  );
}

export function Problem({ failure }: { failure: Failure | undefined }): JSX.Element | null {
  if (failure === undefined) return null;
  return (
    <p class="problem" role="alert">
      <strong>{failure.message}</strong> {failure.hint}
    </p>
  );
}

/** A labelled input for the text of a signal. */
export function TextInput({
  label,
  name,
  text,
  ...attributes
}: {
  label: string;
  /** What screen readers say, if the label alone is ambiguous. */
  name?: string;
  text: { value: string };
  required?: boolean;
  maxLength?: number;
}): JSX.Element {
  return (
    <label>
      {label}
      <input
        {...attributes}
        aria-label={name}
        value={text.value}
        onInput={({ currentTarget }) => (text.value = currentTarget.value)}
      />
    </label>
  );
}

/** A labelled choice among texts, for a signal. */
export function Choice({
  label,
  value,
  options,
}: {
  label: string;
  value: { value: string };
  options: readonly string[];
}): JSX.Element {
  return (
    <div class="field">
      <label for={`choice-${label}`}>{label}</label>
      <select
        id={`choice-${label}`}
        value={value.value}
        onChange={({ currentTarget }) => (value.value = currentTarget.value)}
      >
        {options.map((option) => (
          <option key={option}>{option}</option>
        ))}
      </select>
    </div>
  );
}

/** Declines with or without a reason, which `work` gets as a field. */
export function Decline({
  needs,
  work,
}: {
  needs: Role;
  work: (given: { reason?: string }) => Promise<unknown>;
}): JSX.Element {
  const reason = useSignal('');
  return (
    <>
      <TextInput label="Reason to decline" text={reason} maxLength={500} />
      <Act
        label="Decline"
        needs={needs}
        kind="danger"
        work={() => work(reason.value === '' ? {} : { reason: reason.value })}
      />
    </>
  );
}

/** A button that is busy while its work runs, and says why that failed. Hidden from people without the role. */
export function Act({
  label,
  name,
  needs,
  work,
  kind,
}: {
  label: string;
  /** What screen readers say, if the label alone is ambiguous. */
  name?: string;
  needs: Role;
  work: () => Promise<unknown>;
  kind?: 'main' | 'danger';
}): JSX.Element | null {
  const isBusy = useSignal(false);
  const failure = useSignal<Failure | undefined>(undefined);
  if (!may(needs)) return null;
  const run = async (): Promise<void> => {
    isBusy.value = true;
    failure.value = undefined;
    await work().catch((error: unknown) => (failure.value = failureToShow(error)));
    isBusy.value = false;
  };
  return (
    <>
      <button type="button" class={kind} aria-label={name} disabled={isBusy.value} onClick={() => void run()}>
        {isBusy.value ? `${label}…` : label}
      </button>
      <Problem failure={failure.value} />
    </>
  );
}

/** Whether the person has a role, or one above it. */
export function may(needed: Role): boolean {
  return includesRole(person.value?.role, needed);
}

/** A unified diff or source, as text, with the lines of a diff in their colours. */
export function Code({
  text,
  label,
  isDiff = false,
  isTest = false,
}: {
  text: string;
  label: string;
  isDiff?: boolean;
  isTest?: boolean;
}): JSX.Element {
  return (
    <pre class="code" tabIndex={0} role="region" aria-label={label}>
      {isDiff ? (
        text.split(/(?<=\n)/).map((line, index) => (
          <span key={index} class={diffClass(line)}>
            {line}
          </span>
        ))
      ) : isTest ? (
        <Highlighted code={text} />
      ) : (
        text
      )}
    </pre>
  );
}

function diffClass(line: string): string {
  if (/^(?:\+\+\+|---|@@)/.test(line)) return 'place';
  return line.startsWith('+') ? 'added' : line.startsWith('-') ? 'removed' : '';
}

/** A time in the person's own zone; without the date if it is today. */
export function Time({ at }: { at: string }): JSX.Element {
  const [date, now] = [new Date(at), new Date()];
  const full = at === '' ? '' : date.toLocaleString();
  return (
    <time dateTime={at} title={full}>
      {date.toDateString() === now.toDateString() ? date.toLocaleTimeString() : full}
    </time>
  );
}

/** What the page showed when a test failed. */
export function SnapshotDetails({ text }: { text: string }): JSX.Element {
  return (
    <details>
      <summary>Snapshot of the page at the failure</summary>
      <Code label="Snapshot" text={text} />
    </details>
  );
}
