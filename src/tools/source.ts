import path from 'node:path';
import { z } from 'zod';
import { clipboardPermissions, grantedOrigin } from '../actions/clipboard.js';
import { statementOf, type EmittedStep, type PageCall } from '../codegen/emitter.js';
import { expect as expectAction } from '../actions/expect.js';
import { emitNamed } from '../codegen/named-locators.js';
import { actions, groupTitle } from '../actions/registry.js';
import { generate, type PageObjectUse } from '../codegen/generate.js';
import { quote } from '../codegen/quote.js';
import type { Template } from '../codegen/templates.js';
import { withHeader } from '../guard/header.js';
import type { CheckedPath } from '../guard/paths.js';
import { referencesIn } from '../model/secrets.js';
import type { Assertion, Step } from '../model/step.js';
import type { BrowserName, Use } from '../model/use.js';
import type { EmissionOptions, Session } from '../session/session.js';
import type { ProjectUse } from '../verify/project-use.js';
import { pagesDirectory, type PageFile } from './page-files.js';
import { testUse } from './test-use.js';
import type { ToolCall, ToolContext } from './tool.js';

/** A test of the session that is not written but only run, to learn something from it. */
export interface Variant {
  /** Automatic assertions that fail don't end the run, so that all that fail are found. */
  soft?: boolean;
  /** Index of a step whose action is left out; its automatic assertions stay, and don't end the run. */
  without?: number;
}

/** Where a line of a test comes from. */
export interface Origin {
  /** Index of the step. */
  step: number;
  /** Index among the step's automatic assertions; undefined for its action. */
  assertion?: number;
  /** Where the line calls a method of a page object: the steps of that method's lines. */
  within?: ReadonlyMap<number, number>;
}

export interface SessionSource {
  /** The whole text of the file, whose header depends on the path, relative to the workspace. */
  content: (relativePath: string) => string;
  /** The origin of each line of the file, by line number; the first line has number 1. */
  origins: ReadonlyMap<number, Origin>;
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
  /** What it was made from: the text that is on the disk, or null where there is none. */
  basis: string | null;
  /** False for one that a person has changed, which is used as it is. */
  isOurs: boolean;
}

/** What decides how the session's test is written, besides the session; read once for a call. */
export interface Surroundings {
  /** The test's path in the workspace. */
  spec: string;
  template: Template;
  /** The `use` that the workspace's own configuration has for the test. */
  project: ProjectUse;
  /** The browser that recorded it. */
  browserName: BrowserName;
  /** The page objects that are there. */
  pages: ReadonlyMap<string, PageFile>;
}

/** The template of a session. Throws INVALID_INPUT where there is none of that name. */
export async function sessionTemplate(
  { config, workspace }: Pick<ToolContext, 'config' | 'workspace'>,
  { template }: Pick<EmissionOptions, 'template'>,
): Promise<Template> {
  const { findTemplate } = await import('../codegen/templates.js');
  const { templatesDir } = config().output;
  return findTemplate(template, templatesDir === null ? undefined : path.resolve(workspace, templatesDir));
}

/** Looks at what surrounds the test of a session that is to be written to `file`. */
export async function surroundingsOf(
  context: Pick<ToolContext, 'config' | 'workspace'>,
  { emission, use }: Session,
  file: CheckedPath,
  { signal }: Pick<ToolCall, 'signal'>,
): Promise<Surroundings> {
  const { loadProjectUse } = await import('../verify/project-use.js');
  const { browser, verify } = context.config();
  const browserName = use.browserName ?? browser.name;
  const template = await sessionTemplate(context, emission);
  return {
    spec: file.relative,
    template,
    project: await loadProjectUse(context.workspace, file.absolute, browserName, verify.timeoutMs, signal),
    browserName,
    pages: template.hasPages ? await (await import('./page-files.js')).readPageFiles(file) : new Map(),
  };
}

/** The session's test, or a variant of it. Throws FILE_CHANGED where a page object that a person changed lacks something. */
export async function sessionSource(
  session: Session,
  surroundings: Surroundings,
  { soft = false, without }: Variant = {},
): Promise<SessionSource> {
  const { language, includeComments, testNamePrefix } = session.emission;
  const { spec, template, project, browserName } = surroundings;
  const clipboard = clipboardPermissions(session.steps, browserName);
  const steps = relativeTo(project, session).map((step) => grantsAll(step, clipboard));
  // Where a step is left out, methods that several steps share would have to do without it too.
  const isStory = template.hasPages && without === undefined;
  const { emitted, made, pages } = isStory
    ? await storySource(session, steps, surroundings)
    : { emitted: emitNamed(steps, spec, baseURLOf(session, project)), made: [], pages: [] };
  let group: string | undefined;
  let notes: string[] = [];
  const recorded = steps.flatMap((step, index) => {
    const title = groupTitle(step);
    group = title ?? group;
    const code = emitted[index];
    if (code === undefined) return [];
    if (code.note !== undefined) notes.push(code.note);
    const origin = { step: index };
    // What stands at a group's beginning is for several groups.
    if (title !== undefined) return code.names.map((each) => ({ code: each, origin }));
    const assertions = code.assertions.map((assertion, number) => ({
      code:
        soft || index === without ? assertion.replace(/^await expect\(/, 'await expect.soft(') : assertion,
      group,
      origin: { step: index, assertion: number },
    }));
    const statement = statementOf(index === without ? { ...code, action: '' } : code);
    const { declares, imports, last, calls } = code;
    const note = notes.length === 0 ? undefined : notes.join('\n');
    // One of a step without a statement stands above the next statement.
    if (statement !== '') notes = [];
    const within = calls && pages.find(({ name }) => name === calls.file)?.stepsOf(calls);
    const own = { group, origin: { ...origin, ...(within === undefined ? {} : { within }) } };
    return [
      ...code.names.map((each) => ({ code: each, group, origin })),
      ...(statement === '' ? [] : [{ ...own, code: statement, note, declares, imports }]),
      ...code.assertedNames.map((each) => ({ code: each, group, origin })),
      ...assertions,
      ...last.map((line) => ({ ...own, code: line, follows: true })),
    ];
  });
  const body = [...guards(session), ...recorded];
  const { source, statements } = await generate({
    language,
    template,
    title: testNamePrefix + session.title,
    use: await testUse(useOf(session, clipboard), browserName, project),
    body,
    pageObjects: made,
    includeComments,
  });
  const origins = [...statements].flatMap(([line, statement]) => {
    const origin = body[statement]?.origin;
    return origin === undefined ? [] : [[line + headerLines, origin] as const];
  });
  return {
    content: (relativePath) => withHeader(relativePath, source),
    origins: new Map(origins),
    files: emitted.flatMap(({ files }) => files),
    pages: pages.map(({ name, stepsOf, ...page }) => page),
  };
}

const headerLines = withHeader('', '').split('\n').length - 1;

/** What the test's relative URLs are resolved against. */
function baseURLOf({ use }: Session, { baseURL }: ProjectUse): string | undefined {
  return use.baseURL ?? (typeof baseURL === 'string' ? baseURL : undefined);
}

/** A session's steps as code that uses page objects, and these. */
async function storySource(
  session: Session,
  steps: readonly Step[],
  { spec, template, project, pages: existing }: Surroundings,
): Promise<{
  emitted: EmittedStep[];
  made: PageObjectUse[];
  pages: (SourcePage & { name: string; stepsOf: (call: PageCall) => Map<number, number> })[];
}> {
  const { language } = session.emission;
  const { moduleOf, planStory } = await import('../codegen/page-objects.js');
  const { generatePage } = await import('../codegen/page-object.js');
  const story = planStory(steps, spec, baseURLOf(session, project), existing);
  const extension = language === 'typescript' ? 'ts' : 'js';
  const pages = await Promise.all(
    story.pages.map(async (page) => {
      const basis = existing.get(page.file)?.text ?? null;
      const { source, statements } = await generatePage(template, language, page);
      const isOurs = !page.isFrozen;
      return {
        name: page.file,
        file: `${pagesDirectory}/${page.file}.${extension}`,
        content: (relativePath: string) => (isOurs ? withHeader(relativePath, source) : (basis ?? '')),
        basis,
        isOurs,
        stepsOf: ({ method, steps: done }: PageCall) =>
          new Map(
            [...statements].flatMap(([line, place]) => {
              const step = place.method === method ? done[place.index] : undefined;
              return step === undefined || !isOurs ? [] : [[line + headerLines, step] as const];
            }),
          ),
      };
    }),
  );
  const made = story.made.map(({ variable, page }) => ({
    variable,
    className: page.className,
    from: moduleOf(page),
  }));
  return { emitted: story.emitted, made, pages };
}

/** The session's steps, with relative URLs where only the project has a base URL. */
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

function union(...lists: (readonly string[] | undefined)[]): string[] {
  return [...new Set(lists.flatMap((list = []) => list))];
}

/** Statements that fail where a variable is missing that the test needs: clearer than what the page would say. */
function guards({ steps, use }: Session): { code: string; origin: undefined }[] {
  return referencesIn([use, ...steps.map(({ args }) => args)]).map((name) => ({
    code: `expect(process.env.${name}, ${quote(`${name} is set`)}).toBeTruthy();`,
    origin: undefined,
  }));
}
