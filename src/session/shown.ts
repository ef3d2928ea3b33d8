import { assertionKey, type Assertion, type Step } from '../model/step.js';
import { assertionCode } from './step-code.js';

/** The automatic assertions of each step that results have shown. */
const shown = new WeakMap<Step, Assertion[]>();

/** Records that a result shows a step with its automatic assertions. */
export function noteShown(step: Step): void {
  shown.set(step, step.assertions ?? []);
}

/** A shown assertion that the test does not have. */
export interface Superseded {
  /** Index of the step that it followed, and index among the assertions that were shown. */
  step: number;
  index: number;
  code: string;
  reason: 'superseded, or dropped by an earlier run';
}

/** The assertions that results have shown and that later steps, or later changes of the page, made superfluous. */
export function supersededAssertions(steps: readonly Step[]): Superseded[] {
  const expected = new Set(steps.filter(({ action }) => action === 'expect').map(assertionKey));
  return steps.flatMap((step, number) => {
    const kept = new Set([...(step.assertions ?? []).map(assertionKey), ...expected]);
    return (shown.get(step) ?? []).flatMap((assertion, index) =>
      kept.has(assertionKey(assertion))
        ? []
        : [
            {
              step: number,
              index,
              code: assertionCode(assertion),
              reason: 'superseded, or dropped by an earlier run' as const,
            },
          ],
    );
  });
}
