import { randomUUID } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { inspect } from '../model/header.js';
import { rawText } from '../model/page-text.js';
import { loadSession, savedPath } from '../session/saved.js';
import { sensitivityLines } from '../session/verification/report.js';
import { runTests, specAt, specsOf, type TestOutcome } from '../tools/run-generated-test.js';
import { onPost } from './access.js';
import { Refusal } from './failures.js';
import { follow } from './follow.js';
import type { PageApp, PageOptions } from './options.js';
import { hasReport } from './report.js';
import type { TestFile, TestRunView, Thumbnail, TraceView } from './shapes.js';
import { ReportServer, requireTraceable, traceTest } from './trace.js';

const testSchema = z.strictObject({ grant: z.string(), file: z.string() });
const runSchema = testSchema.extend({ repeat: z.int().min(1).max(20) });

/** The latest run of a test from the web UI. */
interface Run {
  isRunning: boolean;
  last?: TestRunView | undefined;
}

/** The tests of all grants, and their runs. */
export function addTests(app: PageApp, options: PageOptions): void {
  const { workspace, contextOf } = options;
  const runs = new Map<string, Run>();
  const pictures = new Pictures();
  const verifications = new Verifications(options.stateDirectory);
  const reports = new ReportServer();
  const list = async (): Promise<TestFile[]> => {
    const files = await filesOf(options);
    return Promise.all(
      files.map(async ({ grant, absolute }) => {
        const file = path.relative(workspace, absolute).replaceAll(path.sep, '/');
        const { isRunning = false, last } = runs.get(file) ?? {};
        const verified = await verifications.of(absolute, file);
        const reportedBy = await reportOf(options, file);
        return { file, grant, isRunning, reportedBy, last, ...verified };
      }),
    );
  };
  const find = async ({ grant, file }: z.infer<typeof testSchema>): Promise<TestFile> => {
    const found = (await list()).find((each) => each.file === file && each.grant === grant);
    if (found === undefined) throw new Refusal(404, `There is no test ${file}.`, 'Choose one from the list.');
    return found;
  };
  app.get('/ui/api/tests', (context) => follow(context, options, list));

  app.get('/ui/api/tests/pictures/:id', (context) =>
    context.json({ data: pictures.find(context.req.param('id')) } satisfies Thumbnail),
  );

  onPost(
    { app, options },
    'tests/run',
    { needs: 'operator', action: 'run', body: runSchema },
    async ({ body: { grant, file, repeat }, note }) => {
      note({ file });
      const { isRunning } = await find({ grant, file });
      if (isRunning) throw new Refusal(400, `${file} is running.`, 'Wait until it has finished.');
      runs.set(file, { ...runs.get(file), isRunning: true });
      let last: TestRunView | undefined;
      try {
        const files = [await specAt(contextOf(grant), file)];
        last = runView(
          pictures,
          await options.run(new AbortController().signal, (signal) =>
            runTests(
              contextOf(grant),
              { files, repeat, failurePictures: true },
              { signal, progress: () => undefined, begin: () => undefined },
            ),
          ),
        );
        note({ status: last.status });
      } finally {
        runs.set(file, { isRunning: false, last });
      }
    },
  );

  onPost(
    { app, options },
    'tests/trace',
    { needs: 'operator', action: 'trace', body: testSchema },
    async ({ body: test, host, note }): Promise<TraceView> => {
      note({ file: test.file });
      const { file, grant } = await find(test);
      const absolute = path.resolve(workspace, file);
      requireTraceable(host, file, await readFile(absolute, 'utf8'));
      const files = await options.run(new AbortController().signal, (signal) =>
        traceTest(contextOf(grant), absolute, signal),
      );
      return { url: await reports.show(files) };
    },
  );
}

/** Pictures of failures that are kept. */
const maxPictures = 50;

/** The newest pictures of failures. */
class Pictures {
  private readonly kept = new Map<string, string>();

  /** Returns the name of the picture. */
  keep(data: string): string {
    const id = randomUUID();
    this.kept.set(id, data);
    for (const oldest of [...this.kept.keys()].slice(0, -maxPictures)) this.kept.delete(oldest);
    return id;
  }

  /** Empty for a picture that is no longer kept. */
  find(id: string): string {
    return this.kept.get(id) ?? '';
  }
}

function runView(
  pictures: Pictures,
  { problem, failures, warnings: _, ...counts }: TestOutcome,
): TestRunView {
  return {
    ...counts,
    failures: failures.map(({ title, line, message, snapshot, picture }) => ({
      ...{ title, line, message: rawText(message) },
      snapshot: snapshot && rawText(snapshot),
      picture: picture && pictures.keep(picture),
    })),
    error: problem && { code: 'VERIFY_FAILED', ...problem },
  };
}

/** The tests of all grants, which may share a directory. */
async function filesOf({ grants, contextOf }: PageOptions): Promise<{ grant: string; absolute: string }[]> {
  const lists = await Promise.all(
    grants().map(async (grant) => {
      const files = await specsOf(contextOf(grant)).catch(() => []);
      return files.map((absolute) => ({ grant, absolute }));
    }),
  );
  const byPath = new Map(
    lists
      .flat()
      .reverse()
      .map((each) => [each.absolute, each]),
  );
  return [...byPath.values()].reverse();
}

/** The latest session of this server that ended with a test and a report. */
async function reportOf(options: PageOptions, file: string): Promise<string | undefined> {
  const ended = options.sessions.list().findLast(({ path, status }) => path === file && status === 'ended');
  return ended !== undefined && (await hasReport(options, ended)) ? ended.id : undefined;
}

type Verified = Pick<TestFile, 'modified' | 'isEdited' | 'verification'>;

/** The verifications with which sessions ended; read again when a file changes. */
class Verifications {
  private readonly known = new Map<string, { stamp: string; verified: Verified }>();

  constructor(private readonly stateDirectory: string) {}

  async of(absolute: string, file: string): Promise<Verified> {
    const [test, saved] = await Promise.all(
      [absolute, savedPath(this.stateDirectory, file)].map((each) => stat(each).catch(() => undefined)),
    );
    const stamp = `${test?.mtimeMs} ${saved?.mtimeMs}`;
    const known = this.known.get(file);
    if (known?.stamp === stamp) return known.verified;
    const { verification } = (await loadSession(this.stateDirectory, file).catch(() => undefined)) ?? {};
    const text = await readFile(absolute, 'utf8').catch(() => '');
    const verified: Verified = {
      modified: test?.mtime.toISOString() ?? '',
      isEdited: inspect(file, text) === 'edited',
      verification: verification && { ...verification, found: sensitivityLines(verification) },
    };
    this.known.set(file, { stamp, verified });
    return verified;
  }
}
