import type { Live } from '../browser/live.js';
import type { CodegenError } from '../model/errors.js';
import { PageText } from '../model/page-text.js';
import type { RecordOutcome } from '../session/task-runner.js';
import { types } from './tool.js';

/** A tool's result as data, from which both forms of it are rendered. Page content in it is `PageText`. */
export interface Answer {
  structured: Record<string, unknown>;
  /** A PNG, and the absolute path of its file if it was saved. */
  image?: { data: Buffer; file: string | undefined };
  /** Why the call failed, if it failed but has results. */
  error?: CodegenError;
}

/** The part of a result that describes the session's pages. */
export const pageOutput = {
  url: types.text,
  pageTitle: types.text,
  page: types.text,
  pages: types.objects,
  snapshot: types.text,
  events: types.objects,
};

/** Why a call ended before its last action. */
export interface FailedAction {
  code: CodegenError['code'];
  message: string | PageText;
  hint?: string | PageText;
}

/** Describes a failure; the hint names the elements that the target may have meant. */
export async function failedAction(
  live: Live,
  { error, target }: NonNullable<RecordOutcome['failure']>,
): Promise<FailedAction> {
  const { nearestHint } = await import('../session/candidates.js');
  const nearest = await nearestHint(live.current, error, target);
  const { code, hint, said } = error;
  return {
    code,
    ...said,
    ...(nearest === '' ? {} : { hint: new PageText(nearest, { before: `${hint ?? ''} ` }) }),
  };
}
