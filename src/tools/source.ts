import { groupTitle, stepCode } from '../actions/registry.js';
import { generate } from '../codegen/generate.js';
import { withHeader } from '../guard/header.js';
import { toJson } from '../model/json.js';
import type { Session } from '../session/session.js';

/** The session's test: a function of the path it is written to, which its header covers. */
export async function sessionSource(session: Session): Promise<(relativePath: string) => string> {
  const { language, template, includeComments, testNamePrefix } = session.emission;
  let group: string | undefined;
  const body = session.steps.flatMap((step) => {
    const title = groupTitle(step);
    group = title ?? group;
    if (title !== undefined) return [];
    return [{ code: stepCode(step), note: step.note, group }];
  });
  const source = await generate({
    language,
    template,
    title: testNamePrefix + session.title,
    use: toJson(session.use),
    body,
    includeComments,
  });
  return (relativePath) => withHeader(relativePath, source);
}
