import { z } from 'zod';
import { traitsOf } from '../actions/registry.js';
import { stepCode } from '../session/step-code.js';
import type { Session } from '../session/session.js';
import type { StepView } from './shapes.js';

const known = new WeakMap<Session, { steps: string; list: StepView[] }>();

/** The steps with their code; cached until they change. */
export function stepsOf(session: Session): StepView[] {
  const steps = JSON.stringify(session.steps);
  const cached = known.get(session);
  if (cached?.steps === steps) return cached.list;
  const list = stepCode(session.steps, session.path, session.uniques).map(
    ({ code, assertions }, index): StepView => {
      const step = session.steps[index];
      const { note, unchecked, args } = step ?? {};
      const isGroup = step !== undefined && traitsOf(step).opensGroup === true;
      const group = isGroup ? z.string().parse(args?.['title']) : undefined;
      return { index, code, assertions, note, unchecked, group };
    },
  );
  known.set(session, { steps, list });
  return list;
}
