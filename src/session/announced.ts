import type { ActionContext, Announcement } from '../actions/action.js';
import { traitsOf } from '../actions/registry.js';
import type { Live } from '../browser/live.js';
import { CodegenError } from '../model/errors.js';
import { isPattern, type TextOrPattern } from '../model/locator.js';
import type { Step } from '../model/step.js';
import { isVolatile, stablePart } from '../model/volatile.js';
import { within } from '../model/within.js';

/** Characters of a dialog that a message quotes: more than are shown, since it is cut after it was redacted. */
const maxQuoted = 5000;
/** Characters of what a dialog said that are asserted. */
const maxMessage = 200;

/** What steps said of the next action, until that has been done. */
export interface Announced extends Pick<ActionContext, 'answerDialog'> {
  /** Has the next action wait for what a step announced; `step` is undefined if it is not recorded. */
  announce(announcement: Announcement, step: Step | undefined): void;
  /** Removes all that no action has followed before the step at an index. Returns the steps that announced it. */
  withdraw(end?: number): Step[];
  /** What to say of something announced that had happened already; undefined if there is nothing. */
  tooLate(): string | undefined;
  /** Stops waiting for what removed steps announced. */
  cancel(removed: ReadonlySet<Step>): void;
  /** Waits for all that was announced, for so many milliseconds. Throws ACTION_FAILED if it does not happen. */
  happen(limitMs: number): Promise<void>;
}

interface Pending extends Announcement {
  step: Step | undefined;
}

/** What was announced of the next action in each session. */
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
        // A rejection says what was not as announced.
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

/** What is asserted of a dialog: what it said, without what changes from run to run. */
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
