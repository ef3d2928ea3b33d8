import { z } from 'zod';
import { linearHint, linearSource } from './linear-syntax.js';
import { isPattern, type Pattern, type TextOrPattern } from './locator.js';
import { seemsReference } from './template.js';

const regexSchema = z
  .strictObject({
    regex: z.string().min(1).max(1000).describe('Source of a JavaScript regular expression.'),
    flags: z
      .string()
      .regex(/^[imsu]*$/, 'expected flags from i, m, s, u')
      .optional(),
  })
  .refine(isValid, 'expected a valid regular expression')
  // The characters of a secret would be parsed as an expression.
  .refine(
    ({ regex }) => !seemsReference(regex),
    "a regular expression can't contain {{secret:NAME}}; use text instead",
  );

/** A string, or a regular expression as `{ "regex": "Order #\\d+", "flags": "i" }`. */
export const textOrPatternSchema = z.union([z.string(), regexSchema], 'expected text or {"regex", "flags"}');

/** The same for patterns that this process matches: in linear time, so that no expression can block it. */
export const matchedSchema = textOrPatternSchema.refine(
  (value) => !isPattern(value) || linearSource(value) !== undefined,
  `expected a regular expression that matches in linear time. ${linearHint}`,
);

export function toTextOrRegExp(value: TextOrPattern): string | RegExp {
  return isPattern(value) ? new RegExp(value.regex, value.flags) : value;
}

function isValid(pattern: Pattern): boolean {
  try {
    return new RegExp(pattern.regex, pattern.flags) instanceof RegExp;
  } catch {
    return false;
  }
}
