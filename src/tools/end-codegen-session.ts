import { supersededAssertions } from '../session/shown.js';
import path from 'node:path';
import { z } from 'zod';
import { verifyModeSchema } from '../config/schema.js';
import type { WriteRequest } from '../guard/output.js';
import type { CheckedPath } from '../guard/paths.js';
import type { StateFile, WrittenFile } from '../guard/plan.js';
import { CodegenError, messageOf } from '../model/errors.js';
import { ownText, PageText } from '../model/page-text.js';
import type { Session } from '../session/session.js';
import { sessionSource, surroundingsOf, type Surroundings } from '../session/test-source.js';
import type { Answer } from './answer.js';
import { defineTool, selfEvident, types, type ToolContext } from './tool.js';
import type { ReportInput } from '../session/verification/report.js';
import type { Verified, verifySession } from '../session/verification/verify-session.js';

type VerifyMode = z.infer<typeof verifyModeSchema>;

const notVerified: Verified = {
  verification: { status: 'off', runs: 0, passed: 0, durationMs: 0 },
  pictures: [],
  warnings: [],
};

export const endCodegenSession = defineTool({
  name: 'end_codegen_session',
  title: 'End a codegen session',
  description:
    'Runs the test of a session and, if it passes, writes it and closes the page. A failed call leaves the session open and the disk unchanged.',
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  input: z.strictObject({
    sessionId: z.string().meta(selfEvident).describe('The session to end.'),
    file: z.string().min(1).optional().describe('Replaces the file of the session.'),
    onConflict: z
      .enum(['fail', 'rename', 'overwrite'])
      .optional()
      .describe('If the file exists: by default fail, overwrite if resumed.'),
    verify: verifyModeSchema
      .optional()
      .describe(
        'require: write only if it passes; report: write anyway; off: do not run. As configured by default.',
      ),
    dryRun: z.boolean().optional().meta(selfEvident).describe('Only show what would be written.'),
    include: z
      .array(z.enum(['code', 'report']))
      .optional()
      .meta(selfEvident)
      .describe('Also return the code; write an HTML report.'),
  }),
  output: {
    filePath: types.text,
    files: types.objects,
    testCode: types.text,
    verification: types.object,
    warnings: types.texts,
    remaining: types.object,
    resets: types.object,
  },

  async handle(context, { sessionId, file, verify: asked, dryRun = false, include = [], ...args }, call) {
    const { verify: configured } = context.config();
    const mode = asked ?? configured.mode;
    if (configured.enforce) requireMode(mode, configured.mode);
    return context.sessions.useRecorded(sessionId, async (session, open) => {
      if (session.steps.length === 0)
        throw new CodegenError('INVALID_INPUT', 'Nothing has been recorded in this session.', {
          hint: 'Record actions first, or close it with clear_codegen_session.',
        });
      await open?.autoAssertions?.catchUp();
      const superseded = supersededAssertions(session.steps);
      const replaces = session.resumed && file === undefined;
      const { onConflict = replaces ? 'overwrite' : 'fail' } = args;
      const name = await fileName(context, session, { file, onConflict });
      const checked = await context.guard.checkPath(name, session.emission);
      const surroundings = await surroundingsOf(context, session, checked, call);
      const writeRequest = async (): Promise<WriteRequest> => ({
        ...(await filesOf(session, surroundings, { name, checked, replaces })),
        onConflict,
        dryRun,
        confirm: call.confirm,
      });
      // A conflict is reported before anything is run.
      const [target] = await context.guard.write({ ...(await writeRequest()), dryRun: true });
      if (target === undefined) throw new CodegenError('WRITE_FAILED', 'No file was written.');
      const takesPictures = include.includes('report');
      const { verification: ran, ...verified } =
        mode === 'off'
          ? notVerified
          : await verify(context, { session, surroundings, target, takesPictures }, call);
      const { unchecked } = await sessionSource(session, surroundings);
      const dropped = [...superseded, ...(ran.dropped ?? []), ...unchecked];
      const verification = { ...ran, ...(dropped.length === 0 ? {} : { dropped }) };
      const isRefused = mode === 'require' && verification.status === 'failed';
      if (isRefused || call.signal.aborted) return refused({ ...verified, verification });

      // The verified test has other bytes than the planned one if assertions were dropped.
      const { savedFile } = await import('../session/saved.js');
      const beside =
        session.base?.kind === 'spec'
          ? undefined
          : (file: string): StateFile => savedFile(session, file, verification);
      const request = { ...(await writeRequest()), beside };
      request.attachments?.push(...verified.pictures);
      const written = await context.guard.write(request).catch((error: unknown) => {
        if (error instanceof CodegenError && mode !== 'off') return error;
        throw error;
      });
      const warnings = [
        ...verified.warnings,
        ...(await warningsOf(context, { session, surroundings, mode })),
      ];
      if (written instanceof CodegenError)
        return {
          structured: { verification, warnings },
          error: written,
        };
      const [spec = target] = written;
      const reported = await writeReport(context, {
        session,
        file: spec.path,
        verification,
        warnings,
        shown: dryRun ? undefined : verified.shown,
      });
      if (!dryRun) call.noteFiles([...written, ...reported.files]);
      if (!dryRun) await context.sessions.end(session);
      const showsCode = dryRun || include.includes('code');
      return {
        structured: {
          filePath: spec.absolutePath,
          files: written.map(({ absolutePath, sha256Before, ...each }) => each),
          ...(showsCode ? { testCode: request.files[0]?.content(spec.path).toString() ?? '' } : {}),
          verification: { ...verification, ...reported.verification },
          warnings: [...warnings, ...reported.warnings],
          ...(await context.guard.left('end_codegen_session')),
        },
      };
    });
  },
});

/** What is written of a session. */
async function filesOf(
  session: Session,
  surroundings: Surroundings,
  { name, checked, replaces }: { name: string; checked: CheckedPath; replaces: boolean },
): Promise<Omit<WriteRequest, 'onConflict'>> {
  const { content, pages } = await sessionSource(session, surroundings);
  const directory = path.posix.dirname(checked.relative);
  const shared = pages
    .filter(({ isOurs }) => isOurs)
    .map((page) => ({ ...page, file: path.posix.join(directory, page.file) }));
  const extended = replaces && session.base?.kind === 'spec' ? session.base.text : undefined;
  const hars = surroundings.har?.files ?? [];
  return {
    ...session.emission,
    session,
    files: [{ file: name, content, extended }, ...shared],
    attachments: hars.map((har) => ({ path: har.path, data: Buffer.from(har.text) })),
  };
}

async function verify(...args: Parameters<typeof verifySession>): Promise<Verified> {
  return (await import('../session/verification/verify-session.js')).verifySession(...args);
}

/** What is worth knowing of a test, however its runs ended. */
async function warningsOf(
  { workspace }: ToolContext,
  { session, surroundings, mode }: { session: Session; surroundings: Surroundings; mode: VerifyMode },
): Promise<(string | PageText)[]> {
  const [of, { loginWarnings }] = await Promise.all([
    import('../session/warnings.js'),
    import('../session/login.js'),
  ]);
  return [
    ...of.callWarnings(session, await sessionSource(session, surroundings)),
    ...of.sessionWarnings({ steps: session.steps, use: ownUse(session, surroundings) }),
    ...(await loginWarnings(session, workspace)),
    ...(mode === 'off' ? of.uncheckedWarnings(session) : []),
    ...of.brittleElements(session.steps).map((element) => new PageText(element)),
  ];
}

interface Reported {
  files: WrittenFile[];
  verification: Pick<Verified['verification'], 'report'>;
  warnings: string[];
}

/** Writes the report of a run that took pictures. The test is written already, so a failure is only a warning. */
async function writeReport(
  { guard, secrets }: ToolContext,
  { shown, ...input }: Omit<ReportInput, 'shown'> & Pick<Verified, 'shown'>,
): Promise<Reported> {
  if (shown === undefined) return { files: [], verification: {}, warnings: [] };
  const { reportHtml } = await import('../session/verification/report.js');
  try {
    const files = await guard.writeReport(await reportHtml(secrets, { ...input, shown }), input.session);
    return { files, verification: { report: files[0]?.path ?? '' }, warnings: [] };
  } catch (error) {
    return { files: [], verification: {}, warnings: [`The report was not written: ${messageOf(error)}`] };
  }
}

/** The file of a test; one that replays a HAR has to know its name before it is written. */
async function fileName(
  { guard }: ToolContext,
  session: Session,
  { file = session.file, onConflict }: { file?: string | undefined; onConflict: WriteRequest['onConflict'] },
): Promise<string> {
  if (session.har === undefined || onConflict !== 'rename') return file;
  const files = [{ file, content: () => '' }];
  const [planned] = await guard.write({ ...session.emission, session, files, onConflict, dryRun: true });
  return planned?.path ?? file;
}

/** The session's `use` without the login that the project itself provides. */
function ownUse({ use }: Session, { project }: Surroundings): Session['use'] {
  const { storageState, ...others } = use;
  return storageState === undefined || storageState === project['storageState'] ? others : use;
}

/** Throws POLICY_DENIED if a call asks for less than the configuration enforces. */
function requireMode(mode: VerifyMode, enforced: VerifyMode): void {
  const { options } = verifyModeSchema;
  if (options.indexOf(mode) <= options.indexOf(enforced)) return;
  throw new CodegenError(
    'POLICY_DENIED',
    `verify "${mode}" is weaker than "${enforced}", which the configuration enforces.`,
    { hint: `Leave out verify, or use "${enforced}".` },
  );
}

/** The answer if the test has to pass and does not. */
function refused({ verification: { failure, ...verification }, warnings }: Verified): Answer {
  const outcome = 'nothing was written, and the session is open.';
  if (failure?.step !== undefined)
    return {
      structured: { verification: { ...verification, failure }, warnings },
      error: new CodegenError(
        'VERIFY_FAILED',
        ownText(`Step ${failure.step} failed when the test was run; ${outcome}`),
        { hint: '`verification.failure` says why.' },
      ),
    };
  const { message = new PageText(''), hint } = failure ?? {};
  return {
    structured: { verification, warnings },
    error: new CodegenError(
      'VERIFY_FAILED',
      new PageText(message.text, { before: `The test did not pass; ${outcome} ` }),
      hint === undefined ? {} : { hint },
    ),
  };
}
