import path from 'node:path';
import { z } from 'zod';
import { clipboardPermissions, grantedOrigin } from '../actions/clipboard.js';
import { expect as expectAction } from '../actions/expect.js';
import { actions, codeSteps, traitsOf } from '../actions/registry.js';
import type { BaseSpec } from '../codegen/base-spec.js';
import type { OwnStart } from '../codegen/own-fixtures.js';
import type { Unchecked } from '../codegen/own-matches.js';
import type { CodeStyle } from '../codegen/format.js';
import { writeTest, type Origin, type Variant } from '../codegen/source.js';
import type { TestTemplate } from '../codegen/templates.js';
import { testUse } from '../codegen/test-use.js';
import type { Config } from '../config/schema.js';
import { withHeader } from '../model/header.js';
import { parseFields, referencesIn } from '../model/template.js';
import type { Assertion, Step } from '../model/step.js';
import type { BrowserName, ProjectUse, Use } from '../model/use.js';
import type { Secrets } from '../model/secrets.js';
import { type EmissionOptions, extensions, type TestModule } from '../model/emission.js';
import type { sessionHar, SessionHar } from './har.js';
import type { Session } from './session.js';
import { pagesDirectory, type OwnPages, type PageFile, type SpecPath } from './page-files.js';

export interface SessionSource {
  /** The whole text of the file, whose header depends on the path, relative to the workspace. */
  content: (relativePath: string) => string;
  /** The same lines, for a run of this test alone. */
  staged: (relativePath: string) => string;
  /** The origin of each line of the file, by line number; the first line has number 1. */
  origins: ReadonlyMap<number, Origin>;
  /** What a person should know of page objects that could not be used. */
  warnings: string[];
  /** Automatic assertions that it lacks, since methods of page objects go on without them. */
  unchecked: Unchecked[];
  /** Files that the test needs, by their paths in the workspace. */
  files: string[];
  /** The page objects that it uses. */
  pages: SourcePage[];
}

/** A page object that a test uses. */
export interface SourcePage {
  /** Its file, relative to the directory of the spec, with forward slashes. */
  file: string;
  content: (relativePath: string) => string;
  /** What it was made from: the text on the disk, or null if there is none. */
  basis: string | null;
  /** False for one that a person has changed, which is used as it is. */
  isOurs: boolean;
}

/** The workspace, and the configuration as it is now. */
export interface Workspace {
  workspace: string;
  config: () => Config;
  secrets: Secrets;
}

/** What decides how the session's test is written, besides the session; read once for a call. */
export interface Surroundings {
  /** The test's path in the workspace. */
  spec: string;
  template: TestTemplate;
  /** The `use` that the workspace's own configuration has for the test. */
  project: ProjectUse;
  /** The browser that recorded it. */
  browserName: BrowserName;
  /** The existing page objects. */
  pages: ReadonlyMap<string, PageFile>;
  /** Those that a person wrote, and what can't be read of them. */
  ownPages?: OwnPages | undefined;
  /** Whether it is recorded with client certificates that the project does not have. */
  lacksCertificates?: boolean;
  /** What it replays instead of using the network. */
  har?: SessionHar | undefined;
  /** How the project writes code. */
  style?: CodeStyle | undefined;
  /** Where the test has `test` from, if not from `@playwright/test`. */
  testModule?: TestModule | undefined;
}

/** The template of a session. Throws INVALID_INPUT if none has that name. */
export async function sessionTemplate(
  { config, workspace }: Workspace,
  { template }: Pick<EmissionOptions, 'template'>,
): Promise<TestTemplate> {
  const { findTemplate } = await import('../codegen/templates.js');
  const { templatesDir } = config().output;
  return findTemplate(template, templatesDir === null ? undefined : path.resolve(workspace, templatesDir));
}

/** Looks at what surrounds the test of a session that is to be written to `file`. */
export async function surroundingsOf(
  context: Workspace,
  session: Session,
  file: SpecPath,
  { signal }: { signal: AbortSignal },
): Promise<Surroundings> {
  const { askProject } = await import('../verify/project-use.js');
  const { codeStyleOf } = await import('./code-style.js');
  const { emission, use } = session;
  const { browser, verify, network } = context.config();
  const browserName = use.browserName ?? browser.name;
  const template = await sessionTemplate(context, emission);
  const module = await testModule(context, emission, file);
  const {
    use: project,
    isCovered,
    testDir,
  } = await askProject(
    { workspace: context.workspace, file: file.absolute, browserName },
    { timeoutMs: verify.timeoutMs, signal },
  );
  return {
    spec: file.relative,
    template,
    project,
    browserName,
    pages: template.hasPages ? await (await import('./page-files.js')).readPageFiles(file) : new Map(),
    ownPages: await ownPages(context, session, module),
    lacksCertificates: browser.clientCertificates.length > 0 && project['clientCertificates'] === undefined,
    har: await harOf(session, { spec: file.relative, secrets: context.secrets, rules: network }),
    testModule: module,
    style: await codeStyleOf(context.workspace, {
      spec: file.absolute,
      directory: isCovered && testDir !== undefined ? testDir : path.dirname(file.absolute),
    }),
  };
}

async function harOf(...args: Parameters<typeof sessionHar>): ReturnType<typeof sessionHar> {
  return args[0].network && (await import('./har.js')).sessionHar(...args);
}

/** The page objects that a person wrote, for the test of a session. */
export async function ownPages(
  { workspace, config }: Workspace,
  { pageObjectsDir: detected, ownModules, base }: Pick<Session, 'pageObjectsDir' | 'ownModules' | 'base'>,
  given: TestModule | undefined,
): Promise<OwnPages> {
  const pageObjectsDir = config().output.pageObjectsDir ?? detected;
  const { readOwnPageFiles } = await import('./page-files.js');
  const read = await readOwnPageFiles(workspace, pageObjectsDir, ownModules);
  const module = base === undefined ? given : await moduleOf(workspace, base);
  if (module === undefined) return read;
  const { withFixtures } = await import('./fixture-pages.js');
  return { ...read, ...(await withFixtures(workspace, read.pages, module)) };
}

/** Where the test of a base spec has its fixtures from. */
async function moduleOf(workspace: string, base: BaseSpec): Promise<Pick<TestModule, 'file' | 'test'>> {
  const { objectsIn } = await import('../codegen/base-spec.js');
  return { file: path.join(workspace, base.file), test: objectsIn(base).test };
}

/** Resolves `importTestFrom`; undefined for `@playwright/test`. Throws INVALID_INPUT if it does not resolve. */
export async function testModule(
  { workspace }: Pick<Workspace, 'workspace'>,
  { importTestFrom }: Pick<EmissionOptions, 'importTestFrom'>,
  { absolute }: Pick<SpecPath, 'absolute'>,
): Promise<TestModule | undefined> {
  if (importTestFrom === undefined) return undefined;
  const { resolveTestModule } = await import('../verify/test-module.js');
  return resolveTestModule(workspace, absolute, importTestFrom);
}

/** The sources of one call, by their input. */
const built = new WeakMap<Surroundings, Map<string, Promise<SessionSource>>>();

/** The session's test, or a variant of it; the same content is built once. Throws what `writeTest` throws. */
export function sessionSource(
  session: Session,
  surroundings: Surroundings,
  { soft = false, without, pictures }: Variant = {},
): Promise<SessionSource> {
  const { steps } = session;
  const isSoft = soft && steps.some(({ assertions = [] }) => assertions.length > 0);
  const variant: Variant = { soft: isSoft, ...(without === undefined ? {} : { without }), pictures };
  const sources = built.get(surroundings) ?? new Map<string, Promise<SessionSource>>();
  built.set(surroundings, sources);
  const key = JSON.stringify([steps, variant]);
  const source = sources.get(key) ?? buildSource(session, surroundings, variant);
  sources.set(key, source);
  return source;
}

async function buildSource(
  session: Session,
  {
    spec,
    template,
    project,
    browserName,
    pages: existing,
    ownPages: own,
    testModule: module,
    har,
    style,
    lacksCertificates = false,
  }: Surroundings,
  variant: Variant,
): Promise<SessionSource> {
  const { language, testNamePrefix } = session.emission;
  const { use } = session;
  const clipboard = clipboardPermissions(session.steps, browserName);
  const hasLogin = (use.storageState ?? project['storageState']) !== undefined;
  const steps = relativeTo(project, session)
    .map((step) => grantsAll(step, clipboard))
    .map((step) => (hasLogin ? loggedOut(step) : step));
  const { base } = session;
  const { source, origins, files, pages, staged, warnings, unchecked } = await writeTest(
    {
      ...session.emission,
      template,
      style,
      title: testNamePrefix + session.title,
      testModule: module,
      use: parseFields({
        ...(await testUse(useOf(session, clipboard), browserName, project)),
        ...(har && { serviceWorkers: 'block' }),
      }),
      har: har?.files,
      spec,
      baseURL: baseURLOf(session, project),
      steps: codeSteps(steps),
      secrets: referencesIn([parseFields(use), ...session.steps]),
      uniques: session.uniques ?? {},
      pages: existing,
      base,
      ownPages: own?.pages,
      starts: own?.starts && startsIn(project, own.starts),
    },
    variant,
  );
  // A spec that a person wrote has no header.
  const headerLines = base?.kind === 'spec' ? 0 : linesOfHeader;
  const whole = (text: string) => (relativePath: string) =>
    base?.kind === 'spec' ? text : withHeader(relativePath, text);
  const shifted = [...origins].map(([line, { within, ...origin }]) => {
    const lines = within && new Map([...within].map(([inner, step]) => [inner + headerLines, step]));
    return [line + headerLines, { ...origin, ...(lines === undefined ? {} : { within: lines }) }] as const;
  });
  return {
    content: whole(source),
    staged: whole(staged ?? source),
    origins: new Map(shifted),
    warnings: [
      ...(lacksCertificates ? [certificateAdvice] : []),
      ...(own?.warnings ?? []),
      ...(har?.warnings ?? []),
      ...warnings,
    ],
    unchecked,
    files,
    pages: pages.map(({ name, source: text, isOurs }) => {
      const basis = existing.get(name)?.text ?? null;
      return {
        file: `${pagesDirectory}/${name}.${extensions[language]}`,
        content: (relativePath) => (isOurs ? withHeader(relativePath, text) : (basis ?? '')),
        basis,
        isOurs,
      };
    }),
  };
}

/** What fixtures do before a test, with the options that its project sets. */
function startsIn(project: ProjectUse, starts: readonly OwnStart[]): OwnStart[] {
  const texts = Object.entries(project).flatMap(([name, each]) =>
    typeof each === 'string' ? [[name, each] as const] : [],
  );
  return starts.map(({ setup, options }) => ({
    setup,
    options: { ...options, ...Object.fromEntries(texts) },
  }));
}

const certificateAdvice =
  'The session used client certificates of codegen.config.json. Tests get theirs from playwright.config: add `clientCertificates` to its `use`.';

const linesOfHeader = withHeader('', '').split('\n').length - 1;

/** What the test's relative URLs are resolved against. */
function baseURLOf({ use }: Session, { baseURL }: ProjectUse): string | undefined {
  return use.baseURL ?? (typeof baseURL === 'string' ? baseURL : undefined);
}

/** The session's steps, with relative URLs if only the project has a base URL. */
function relativeTo(project: ProjectUse, session: Session): readonly Step[] {
  const { steps, use } = session;
  const baseURL = baseURLOf(session, project);
  if (baseURL === undefined || use.baseURL !== undefined) return steps;
  const relative = <Part extends Assertion>(part: Part, action: string): Part => ({
    ...part,
    args: actions.get(action)?.prepare(part.args, baseURL).args ?? part.args,
  });
  return steps.map(({ assertions, ...step }) => ({
    ...relative(step, step.action),
    ...(assertions === undefined
      ? {}
      : { assertions: assertions.map((each) => relative(each, expectAction.name)) }),
  }));
}

/** The session's `use`, with the permissions that its steps need besides. */
function useOf({ use }: Session, needed: readonly string[]): Use {
  return needed.length === 0 ? use : { ...use, permissions: union(use.permissions, needed) };
}

/** A step that grants an origin permissions takes away all others, so that it grants those that are needed too. */
function grantsAll(step: Step, needed: readonly string[]): Step {
  if (grantedOrigin(step) === undefined || needed.length === 0) return step;
  const permissions = z.array(z.string()).parse(step.args['permissions']);
  return { ...step, args: { ...step.args, permissions: union(permissions, needed) } };
}

/** Playwright gives a context the login of the test unless it has its own. */
function loggedOut(step: Step): Step {
  if (!traitsOf(step).opensContext) return step;
  const { use = {} } = step.args;
  return { ...step, args: { ...step.args, use: { storageState: null, ...recordSchema.parse(use) } } };
}

const recordSchema = z.record(z.string(), z.json());

function union(...lists: (readonly string[] | undefined)[]): string[] {
  return [...new Set(lists.flatMap((list = []) => list))];
}
