import { z } from 'zod';
import { CodegenError } from './errors.js';
import { nearest } from './nearest.js';

/** Problems that one error reports, and characters of each. */
const maxProblems = 10;
const maxProblem = 300;

/** What all arguments of a call may have together. */
const maxCharacters = 1_000_000;
const maxEntries = 20_000;
const maxDepth = 64;

/** Throws INVALID_INPUT if arguments are larger or deeper than any call needs. */
export function requireBounded(args: unknown): void {
  const waiting: { value: unknown; depth: number }[] = [{ value: args, depth: 0 }];
  let [entries, characters] = [0, 0];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { value, depth } = next;
    if (typeof value === 'string') characters += value.length;
    if (typeof value === 'object' && value !== null)
      for (const [key, item] of Object.entries(value)) {
        entries++;
        characters += key.length;
        waiting.push({ value: item, depth: depth + 1 });
      }
    if (entries > maxEntries || characters > maxCharacters || depth > maxDepth)
      throw new CodegenError('INVALID_INPUT', 'The arguments are too large.', {
        hint: `At most ${maxCharacters} characters, ${maxEntries} entries and ${maxDepth} levels.`,
      });
  }
}

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
        const guess = nearest(key.slice(0, maxProblem), known);
        return `${where} has no field "${key}"${guess === undefined ? '' : `; did you mean "${guess}"?`}`;
      });
    if (issue.message.endsWith('received undefined')) return [`${where} is missing`];
    return [`${where}: ${issue.message.replace(/^Invalid input: /, '')}`];
  });
  const more = problems.length - maxProblems;
  const shown = problems.slice(0, maxProblems).map((problem) => problem.slice(0, maxProblem));
  hints.add(`Fields of ${what}: ${fields.join(', ') || 'none'}.`);
  return new CodegenError(
    'INVALID_INPUT',
    [...shown, ...(more > 0 ? [`${more} more problems`] : [])].join('. '),
    { hint: [...hints].slice(-maxProblems).join(' ') },
  );
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
