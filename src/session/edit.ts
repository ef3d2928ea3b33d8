import { traitsOf } from '../actions/registry.js';
import type { Removal } from '../actions/action.js';
import { CodegenError } from '../model/errors.js';
import type { Step } from '../model/step.js';
import type { Traits } from '../model/traits.js';
import { firstPage } from '../browser/live-page.js';
import { noteShown } from './shown.js';

/**
 * Removes steps, with those that only expect their events, and single automatic assertions. Returns the removed
 * steps by their indexes. Throws INVALID_INPUT if there is no such step or another one needs it.
 */
export function removeFrom(
  steps: Step[],
  { steps: indexes = [], assertions = [] }: Removal,
): Map<number, Step> {
  for (const index of [...indexes, ...assertions.map(({ step }) => step)]) requireIndex(steps, index);
  for (const { step, index } of assertions) {
    const count = steps[step]?.assertions?.length ?? 0;
    if (index >= count)
      throw new CodegenError(
        'INVALID_INPUT',
        `Step ${step} has ${count} automatic assertions, and none with index ${index}.`,
        {
          hint: 'get_codegen_session with include ["steps"] lists them; an expect is a step of its own.',
        },
      );
  }
  const removed = withExpecting(steps, new Set(indexes));
  requireUnneeded(steps, removed);
  for (const [index, step] of steps.entries()) {
    const gone = new Set(assertions.flatMap((each) => (each.step === index ? [each.index] : [])));
    const kept = (step.assertions ?? []).filter((_, number) => !gone.has(number));
    if (kept.length > 0) step.assertions = kept;
    else delete step.assertions;
    if (gone.size > 0) noteShown(step);
  }
  const all = steps.splice(0);
  steps.push(...all.filter((_, index) => !removed.has(index)));
  return new Map([...all.entries()].filter(([index]) => removed.has(index)));
}

/**
 * Moves a step before the one at an index, both as the list is now. Throws INVALID_INPUT if there is no such step, or a
 * step would come before one that it needs.
 */
export function moveStep(steps: Step[], from: number, before: number): void {
  requireIndex(steps, from);
  if (before !== steps.length) requireIndex(steps, before);
  const moved = steps.filter((_, index) => index !== from);
  moved.splice(before > from ? before - 1 : before, 0, ...steps.slice(from, from + 1));
  for (const [at, step] of moved.entries()) {
    const index = steps.indexOf(step);
    const after = new Set(moved.slice(at));
    const missing = new Set(
      [...steps.keys()].filter((each) => each < index && after.has(steps[each] ?? step)),
    );
    const need = needOf(steps.slice(0, index), step, missing);
    const isLost = answerOf(steps, index) !== answerOf(moved, at);
    if (need === undefined && !isLost) continue;
    throw new CodegenError(
      'INVALID_INPUT',
      `Step ${from} was not moved: step ${index} ${need?.why ?? 'expects something that the next step causes'}.`,
      { hint: 'Keep this order, or move both steps, one after the other.' },
    );
  }
  steps.splice(0, steps.length, ...moved);
}

/** The step that causes what a step expects. */
function answerOf(steps: readonly Step[], index: number): Step | undefined {
  const step = steps[index];
  if (step === undefined || traitsOf(step).kind !== 'expects') return undefined;
  return steps.slice(index + 1).find((each) => traitsOf(each).kind === 'mutates');
}

/** The id of the page that is current before the step at an index. */
export function pageAt(steps: readonly Step[], index: number): string {
  const [before, after] = [steps[index - 1], steps[index]];
  const step = before !== undefined && traitsOf(before).closesPage ? after : before;
  return step?.page ?? firstPage;
}

/** Whether a step before an index has started a download. */
export function hasDownload(steps: readonly Step[], index: number): boolean {
  return steps.slice(0, index).some(startsDownload);
}

/** A test has only the downloads that its own steps, these before the new one, start. */
export function requireDownload(steps: readonly Step[], { usesDownload }: Traits): void {
  if (usesDownload && !hasDownload(steps, steps.length))
    throw new CodegenError('ACTION_FAILED', 'No recorded step starts a download.', {
      hint: 'Record the action that starts the download again, then save it.',
    });
}

/** Describes a removal for the agent. */
export function removalText(indexes: readonly number[], { assertions = [] }: Removal): string {
  return [
    ...(indexes.length === 0 ? [] : [`Removed steps: ${indexes.join(', ')}.`]),
    ...assertions.map(({ step, index }) => `Removed assertion ${index} of step ${step}.`),
    ...(indexes.length === 0 ? [] : ['The page was not rolled back: it still shows their effects.']),
  ].join(' ');
}

function requireIndex({ length }: readonly Step[], index: number): void {
  if (index < length) return;
  throw new CodegenError('INVALID_INPUT', `There is no step ${index}; the session has ${length} steps.`, {
    hint: 'Steps are numbered from 0 in the session. get_codegen_session with include ["steps"] lists them.',
  });
}

/** The steps to remove, and those that expect events of the actions among them. */
function withExpecting(steps: readonly Step[], indexes: ReadonlySet<number>): Set<number> {
  const removed = new Set(indexes);
  for (const [index, step] of steps.entries()) {
    if (traitsOf(step).kind !== 'expects') continue;
    const answer = steps.findIndex((each, at) => at > index && traitsOf(each).kind === 'mutates');
    if (indexes.has(answer)) removed.add(index);
  }
  return removed;
}

function requireUnneeded(steps: readonly Step[], removed: ReadonlySet<number>): void {
  for (const [index, step] of steps.entries()) {
    if (removed.has(index)) continue;
    const need = needOf(steps.slice(0, index), step, removed);
    if (need === undefined) continue;
    throw new CodegenError(
      'INVALID_INPUT',
      `Step ${index} ${need.why}, so step ${need.index} was not removed.`,
      {
        hint: `Remove step ${index} and what depends on it in the same action, or keep step ${need.index}.`,
      },
    );
  }
}

/** The removed step on which a later step depends, and why. */
function needOf(
  before: readonly Step[],
  step: Step,
  removed: ReadonlySet<number>,
): { index: number; why: string } | undefined {
  const { page = firstPage } = step;
  const { opensUrl, usesDownload, kind, verifies } = traitsOf(step);
  const opens = (each: Step): boolean =>
    (each.signals ?? []).some((signal) => 'page' in signal && signal.page === page);
  const loads = (each: Step): boolean =>
    (each.page ?? firstPage) === page && traitsOf(each).opensUrl === true;
  const needsDocument = !opensUrl && (kind === 'mutates' || verifies === true);
  const needs = [
    { index: before.findLastIndex(opens), why: `uses page "${page}", which step %s opens` },
    ...(usesDownload
      ? [{ index: before.findLastIndex(startsDownload), why: 'saves the download of step %s' }]
      : []),
    // If another document remains, only a run can show whether it is the right one.
    ...(needsDocument && !before.some((each, index) => loads(each) && !removed.has(index))
      ? [{ index: before.findLastIndex(loads), why: 'acts in the document that step %s opens' }]
      : []),
  ];
  const found = needs.find(({ index }) => removed.has(index));
  return found && { ...found, why: found.why.replace('%s', String(found.index)) };
}

function startsDownload({ signals = [] }: Step): boolean {
  return signals.some(({ type }) => type === 'download');
}

/** Index at which a group opens: before the steps that expect an event of its first action, which is awaited inside it. */
export function groupStart(steps: readonly Step[]): number {
  const kinds = steps.map((step) => traitsOf(step).kind);
  const expecting = kinds.indexOf('expects', kinds.lastIndexOf('mutates') + 1);
  return expecting === -1 ? steps.length : expecting;
}
