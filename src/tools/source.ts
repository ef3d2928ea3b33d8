import { assertionCode, groupTitle, stepCode } from '../actions/registry.js';
import { generate } from '../codegen/generate.js';
import { withHeader } from '../guard/header.js';
import { toJson } from '../model/json.js';
import type { Session } from '../session/session.js';

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
}

/** The session's test, or a variant of it. */
export async function sessionSource(
  session: Session,
  { soft = false, without }: Variant = {},
): Promise<SessionSource> {
  const { language, template, includeComments, testNamePrefix } = session.emission;
  let group: string | undefined;
  const body = session.steps.flatMap((step, index) => {
    const title = groupTitle(step);
    group = title ?? group;
    if (title !== undefined) return [];
    const assertions = (step.assertions ?? []).map((assertion, number) => {
      const code = assertionCode(assertion);
      return {
        code: soft || index === without ? code.replace(/^await expect\(/, 'await expect.soft(') : code,
        group,
        origin: { step: index, assertion: number },
      };
    });
    const action = { code: stepCode(step), note: step.note, group, origin: { step: index } };
    return index === without ? assertions : [action, ...assertions];
  });
  const { source, statements } = await generate({
    language,
    template,
    title: testNamePrefix + session.title,
    use: toJson(session.use),
    body,
    includeComments,
  });
  const headerLines = withHeader('', '').split('\n').length - 1;
  const origins = [...statements].flatMap(([line, statement]) => {
    const origin = body[statement]?.origin;
    return origin === undefined ? [] : [[line + headerLines, origin] as const];
  });
  return { content: (relativePath) => withHeader(relativePath, source), origins: new Map(origins) };
}
