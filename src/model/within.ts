import { CodegenError } from './errors.js';

/** Milliseconds for a page to answer; one that takes longer does not respond. */
export const answerMs = 5000;

/** The work's result, or undefined if it failed or took longer than `limitMs` milliseconds. */
export async function within<Value>(
  limitMs: number,
  work: Promise<Value> | undefined,
): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, limitMs), undefined);
  });
  try {
    return await Promise.race([work, late]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

/** The work's result. Throws its error, or `tooLate` if it takes longer than `limitMs` milliseconds. */
export async function deadline<Value>(
  limitMs: number,
  work: Promise<Value>,
  tooLate: () => Error,
): Promise<Value> {
  const settled = work.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  const outcome = await within(limitMs, settled);
  if (outcome === undefined) throw tooLate();
  if ('error' in outcome) throw outcome.error;
  return outcome.value;
}

/** The work's result. Throws ACTION_FAILED if it takes longer than `limitMs` milliseconds. */
export function responseWithin<Value>(limitMs: number, work: Promise<Value>): Promise<Value> {
  return deadline(limitMs, work, pageSilent);
}

/** The error of a page that does not answer. */
export function pageSilent(): CodegenError {
  return new CodegenError('ACTION_FAILED', 'The page does not respond.', {
    hint: 'The machine is busy, or a script of the page does not finish. Try again; if it still does not respond, reload it with goto, or clear the session.',
  });
}
