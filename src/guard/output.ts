import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { artifactBytes, loginDirectory, requireArtifactSize } from '../model/artifact.js';
import type { Language } from '../model/emission.js';
import { log } from '../model/log.js';
import { takeQuota, type Confirm } from './admission.js';
import type { Amount } from './budget.js';
import type { GuardContext } from './context.js';
import {
  artifactsDirectory,
  checkArtifactPath,
  checkAttachmentPath,
  checkLoginPath,
  checkPagePath,
  checkReportPath,
  checkSpecPath,
  ownFile,
  requireInside,
  type CheckedPath,
} from './paths.js';
import type { OnConflict, OutputFile, PlanOptions, StateFile, WrittenFile } from './plan.js';
import type { WriteOptions } from './writer.js';

/** Where a call wants its output; missing fields are as configured. */
export interface OutputPlace {
  /** Directory relative to the workspace. */
  outputPath?: string | undefined;
  language?: Language | undefined;
}

export interface WriteRequest extends OutputPlace {
  /** `content` makes the whole text for a path relative to the workspace. A file with a `basis` is a page object. */
  files: ({ file: string } & Pick<OutputFile, 'content' | 'basis' | 'extended'>)[];
  /** Expected screenshots and HARs of the files, by their paths relative to the workspace. */
  attachments?: { path: string; data: Buffer }[];
  onConflict: OnConflict;
  dryRun?: boolean | undefined;
  /** Makes a file of the state directory that is written with them, from the path of the first. */
  beside?: ((path: string) => StateFile) | undefined;
  /** The session that writes; its earlier writes count too. */
  session?: object;
  /** Asks for the approval that the call needs, showing exactly what is to be written. */
  confirm?: Confirm | undefined;
}

/** What each session has written, through any connection. */
const writtenBy = new WeakMap<object, Amount>();

/** Resolves the file of a call. Throws PATH_NOT_ALLOWED. */
export async function checkOutput(
  { territory, config }: GuardContext,
  file: string,
  place: OutputPlace,
  checkFile = checkSpecPath,
): Promise<CheckedPath> {
  const { output, others } = config();
  const directory = place.outputPath ?? output.dir;
  if (others) requireInside(output.dir, directory);
  return withWriteErrors(checkFile(territory, directory, place.language ?? output.language, file));
}

/** Writes all files or none. Throws what `checkOutput` and `writeFiles` throw, and RATE_LIMITED. */
export async function writeOutput(
  context: GuardContext,
  {
    files,
    attachments = [],
    session = {},
    confirm,
    dryRun = false,
    onConflict,
    beside,
    ...place
  }: WriteRequest,
): Promise<WrittenFile[]> {
  const { writes, output } = context.config();
  const targets: OutputFile[] = [];
  for (const { file, content, basis, extended } of files) {
    const check = basis === undefined ? checkSpecPath : checkPagePath;
    targets.push({ target: await checkOutput(context, file, place, check), content, basis, extended });
  }
  for (const { path: file, data } of attachments) {
    const target = await withWriteErrors(checkAttachmentPath(context.territory, file));
    targets.push({ target, content: () => data, maxFileBytes: artifactBytes });
  }
  return writeFor(context, { session, directory: place.outputPath ?? output.dir }, targets, {
    ...writes,
    onConflict,
    dryRun,
    beside,
    check: (relativePath) => checkOutput(context, relativePath, place),
    confirm: confirm && ((plans) => confirm(plans, onConflict)),
  });
}

/** Writes an artifact or a login of a session, replacing an earlier one of that name. */
export async function writeArtifact(
  context: GuardContext,
  file: string,
  data: Buffer,
  session: object,
): Promise<WrittenFile[]> {
  requireArtifactSize(data.length);
  const { territory } = context;
  const [base, checkPath] = file.startsWith(`${loginDirectory}/`)
    ? ([loginDirectory, checkLoginPath] as const)
    : ([artifactsDirectory, checkArtifactPath] as const);
  const check = (given: string): Promise<CheckedPath> =>
    withWriteErrors(checkPath(territory, ownFile(base, given, ownerOf(context))));
  const target = { target: await check(file), content: () => data };
  return writeFor(context, { session, directory: base }, [target], { ...artifactOptions, check });
}

const artifactOptions = {
  maxFileBytes: artifactBytes,
  onConflict: 'overwrite',
  overwrite: 'always',
  dryRun: false,
} as const;

/** The grant, if each has its own directory. */
function ownerOf({ config, caller }: GuardContext): string | undefined {
  return config().others === undefined ? undefined : caller.grant;
}

/** Where the report of a session's verification is, relative to the workspace. */
export function reportPath(context: GuardContext, session: { id: string }): string {
  return ownFile(artifactsDirectory, `report-${session.id}.html`, ownerOf(context));
}

/** Writes the report of a session's verification among the artifacts: HTML, which no call chooses the content of. */
export async function writeReport(
  context: GuardContext,
  data: Buffer,
  session: { id: string },
): Promise<WrittenFile[]> {
  requireArtifactSize(data.length);
  const check = (): Promise<CheckedPath> =>
    withWriteErrors(checkReportPath(context.territory, reportPath(context, session)));
  return writeFor(
    context,
    { session, directory: artifactsDirectory },
    [{ target: await check(), content: () => data }],
    {
      ...artifactOptions,
      check,
    },
  );
}

/** Rolls back or completes what killed processes left. */
export async function recoverWrites({ territory, quota, audit }: GuardContext): Promise<void> {
  const journal = path.join(territory.stateDirectory, 'journal');
  if ((await readdir(journal).catch(() => [])).length === 0) return;
  const { recover } = await import('./recovery.js');
  const settled = await recover({
    territory,
    release: async (id) => (await quota()).release(id),
    report: log,
  });
  for (const { outcome, files } of settled)
    await (await audit()).event('recovery', { outcome, files: files.map((file) => file.path) });
}

/** Writes files of a session if it and the directory, relative to the workspace, have room for them. */
async function writeFor(
  context: GuardContext,
  { session, directory }: { session: object; directory: string },
  files: readonly OutputFile[],
  options: PlanOptions & Pick<WriteOptions, 'dryRun' | 'confirm' | 'beside'>,
): Promise<WrittenFile[]> {
  const { territory, config, secrets } = context;
  const { writes } = config();
  const { writeFiles } = await import('./writer.js');
  const { checkDirectoryBudget, checkSessionBudget, dailyCharges } = await import('./budget.js');
  if (!options.dryRun) await recoverWrites(context);
  const before = writtenBy.get(session) ?? { files: 0, bytes: 0 };
  const written = await writeFiles(files, {
    ...options,
    territory,
    secretsIn: (data) => secrets?.leaksIn(data) ?? [],
    backups: writes.backups,
    async allow(plans) {
      checkSessionBudget(plans, before, writes);
      await checkDirectoryBudget(plans, path.join(territory.workspace, directory), writes);
    },
    reserve(plans, id) {
      const limits = writes.limits.map((limit, index) => ({
        limit,
        rule: `writes.limits[${index}]`,
        count: plans.length,
      }));
      return takeQuota(context, [...limits, ...dailyCharges(plans, writes)], id);
    },
  });
  const changed = options.dryRun ? [] : written.filter(({ change }) => change !== 'unchanged');
  writtenBy.set(session, {
    files: before.files + changed.length,
    bytes: changed.reduce((sum, { bytes }) => sum + bytes, before.bytes),
  });
  return written;
}

async function withWriteErrors(check: Promise<CheckedPath>): Promise<CheckedPath> {
  try {
    return await check;
  } catch (error) {
    const { writeFailure } = await import('./writer.js');
    throw writeFailure(error);
  }
}
