import { z } from 'zod';
import { run, values } from '../model/code.js';
import { defineAction } from './action.js';

export const evaluate = defineAction({
  name: 'evaluate',
  description:
    'Evaluates a JavaScript expression in the page and shows its value as an event. Denied unless the policy allows it.',
  fields: z.strictObject({
    expression: z.string().min(1).max(10_000).describe('An expression; a function is called.'),
  }),
  playwrightNames: true,
  async perform({ page, show }, { expression }) {
    show(await page.evaluate<unknown>(expression));
  },
  toCode: ({ expression }, { page }) => [run(page, 'evaluate', ...values(expression))],
});
