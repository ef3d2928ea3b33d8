import path from 'node:path';
import { z } from 'zod';
import type { BaseSpec } from '../codegen/base-spec.js';
import { fileNameFor } from '../codegen/naming.js';
import type { CheckedPath } from '../guard/paths.js';
import { emissionSchema, extensions, languageOf } from '../model/emission.js';
import { CodegenError } from '../model/errors.js';
import { inspect } from '../model/header.js';
import { isInside } from '../model/paths.js';
import { useSchema } from '../model/use.js';
import { withCredentialsOrigin } from '../session/credentials-origin.js';
import type { Resumable } from '../session/find-saved.js';
import type { SavedSession } from '../session/saved.js';
import type { SessionPlan } from '../session/session.js';
import type { SpecNames } from '../verify/spec-names.js';
import { selfEvident, shallow, type ToolContext } from './tool.js';

const optionsSchema = emissionSchema.partial();

export const inputSchema = z.strictObject({
  title: z.string().min(1).max(200).optional().describe('What the test shows, e.g. "adds a task".'),
  url: z.string().min(1).optional().describe('Opened, and recorded as the first goto.'),
  file: z.string().min(1).optional().describe('In the output directory; by default, named after the title.'),
  options: optionsSchema.optional().meta(selfEvident).describe('How the test is written.'),
  use: useSchema
    .optional()
    .meta(shallow)
    .describe("Playwright Test's use: device, viewport, locale, storageState, baseURL and others."),
  autoAssert: z.boolean().optional().describe('Assert visible effects of steps; as configured by default.'),
  seed: z.string().min(1).optional().describe('Spec to run first; recording continues in its page.'),
  har: z
    .enum(['record'])
    .optional()
    .meta(selfEvident)
    .describe('Record responses of the network: the test replays it from a HAR and needs no server.'),
  resume: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Emitted spec, or unfinished sessionId, to continue; or any spec, or spec.ts:42, to insert steps there.',
    ),
});

type Arguments = z.infer<typeof inputSchema>;

export type StartPlan = Omit<SessionPlan, 'path' | 'grant'>;

/** What a call of start_codegen_session asks for. `replayed` is the saved session that it continues. */
export async function planOf(
  context: ToolContext,
  args: Arguments,
): Promise<{ plan: StartPlan; replayed: SavedSession | undefined; specNames?: SpecNames | undefined }> {
  if (args.resume === undefined) return { ...(await newPlan(context, args)), replayed: undefined };
  const found = await resumable(context, args.resume);
  if ('kind' in found)
    return { plan: await extendingPlan(found, args, context.config().autoAssert), replayed: undefined };
  return { plan: resumedPlan(found, args), replayed: found.saved };
}

/** The saved session of a name, or the spec that a person wrote. Throws what `findSaved` and `readBase` throw. */
async function resumable(
  { guard, stateDirectory, sessions }: ToolContext,
  name: string,
): Promise<Resumable | BaseSpec> {
  const { findSaved } = await import('../session/find-saved.js');
  const { readBase } = await import('../session/base.js');
  const checkReadable = (file: string): Promise<CheckedPath> => guard.checkReadable(file);
  if (/:\d+$/.test(name)) return readBase(checkReadable, name, 'spec');
  try {
    return await findSaved(
      { stateDirectory, grant: sessions.grant, checkPath: (file, place) => guard.checkPath(file, place) },
      name,
    );
  } catch (error) {
    const base = await readBase(checkReadable, name, 'spec').catch(() => undefined);
    if (base === undefined || inspect(base.file, base.text) === 'untouched') throw error;
    return base;
  }
}

/** What the base spec of a session determines. */
const decidedBySpec = [
  'describe',
  'tags',
  'annotations',
  'data',
  'setup',
  'template',
  'importTestFrom',
  'language',
] as const;

/** Throws INVALID_INPUT if a call sets what its base spec determines. */
function requireUndecided(args: object, names: readonly string[], what: string): void {
  const other = names.find((name) => name in args);
  if (other === undefined) return;
  throw new CodegenError('INVALID_INPUT', `${other} cannot be combined with ${what}.`, {
    hint: 'The spec determines it: omit it, or change it in the spec.',
  });
}

/** A session that inserts steps into a spec that a person wrote. */
async function extendingPlan(base: BaseSpec, args: Arguments, configured: boolean): Promise<StartPlan> {
  const { resume, autoAssert = configured, ...others } = args;
  requireUndecided(others, Object.keys(others), 'resume');
  const { describePlace } = await import('../codegen/base-spec.js');
  return {
    title: describePlace(base).title,
    file: path.posix.basename(base.file),
    emission: {
      language: languageOf(base.file),
      template: 'plain',
      includeComments: true,
      testNamePrefix: '',
      outputPath: path.posix.dirname(base.file),
    },
    use: {},
    autoAssert,
    resumed: true,
    base,
  };
}

/** The spec that a new session begins as. */
async function seedOf({ guard }: ToolContext, args: Arguments): Promise<BaseSpec> {
  requireUndecided(args, ['use', 'har'], 'seed');
  requireUndecided(args.options ?? {}, decidedBySpec, 'seed');
  const { readBase } = await import('../session/base.js');
  const { describePlace } = await import('../codegen/base-spec.js');
  const base = await readBase((file) => guard.checkReadable(file), args.seed ?? '', 'seed');
  describePlace(base);
  return base;
}

/** A new session: the call's values first, then the configuration's. */
async function newPlan(
  context: ToolContext,
  args: Arguments,
): Promise<{ plan: StartPlan; specNames: SpecNames | undefined }> {
  const { output, browser, autoAssert } = context.config();
  const { options = {}, title, url, file } = args;
  const seed = args.seed === undefined ? undefined : await seedOf(context, args);
  const emission = {
    language: seed === undefined ? output.language : languageOf(seed.file),
    template: output.template,
    includeComments: output.includeComments,
    testNamePrefix: '',
    ...(output.importTestFrom === null || seed !== undefined
      ? {}
      : { importTestFrom: output.importTestFrom }),
    ...options,
  };
  const name = title ?? (url === undefined ? 'recorded flow' : `visits ${url}`.slice(0, 200));
  const setup = options.setup ?? (/^auth setup$/i.test(name) || /\.setup\.[jt]s$/.test(file ?? ''));
  const stem = fileNameFor(name);
  const specNames = file === undefined && !setup ? await specNamesOf(context, emission) : undefined;
  const base = setup ? `${stem.replace(/-setup$/, '')}.setup` : nameLike(stem, specNames);
  const plan: StartPlan = {
    title: name,
    file: file ?? `${base}.${extensions[emission.language]}`,
    emission: setup ? { ...emission, setup } : emission,
    use: seed === undefined ? withCredentialsOrigin({ ...browser.use, ...args.use }, url) : {},
    autoAssert: args.autoAssert ?? autoAssert,
    resumed: false,
    har: args.har,
    base: seed,
  };
  return { plan, specNames };
}

/** How specs are named in the directory of a test, unless it is as ours are. */
async function specNamesOf(
  { workspace, config }: ToolContext,
  { outputPath = config().output.dir }: { outputPath?: string | undefined },
): Promise<SpecNames | undefined> {
  const { specNamesIn } = await import('../verify/spec-names.js');
  const directory = path.join(workspace, outputPath);
  if (!isInside(workspace, directory)) return undefined;
  const found = await specNamesIn(workspace, directory);
  return found?.style === 'kebab-case' && found.suffix === 'spec' ? undefined : found;
}

/** The name of a spec without its extension, as others are named. */
function nameLike(stem: string, { style, suffix }: Partial<SpecNames> = {}): string {
  const words = stem.split('-');
  const upper = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
  const names = {
    'kebab-case': stem,
    snake_case: words.join('_'),
    PascalCase: upper,
    camelCase: (words[0] ?? '') + upper.slice(words[0]?.length ?? 0),
  };
  return `${names[style ?? 'kebab-case']}.${suffix ?? 'spec'}`;
}

/** A saved session. Throws INVALID_INPUT if the call sets anything but `autoAssert`. */
function resumedPlan({ saved, replaces, origin }: Resumable, args: Arguments): StartPlan {
  const { resume, autoAssert = saved.autoAssert, ...others } = args;
  const [other] = Object.keys(others);
  if (other !== undefined)
    throw new CodegenError('INVALID_INPUT', `${other} cannot be combined with resume.`, {
      hint: 'The saved session keeps its title, file, options and use; only autoAssert can be set with resume.',
    });
  const { title, file, use, har, pageObjectsDir, ownModules, base } = saved;
  // The configured directory may have changed since.
  const outputPath = saved.emission.outputPath ?? path.posix.dirname(file);
  const emission = { ...saved.emission, outputPath };
  const project = { pageObjectsDir, ownModules, base };
  return { title, file, emission, use, autoAssert, resumed: replaces, origin, har, ...project };
}
