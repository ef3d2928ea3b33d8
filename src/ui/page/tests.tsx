import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { TestFile, TestRunView, TraceView } from '../shapes.js';
import { post } from './api.js';
import { Act, Code, ListView, Problem, SnapshotDetails, Time } from './parts.js';
import { ReportFrame } from './report.js';
import { LoadedThumbnail } from './thumbnail.js';

/** Runs of a test when it is repeated. */
const repeats = 5;

export function TestList(): JSX.Element {
  return (
    <ListView
      path="tests"
      title="Tests"
      empty="No tests. They appear here when a session ends."
      keyOf={({ file }) => file}
    >
      {(test: TestFile) => <Test test={test} />}
    </ListView>
  );
}

function Test({ test }: { test: TestFile }): JSX.Element {
  const { file, grant, modified, isEdited, verification, isRunning, reportedBy, last } = test;
  const run = (repeat: number) => () => post('tests/run', { grant, file, repeat });
  return (
    <>
      <h2>
        {file} {last !== undefined && <span class={`status ${last.status}`}>{last.status}</span>}
      </h2>
      <p class="quiet">
        {grant} · changed <Time at={modified} />
        {isEdited && ', edited since it was written'}
      </p>
      {verification === undefined || verification.status === 'off' ? (
        <p class="quiet">No verification is known.</p>
      ) : (
        <p>
          Verification at <Time at={verification.at} />: <strong>{verification.status}</strong>,{' '}
          {verification.passed} of {verification.runs} runs. {verification.found.join(' ')}
        </p>
      )}
      <div class="actions">
        {isRunning ? (
          <p role="status">Running…</p>
        ) : (
          <>
            <Act label="Run" needs="operator" work={run(1)} />
            <Act label={`Run ${repeats} times`} needs="operator" work={run(repeats)} />
            <Trace grant={grant} file={file} />
          </>
        )}
        {reportedBy !== undefined && <ReportFrame key={reportedBy} session={reportedBy} />}
      </div>
      {last !== undefined && <LastRun run={last} />}
    </>
  );
}

/** Runs the test with a trace; then leads to Playwright's report, which has an address of its own. */
function Trace(test: { grant: string; file: string }): JSX.Element {
  const report = useSignal<TraceView | undefined>(undefined);
  const trace = async (): Promise<void> => {
    report.value = undefined;
    report.value = await post<TraceView>('tests/trace', test);
  };
  return (
    <>
      <Act label="Trace" name={`Trace ${test.file}`} needs="operator" work={trace} />
      {report.value !== undefined && (
        <a href={report.value.url} target="_blank" rel="noreferrer">
          Playwright’s report
        </a>
      )}
    </>
  );
}

function LastRun({ run }: { run: TestRunView }): JSX.Element {
  return (
    <div role="status">
      <Problem failure={run.error} />
      <p>
        {run.passed} passed, {run.failed} failed, {run.flaky} flaky in {(run.durationMs / 1000).toFixed(1)} s
      </p>
      {run.failures.map(({ title, line, message, snapshot, picture }) => (
        <section key={title} aria-label={`Failure of ${title}`}>
          <h3>
            {title}, line {line}
          </h3>
          <Code label={`Why ${title} failed`} text={message} />
          {picture !== undefined && (
            <LoadedThumbnail
              key={picture}
              path={`tests/pictures/${picture}`}
              alt={`The page when ${title} failed`}
            />
          )}
          {snapshot !== undefined && <SnapshotDetails text={snapshot} />}
        </section>
      ))}
    </div>
  );
}
