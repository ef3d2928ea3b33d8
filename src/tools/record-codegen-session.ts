import { z } from 'zod';
import { emitSteps, statementOf } from '../codegen/emitter.js';
import { actions } from '../actions/registry.js';
import { CodegenError } from '../model/errors.js';
import { requestSchema } from '../session/request.js';
import { sessionFiles } from './session-files.js';
import { defineTool, pageOutput, pageText, types } from './tool.js';

/** The fields of actions whose names nobody would guess who knows Playwright. */
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
    'Performs actions in the page, in order, and records those that succeed; the first that fails ends the call. Send several at once. Returns their code and what changed in the snapshot.',
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  input: z.strictObject({
    sessionId: z.string().describe('From start_codegen_session.'),
    actions: z
      .array(requestSchema)
      .min(1)
      .max(100)
      .describe(
        `Fields are named as Playwright's parameters and options, as in {"action":"fill","target":"e5","value":"Ann"}. Besides: ${ownFields.join('; ')}.`,
      ),
    snapshot: z.enum(['diff', 'full', 'none']).optional().describe('diff if left out.'),
  }),
  output: {
    recorded: types.number,
    steps: types.objects,
    failed: types.object,
    ...pageOutput,
    events: types.objects,
  },

  async handle(context, { sessionId, actions: given, snapshot = 'diff' }, { signal }) {
    const { pageState } = await import('../browser/page-state.js');
    const { nearestHint } = await import('../session/candidates.js');
    const { recordActions } = await import('../session/record.js');
    const { browser } = context.config();
    return context.sessions.use(sessionId, async (open) => {
      const { session, live } = open;
      const limits = {
        actionMs: browser.actionTimeoutMs,
        navigationMs: browser.navigationTimeoutMs,
        files: sessionFiles(context, session),
      };
      const { landed, failure, performed } = await recordActions(open, given, limits, signal);
      const mode = failure !== undefined && snapshot === 'none' ? 'diff' : snapshot;
      const state = await pageState(live, mode, open.autoAssertions?.settled());
      const { relative } = await context.guard.checkPath(session.file, session.emission);
      const emitted = emitSteps(session.steps, relative);
      const steps = landed.flatMap(({ index, step }) => {
        const code = emitted[session.steps.indexOf(step)];
        if (code === undefined) return [];
        const { assertions } = code;
        return [
          {
            index,
            code: statementOf(code),
            ...(assertions.length === 0 ? {} : { assertions }),
            ...(step.unchecked === true ? { unchecked: true } : {}),
          },
        ];
      });
      const structured = { recorded: landed.length, steps, ...state };
      const lines = [`Performed ${performed} of ${given.length} actions, recorded ${landed.length}.`];
      const said = steps
        .filter(({ code }) => code !== '')
        .flatMap(({ index, code, assertions = [], unchecked }) => [
          `${index}: ${code}${unchecked === true ? ' (unchecked until the test is run)' : ''}`,
          ...assertions.map((assertion) => `   ${assertion}`),
        ]);
      if (failure === undefined)
        return { structured, lines, pageContent: [...said, pageText(state)].join('\n') };

      const { index, error, target } = failure;
      const hint = [error.hint, await nearestHint(live.current, error, target)].filter(Boolean).join(' ');
      return {
        structured: { ...structured, failed: { index, code: error.code, message: error.message, hint } },
        lines: [...lines, `Action ${index} failed with ${error.code}; what landed before it is kept.`],
        pageContent: [...said, `Failure: ${error.message} ${hint}`, pageText(state)].join('\n'),
        error: new CodegenError(error.code, error.message, { hint }),
        tookEffect: performed > 0,
      };
    });
  },
});
