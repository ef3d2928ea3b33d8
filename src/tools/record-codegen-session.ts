import { z } from 'zod';
import { forced } from '../actions/pointer.js';
import { actions, traitsOf } from '../actions/registry.js';
import type { PageState } from '../browser/page-state.js';
import { CodegenError } from '../model/errors.js';
import { ownText } from '../model/page-text.js';
import type { RecordOutcome } from '../session/task-runner.js';
import { requestSchema } from '../session/request.js';
import { sessionFiles } from '../session/session-files.js';
import type { OpenSession } from '../session/session.js';
import { noteShown } from '../session/shown.js';
import { stepCode } from '../session/step-code.js';
import { failedAction, knownFields, pageOutput } from './answer.js';
import { defineTool, types } from './tool.js';

/** The fields of actions that Playwright's documentation does not name. */
const ownFields = [...actions.values()]
  .map(({ name, fields, playwrightNames, second }) => ({
    name,
    own: [
      ...(second === undefined ? [] : [second]),
      ...Object.keys(fields.shape).filter((field) => !playwrightNames && !(field in forced)),
    ],
  }))
  .filter(({ own }) => own.length > 0)
  .map(({ name, own }) => `${name} ${own.join(',')}`);

export const recordCodegenSession = defineTool({
  name: 'record_codegen_session',
  title: 'Record actions',
  description:
    'Performs actions in the page, in order, and records those that succeed; stops at the first failure. Send several at once. Returns their code and what changed in the snapshot.',
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  input: z.strictObject({
    sessionId: z.string().describe('From start_codegen_session.'),
    actions: z
      .array(requestSchema)
      .min(1)
      .max(100)
      .describe(
        `Fields are named as in Playwright, e.g. {"action":"fill","target":"e5","value":"Ann"}. Others: ${ownFields.join('; ')}.`,
      ),
    at: z.int().min(0).optional().describe('Insert before the step at this index.'),
    snapshot: z.enum(['diff', 'full', 'none']).optional().describe('diff by default.'),
  }),
  output: {
    recorded: types.number,
    steps: types.objects,
    failed: types.object,
    ...pageOutput,
  },

  async handle(context, { sessionId, actions: given, at, snapshot = 'diff' }, call) {
    const { signal, begin, progress } = call;
    const url = context.sessions.addressOf(sessionId);
    const invite = async (reason: unknown): Promise<boolean> =>
      url === undefined ||
      (await call.invite?.show(`The agent asks you to take over: ${String(reason)}`, url)) !== false;
    const { pageState } = await import('../browser/page-state.js');
    const { recordActions } = await import('../session/record.js');
    const { browser } = context.config();
    return context.sessions.use(sessionId, async (open) => {
      const { session, live } = open;
      const handOvers = given.filter(({ action }) => action === 'handOver');
      if (call.invite?.isFirst === true) for (const { reason } of handOvers) await invite(reason);
      open.ownFields ??= await (await import('../session/own-fields.js')).readOwnFields(context, session);
      const limits = {
        actionMs: browser.actionTimeoutMs,
        navigationMs: browser.navigationTimeoutMs,
        files: sessionFiles(context, session),
        begin,
        handOver: (reason: string, timeoutMs: number) => {
          const onWaiting = (): void => {
            progress(`Waiting for a person: ${reason}`);
          };
          return context.sessions.handOver(sessionId, reason, {
            ...{ timeoutMs, signal, onWaiting },
            invite: () => invite(reason),
          });
        },
        at,
      };
      const { landed, failure } = await recordActions(open, given, limits, signal);
      if (session.steps.length >= stepsOfTest) (await import('../codegen/templates.js')).preloadRenderer();
      const state = await pageState(live, snapshot, {
        taken: open.autoAssertions?.settled(),
        settled: true,
      });
      const { relative } = await context.guard.checkPath(session.file, session.emission);
      const steps = recordedSteps(open, relative, landed, state);
      const structured = { recorded: landed.length, steps, ...state };
      const known = knownFields(live, state);
      if (failure === undefined) return { structured, known };

      const failed = { action: failure.index, ...(await failedAction(open, failure)) };
      const message = `Action ${failure.index} of this call failed; what was recorded before it is kept.`;
      return {
        structured: { failed, ...structured },
        known,
        error: new CodegenError(failed.code, ownText(message), { hint: '`failed` says why.' }),
      };
    });
  },
});

/** A session with so many steps will probably become a test. */
const stepsOfTest = 3;

interface RecordedStep {
  /** Index of the step in the session. */
  index: number;
  code: string;
  /** Whether the step changed anything visible; undefined if it does not act, or if that is not known. */
  changed?: boolean;
  assertions?: string[];
  unchecked?: boolean;
  /** The agent's locator that was not kept, and why. */
  replaced?: { target: string; reason: string };
}

/** The recorded steps with their code in the test at `file`. */
function recordedSteps(
  { session: { steps, uniques }, autoAssertions }: OpenSession,
  file: string,
  landed: RecordOutcome['landed'],
  { snapshot }: PageState,
): RecordedStep[] {
  const emitted = stepCode(steps, file, uniques);
  return landed.flatMap(({ step, replaced }) => {
    const index = steps.indexOf(step);
    const found = emitted[index];
    if (found === undefined) return [];
    const { code, assertions } = found;
    noteShown(step);
    // Without automatic assertions, pages are only compared from call to call.
    const isAlone = autoAssertions === undefined && landed.length === 1 && snapshot === 'Unchanged.';
    const acts = traitsOf(step).kind === 'mutates';
    const changed = acts ? (autoAssertions?.changed(step) ?? (isAlone ? false : undefined)) : undefined;
    return [
      {
        index,
        code,
        ...(changed === undefined ? {} : { changed }),
        ...(assertions.length === 0 ? {} : { assertions }),
        ...(step.unchecked === true ? { unchecked: true } : {}),
        ...(replaced === undefined ? {} : { replaced }),
      },
    ];
  });
}
