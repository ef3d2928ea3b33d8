import { worksOnlyInTest } from '../../actions/registry.js';
import type { Origin } from '../../codegen/source.js';
import { PageText } from '../../model/page-text.js';
import type { Step } from '../../model/step.js';
import type { Place, TestRun } from '../../verify/report.js';
import type { RunResult } from '../../verify/run.js';
import { runProblem } from '../../verify/test-bench.js';
import type { Session } from '../session.js';
import { stepCode } from '../step-code.js';
import type { SessionSource } from '../test-source.js';

export interface FailedTest {
  message: PageText;
  hint: string | PageText;
  /** Index and code of the step that failed; undefined if no step failed. */
  step?: number;
  code?: string;
  /** What the page showed then. */
  snapshot?: PageText;
}

/** A run that did not pass. */
interface FailedRun {
  /** The runs of the test itself. */
  tests: readonly TestRun[];
  source: SessionSource;
  result: RunResult;
  unrecorded: Session['unrecorded'];
}

/** An error of a run, with the place in the session that it comes from. */
export function located(
  tests: readonly TestRun[],
  { origins }: SessionSource,
): (Partial<Origin> & { message: string })[] {
  return tests.flatMap(({ errors }) =>
    errors.map(({ message, ...place }) => ({ message, ...originOf(place, origins) })),
  );
}

function originOf({ line = 0, innerLine = 0 }: Place, origins: SessionSource['origins']): Partial<Origin> {
  const origin = origins.get(line);
  if (origin === undefined) return {};
  const { within, ...place } = origin;
  return { ...place, step: within?.get(innerLine) ?? place.step };
}

/** What failed, where, and what to try. */
export async function explainRun(
  { tests, source, result, unrecorded = [] }: FailedRun,
  steps: readonly Step[],
  spec: string,
): Promise<FailedTest> {
  const failed = tests.find(({ status, errors }) => status === 'failed' && errors.length > 0);
  const problem = runProblem(result);
  if (failed === undefined || result.end === 'cancelled') {
    const [running] = tests.flatMap((test) => test.running ?? []);
    const origin = running && originOf(running, source.origins);
    const message = problem?.message ?? 'The test did not run.';
    const when = origin?.step === undefined ? '.' : ` while step ${origin.step} ran.`;
    return {
      ...placeIn(steps, spec, origin),
      message: new PageText(message.replace(/\.$/, when)),
      hint: problem?.hint ?? 'See the log of the server.',
    };
  }
  const { condensed } = await import('../../browser/page-state.js');
  const { failureSnapshot } = await import('../../verify/snapshot.js');
  const errors = located([failed], source);
  const error =
    errors.find(({ step, assertion }) => step !== undefined && assertion === undefined) ??
    errors.find(({ step }) => step !== undefined) ??
    errors[0];
  const snapshot = await failureSnapshot(failed);
  const step = error?.step === undefined ? undefined : steps[error.step];
  const before = errors.find((each) => each.assertion !== undefined && each !== error);
  const said = before?.step === undefined ? '' : ` The page already differed after step ${before.step}.`;
  return {
    ...placeIn(steps, spec, error),
    message: new PageText(
      [
        ...(problem === undefined || result.end === 'completed' ? [] : [problem.message]),
        `${error?.message ?? ''}${said}`,
      ].join(' '),
    ),
    hint: replayHint(step, error?.message ?? '', {
      snapshot: snapshot ?? '',
      missing: unrecordedHint(unrecorded, error?.step ?? steps.length),
    }),
    ...(snapshot === undefined ? {} : { snapshot: condensed(snapshot) }),
  };
}

/** A step, and its code or that of one of its assertions. */
function placeIn(
  steps: readonly Step[],
  spec: string,
  { step = -1, assertion }: Partial<Origin> = {},
): Pick<FailedTest, 'step' | 'code'> {
  if (steps[step] === undefined) return {};
  const found = stepCode(steps, spec)[step];
  return { step, code: (assertion === undefined ? found?.code : found?.assertions[assertion]) ?? '' };
}

/** The actions before a step that the test does not repeat. */
function unrecordedHint(unrecorded: NonNullable<Session['unrecorded']>, step: number): string[] {
  const missing = unrecorded.filter(({ at }) => at <= step).slice(-3);
  if (missing.length === 0) return [];
  const named = missing.map(({ action, at }) => `${action} before step ${at}`).join(', ');
  return [
    `Not in the test, since it was performed with "record": false: ${named}. If the flow needs it, insert it with \`at\`.`,
  ];
}

/** Words by which an application says that something already exists. */
const refusal = /\b(?:already|duplicate|in use|is taken|exists|must be unique)\b/i;

/** Why a step that worked during recording may fail in a test run, and how to fix it. */
function replayHint(
  step: Step | undefined,
  message: string,
  { snapshot, missing }: { snapshot: string; missing: string[] },
): string | PageText {
  if (step?.unchecked === true && !worksOnlyInTest(step))
    return 'It was inserted without being performed, and fails at that place. Remove or correct it; verify "report" writes the test as it is.';
  const refused = snapshot.split('\n').find((line) => refusal.test(line));
  const reason =
    refused !== undefined
      ? "It was probably done during recording and can't be done twice."
      : message.includes('strict mode violation')
        ? 'Several elements match; during recording, one did. Data that was added during recording probably still exists.'
        : step?.action === 'expect'
          ? 'The assertion was true during recording but not in a new run.'
          : 'It worked during recording; in a new run, the page or its data is different.';
  const hint = `${[...missing, reason].join(' ')} Undo these steps and record what works in every run; or reset the application's data, add steps that revert what the flow changes, and end the session again. verify "report" writes the test as it is.`;
  if (refused === undefined) return hint;
  return new PageText(refused.replace(/^[\s-]+/, '').slice(0, 200), { before: `${hint} The page says: ` });
}
