import type { Live } from '../browser/live.js';
import type { PageState } from '../browser/page-state.js';
import type { CodegenError } from '../model/errors.js';
import type { RecordOutcome } from '../session/task-runner.js';
import { types } from './tool.js';

/** A tool's result, structured and as text. Page content is kept apart from our own text. */
export interface Answer {
  structured: Record<string, unknown>;
  /** Our own text, one entry per line. */
  lines: string[];
  /** Text from the pages. */
  pageContent?: string;
  /** A PNG, base64. */
  image?: string;
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
};

/** The state of the pages as text. */
export function pageText({ url, pageTitle, page, pages, snapshot, events }: PageState): string {
  const lines = [`Page: ${url} ${JSON.stringify(pageTitle)}`];
  if (pages.length > 1)
    lines.push(
      ...pages.map(
        (each) => `${each.id === page ? '*' : '-'} ${each.id}: ${each.url} ${JSON.stringify(each.title)}`,
      ),
    );
  lines.push(...events.map((event) => `Event: ${JSON.stringify(event)}`));
  if (snapshot !== undefined) lines.push('Snapshot:', snapshot);
  return lines.join('\n');
}

/** Why a call ended before its last action. */
export interface FailedAction {
  code: CodegenError['code'];
  message: string;
  hint: string;
}

/** Describes a failure; the hint names the elements that the target may have meant. */
export async function failedAction(
  live: Live,
  { error, target }: NonNullable<RecordOutcome['failure']>,
): Promise<FailedAction> {
  const { nearestHint } = await import('../session/candidates.js');
  const hint = [error.hint, await nearestHint(live.current, error, target)].filter(Boolean).join(' ');
  return { code: error.code, message: error.message, hint };
}

export function failureLine({ message, hint }: FailedAction): string {
  return `Failure: ${message} ${hint}`;
}
