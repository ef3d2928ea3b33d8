import { z } from 'zod';
import { CodegenError } from './errors.js';
import { nearest } from './nearest.js';

/**
 * What a caller got wrong, as INVALID_INPUT: the fields concerned by name, what is expected of them, and the fields
 * there are. `what` names the thing the fields belong to, e.g. `fill`; `schema` names the fields of what is inside.
 */
export function invalidInput(
  error: z.ZodError,
  what: string,
  fields: readonly string[],
  schema: z.ZodObject,
): CodegenError {
  const hints = new Set<string>();
  const problems = error.issues.flatMap((issue) => {
    const where = [what, ...issue.path].join('.');
    const known = issue.path.length === 0 ? fields : fieldsAt(schema, issue.path);
    if (known.length > 0) hints.add(`Fields of ${where}: ${known.join(', ')}.`);
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => {
        const guess = nearest(key, known);
        return `${where} has no field "${key}"${guess === undefined ? '' : `; did you mean "${guess}"?`}`;
      });
    if (issue.message.endsWith('received undefined')) return [`${where} is missing`];
    return [`${where}: ${issue.message.replace(/^Invalid input: /, '')}`];
  });
  hints.add(`Fields of ${what}: ${fields.join(', ') || 'none'}.`);
  return new CodegenError('INVALID_INPUT', problems.join('. '), { hint: [...hints].join(' ') });
}

/** Names of the fields of the object at a path; none if there is no object. */
function fieldsAt(schema: z.ZodObject, path: readonly PropertyKey[]): string[] {
  let inner: unknown = schema;
  for (const key of path) {
    inner = bare(inner);
    if (inner instanceof z.ZodObject) inner = inner.shape[String(key)];
    else if (inner instanceof z.ZodArray) inner = inner.element;
    else return [];
  }
  inner = bare(inner);
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}

/** The schema without what makes it optional or nullable. */
function bare(schema: unknown): unknown {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodNullable ? bare(schema.unwrap()) : schema;
}
