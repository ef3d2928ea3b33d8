import { z } from 'zod';
import { nearest } from '../model/nearest.js';

/** Longest piece of a value that is repeated in a message. */
const shownLength = 60;

const separator = ', ';

/** Checks a document, and says for each thing wrong with it its key, its value and what is allowed there. */
export function validateDocument<Schema extends z.ZodType>(
  schema: Schema,
  document: unknown,
): { data: z.output<Schema> } | { problems: string[] } {
  const result = schema.safeParse(document, {
    // The allowed keys are known only here, so the message of the issue carries them.
    error: (issue) =>
      issue.code === 'unrecognized_keys' && issue.inst instanceof z.ZodObject
        ? Object.keys(issue.inst.shape).join(separator)
        : undefined,
  });
  return result.success
    ? { data: result.data }
    : { problems: result.error.issues.flatMap((issue) => describe(issue, document, [])) };
}

function describe(issue: z.core.$ZodIssue, document: unknown, parents: PropertyKey[]): string[] {
  const keys = [...parents, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    const allowed = issue.message.split(separator);
    return issue.keys.map((key) => {
      const meant = nearest(key, allowed);
      const guess = meant === undefined ? '' : ` Did you mean "${meant}"?`;
      return `${subject(document, [...keys, key])}: unknown key.${guess} Allowed: ${issue.message}`;
    });
  }
  if (issue.code === 'invalid_union') {
    const inside = issue.errors.find((issues) =>
      issues.every(({ code, path }) => path.length > 0 || code === 'unrecognized_keys'),
    );
    if (inside !== undefined) return inside.flatMap((each) => describe(each, document, keys));
  }
  return [`${subject(document, keys)}: ${issue.message.replace(/^[A-Z][a-z ]+: (?=expected)/, '')}`];
}

/** The key and, if it is set, its value. */
function subject(document: unknown, keys: PropertyKey[]): string {
  const name = keys.length === 0 ? 'the document' : keys.map(nameOf).join('.');
  const value = valueAt(document, keys);
  return value === undefined ? name : `${name} is ${shorten(withoutCredentials(JSON.stringify(value)))}`;
}

function nameOf(key: PropertyKey): string {
  return /^[\w$-]+$/.test(String(key)) ? String(key) : JSON.stringify(String(key));
}

function valueAt(document: unknown, keys: PropertyKey[]): unknown {
  return keys.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null
        ? Object.getOwnPropertyDescriptor(value, key)?.value
        : undefined,
    document,
  );
}

/** The part before the host of a URL may be a password, and its query a token. */
function withoutCredentials(json: string): string {
  return json.replace(/:\/\/[^"]*@/g, '://…@').replace(/(:\/\/[^"?]*\?)[^"]+/g, '$1…');
}

function shorten(text: string): string {
  return text.length <= shownLength ? text : `${text.slice(0, shownLength)}…`;
}
