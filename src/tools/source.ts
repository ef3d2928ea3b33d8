import { emitSteps, statementOf } from '../actions/emitter.js';
import { groupTitle } from '../actions/registry.js';
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
  const emitted = emitSteps(session.steps);
  const body = session.steps.flatMap((step, index) => {
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
    const { declares, last } = code;
    const own = { group, origin: { step: index } };
    return [
      ...(statement === '' ? [] : [{ ...own, code: statement, note: step.note, declares }]),
      ...assertions,
      ...last.map((line) => ({ ...own, code: line })),
    ];
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
