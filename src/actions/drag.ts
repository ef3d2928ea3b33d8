import { z } from 'zod';
import { run, value } from '../model/code.js';
import { defineAction } from './action.js';
import { forced, position } from './pointer.js';

/** Moves on the way: pages that drag by pointer events tell a drag from a click by the first, and its end by others. */
const moves = 5;

const fields = z.strictObject({
  position: position.optional().describe('Where on `to` it is dropped.'),
  ...forced,
});

const dragOptions = ({ position, ...options }: z.infer<typeof fields>) => ({
  ...options,
  ...(position === undefined ? {} : { targetPosition: position }),
  steps: moves,
});

export const dragTo = defineAction({
  name: 'dragTo',
  description: 'Drags an element to another, whose `to` is given as `target` is.',
  target: 'element',
  second: 'to',
  fields,
  async perform({ to }, given, element) {
    if (element !== undefined && to !== undefined) await element.dragTo(to, dragOptions(given));
  },
  toCode: (given, { subject, to = subject }) => [run(subject, 'dragTo', to, value(dragOptions(given)))],
});
