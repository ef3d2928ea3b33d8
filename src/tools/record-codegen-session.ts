import { z } from 'zod';
import { actions } from '../actions/registry.js';
import { CodegenError } from '../model/errors.js';
import type { RecordOutcome } from '../session/task-runner.js';
import { requestSchema } from '../session/request.js';
import { sessionFiles } from '../session/session-files.js';
import type { Session } from '../session/session.js';
import { stepCode } from './step-code.js';
import { failedAction, failureLine, pageOutput, pageText } from './answer.js';
import { defineTool, types } from './tool.js';

/** The fields of actions that Playwright's documentation does not name. */
const ownFields = [...actions.values()]
  .map(({ name, fields, playwrightNames, takesTo }) => ({
    name,
    own: [...(takesTo ? ['to'] : []), ...(playwrightNames ? [] : Object.keys(fields.shape))],
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
        `Fields have the names of Playwright's parameters and options, as in {"action":"fill","target":"e5","value":"Ann"}. Others: ${ownFields.join('; ')}.`,
      ),
    snapshot: z.enum(['diff', 'full', 'none']).optional().describe('diff by default.'),
  }),
  output: {
    recorded: types.number,
    steps: types.objects,
    failed: types.object,
    ...pageOutput,
    events: types.objects,
  },

  async handle(context, { sessionId, actions: given, snapshot = 'diff' }, { signal, begin }) {
    const { pageState } = await import('../browser/page-state.js');
    const { recordActions } = await import('../session/record.js');
    const { browser } = context.config();
    return context.sessions.use(sessionId, async (open) => {
      const { session, live } = open;
      const limits = {
        actionMs: browser.actionTimeoutMs,
        navigationMs: browser.navigationTimeoutMs,
        files: sessionFiles(context, session),
        begin,
      };
      const { landed, failure, performed } = await recordActions(open, given, limits, signal);
      const mode = failure !== undefined && snapshot === 'none' ? 'diff' : snapshot;
      const state = await pageState(live, mode, open.autoAssertions?.settled());
      const { relative } = await context.guard.checkPath(session.file, session.emission);
      const steps = recordedSteps(session, relative, landed);
      const structured = { recorded: landed.length, steps, ...state };
      const lines = [`Performed ${performed} of ${given.length} actions, recorded ${landed.length}.`];
      const stepText = steps.filter(({ code }) => code !== '').flatMap(linesOf);
      if (failure === undefined)
        return { structured, lines, pageContent: [...stepText, pageText(state)].join('\n') };

      const failed = await failedAction(live, failure);
      const { index, code, message, hint } = failed;
      return {
        structured: { ...structured, failed },
        lines: [...lines, `Action ${index} failed with ${code}; the steps recorded before it are kept.`],
        pageContent: [...stepText, failureLine(failed), pageText(state)].join('\n'),
        error: new CodegenError(code, message, { hint }),
      };
    });
  },
});

interface RecordedStep {
  /** Index of the action in the call. */
  index: number;
  code: string;
  assertions?: string[];
  unchecked?: boolean;
  /** The agent's locator that was not kept, and why. */
  replaced?: { target: string; reason: string };
}

/** The recorded steps with their code in the test at `file`. */
function recordedSteps({ steps }: Session, file: string, landed: RecordOutcome['landed']): RecordedStep[] {
  const emitted = stepCode(steps, file);
  return landed.flatMap(({ index, step, replaced }) => {
    const found = emitted[steps.indexOf(step)];
    if (found === undefined) return [];
    const { code, assertions } = found;
    return [
      {
        index,
        code,
        ...(assertions.length === 0 ? {} : { assertions }),
        ...(step.unchecked === true ? { unchecked: true } : {}),
        ...(replaced === undefined ? {} : { replaced }),
      },
    ];
  });
}

function linesOf({ index, code, assertions = [], unchecked, replaced }: RecordedStep): string[] {
  return [
    `${index}: ${code}${unchecked === true ? ' (not checked until the test runs)' : ''}`,
    ...(replaced === undefined ? [] : [`   instead of ${replaced.target}: ${replaced.reason}`]),
    ...assertions.map((assertion) => `   ${assertion}`),
  ];
}
