import path from 'node:path';
import { isLocatorExpression, parseLocatorExpression } from '../locators/locator-expression.js';
import type { LocatorChain } from '../model/locator.js';
import type { Session } from './session.js';
import { ownPages, testModule, type Workspace } from './test-source.js';

/** Maximum number of locators that are compared with a target. */
const maxFields = 100;

/** The locators of the page objects that a session's test can use; none that several fields have. */
export async function readOwnFields(context: Workspace, session: Session): Promise<LocatorChain[]> {
  const { base, emission, pageObjectsDir = context.config().output.pageObjectsDir } = session;
  if (base === undefined && emission.importTestFrom === undefined && pageObjectsDir === null) return [];
  const spec = { absolute: path.join(context.workspace, session.path) };
  // A module that is gone is an error when the session ends.
  const module = await testModule(context, emission, spec).catch(() => undefined);
  const { pages } = await ownPages(context, session, module);
  const codes = pages.flatMap(({ fields }) => fields.map(({ code }) => code));
  return codes
    .filter((code) => codes.indexOf(code) === codes.lastIndexOf(code))
    .flatMap((code) => chainIn(code.replace(/^page\s*\./, '')))
    .slice(0, maxFields);
}

/** The chain of a field's code; none if it is not a locator of literals. */
function chainIn(code: string): LocatorChain[] {
  try {
    return isLocatorExpression(code) ? [parseLocatorExpression(code)] : [];
  } catch {
    return [];
  }
}
