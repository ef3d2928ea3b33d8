import type { ActionContext, Announcement } from '../actions/action.js';
import { actions } from '../actions/registry.js';
import type { Live } from '../browser/live.js';
import { CodegenError } from '../model/errors.js';
import { matches } from '../model/pattern.js';
import { isPattern, type TextOrPattern } from '../model/locator.js';
import type { Step } from '../model/step.js';
import { within } from '../model/within.js';

/** What steps said of the next action, until that has been done. */
export interface Announced extends Pick<ActionContext, 'answerDialog' | 'announce' | 'withdraw'> {
  /** Waits for all that was announced, for so many milliseconds. Throws ACTION_FAILED where it does not happen. */
  happen(limitMs: number): Promise<void>;
}

/** The announcements of a session with these steps; those that no action has followed are kept in `live`. */
export function announcedOf({ steps }: { steps: Step[] }, live: Live): Announced {
  const { announced, answers } = live;
  return {
    answerDialog({ message, ...answer }) {
      let settle: (said: string) => void = () => undefined;
      const said = new Promise<string>((resolve) => (settle = resolve));
      const planned = { ...answer, answered: settle };
      answers.push(planned);
      return {
        happened: said.then((text) => {
          requireMessage(text, message);
        }),
        missing: 'No dialog came',
        cancel() {
          const index = answers.indexOf(planned);
          if (index !== -1) answers.splice(index, 1);
        },
      };
    },

    announce(announcement: Announcement) {
      announcement.happened.catch(() => undefined);
      announced.push(announcement);
    },

    async happen(limitMs) {
      for (const { happened, missing } of announced) {
        const came = await within(
          limitMs,
          happened.then(() => true),
        );
        if (came === true) continue;
        // A rejection says what was not as announced.
        await Promise.race([happened, Promise.resolve()]);
        throw new CodegenError('ACTION_FAILED', `${missing} within ${limitMs} ms after the action.`, {
          hint: 'The action was performed, but not recorded. Look at the snapshot and events for what happened instead.',
        });
      }
      announced.splice(0);
    },

    withdraw() {
      for (const { cancel } of announced.splice(0)) cancel();
      const withdrawn: Step[] = [];
      for (let last = steps.at(-1); last !== undefined; last = steps.at(-1)) {
        if (actions.get(last.action)?.manner !== 'announces') break;
        withdrawn.unshift(last);
        steps.pop();
      }
      return withdrawn;
    },
  };
}

function requireMessage(text: string, message: TextOrPattern | undefined): void {
  if (message === undefined || (isPattern(message) ? matches(message, text) : message === text)) return;
  throw new CodegenError('ACTION_FAILED', `The dialog said ${JSON.stringify(text.slice(0, 300))}.`, {
    hint: 'The action was performed, but not recorded. Announce the dialog with that message, or without one.',
  });
}
