import { createContext, Script, type Context } from 'node:vm';
import { z } from 'zod';
import { CodegenError } from './errors.js';
import { isPattern, type Pattern, type TextOrPattern } from './locator.js';
import { seemsReference } from './secrets.js';

/** Milliseconds that one match may take, on a busy machine too. */
const matchLimitMs = 500;

const test = new Script('new RegExp(regex, flags).test(text)');
let realm: Context | undefined;

const regexSchema = z
  .strictObject({
    regex: z.string().min(1).max(1000).describe('Source of a JavaScript regular expression.'),
    flags: z
      .string()
      .regex(/^[imsu]*$/, 'expected flags out of i, m, s, u')
      .optional(),
  })
  .refine(isValid, 'expected a valid regular expression')
  .refine(
    // Its characters would mean something else in an expression.
    ({ regex }) => !seemsReference(regex),
    'expected no {{secret:NAME}} in a regular expression; a text may hold one',
  );

/** A string, or a regular expression as `{ "regex": "Order #\\d+", "flags": "i" }`. */
export const textOrPatternSchema = z.union(
  [z.string(), regexSchema],
  'expected a text or {"regex", "flags"}',
);

/** The value as Playwright takes it. */
export function toTextOrRegExp(value: TextOrPattern): string | RegExp {
  return isPattern(value) ? new RegExp(value.regex, value.flags) : value;
}

/** Matches under a time limit, so that no expression can hang the process. */
export function matches(pattern: Pattern, text: string): boolean {
  try {
    // A realm is costly to make.
    realm ??= createContext({});
    const { regex, flags } = pattern;
    const found: unknown = test.runInContext(Object.assign(realm, { regex, flags, text }), {
      timeout: matchLimitMs,
    });
    return found === true;
  } catch (error) {
    throw new CodegenError(
      'INVALID_INPUT',
      `The regular expression /${pattern.regex}/ takes too long to match.`,
      {
        hint: 'Avoid nested repetition such as (a+)+.',
        cause: error,
      },
    );
  }
}

function isValid(pattern: Pattern): boolean {
  try {
    return new RegExp(pattern.regex, pattern.flags) instanceof RegExp;
  } catch {
    return false;
  }
}
