import { z } from 'zod';
import type { CodeStep, Hook } from '../model/code.js';
import type { Assertion, Step } from '../model/step.js';
import type { Traits } from '../model/traits.js';
import type { Action } from './action.js';
import { readText, writeText } from './clipboard.js';
import * as clock from './clock.js';
import * as credentials from './credentials.js';
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

const actionsOf = (...modules: Readonly<Record<string, Action>>[]): Action[] =>
  modules.flatMap((module) => Object.values(module));

export const actionFamilies: Readonly<Record<string, readonly Action[]>> = {
  navigation: actionsOf(navigation),
  element: actionsOf(element, drag, upload),
  mouse: actionsOf(mouse),
  assertion: [expect],
  'dialogs, pages, files': actionsOf(dialog, overlay, pages, download),
  network: actionsOf(network),
  environment: actionsOf(environment, clock, credentials, { writeText, readText }),
  output: actionsOf(output, evaluation),
  structure: actionsOf(structure),
};

export const actions: ReadonlyMap<string, Action> = new Map(
  Object.values(actionFamilies)
    .flat()
    .map((action) => [action.name, action]),
);

export function traitsOf({ action }: Pick<Step, 'action'>): Traits {
  return actions.get(action) ?? { kind: 'passive' };
}

/** Whether only a run of the test can check a step. */
export function worksOnlyInTest(step: Pick<Step, 'action' | 'args'>): boolean {
  return traitsOf(step).asserts === true && isUnchecked(step.args);
}

/** The title of a `step` action; undefined for other actions. */
export function groupTitle(step: Step | undefined): string | undefined {
  const title = step !== undefined && traitsOf(step).opensGroup ? step.args['title'] : undefined;
  return typeof title === 'string' ? title : undefined;
}

/** The hook that a `step` action opens; undefined for other actions. */
export function hookOf(step: Step | undefined): Hook | undefined {
  return step !== undefined && traitsOf(step).opensGroup ? hookSchema.parse(step.args['hook']) : undefined;
}

const hookSchema = z.enum(['beforeEach', 'afterEach']).optional();

/** Index of the first step in an `afterEach` hook; the number of steps if there is none. */
export function cleanUpStart(steps: readonly Step[]): number {
  const start = steps.findIndex((step) => hookOf(step) === 'afterEach');
  return start === -1 ? steps.length : start;
}

export function codeSteps(steps: readonly Step[]): CodeStep[] {
  return steps.map((step, index) => ({
    ...step,
    note: [step.note, slowNote(step)].filter((line) => line !== undefined).join('\n') || undefined,
    traits: traitsOf(step),
    groupTitle: groupTitle(step),
    hook: hookOf(step),
    toCode: (scope) =>
      actions.get(step.action)?.toCode(tolerant(step, latenessAt(steps, index)), scope) ?? [],
    assert: (assertion, scope) => expect.toCode(tolerant(assertion, latenessAt(steps, index)), scope),
  }));
}

/** Explains longer time-outs in the test. */
function slowNote(step: Step): string | undefined {
  const { lateMs, slowMs } = step;
  if (lateMs !== undefined) return `Its effects took ${Math.round(lateMs / 1000)} s when this was recorded.`;
  if (slowMs === undefined || traitsOf(step).asserts !== true) return undefined;
  return `This took ${Math.round(slowMs / 1000)} s when it was recorded.`;
}

/** The delay that assertions of a step must tolerate: its own, or that of the action before it. */
function latenessAt(steps: readonly Step[], index: number): number {
  const acting = steps.slice(0, index + 1).findLast((step) => traitsOf(step).kind === 'mutates');
  const step = steps[index];
  const isSlow = step !== undefined && traitsOf(step).asserts === true;
  // An automatic assertion of that action has already waited.
  const isAwaited = isSlow && (acting?.assertions ?? []).length > 0;
  return Math.max(isAwaited ? 0 : (acting?.lateMs ?? 0), isSlow ? (step.slowMs ?? 0) : 0);
}

/** Raises the time-out of an assertion above Playwright's 5 s if the application was late during recording. */
function tolerant<Asserts extends Assertion & { action?: string }>(
  assertion: Asserts,
  lateMs: number,
): Asserts {
  const { action = expect.name, args } = assertion;
  if (lateMs === 0 || action !== expect.name || args['matcher'] === 'toPassAxe') return assertion;
  const timeout = Math.max(15_000, Math.ceil((3 * lateMs) / 5000) * 5000);
  const given = typeof args['options'] === 'object' && !Array.isArray(args['options']) ? args['options'] : {};
  return { ...assertion, args: { ...args, options: { timeout, ...given } } };
}
