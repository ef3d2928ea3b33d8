import path from 'node:path';
import { emitSteps, statementOf } from '../actions/emitter.js';
import { expect as expectAction } from '../actions/expect.js';
import { actions, groupTitle } from '../actions/registry.js';
import { generate } from '../codegen/generate.js';
import type { Template } from '../codegen/templates.js';
import { withHeader } from '../guard/header.js';
import type { CheckedPath } from '../guard/paths.js';
import type { Assertion, Step } from '../model/step.js';
import type { BrowserName } from '../model/use.js';
import type { EmissionOptions, Session } from '../session/session.js';
import type { ProjectUse } from '../verify/project-use.js';
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
}

export interface SessionSource {
  /** The whole text of the file, whose header depends on the path, relative to the workspace. */
  content: (relativePath: string) => string;
  /** The origin of each line of the file, by line number; the first line has number 1. */
  origins: ReadonlyMap<number, Origin>;
  /** Files that the test needs, by their paths in the workspace. */
  files: string[];
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
  const browserName = use.browserName ?? context.config().browser.name;
  return {
    spec: file.relative,
    template: await sessionTemplate(context, emission),
    project: await loadProjectUse(context.workspace, file.absolute, browserName, signal),
    browserName,
  };
}

/** The session's test, or a variant of it. */
export async function sessionSource(
  session: Session,
  { spec, template, project, browserName }: Surroundings,
  { soft = false, without }: Variant = {},
): Promise<SessionSource> {
  const { language, includeComments, testNamePrefix } = session.emission;
  const steps = relativeTo(project, session);
  let group: string | undefined;
  const emitted = emitSteps(steps, spec);
  const body = steps.flatMap((step, index) => {
    const title = groupTitle(step);
    group = title ?? group;
    const code = emitted[index];
    if (title !== undefined || code === undefined) return [];
    const assertions = code.assertions.map((assertion, number) => ({
      code:
        soft || index === without ? assertion.replace(/^await expect\(/, 'await expect.soft(') : assertion,
      group,
      origin: { step: index, assertion: number },
    }));
    const statement = statementOf(index === without ? { ...code, action: '' } : code);
    const { declares, imports, last } = code;
    const own = { group, origin: { step: index } };
    return [
      ...(statement === '' ? [] : [{ ...own, code: statement, note: step.note, declares, imports }]),
      ...assertions,
      ...last.map((line) => ({ ...own, code: line })),
    ];
  });
  const { source, statements } = await generate({
    language,
    template,
    title: testNamePrefix + session.title,
    use: await testUse(session.use, browserName, project),
    body,
    includeComments,
  });
  const headerLines = withHeader('', '').split('\n').length - 1;
  const origins = [...statements].flatMap(([line, statement]) => {
    const origin = body[statement]?.origin;
    return origin === undefined ? [] : [[line + headerLines, origin] as const];
  });
  return {
    content: (relativePath) => withHeader(relativePath, source),
    origins: new Map(origins),
    files: emitted.flatMap(({ files }) => files),
  };
}

/** The session's steps, with relative URLs where only the project has a base URL. */
function relativeTo({ baseURL }: ProjectUse, { steps, use }: Session): readonly Step[] {
  if (typeof baseURL !== 'string' || use.baseURL !== undefined) return steps;
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
