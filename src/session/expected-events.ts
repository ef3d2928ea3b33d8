import type { ActionContext, ExpectedEvent } from '../actions/action.js';
import { traitsOf } from '../actions/registry.js';
import type { Live } from '../browser/live.js';
import { CodegenError } from '../model/errors.js';
import type { TextOrPattern } from '../model/locator.js';
import type { Step } from '../model/step.js';
import { isVolatile, stablePart } from '../model/volatile.js';
import { within } from '../model/within.js';

/** How much of a dialog an error quotes: more than is shown, since it is redacted before it is cut. */
const maxQuoted = 5000;
/** Maximum length of an asserted dialog message. */
const maxMessage = 200;

interface Pending extends ExpectedEvent {
  /** The step that expects it; undefined if it is not recorded. */
  step: Step | undefined;
}

/** By session, since the next action may come in another call. */
const pendingEvents = new WeakMap<Live, Pending[]>();

/** The events that the next action of a session must cause. */
export class ExpectedEvents {
  private readonly pending: Pending[];

  constructor(
    private readonly session: { steps: Step[]; autoAssert: boolean },
    private readonly live: Live,
  ) {
    this.pending = pendingEvents.get(live) ?? [];
    pendingEvents.set(live, this.pending);
  }

  answerDialog: ActionContext['answerDialog'] = ({ message, ...answer }) => {
    const { secrets } = this.live;
    const { answers } = this.live.dialogs;
    let settle: (said: string) => void = () => undefined;
    const said = new Promise<string>((resolve) => (settle = resolve));
    const planned = { ...answer, answered: settle };
    answers.push(planned);
    return {
      happened: said.then((text) => requireMessage(text, message)),
      missing: 'No dialog opened',
      fields: said.then((text) => messageFields(secrets.redact(text) === text ? text : '')),
      cancel() {
        const index = answers.indexOf(planned);
        if (index !== -1) answers.splice(index, 1);
      },
    };
  };

  /** Makes the next action wait for an event. */
  add(event: ExpectedEvent, step: Step | undefined): void {
    event.happened.catch(() => undefined);
    this.pending.push({ ...event, step });
    if (this.session.autoAssert && step !== undefined)
      void event.fields?.then((fields) => (step.args = { ...fields, ...step.args }));
  }

  /** Waits until all have happened. Throws ACTION_FAILED after the time-out. */
  async happen(limitMs: number): Promise<void> {
    for (const { happened, missing } of this.pending) {
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
    this.pending.splice(0);
  }

  /** Removes the steps before an index that no action has followed yet and that expect an event. Returns them. */
  withdraw(end = this.session.steps.length): Step[] {
    const { steps } = this.session;
    for (const { cancel } of this.pending.splice(0)) cancel();
    const since = steps.slice(0, end).findLastIndex((step) => traitsOf(step).kind === 'mutates') + 1;
    const later = steps.splice(since, end - since);
    steps.splice(since, 0, ...later.filter((step) => !expectsEvent(step)));
    return later.filter(expectsEvent);
  }

  /** A message about the last expected event if it had already happened. */
  tooLate(): string | undefined {
    return this.pending.at(-1)?.past;
  }

  /** Stops waiting for what removed steps expected. */
  cancel(removed: ReadonlySet<Step>): void {
    const isRemoved = ({ step }: Pending): boolean => step !== undefined && removed.has(step);
    for (const { cancel } of this.pending.filter(isRemoved)) cancel();
    this.pending.splice(0, this.pending.length, ...this.pending.filter((event) => !isRemoved(event)));
  }
}

function expectsEvent(step: Step): boolean {
  return traitsOf(step).kind === 'expects';
}

/** The asserted message of a dialog, without what changes from run to run. */
export function messageFields(text: string): Step['args'] {
  const stable = stablePart(text, ['passing', 'record']);
  const message = stable === undefined ? text : { regex: `^${stable.regex}$` };
  const isVague = text === '' || text.length > maxMessage || (stable === undefined && isVolatile(text));
  return isVague ? {} : { message };
}

async function requireMessage(text: string, message: TextOrPattern | undefined): Promise<void> {
  const { isAsExpected } = await import('../model/linear.js');
  if (isAsExpected(text, message)) return;
  throw new CodegenError('ACTION_FAILED', `The dialog said ${JSON.stringify(text.slice(0, maxQuoted))}.`, {
    hint: 'The action was performed, but not recorded. Record onDialog with that message, or without a message.',
  });
}
