import { z } from 'zod';
import { run, value } from '../model/code.js';
import { defineAction } from './action.js';
import { forced, position } from './pointer.js';

/** Intermediate moves: pages with their own drag-and-drop need several pointer events. */
const moves = 5;

const fields = z.strictObject({
  position: position.optional().describe('Point on `to` where the element is dropped.'),
  ...forced,
});

const dragOptions = ({ position, ...options }: z.infer<typeof fields>) => ({
  ...options,
  ...(position === undefined ? {} : { targetPosition: position }),
  steps: moves,
});

export const dragTo = defineAction({
  name: 'dragTo',
  description: 'Drags an element to another element, `to`, which takes the same forms as `target`.',
  target: 'element',
  second: 'to',
  drags: true,
  fields,
  async perform({ to }, given, element) {
    if (element !== undefined && to !== undefined) await element.dragTo(to, dragOptions(given));
  },
  toCode: (given, { subject, to = subject }) => [run(subject, 'dragTo', to, value(dragOptions(given)))],
});
