import { z } from 'zod';
import { matchedSchema } from '../model/pattern.js';
import { isPattern } from '../model/locator.js';
import { callCode, defineAction, valueCode } from './action.js';

const fields = z.strictObject({
  accept: z.boolean().optional().describe('Accept it; true when left out.'),
  promptText: z.string().optional().describe('What is entered into a prompt.'),
  message: matchedSchema.optional().describe('What the dialog has to say.'),
});

type DialogFields = z.infer<typeof fields>;

export const onDialog = defineAction({
  name: 'onDialog',
  description:
    "Answers the next action's dialog, which has to come; several in a row answer as many dialogs. Without it, dialogs are dismissed.",
  target: 'none',
  kind: 'expects',
  fields,
  perform({ answerDialog, announce }, { accept = true, ...answer }) {
    announce(answerDialog({ accept, ...answer }));
    return Promise.resolve();
  },
  emit(_, page, { declare, companions, leads, afterNext }) {
    if (companions.length === 0 || !leads) return '';
    const answers = companions.map(({ args }) => fields.parse(args));
    const promise = declare('dialogPromise');
    afterNext(`await ${promise};`);
    return `const ${promise} = ${page}.waitForEvent("dialog").then(${answerCode(answers, page)});`;
  },
});

/** A function that answers the first dialog, and those that follow it. */
function answerCode([answer, ...others]: readonly DialogFields[], page: string, depth = 1): string {
  if (answer === undefined) return '';
  const dialog = depth === 1 ? 'dialog' : `dialog${depth}`;
  const { accept = true, promptText, message } = answer;
  const reply = callCode(dialog, accept ? 'accept' : 'dismiss', accept ? promptText : undefined);
  if (message === undefined && others.length === 0) return `(${dialog}) => ${reply}`;
  const matcher = isPattern(message) ? 'toMatch' : 'toBe';
  const next = `next${depth === 1 ? '' : depth}`;
  return [
    `async (${dialog}) => {`,
    ...(message === undefined ? [] : [`expect(${dialog}.message()).${matcher}(${valueCode(message)});`]),
    // Listened for before this one is answered: the next may come at once.
    ...(others.length === 0
      ? [`await ${reply};`]
      : [
          `const ${next} = ${page}.waitForEvent("dialog").then(${answerCode(others, page, depth + 1)});`,
          `await ${reply};`,
          `await ${next};`,
        ]),
    '}',
  ].join('\n');
}
