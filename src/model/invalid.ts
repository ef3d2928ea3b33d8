import type { z } from 'zod';
import { CodegenError } from './errors.js';
import { nearest } from './nearest.js';

/**
 * What a caller got wrong, as INVALID_INPUT: the fields concerned by name, what was given, and the fields there are.
 * `what` names the thing the fields belong to, e.g. `fill`.
 */
export function invalidInput(error: z.ZodError, what: string, fields: readonly string[]): CodegenError {
  const problems = error.issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return [`${[what, ...issue.path].join('.')}: ${issue.message}`];
    return issue.keys.map((key) => {
      const guess = issue.path.length === 0 ? nearest(key, fields) : undefined;
      const where = [what, ...issue.path].join('.');
      return `${where} has no field "${key}"${guess === undefined ? '' : `; did you mean "${guess}"?`}`;
    });
  });
  return new CodegenError('INVALID_INPUT', problems.join('. '), {
    hint: `Fields of ${what}: ${fields.join(', ') || 'none'}.`,
  });
}
