import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { LivePicture, SessionDetail, TestPreview } from '../shapes.js';
import { get } from './api.js';
import { LiveView } from './live-page.js';
import { Act, Code, View } from './parts.js';
import { ReportFrame } from './report.js';
import { SessionActions } from './session-actions.js';
import { Status } from './sessions.js';
import { StepList } from './steps.js';

export function SessionDetails({ id }: { id: string }): JSX.Element {
  const picture = useSignal<LivePicture | undefined>(undefined);
  return (
    <View
      path={`sessions/${id}`}
      title="Session"
      titleOf={({ title }: SessionDetail) => title}
      onPicture={(next) => (picture.value = next)}
    >
      {(session: SessionDetail) => (
        <>
          <p class="quiet">
            <Status of={session} /> {session.grant} · <span class="address">{session.url}</span> ·{' '}
            {session.file}
          </p>
          <SessionActions session={session} />
          <div class="columns">
            {session.status === 'open' && <LiveView picture={picture.value} session={session} />}
            <StepList session={session} />
          </div>
          {session.hasReport && <ReportFrame session={id} />}
          <Preview session={session} />
          <Log
            title="Console"
            lines={session.console.map(({ level, text }) => ({ text: `${level}: ${text}`, kind: level }))}
          />
          <Log
            title="Dialogs"
            lines={session.dialogs.map(({ type, message, answer }) => ({
              text: `${type}: ${message} (${answer})`,
            }))}
          />
          <Log
            title="Network"
            lines={session.network.map(({ method, url, outcome }) => ({
              text: `${method} ${url} ${outcome}`,
            }))}
          />
        </>
      )}
    </View>
  );
}

/** The test, generated on request because that loads the project's configuration. */
function Preview({ session }: { session: SessionDetail }): JSX.Element {
  const preview = useSignal<{ test: TestPreview; steps: number } | undefined>(undefined);
  const load = async (): Promise<void> => {
    const test = await get<TestPreview>(`sessions/${session.id}/test`);
    preview.value = { test, steps: session.steps };
  };
  return (
    <section aria-labelledby="test">
      <h2 id="test">Test</h2>
      <Act
        label={preview.value === undefined ? 'Show the test' : 'Update the test'}
        needs="viewer"
        work={load}
      />
      {preview.value !== undefined && (
        <>
          {preview.value.steps !== session.steps && <p class="quiet">The steps have changed since.</p>}
          <Code label={`The test ${preview.value.test.file}`} text={preview.value.test.code} isTest />
          <h3>Changes to {preview.value.test.file}</h3>
          {preview.value.test.diff === '' ? (
            <p class="quiet">The file would not change.</p>
          ) : (
            <Code label="Changes to the file" text={preview.value.test.diff} isDiff />
          )}
        </>
      )}
    </section>
  );
}

function Log({ title, lines }: { title: string; lines: { text: string; kind?: string }[] }): JSX.Element {
  return (
    <details>
      <summary>
        {title} ({lines.length})
      </summary>
      <ul class="log">
        {lines.map(({ text, kind }, index) => (
          <li key={index} class={kind}>
            {text}
          </li>
        ))}
      </ul>
    </details>
  );
}
