import { z } from 'zod';
import { call, expectThat, value, values, variable, type Expression, type Statement } from '../model/code.js';
import { matchedSchema } from '../model/pattern.js';
import { isPattern } from '../model/locator.js';
import { defineAction } from './action.js';

const fields = z.strictObject({
  accept: z.boolean().optional().describe('Whether to accept the dialog; true by default.'),
  promptText: z.string().optional().describe('Text to enter into a prompt.'),
  message: matchedSchema.optional().describe('Expected message of the dialog.'),
});

type DialogFields = z.infer<typeof fields>;

export const onDialog = defineAction({
  name: 'onDialog',
  description:
    'Answers the dialog that the next action opens; fails if none opens. Several in a row answer several dialogs. Without it, dialogs are dismissed.',
  kind: 'expects',
  fields,
  perform({ answerDialog, expectEvent, delivery }, { accept = true, ...answer }) {
    // Another page may open the dialog.
    const isFor = (origin: string): boolean => {
      try {
        delivery?.to(origin);
        return true;
      } catch {
        return false;
      }
    };
    expectEvent(answerDialog({ accept, ...answer, isFor }));
    return Promise.resolve();
  },
  toCode(_, { page, declare, companions, leads }) {
    if (companions.length === 0 || !leads) return [];
    const answers = companions.map(({ args }) => fields.parse(args));
    return [
      {
        kind: 'start',
        event: { promise: declare('dialogPromise'), source: answered(answers, page), checks: [] },
      },
    ];
  },
});

/** Waits for a dialog, answers it, and does the same for the following ones. */
function answered([answer, ...others]: readonly DialogFields[], page: Expression, depth = 1): Expression {
  const number = depth === 1 ? '' : String(depth);
  const dialog = `dialog${number}`;
  const { accept = true, promptText, message } = answer ?? {};
  const reply = call(
    variable(dialog),
    accept ? 'accept' : 'dismiss',
    ...values(accept ? promptText : undefined),
  );
  const waiting = call(page, 'waitForEvent', value('dialog'));
  if (message === undefined && others.length === 0)
    return call(waiting, 'then', { kind: 'function', parameters: [dialog], body: reply });
  const said = call(variable(dialog), 'message');
  const body: Statement[] =
    message === undefined ? [] : [expectThat(said, isPattern(message) ? 'toMatch' : 'toBe', values(message))];
  const replying: Statement = { kind: 'run', value: reply };
  if (others.length === 0) body.push(replying);
  else {
    // Starts before this dialog is answered, because the next one may open immediately.
    const event = { promise: `next${number}`, source: answered(others, page, depth + 1), checks: [] };
    body.push({ kind: 'start', event }, replying, { kind: 'finish', event });
  }
  return call(waiting, 'then', { kind: 'handler', parameters: [dialog], body });
}
