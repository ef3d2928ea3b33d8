import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { PageText, rawText } from '../model/page-text.js';
import type { Answer } from '../tools/answer.js';
import { runGeneratedTest, specsOf } from '../tools/run-generated-test.js';
import { onPost } from './access.js';
import { failureOf, Refusal } from './failures.js';
import { follow } from './follow.js';
import type { PageApp, PageOptions } from './options.js';
import { hasReport } from './report.js';
import type { TestFile, TestRunView, TraceView } from './shapes.js';
import { toolCall } from './tool-call.js';
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
  const { workspace } = options;
  const runs = new Map<string, Run>();
  const reports = new ReportServer();
  const find = async ({ grant, file }: z.infer<typeof testSchema>): Promise<TestFile> => {
    const tests = await listTests(options, runs);
    const found = tests.find((each) => each.file === file && each.grant === grant);
    if (found === undefined) throw new Refusal(404, `There is no test ${file}.`, 'Choose one from the list.');
    return found;
  };

  app.get('/ui/api/tests', (context) => follow(context, options, () => listTests(options, runs)));

  onPost({ app, options }, 'tests/run', runSchema, async ({ body: { grant, file, repeat }, perform }) => {
    const { isRunning } = await find({ grant, file });
    if (isRunning) throw new Refusal(400, `${file} is running.`, 'Wait until it has finished.');
    await perform({ needs: 'operator', action: 'run', file }, async (note) => {
      runs.set(file, { ...runs.get(file), isRunning: true });
      let last: TestRunView | undefined;
      try {
        const call = { tool: runGeneratedTest, args: { file, repeat } };
        last = runView(await toolCall(options, options.contextOf(grant), call, note));
      } finally {
        runs.set(file, { isRunning: false, last });
      }
    });
  });

  onPost({ app, options }, 'tests/trace', testSchema, async ({ body: test, host, perform }) => {
    const { file, grant } = await find(test);
    const absolute = path.resolve(workspace, file);
    requireTraceable(host, file, await readFile(absolute, 'utf8'));
    const url = await perform({ needs: 'operator', action: 'trace', file }, async () =>
      reports.show(
        await options.run(new AbortController().signal, (signal) =>
          traceTest(options.contextOf(grant), absolute, signal),
        ),
      ),
    );
    return { url } satisfies TraceView;
  });
}

async function listTests(options: PageOptions, runs: ReadonlyMap<string, Run>): Promise<TestFile[]> {
  const { grants, contextOf, workspace, sessions } = options;
  const lists = await Promise.all(
    grants().map(async (grant) => {
      const files = await specsOf(contextOf(grant)).catch(() => []);
      return files.map((absolute) => ({ grant, absolute }));
    }),
  );
  const all = lists.flat();
  // Grants may share a directory.
  const unique = all.filter(
    ({ absolute }, index) => all.findIndex((each) => each.absolute === absolute) === index,
  );
  return Promise.all(
    unique.map(async ({ grant, absolute }) => {
      const file = path.relative(workspace, absolute).replaceAll(path.sep, '/');
      const { isRunning = false, last } = runs.get(file) ?? {};
      const modified = (await stat(absolute).catch(() => undefined))?.mtime.toISOString() ?? '';
      const ended = sessions.list().findLast((each) => each.path === file && each.status === 'ended');
      const reportedBy = ended !== undefined && (await hasReport(options, ended)) ? ended.id : undefined;
      return { file, grant, modified, isRunning, reportedBy, last };
    }),
  );
}

const resultSchema = z.looseObject({
  status: z.string().default('failed'),
  passed: z.number().default(0),
  failed: z.number().default(0),
  flaky: z.number().default(0),
  durationMs: z.number().default(0),
  failures: z
    .array(
      z.looseObject({
        title: z.string(),
        line: z.number(),
        message: z.instanceof(PageText),
        snapshot: z.instanceof(PageText).optional(),
      }),
    )
    .default([]),
});

function runView({ structured, error }: Answer): TestRunView {
  const { failures, status, passed, failed, flaky, durationMs } = resultSchema.parse(structured);
  return {
    ...{ status, passed, failed, flaky, durationMs },
    failures: failures.map(({ title, line, message, snapshot }) => ({
      ...{ title, line, message: rawText(message) },
      ...(snapshot && { snapshot: rawText(snapshot) }),
    })),
    error: error && failureOf(error),
  };
}
