import type { ActionContext, Announcement } from '../actions/action.js';
import { traitsOf } from '../actions/registry.js';
import type { Live } from '../browser/live.js';
import { CodegenError } from '../model/errors.js';
import { isPattern, type TextOrPattern } from '../model/locator.js';
import type { Step } from '../model/step.js';
import { isVolatile, stablePart } from '../model/volatile.js';
import { within } from '../model/within.js';

/** How much of a dialog an error quotes: more than is shown, since it is redacted before it is cut. */
const maxQuoted = 5000;
/** Maximum length of an asserted dialog message. */
const maxMessage = 200;

/** What steps expect of the next action. */
export interface Announced extends Pick<ActionContext, 'answerDialog'> {
  /** Makes the next action wait for what a step expects; `step` is undefined if it is not recorded. */
  announce(announcement: Announcement, step: Step | undefined): void;
  /** Removes all that no action has followed before the step at an index. Returns the steps that announced it. */
  withdraw(end?: number): Step[];
  /** A message about something expected that had already happened; undefined if there is nothing. */
  tooLate(): string | undefined;
  /** Stops waiting for what removed steps expected. */
  cancel(removed: ReadonlySet<Step>): void;
  /** Waits until everything expected has happened. Throws ACTION_FAILED after the time-out. */
  happen(limitMs: number): Promise<void>;
}

interface Pending extends Announcement {
  step: Step | undefined;
}

/** The pending expectations of each session. */
const pending = new WeakMap<Live, Pending[]>();

/** The announcements of a session with these steps; those that no action has followed last from call to call. */
export function announcedOf(
  { steps, autoAssert }: { steps: Step[]; autoAssert: boolean },
  live: Live,
): Announced {
  const { answers } = live;
  const announced = pending.get(live) ?? [];
  pending.set(live, announced);
  const acts = (step: Step): boolean => traitsOf(step).kind === 'mutates';
  const announces = (step: Step): boolean => traitsOf(step).kind === 'expects';

  return {
    answerDialog({ message, ...answer }) {
      let settle: (said: string) => void = () => undefined;
      const said = new Promise<string>((resolve) => (settle = resolve));
      const planned = { ...answer, answered: settle };
      answers.push(planned);
      return {
        happened: said.then((text) => requireMessage(text, message)),
        missing: 'No dialog opened',
        fields: said.then((text) => messageFields(live.secrets.redact(text) === text ? text : '')),
        cancel() {
          const index = answers.indexOf(planned);
          if (index !== -1) answers.splice(index, 1);
        },
      };
    },

    announce(announcement, step) {
      announcement.happened.catch(() => undefined);
      announced.push({ ...announcement, step });
      if (autoAssert && step !== undefined)
        void announcement.fields?.then((fields) => (step.args = { ...fields, ...step.args }));
    },

    async happen(limitMs) {
      for (const { happened, missing } of announced) {
        const came = await within(
          limitMs,
          happened.then(() => true),
        );
        if (came === true) continue;
        // A rejection says how it differs from what was expected.
        await Promise.race([happened, Promise.resolve()]);
        throw new CodegenError('ACTION_FAILED', `${missing} within ${limitMs} ms after the action.`, {
          hint: 'The action was performed, but not recorded. Look at the snapshot and events for what happened instead.',
        });
      }
      announced.splice(0);
    },

    withdraw(end = steps.length) {
      for (const { cancel } of announced.splice(0)) cancel();
      const since = steps.slice(0, end).findLastIndex(acts) + 1;
      const later = steps.splice(since, end - since);
      steps.splice(since, 0, ...later.filter((step) => !announces(step)));
      return later.filter(announces);
    },

    tooLate: () => announced.at(-1)?.past,

    cancel(removed) {
      const isRemoved = ({ step }: Pending): boolean => step !== undefined && removed.has(step);
      for (const { cancel } of announced.filter(isRemoved)) cancel();
      announced.splice(0, announced.length, ...announced.filter((entry) => !isRemoved(entry)));
    },
  };
}

/** The asserted message of a dialog, without what changes from run to run. */
function messageFields(text: string): Step['args'] {
  const stable = stablePart(text, ['passing', 'record']);
  const message = stable === undefined ? text : { regex: `^${stable.regex}$` };
  const isVague = text === '' || text.length > maxMessage || (stable === undefined && isVolatile(text));
  return isVague ? {} : { message };
}

async function requireMessage(text: string, message: TextOrPattern | undefined): Promise<void> {
  const { matches } = await import('../model/linear.js');
  if (message === undefined || (isPattern(message) ? matches(message, text) : message === text)) return;
  throw new CodegenError('ACTION_FAILED', `The dialog said ${JSON.stringify(text.slice(0, maxQuoted))}.`, {
    hint: 'The action was performed, but not recorded. Record onDialog with that message, or without a message.',
  });
}
