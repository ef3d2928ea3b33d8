import { CodegenError } from '../model/errors.js';
import type { Step } from '../model/step.js';
import { uniqueWord } from '../model/unique.js';
import { checkRequest } from './check-request.js';
import type { ActionRequest, CheckedRequest } from './request.js';
import type { OpenSession } from './session.js';
import { isRef, pinTargets, resolveTarget, timeoutOf, type Located } from './targets.js';
import { autoAssertionsOf, TaskRunner, type RecordLimits, type RecordOutcome } from './task-runner.js';

/** Time-out for the element of an inserted step, since the page has long settled. */
const insertMs = 1000;

/** Characters of the steps of a session, which are saved as a whole after each call. */
const maxSteps = 2_000_000;

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
  const { baseURL } = session.use;
  const unique = (name: string): string => ((session.uniques ??= {})[name] ??= uniqueWord());
  const requests = raw.map((entry, index) => checkRequest(entry, index, { baseURL, unique }));
  if (session.har !== undefined) requireReplayable(requests);
  if (requests.some(({ action }) => action.recorded) && JSON.stringify(session.steps).length > maxSteps)
    throw new CodegenError('FILE_TOO_LARGE', `The steps have more than ${maxSteps} characters.`, {
      hint: 'End the session, or undo large steps. Record the rest in another session.',
    });
  const { at } = limits;
  if (at !== undefined) requireInsertion(session.steps, at, requests);
  const inserting =
    at === undefined || at === session.steps.length
      ? { ...limits, at: undefined }
      : { ...limits, actionMs: Math.min(limits.actionMs, insertMs) };
  for (const { prepared } of requests) {
    await live.secrets.load(prepared.args);
    live.secrets.reveal(prepared.args);
  }
  const shown = live.current;
  const refs = requests
    .flatMap(({ target, to, mask }) => [target, to, ...mask])
    .filter((target) => target !== undefined)
    .filter(isRef);
  const pins = await pinTargets(shown, [...new Set(refs)]);
  await autoAssertionsOf(open)?.catchUp();
  const resolve = (request: CheckedRequest): Promise<Located> =>
    resolveTarget(request, live, {
      shown,
      pins,
      actionMs: timeoutOf(request.prepared.args, inserting.actionMs),
      fields: open.ownFields,
      ...session.use,
    });
  const tasks = requests.map((request) => ({
    ...request,
    locate: () => resolve(request),
    locateTo: () => resolve({ ...request, target: request.to }),
    locateMask: async () => {
      const found = await Promise.all(request.mask.map((target) => resolve({ ...request, target })));
      return found.flatMap(({ chain }) => (chain === undefined ? [] : [chain]));
    },
  }));
  const earlier = new Set(session.steps);
  const outcome = await new TaskRunner(open, inserting).run(tasks, signal);
  const asked = requests.findIndex(({ action }) => action.asksPerson);
  if (asked !== -1)
    outcome.landed = withSteps(
      outcome,
      session.steps.filter((step) => !earlier.has(step)),
      asked,
    );
  const { failure } = outcome;
  session.failedCall = failure && {
    action: requests[failure.index]?.action.name ?? '',
    left: requests.length - failure.index - 1,
  };
  return outcome;
}

/** Throws INVALID_INPUT if the test of a session with a HAR could not do an action. */
function requireReplayable(requests: readonly CheckedRequest[]): void {
  const other = requests.find(({ action }) => action.sendsRequest ?? action.opensContext);
  if (other === undefined) return;
  throw new CodegenError('INVALID_INPUT', `${other.action.name} can't be replayed from a HAR.`, {
    hint: 'Record this flow in a session without `har`.',
  });
}

/** Throws INVALID_INPUT unless these actions can be inserted before the step at an index. */
function requireInsertion(
  { length }: readonly Step[],
  at: number,
  requests: readonly CheckedRequest[],
): void {
  if (at > length)
    throw new CodegenError('INVALID_INPUT', `\`at\` is ${at}, but the session has ${length} steps.`, {
      hint: `Use the index of the step before which to insert, at most ${length}; omit it to append.`,
    });
  const other = requests.find(({ action }) => !action.recorded);
  if (other !== undefined)
    throw new CodegenError('INVALID_INPUT', `${other.action.name} can't be combined with \`at\`.`, {
      hint: 'It changes the numbering; send it in a separate call.',
    });
}

/** What landed, with the steps that a person recorded during the action at an index. */
function withSteps(
  { landed }: RecordOutcome,
  steps: readonly Step[],
  index: number,
): RecordOutcome['landed'] {
  return steps.map(
    (step) => landed.find((each) => each.step === step) ?? { index, step, replaced: undefined },
  );
}
