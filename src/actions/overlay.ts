import { z } from 'zod';
import { handleOverlay } from '../browser/overlays.js';
import { run, type Expression } from '../model/code.js';
import { messageOf } from '../model/errors.js';
import { defineAction } from './action.js';

export const addLocatorHandler = defineAction({
  name: 'addLocatorHandler',
  handlesOverlay: true,
  description:
    'Clicks `click` whenever the target is visible, before the next action or assertion: for a cookie banner or tour that may appear at any time.',
  target: 'elements',
  second: 'click',
  kind: 'passive',
  fields: z.strictObject({}),
  async perform({ page, to: click, show, actionMs }, _, overlay) {
    if (overlay === undefined || click === undefined) return;
    await handleOverlay(page, {
      overlay,
      click,
      // Leaves time to report why an action failed.
      timeoutMs: actionMs / 2,
      failed(error) {
        show(`The overlay was not dismissed: ${messageOf(error)}`);
      },
    });
  },
  toCode(_, { page, subject, to = subject }) {
    const handler: Expression = { kind: 'handler', parameters: [], body: [run(to, 'click')] };
    return [run(page, 'addLocatorHandler', subject, handler)];
  },
});
