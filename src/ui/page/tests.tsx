import type { JSX } from 'preact';
import type { TestFile, TestRunView } from '../shapes.js';
import { post } from './api.js';
import { Act, Code, Problem, Time, useFollowed, View } from './parts.js';
import { ReportFrame } from './report.js';

/** Runs of a test when it is repeated. */
const repeats = 5;

export function TestList(): JSX.Element {
  const followed = useFollowed<TestFile[]>('tests');
  return (
    <View title="Tests" followed={followed}>
      {(tests) =>
        tests.length === 0 ? (
          <p class="quiet">No tests. They appear here when a session ends.</p>
        ) : (
          <ul class="cards">
            {tests.map((test) => (
              <Test key={test.file} test={test} />
            ))}
          </ul>
        )
      }
    </View>
  );
}

function Test({ test }: { test: TestFile }): JSX.Element {
  const { file, grant, modified, isRunning, reportedBy, last } = test;
  const run = (repeat: number) => () => post('tests/run', { grant, file, repeat });
  return (
    <li>
      <h2>
        {file} {last !== undefined && <span class={`status ${last.status}`}>{last.status}</span>}
      </h2>
      <p class="quiet">
        {grant} · changed <Time at={modified} />
      </p>
      {isRunning ? (
        <p role="status">Running…</p>
      ) : (
        <div class="actions">
          <Act label="Run" needs="operator" work={run(1)} />
          <Act label={`Run ${repeats} times`} needs="operator" work={run(repeats)} />
        </div>
      )}
      {reportedBy !== undefined && <ReportFrame key={reportedBy} session={reportedBy} />}
      {last !== undefined && <LastRun run={last} />}
    </li>
  );
}

function LastRun({ run }: { run: TestRunView }): JSX.Element {
  return (
    <div role="status">
      <Problem failure={run.error} />
      <p>
        {run.passed} passed, {run.failed} failed, {run.flaky} flaky in {(run.durationMs / 1000).toFixed(1)} s
      </p>
      {run.failures.map(({ title, line, message }) => (
        <section key={title} aria-label={`Failure of ${title}`}>
          <h3>
            {title}, line {line}
          </h3>
          <Code label={`Why ${title} failed`} text={message} />
        </section>
      ))}
    </div>
  );
}
