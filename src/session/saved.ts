import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { actions } from '../actions/registry.js';
import { checkChain } from '../locators/locator-expression.js';
import { emissionSchema } from '../model/emission.js';
import { CodegenError, messageOf } from '../model/errors.js';
import { parseJson } from '../model/json.js';
import type { LocatorArgument, LocatorChain } from '../model/locator.js';
import type { Assertion, Step } from '../model/step.js';
import { hideTemplates, templateSchema } from '../model/template.js';
import { sha256 } from '../model/text.js';
import { useSchema } from '../model/use.js';
import { errorCode } from '../state/files.js';
import type { Session } from './session.js';

/** Incremented with each change that an older server would misread. */
const currentVersion = 2;

const locatorArgument: z.ZodType<LocatorArgument> = z.lazy(() =>
  z.union([
    z.string(),
    z.number(),
    z.boolean(),
    z.strictObject({ locator: locatorChain }),
    z.record(z.string(), locatorArgument),
  ]),
);

const locatorChain: z.ZodType<LocatorChain> = z.lazy(() =>
  z
    .array(z.strictObject({ method: z.string(), args: z.array(locatorArgument) }))
    .check(({ value, issues }) => {
      try {
        checkChain(value);
      } catch (error) {
        issues.push({ code: 'custom', message: messageOf(error), input: value });
      }
    }),
);

const args = z.record(z.string(), z.json());

const assertionSchema = z
  .strictObject({ locator: locatorChain.optional(), args } satisfies Record<keyof Assertion, z.ZodType>)
  .check(({ value, issues }) => {
    const problem = problemOf({ action: 'expect', ...value });
    if (problem !== undefined) issues.push({ code: 'custom', message: problem, input: value });
  });

const signalSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.enum(['popup', 'page']), page: z.string() }),
  z.strictObject({ type: z.literal('download'), suggestedFilename: z.union([z.string(), templateSchema]) }),
  z.strictObject({ type: z.literal('filechooser') }),
]);

const stepSchema = z
  .strictObject({
    action: z.string(),
    locator: locatorChain.optional(),
    alternative: locatorChain.optional(),
    own: z.array(locatorChain).optional(),
    to: locatorChain.optional(),
    mask: z.array(locatorChain).optional(),
    args,
    page: z.string().optional(),
    signals: z.array(signalSchema).optional(),
    copies: z.literal(true).optional(),
    loads: z.literal(true).optional(),
    leadsTo: z.string().optional(),
    seen: z.string().optional(),
    note: z.string().optional(),
    assertions: z.array(assertionSchema).optional(),
    changedPage: z.literal(true).optional(),
    slowMs: z.int().positive().optional(),
    lateMs: z.int().positive().optional(),
    showsToday: z.literal(true).optional(),
    unchecked: z.literal(true).optional(),
  } satisfies Record<keyof Step, z.ZodType>)
  .check(({ value, issues }) => {
    const problem = problemOf(value);
    if (problem !== undefined) issues.push({ code: 'custom', message: problem, input: value });
  });

/** The outcome of the verification with which a session ended. */
const verificationSchema = z.strictObject({
  at: z.iso.datetime(),
  status: z.enum(['passed', 'failed', 'off']),
  runs: z.int(),
  passed: z.int(),
  sensitivity: z
    .strictObject({
      withoutJavaScript: z.enum(['passed', 'failed']).optional(),
      stepsTried: z.int().optional(),
      unnoticed: z.array(z.int()).optional(),
    })
    .optional(),
});

/** What is saved of every session. */
export const savedSchema = z.strictObject({
  version: z.literal(currentVersion),
  title: z.string(),
  /** The emitted spec, relative to the workspace, with forward slashes. */
  file: z.string(),
  emission: emissionSchema,
  use: useSchema,
  autoAssert: z.boolean(),
  har: z.literal('record').optional(),
  pageObjectsDir: z.string().optional(),
  ownModules: z.array(z.strictObject({ file: z.string(), alias: z.string().optional() })).optional(),
  base: z
    .strictObject({
      file: z.string(),
      text: z.string(),
      line: z.int().optional(),
      kind: z.enum(['seed', 'spec']),
    })
    .optional(),
  uniques: z.record(z.string(), z.string().regex(/^[a-z]+$/)).optional(),
  steps: z.array(stepSchema).min(1),
  verification: verificationSchema.optional(),
});

/** A session as it was when its test was written. */
export type SavedSession = z.infer<typeof savedSchema>;

/** What `resume` needs of a session whose test is, or will be, `file`. */
export function savedForm(session: Session, file: string): SavedSession {
  const { title, emission, use, autoAssert, har, pageObjectsDir, ownModules, base, uniques, steps } = session;
  return {
    version: currentVersion,
    title,
    file,
    emission,
    use,
    autoAssert,
    ...(har && { har }),
    ...(pageObjectsDir && { pageObjectsDir }),
    ...(ownModules && { ownModules: [...ownModules] }),
    ...(base && { base }),
    ...(uniques && { uniques }),
    steps,
  };
}

/** The file of the state directory that holds what is known of a session whose test is `file`. */
export function savedFile(
  session: Session,
  file: string,
  { status, runs, passed, sensitivity }: Omit<z.infer<typeof verificationSchema>, 'at'>,
): { names: string[]; text: string } {
  const verification = { at: new Date().toISOString(), status, runs, passed, sensitivity };
  return { names: namesOf(file), text: JSON.stringify({ ...savedForm(session, file), verification }) };
}

/** Path of `savedFile`. */
export function savedPath(stateDirectory: string, file: string): string {
  return path.join(stateDirectory, ...namesOf(file));
}

/**
 * The saved session of an emitted file, whose path is relative to the workspace; undefined if there is none.
 * Throws INVALID_INPUT if it is damaged or of a newer version, WRITE_FAILED if it can't be read.
 */
export async function loadSession(stateDirectory: string, file: string): Promise<SavedSession | undefined> {
  const saved = await readSaved(savedPath(stateDirectory, file), file, savedSchema);
  if (saved !== undefined && saved.file !== file) throw unusable(file, `belongs to ${saved.file}`);
  return saved;
}

/** What is saved at a place of the session called `name`; undefined for nothing. Throws as `loadSession` does. */
export async function readSaved<Saved>(
  place: string,
  name: string,
  schema: z.ZodType<Saved>,
): Promise<Saved | undefined> {
  let text: string;
  try {
    text = await readFile(place, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw new CodegenError('WRITE_FAILED', `${place} can't be read: ${messageOf(error)}.`, {
      hint: 'Make the state directory readable for this server.',
      cause: error,
    });
  }
  const data = parseJson(text);
  const { version } = z.looseObject({ version: z.int() }).safeParse(data).data ?? {};
  if (version !== undefined && version > currentVersion)
    throw unusable(name, `was saved by a newer version of codegen-session-mcp (format ${version})`);
  const checked = schema.safeParse(data);
  if (!checked.success) throw unusable(name, `is damaged (${firstIssue(checked.error)})`);
  return checked.data;
}

function namesOf(file: string): string[] {
  return ['sessions', `${keyOf(file)}.json`];
}

/** A name for what is saved of a file, whose own may be too long. */
export function keyOf(file: string): string {
  return sha256(file).slice(0, 32);
}

/** Why a step can't be replayed; undefined if it can. */
function problemOf({ action: name, locator, to, args: given }: Step): string | undefined {
  const action = actions.get(name);
  if (action?.recorded !== true) return `there is no action "${name}" to record`;
  if (action.target === 'element' && locator === undefined) return `${name} has no locator`;
  if (action.second !== undefined && to === undefined) return `${name} has no second locator`;
  const { error } = action.fields.safeParse(hideTemplates(given));
  return error === undefined ? undefined : `${name}: ${firstIssue(error)}`;
}

function firstIssue({ issues: [issue] }: z.ZodError): string {
  return issue === undefined ? '' : `${issue.path.join('.')}: ${issue.message}`;
}

function unusable(file: string, why: string): CodegenError {
  return new CodegenError('INVALID_INPUT', `The saved session of ${file} ${why}.`, {
    hint: 'Record the flow again, or correct the test by hand.',
  });
}
