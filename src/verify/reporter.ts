import { writeFile } from 'node:fs/promises';
import { stripVTControlCharacters } from 'node:util';
import type { Reporter, Suite, TestCase, TestError, TestResult, TestStep } from '@playwright/test/reporter';
import { Secrets } from '../model/secrets.js';
import { metadataKey, projectNoteSchema, type Place, type Report, type TestRun } from './report.js';
import { failurePicture } from './run-pictures.js';

/** Maximum length of a message, and of a web server's last output. */
const messageLength = 2000;
const outputLength = 1000;

/** The reporter of the child: writes the outcome of each run of each test to a file. */
export default class FileReporter implements Reporter {
  private readonly errors: string[] = [];
  private output = '';
  private suite: Suite | undefined;

  private readonly secrets: Secrets;
  /** Where the latest step of each test is, except those of fixtures. */
  private readonly latest = new Map<TestCase, Place>();

  constructor(private readonly options: { reportFile: string; secrets: string[] }) {
    this.secrets = new Secrets(() => options.secrets, process.env);
  }

  /** Prevents Playwright from adding a reporter that prints. */
  printsToStdio(): boolean {
    return true;
  }

  onBegin(_: unknown, suite: Suite): void {
    this.suite = suite;
  }

  onStepBegin(test: TestCase, _: TestResult, step: TestStep): void {
    const place = placeOfStep(step, test.location.file);
    if (place !== undefined) this.latest.set(test, place);
  }

  onError(error: TestError): void {
    this.errors.push(this.messageOf(error));
  }

  onStdErr(chunk: string | Buffer, test: TestCase | undefined): void {
    if (test === undefined) this.output = (this.output + chunk.toString()).slice(-2 * outputLength);
  }

  async onEnd(): Promise<void> {
    const output = this.redacted(this.output).trim().slice(-outputLength);
    const report: Report = {
      tests: this.suite?.allTests().map((test) => this.describe(test)) ?? [],
      errors: this.errors.length > 0 && output !== '' ? [...this.errors, output] : this.errors,
    };
    await writeFile(this.options.reportFile, JSON.stringify(report));
  }

  private describe(test: TestCase): TestRun {
    const result = test.results.at(-1);
    const note: unknown = test.parent.project()?.metadata[metadataKey];
    const project = projectNoteSchema.optional().catch(undefined).parse(note);
    const { file, line } = test.location;
    const status =
      result === undefined ? 'not run' : statusOf(test, result, project?.expectsFailure === true);
    const running = status === 'interrupted' ? this.latest.get(test) : undefined;
    const attached = (name: string) => result?.attachments.find((each) => each.name === name);
    return {
      project,
      file,
      line,
      title: test.title,
      status,
      durationMs: result?.duration ?? 0,
      errors: (result?.errors ?? []).map((error) => ({
        message: this.messageOf(error),
        ...placeOf(error, file),
      })),
      ...(running === undefined ? {} : { running }),
      contextFile: attached('error-context')?.path,
      picture: attached(failurePicture)?.body?.toString('base64'),
    };
  }

  private messageOf({ message, value }: TestError): string {
    return this.redacted(message ?? value ?? '').slice(0, messageLength);
  }

  /** Redact before cutting: half a secret would not be found. */
  private redacted(text: string): string {
    return this.secrets.redact(stripVTControlCharacters(text));
  }
}

/** The line of an error in the test's file, or in a file that the test calls. */
function placeOf({ location, stack = '' }: TestError, file: string): Place {
  if (location === undefined || location.file === file) return { line: location?.line };
  const [, after] = stack.split(`${file}:`);
  const line = Number.parseInt(after ?? '');
  return Number.isNaN(line) ? {} : { line, innerLine: location.line };
}

/** The line of a step in the test's file, which may call another file. */
function placeOfStep(step: TestStep, file: string): Place | undefined {
  let outer: TestStep | undefined = step;
  while (outer !== undefined && outer.location?.file !== file) outer = outer.parent;
  if (outer?.location === undefined) return undefined;
  return { line: outer.location.line, ...(outer === step ? {} : { innerLine: step.location?.line }) };
}

function statusOf(test: TestCase, result: TestResult, expectsFailure: boolean): TestRun['status'] {
  if (result.status === 'interrupted') return 'interrupted';
  if (expectsFailure && result.status !== 'skipped') return result.status === 'passed' ? 'passed' : 'failed';
  const outcome = test.outcome();
  return outcome === 'skipped' ? 'skipped' : outcome === 'expected' ? 'passed' : 'failed';
}
