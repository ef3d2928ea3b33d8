import { inspect } from 'node:util';
import { z } from 'zod';
import { isPattern } from '../model/locator.js';

/** Characters of a value in an error: more than are shown, since secrets are redacted before it is truncated. */
const maxShown = 5000;
const maxEntries = 100;

const resultSchema = z.looseObject({
  matches: z.boolean(),
  received: z.looseObject({ value: z.unknown() }).optional(),
  errorMessage: z.string().optional(),
});

interface Checked {
  matcher: string;
  expected: unknown;
  not: boolean;
}

/**
 * Wraps a locator or page for Playwright's `expect`, to fail with our own message: Playwright would diff texts of any
 * length for its message, and match regular expressions again in this process.
 */
export function boundedSubject<Subject extends object>(subject: Subject, checked: Checked): Subject {
  return new Proxy(subject, {
    get(target, key): unknown {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      if (key === 'mainFrame')
        return (): unknown =>
          boundedSubject(z.custom<object>().parse(Reflect.apply(value, target, [])), checked);
      if (key !== '_expect') return value;
      return async (...args: unknown[]): Promise<unknown> => {
        const result = resultSchema.parse(await Reflect.apply(value, target, args));
        if (result.matches === checked.not)
          throw failureOf(checked, result.received?.value, result.errorMessage);
        return result;
      };
    },
  });
}

/** The error of a failed assertion, in the form of Playwright's. */
function failureOf({ matcher, expected, not }: Checked, received: unknown, reason?: string): Error {
  return new Error(
    [
      `expect(${matcher === 'toHaveURL' || matcher === 'toHaveTitle' ? 'page' : 'locator'})${not ? '.not' : ''}.${matcher}(expected) failed`,
      `Expected: ${not ? 'not ' : ''}${shown(expected)}`,
      reason === undefined ? `Received: ${shown(received)}` : reason.slice(0, maxShown),
    ].join('\n'),
  );
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, maxShown));
  if (isPattern(value)) return `/${value.regex}/${value.flags ?? ''}`;
  if (Array.isArray(value)) return `[${value.slice(0, maxEntries).map(shown).join(', ')}]`.slice(0, maxShown);
  const options = { depth: 2, breakLength: Infinity, maxArrayLength: maxEntries, maxStringLength: maxShown };
  return inspect(value, options).slice(0, maxShown);
}

/** Maximum characters and texts in the expected value of an assertion. */
const maxExpected = 10_000;
const maxTexts = 500;

/** The problem with an expected value that is too large. */
export function tooLarge(expected: unknown): string | undefined {
  const values = Array.isArray(expected) ? expected : [expected];
  if (values.length > maxTexts) return `expected at most ${maxTexts} texts`;
  const length = values.reduce<number>(
    (sum, value) => sum + (typeof value === 'string' ? value.length : 0),
    0,
  );
  return length > maxExpected ? `expected at most ${maxExpected} characters` : undefined;
}
