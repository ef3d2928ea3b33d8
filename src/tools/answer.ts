import type { Live } from '../browser/live.js';
import type { PageState } from '../browser/page-state.js';
import type { CodegenError } from '../model/errors.js';
import { PageText, rawText } from '../model/page-text.js';
import type { OpenSession } from '../session/session.js';
import type { RecordOutcome } from '../session/task-runner.js';
import { types } from './tool.js';

/** A tool's result as data, from which both forms of it are rendered. Page content in it is `PageText`. */
export interface Answer {
  structured: Record<string, unknown>;
  /** Fields that are as in an earlier answer of the session: the text leaves them out. */
  known?: readonly string[];
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

/** What the answers of a session have said of its page. */
const said = new WeakMap<Live, Map<string, string>>();

/** Notes what an answer says of the page. Returns the fields that are as the last answer said. */
export function knownFields(live: Live, state: Pick<PageState, 'url' | 'pageTitle' | 'page'>): string[] {
  const last = said.get(live) ?? new Map<string, string>();
  said.set(live, last);
  return (['url', 'pageTitle', 'page'] as const).filter((key) => {
    const text = rawText(state[key]);
    const isKnown = last.get(key) === text;
    last.set(key, text);
    return isKnown;
  });
}

/** Why a call ended before its last action. */
interface FailedAction {
  code: CodegenError['code'];
  message: string | PageText;
  hint?: string | PageText;
}

/** Describes a failure; the hint says what the page shows of it. */
export async function failedAction(
  open: OpenSession,
  failure: NonNullable<RecordOutcome['failure']>,
): Promise<FailedAction> {
  const { failureHint } = await import('../session/failure-hint.js');
  const found = await failureHint(open, failure);
  const { code, hint, said } = failure.error;
  return {
    code,
    ...said,
    ...(found === '' ? {} : { hint: new PageText(found, { before: `${hint ?? ''} ` }) }),
  };
}
