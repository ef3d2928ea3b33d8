import { useSignal, type Signal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { includesRole, type Role } from '../../model/role.js';
import type { Failure, LivePicture } from '../shapes.js';
import { failureToShow, subscribe, person } from './api.js';
import { Highlighted } from './highlight.js';

interface Followed<Shape> {
  state: Signal<Shape | undefined>;
  failure: Signal<Failure | undefined>;
}

/** The state of a view, kept up to date while its component is shown. */
export function useFollowed<Shape>(
  path: string,
  onPicture?: (picture: LivePicture) => void,
): Followed<Shape> {
  const state = useSignal<Shape | undefined>(undefined);
  const failure = useSignal<Failure | undefined>(undefined);
  useEffect(() => {
    const left = new AbortController();
    state.value = failure.value = undefined;
    const watcher = {
      state: (next: Shape) => (state.value = next),
      failure: (next: Failure | undefined) => (failure.value = next),
      picture: onPicture,
    };
    void subscribe<Shape>(path, watcher, left.signal);
    return () => {
      left.abort();
    };
  }, [path]);
  return { state, failure };
}

/** A view with its heading, its error, and a word while it loads. */
export function View<Shape>({
  title,
  followed: { state, failure },
  children,
}: {
  title: string;
  followed: Followed<Shape>;
  children: (state: Shape) => ComponentChildren;
}): JSX.Element {
  return (
    <main id="main" tabIndex={-1}>
      <h1>{title}</h1>
      <Problem failure={failure.value} />
      {state.value === undefined
        ? failure.value === undefined && <p class="quiet">Loading…</p>
        : children(state.value)}
    </main>
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
  text,
  ...attributes
}: {
  label: string;
  text: { value: string };
  required?: boolean;
  maxLength?: number;
}): JSX.Element {
  return (
    <label>
      {label}
      <input
        {...attributes}
        value={text.value}
        onInput={({ currentTarget }) => (text.value = currentTarget.value)}
      />
    </label>
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
  needs,
  work,
  kind = 'plain',
}: {
  label: string;
  needs: Role;
  work: () => Promise<unknown>;
  kind?: 'plain' | 'main' | 'danger';
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
      <button type="button" class={kind} disabled={isBusy.value} onClick={() => void run()}>
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
        text.split('\n').map((line, index) => (
          <span key={index} class={diffClass(line)}>
            {line}
            {'\n'}
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

export function Time({ at }: { at: string }): JSX.Element {
  return <time dateTime={at}>{at === '' ? '' : new Date(at).toLocaleString()}</time>;
}
