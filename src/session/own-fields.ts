import path from 'node:path';
import { isLocatorExpression, parseLocatorExpression } from '../locators/locator-expression.js';
import type { LocatorChain } from '../model/locator.js';
import type { Session } from './session.js';
import type { OwnLocators } from './targets.js';
import { ownPages, testModule, type Workspace } from './test-source.js';

/** Maximum number of locators of each kind that are compared with a target. */
const maxLocators = 100;

/** The locators of the page objects that a session's test can use. */
export async function readOwnFields(context: Workspace, session: Session): Promise<OwnLocators> {
  const { emission } = session;
  const spec = { absolute: path.join(context.workspace, session.path) };
  // A module that is gone is an error when the session ends.
  const module = await testModule(context, emission, spec).catch(() => undefined);
  const { pages } = await ownPages(context, session, module);
  const codes = pages.flatMap(({ fields }) => fields.map(({ code }) => code));
  const lines = pages.flatMap(({ methods }) => methods.flatMap(({ statements }) => statements));
  const used = new Set(
    lines.flatMap(({ code }) => /^await (page\b[^]*)\.\w+\([^]*\);$/.exec(code)?.[1] ?? []),
  );
  return {
    fields: chainsIn(codes.filter((code) => codes.indexOf(code) === codes.lastIndexOf(code))),
    used: chainsIn([...used].filter((code) => !codes.includes(code))),
  };
}

/** The chains of code; none for what is not a locator of literals. */
function chainsIn(codes: readonly string[]): LocatorChain[] {
  return codes.flatMap((code) => chainIn(code.replace(/^page\s*\./, ''))).slice(0, maxLocators);
}

function chainIn(code: string): LocatorChain[] {
  try {
    return isLocatorExpression(code) ? [parseLocatorExpression(code)] : [];
  } catch {
    return [];
  }
}
