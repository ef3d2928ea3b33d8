import { z } from 'zod';
import type { Step } from '../model/step.js';
import { moveStep, removeFrom } from '../session/edit.js';
import type { Session } from '../session/session.js';
import { requireRedacted, unhandle } from '../session/task-checks.js';
import { onPost } from './access.js';
import type { Controls } from './control.js';
import { Refusal } from './failures.js';
import type { PageApp, PageOptions } from './options.js';
import { stepsOf } from './steps.js';

const index = z.int().min(0).max(100_000);
const title = z.string().trim().min(1).max(200);

const editSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('title'), title }),
  z.strictObject({ type: z.literal('remove'), step: index, code: z.string() }),
  z.strictObject({ type: z.literal('removeAssertion'), step: index, code: z.string(), assertion: index }),
  z.strictObject({ type: z.literal('note'), step: index, code: z.string(), note: z.string().max(2000) }),
  z.strictObject({ type: z.literal('move'), step: index, code: z.string(), before: index }),
  z.strictObject({ type: z.literal('group'), step: index, code: z.string(), title }),
]);

/** A change of what is recorded. `code` is that of the step, which shows that the step is still the same. */
export type Edit = z.infer<typeof editSchema>;

/** Changes what is recorded. The live page does not change; verification shows whether the test still passes. */
export function addEdit(app: PageApp, options: PageOptions, controls: Controls): void {
  const { sessions, contextOf } = options;
  onPost(
    { app, options },
    'sessions/:session/edit',
    { needs: 'operator', action: ({ type }) => `edit ${type}`, body: editSchema },
    async ({ id, body: edit, person, note }) => {
      if ('step' in edit) note({ step: edit.step });
      const session = sessions.find(id);
      requireRedacted({ action: edit.type, args: { ...edit } }, options.secrets);
      const work = async (): Promise<void> => {
        const removed = applyEdit(session, edit);
        const live = sessions.openOf(id)?.live;
        if (live !== undefined) await unhandle(live, removed);
      };
      if (sessions.personOf(id) === undefined) await contextOf(session.grant).sessions.useRecorded(id, work);
      else await controls.act(id, person, ({ control }) => work().then(control.save));
    },
  );
}

/** Returns the removed steps. Throws INVALID_INPUT if the rest would lack something. */
function applyEdit(session: Session, edit: Edit): Step[] {
  if (edit.type === 'title') {
    session.title = edit.title;
    return [];
  }
  const { steps } = session;
  const step = steps[edit.step];
  if (step === undefined || stepsOf(session)[edit.step]?.code !== edit.code)
    throw new Refusal(
      400,
      `Step ${edit.step} has changed in the meantime.`,
      'Look at the list, and try again.',
    );
  switch (edit.type) {
    case 'remove':
      return [...removeFrom(steps, { steps: [edit.step] }).values()];
    case 'removeAssertion':
      removeFrom(steps, { assertions: [{ step: edit.step, index: edit.assertion }] });
      return [];
    case 'note':
      if (edit.note.trim() === '') delete step.note;
      else step.note = edit.note;
      return [];
    case 'move':
      moveStep(steps, edit.step, edit.before);
      return [];
    case 'group':
      steps.splice(edit.step, 0, { action: 'step', args: { title: edit.title } });
      return [];
  }
}
