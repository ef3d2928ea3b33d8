import { checkRequest } from './check-request.js';
import type { ActionRequest, CheckedRequest } from './request.js';
import type { OpenSession } from './session.js';
import { isRef, pinRefs, resolveTarget, type Located } from './targets.js';
import { autoAssertionsOf, TaskRunner, type RecordLimits, type RecordOutcome } from './task-runner.js';

/**
 * Performs actions in the session's current page and appends a step for each that succeeds. All of them are checked
 * before the first is performed; the first that fails ends the call, and the steps before it stay.
 */
export async function recordActions(
  open: OpenSession,
  raw: readonly ActionRequest[],
  limits: RecordLimits,
  signal: AbortSignal,
): Promise<RecordOutcome> {
  const { session, live } = open;
  const requests = raw.map((entry, index) => checkRequest(entry, index, session.use.baseURL));
  for (const { prepared } of requests) live.secrets.reveal(prepared.args);
  const shown = live.current;
  const refs = requests
    .flatMap(({ target, to }) => [target, to])
    .filter((target) => target !== undefined)
    .filter(isRef);
  const pins = await pinRefs(shown, [...new Set(refs)]);
  await autoAssertionsOf(open)?.catchUp();
  const resolve = (request: CheckedRequest): Promise<Located> =>
    resolveTarget(request, live, { shown, pins, actionMs: limits.actionMs, ...session.use });
  const tasks = requests.map((request) => ({
    ...request,
    locate: () => resolve(request),
    locateTo: () => resolve({ ...request, target: request.to }),
  }));
  return new TaskRunner(open, limits).run(tasks, signal);
}
