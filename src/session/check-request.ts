import { z } from 'zod';
import { actions } from '../actions/registry.js';
import { CodegenError } from '../model/errors.js';
import { invalidInput } from '../model/invalid.js';
import { parseFields, resolveUnique, type Unique } from '../model/template.js';
import { didYouMean } from '../model/nearest.js';
import { targetSchema, type ActionRequest, type CheckedRequest } from './request.js';
import { chainOf, isRef } from './targets.js';

/** Checks the action at an index of a call, except for what depends on the page. Throws INVALID_INPUT. */
export function checkRequest(
  raw: ActionRequest,
  index: number,
  { baseURL, unique }: { baseURL: string | undefined; unique: Unique },
): CheckedRequest {
  const where = `actions[${index}]`;
  const { action: name, note, record = true } = raw;
  const target = raw.target && resolveUnique(raw.target, unique);
  const action = actions.get(name);
  if (action === undefined) {
    const names = [...actions.keys()];
    const problem = `${where}: there is no action "${name}"${didYouMean(name, names)}`;
    throw new CodegenError('INVALID_INPUT', problem, { hint: `Actions: ${names.join(', ')}.` });
  }
  const second = action.second === undefined ? [] : [action.second];
  const takesTarget = action.target !== 'none';
  const fields = [
    ...(takesTarget ? ['target'] : []),
    ...second,
    ...Object.keys(action.fields.shape),
    ...(action.recorded ? ['note', 'record'] : []),
  ];
  if ((action.target === 'element' || action.target === 'elements') && target === undefined)
    throw new CodegenError('INVALID_INPUT', `${where}: ${name} needs a target.`, {
      hint: "Use a ref from the snapshot (e12), or a locator such as getByRole('button', { name: 'Save' }).",
    });
  const to = action.second && targetSchema.safeParse(raw[action.second]).data;
  if (action.second !== undefined && to === undefined)
    throw new CodegenError(
      'INVALID_INPUT',
      `${where}: ${name} needs \`${action.second}\`, the second element.`,
      {
        hint: 'Use a ref from the snapshot, a locator or a selector, as for `target`.',
      },
    );
  const envelopeFields = new Set([
    ...['action', 'note', 'record'],
    ...(takesTarget ? ['target'] : []),
    ...second,
  ]);
  const own = Object.fromEntries(Object.entries(raw).filter(([key]) => !envelopeFields.has(key)));
  try {
    const prepared = action.prepare(parseFields(own, unique), baseURL);
    const mask = action.masked?.(prepared.args) ?? [];
    for (const each of [target, to, ...mask]) if (each !== undefined && !isRef(each)) chainOf(each);
    return { action, prepared, target, to, mask, note, record };
  } catch (error) {
    throw error instanceof z.ZodError
      ? invalidInput(error, `${where} ${name}`, fields, action.fields)
      : error;
  }
}
