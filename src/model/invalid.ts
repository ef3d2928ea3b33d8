import { z } from 'zod';
import { CodegenError } from './errors.js';
import { didYouMean } from './nearest.js';

/** Problems that one error reports, and the characters of each. */
const maxProblems = 10;
const maxProblem = 300;

/** Limits for all arguments of a call together. */
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
 * INVALID_INPUT for the problems that a schema found. `what` is the owner of the `fields`, e.g. `fill`; `schema` has the
 * fields of nested objects.
 */
export function invalidInput(
  error: z.ZodError,
  what: string,
  fields: readonly string[],
  schema: z.ZodObject,
): CodegenError {
  const hints = new Set<string>();
  const issues = error.issues.flatMap(withoutUnion);
  const problems = issues.flatMap((issue) => {
    const where = [what, ...issue.path].join('.');
    const own = hintOf(issue);
    if (own !== undefined) {
      hints.add(own);
      return [`${where}: ${issue.message}`];
    }
    const known = issue.path.length === 0 ? fields : fieldsAt(schema, issue.path);
    if (known.length > 0) hints.add(`Fields of ${where}: ${known.join(', ')}.`);
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map(
        (key) => `${where} has no field "${key}"${didYouMean(key.slice(0, maxProblem), known)}`,
      );
    if (issue.message.endsWith('received undefined')) return [`${where} is missing`];
    return [`${where}: ${issue.message.replace(/^Invalid input: /, '')}`];
  });
  const more = problems.length - maxProblems;
  const shown = problems.slice(0, maxProblems).map((problem) => problem.slice(0, maxProblem));
  if (issues.some((issue) => hintOf(issue) === undefined))
    hints.add(`Fields of ${what}: ${fields.join(', ') || 'none'}.`);
  return new CodegenError(
    'INVALID_INPUT',
    [...shown, ...(more > 0 ? [`${more} more problems`] : [])].join('. '),
    { hint: [...hints].slice(-maxProblems).join(' ') },
  );
}

/** What to do, if the check says that itself. */
function hintOf(issue: z.core.$ZodIssue): string | undefined {
  const hint: unknown = issue.code === 'custom' ? issue.params?.['hint'] : undefined;
  return typeof hint === 'string' ? hint : undefined;
}

/** What is wrong with the form of a union that fits best: the one whose problems lie deepest. */
function withoutUnion(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const forms = issue.errors.map((issues) => issues.flatMap(withoutUnion));
  const depthOf = (issues: readonly z.core.$ZodIssue[]): number =>
    Math.max(...issues.map(({ path, code }) => path.length + (code === 'unrecognized_keys' ? 1 : 0)));
  const [best = []] = forms.toSorted((one, other) => depthOf(other) - depthOf(one));
  if (depthOf(best) > 0) return best.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
  const types = forms
    .flat()
    .flatMap(
      ({ message }) => /^(?:Invalid input: )?expected ([\w ]+)/.exec(message)?.[1]?.split(' or ') ?? [],
    );
  return [{ ...issue, message: `expected ${[...new Set(types)].join(' or ') || 'another value'}` }];
}

/** The fields of the object at a path; none if there is no object. */
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

/** The schema inside `optional` and `nullable`. */
function bare(schema: unknown): unknown {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodNullable ? bare(schema.unwrap()) : schema;
}
