import { locatorCode } from '../codegen/locator-code.js';
import type { Assertion, Step } from '../model/step.js';
import type { Action } from './action.js';
import * as element from './element.js';
import { expect } from './expect.js';
import * as navigation from './navigation.js';
import * as structure from './structure.js';

/** The families in the order in which they are documented. */
export const actionFamilies: Readonly<Record<string, readonly Action[]>> = {
  navigation: Object.values(navigation),
  element: Object.values(element),
  assertion: [expect],
  structure: Object.values(structure),
};

/** Every action by its name. */
export const actions: ReadonlyMap<string, Action> = new Map(
  Object.values(actionFamilies)
    .flat()
    .map((action) => [action.name, action]),
);

/** The title of a `step`; undefined for every other action. */
export function groupTitle(step: Step): string | undefined {
  const { title } = step.args;
  return step.action === 'step' && typeof title === 'string' ? title : undefined;
}

/** The statement that does a step again; empty for what only gives structure. */
export function stepCode(step: Step): string {
  const subject = step.locator === undefined ? 'page' : `page.${locatorCode(step.locator)}`;
  return actions.get(step.action)?.emit(step, subject) ?? '';
}

/** The statement of an assertion. */
export function assertionCode(assertion: Assertion): string {
  return stepCode({ action: expect.name, ...assertion });
}
