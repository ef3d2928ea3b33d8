import { z } from 'zod';
import type { CodeStep, Hook } from '../model/code.js';
import type { Step } from '../model/step.js';
import type { Traits } from '../model/traits.js';
import type { Action } from './action.js';
import { readText, writeText } from './clipboard.js';
import * as clock from './clock.js';
import * as dialog from './dialog.js';
import * as download from './download.js';
import * as drag from './drag.js';
import * as element from './element.js';
import { expect, isUnchecked } from './expect.js';
import * as evaluation from './evaluate.js';
import * as environment from './environment.js';
import * as mouse from './mouse.js';
import * as navigation from './navigation.js';
import * as network from './network.js';
import * as overlay from './overlay.js';
import * as output from './output.js';
import * as pages from './pages.js';
import * as structure from './structure.js';
import * as upload from './upload.js';

/** The families in the order in which they are documented. */
export const actionFamilies: Readonly<Record<string, readonly Action[]>> = {
  navigation: Object.values(navigation),
  element: [...Object.values(element), ...Object.values(drag), ...Object.values(upload)],
  mouse: Object.values(mouse),
  assertion: [expect],
  'dialogs, pages, files': [
    ...Object.values(dialog),
    ...Object.values(overlay),
    ...Object.values(pages),
    ...Object.values(download),
  ],
  network: Object.values(network),
  environment: [...Object.values(environment), ...Object.values(clock), writeText, readText],
  output: [...Object.values(output), ...Object.values(evaluation)],
  structure: Object.values(structure),
};

/** Every action by its name. */
export const actions: ReadonlyMap<string, Action> = new Map(
  Object.values(actionFamilies)
    .flat()
    .map((action) => [action.name, action]),
);

/** What is known of a step's action. */
export function traitsOf({ action }: Pick<Step, 'action'>): Traits {
  return actions.get(action) ?? { kind: 'passive' };
}

/** Whether only a run of the test can check a step, by what it is. */
export function worksOnlyInTest(step: Pick<Step, 'action' | 'args'>): boolean {
  return traitsOf(step).asserts === true && isUnchecked(step.args);
}

/** The title of a `step`; undefined for every other action. */
export function groupTitle(step: Step | undefined): string | undefined {
  const title = step !== undefined && traitsOf(step).opensGroup ? step.args['title'] : undefined;
  return typeof title === 'string' ? title : undefined;
}

/** The hook that a `step` opens; undefined for every other action. */
export function hookOf(step: Step | undefined): Hook | undefined {
  return step !== undefined && traitsOf(step).opensGroup ? hookSchema.parse(step.args['hook']) : undefined;
}

const hookSchema = z.enum(['beforeEach', 'afterEach']).optional();

/** Index of the first step that an `afterEach` hook does; the number of steps if there is none. */
export function cleanUpStart(steps: readonly Step[]): number {
  const start = steps.findIndex((step) => hookOf(step) === 'afterEach');
  return start === -1 ? steps.length : start;
}

/** Steps with the code of their actions. */
export function codeSteps(steps: readonly Step[]): CodeStep[] {
  return steps.map((step) => ({
    ...step,
    traits: traitsOf(step),
    groupTitle: groupTitle(step),
    hook: hookOf(step),
    toCode: (scope) => actions.get(step.action)?.toCode(step, scope) ?? [],
    assert: (assertion, scope) => expect.toCode(assertion, scope),
  }));
}
