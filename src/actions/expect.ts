import type { Locator, Page } from 'playwright';
import { z } from 'zod';
import { CodegenError } from '../model/errors.js';
import { nearest } from '../model/nearest.js';
import { isPattern, type TextOrPattern } from '../model/locator.js';
import { textOrPatternSchema, toTextOrRegExp } from '../model/pattern.js';
import { callCode, defineAction } from './action.js';
import { relativeUrl } from './url.js';

interface Matcher {
  on: 'locator' | 'page';
  /** What `expected` has to be; undefined where the matcher takes none. */
  expected?: z.ZodType<Expected>;
  /** `expected` may be left out. */
  optional?: true;
  /** What `name` names, where the matcher takes one. */
  name?: string;
  options?: z.ZodObject;
  /** It speaks of the element's own text or name, which must not stand in the locator. */
  ownText?: true;
}

type Expected = TextOrPattern | TextOrPattern[] | number | boolean | null;

const text = textOrPatternSchema;
const texts = z.union([text, z.array(text).min(1)]);
const flag = z.boolean().optional();
const ignoreCase = z.strictObject({ ignoreCase: flag });
const textOptions = z.strictObject({ ignoreCase: flag, useInnerText: flag });

/** Playwright's web-first matchers, see https://playwright.dev/docs/api/class-locatorassertions. */
export const matchers: Record<string, Matcher> = {
  toBeAttached: { on: 'locator', options: z.strictObject({ attached: flag }) },
  toBeChecked: { on: 'locator', options: z.strictObject({ checked: flag, indeterminate: flag }) },
  toBeDisabled: { on: 'locator' },
  toBeEditable: { on: 'locator', options: z.strictObject({ editable: flag }) },
  toBeEmpty: { on: 'locator' },
  toBeEnabled: { on: 'locator', options: z.strictObject({ enabled: flag }) },
  toBeFocused: { on: 'locator' },
  toBeHidden: { on: 'locator' },
  toBeInViewport: { on: 'locator', options: z.strictObject({ ratio: z.number().min(0).max(1).optional() }) },
  toBeVisible: { on: 'locator', options: z.strictObject({ visible: flag }) },
  toContainClass: { on: 'locator', expected: z.union([z.string(), z.array(z.string()).min(1)]) },
  toContainText: { on: 'locator', expected: texts, options: textOptions, ownText: true },
  toHaveAccessibleDescription: { on: 'locator', expected: text, options: ignoreCase },
  toHaveAccessibleErrorMessage: { on: 'locator', expected: text, options: ignoreCase },
  toHaveAccessibleName: { on: 'locator', expected: text, options: ignoreCase, ownText: true },
  toHaveAttribute: { on: 'locator', name: 'attribute', expected: text, optional: true, options: ignoreCase },
  toHaveClass: { on: 'locator', expected: texts },
  toHaveCount: { on: 'locator', expected: z.int().min(0) },
  toHaveCSS: {
    on: 'locator',
    name: 'CSS property',
    expected: text,
    options: z.strictObject({ pseudo: z.enum(['before', 'after']).optional() }),
  },
  toHaveId: { on: 'locator', expected: text },
  toHaveJSProperty: {
    on: 'locator',
    name: 'JavaScript property',
    expected: z.union([z.string(), z.number(), z.boolean(), z.null()]),
  },
  toHaveRole: { on: 'locator', expected: z.string().min(1) },
  toHaveText: { on: 'locator', expected: texts, options: textOptions, ownText: true },
  toHaveTitle: { on: 'page', expected: text },
  toHaveURL: { on: 'page', expected: text, options: ignoreCase },
  toHaveValue: { on: 'locator', expected: text },
  toHaveValues: { on: 'locator', expected: z.array(text) },
};

const matcherNames = Object.keys(matchers);

const fields = z
  .strictObject({
    matcher: z.string().describe(`One of ${matcherNames.join(', ')}.`),
    expected: z
      .union([text, z.array(text), z.number(), z.boolean(), z.null()])
      .optional()
      .describe('The value; a text may be {"regex", "flags"}, a list stays a list.'),
    name: z
      .string()
      .min(1)
      .optional()
      .describe('Attribute, CSS or JavaScript property, where the matcher takes one.'),
    options: z.record(z.string(), z.json()).optional().describe("The matcher's own options."),
    not: z.boolean().optional().describe('Asserts the opposite.'),
  })
  .check((check) => {
    const { matcher: matcherName, expected, name, options } = check.value;
    const refuse = (path: string, message: string): void => {
      check.issues.push({ code: 'custom', path: [path], message, input: check.value });
    };
    const matcher = Object.hasOwn(matchers, matcherName) ? matchers[matcherName] : undefined;
    if (matcher === undefined) {
      const guess = nearest(matcherName, matcherNames);
      refuse(
        'matcher',
        `"${matcherName}" is not a matcher${guess === undefined ? '' : `; did you mean ${guess}?`}`,
      );
      return;
    }
    if (matcher.name === undefined && name !== undefined) refuse('name', `${matcherName} takes no name`);
    if (matcher.name !== undefined && name === undefined)
      refuse('name', `${matcherName} needs the name of the ${matcher.name}`);
    if (matcher.expected === undefined) {
      if (expected !== undefined) refuse('expected', `${matcherName} takes no expected value`);
    } else if (expected === undefined) {
      if (matcher.optional !== true) refuse('expected', `${matcherName} needs an expected value`);
    } else {
      const result = matcher.expected.safeParse(expected);
      if (!result.success) refuse('expected', `${matcherName}: ${z.prettifyError(result.error)}`);
    }
    const checkedOptions = (matcher.options ?? z.strictObject({})).safeParse(options ?? {});
    if (!checkedOptions.success)
      refuse('options', `${matcherName}: ${z.prettifyError(checkedOptions.error)}`);
  });

type ExpectFields = z.infer<typeof fields>;

export const expect = defineAction({
  name: 'expect',
  description:
    'Asserts with a web-first matcher of Playwright; without a target, of the page. False now is refused.',
  target: 'subject',
  manner: 'looks',
  fields,
  perform: ({ page, actionMs }, given, locator) => check(given, locator ?? page, actionMs),
  emit(given, subject) {
    const not = given.not === true ? '.not' : '';
    return `await ${callCode(`expect(${subject})${not}`, given.matcher, ...argumentsOf(given), given.options)};`;
  },
  normalize: (given, baseURL) =>
    given.matcher === 'toHaveURL' && typeof given.expected === 'string'
      ? { ...given, expected: relativeUrl(given.expected, baseURL) }
      : given,
});

/** Resolves when an assertion's fields are true of a locator or a page, rejects where they are not in time. */
export function checkAssertion(args: unknown, subject: Locator | Page, timeoutMs: number): Promise<void> {
  return check(fields.parse(args), subject, timeoutMs);
}

async function check(given: ExpectFields, subject: Locator | Page, timeout: number): Promise<void> {
  const { expect: playwrightExpect } = await import('playwright/test');
  checkSubject(given.matcher, !('goto' in subject));
  const expectation = given.not === true ? playwrightExpect(subject).not : playwrightExpect(subject);
  const matcher: unknown = Reflect.get(expectation, given.matcher);
  if (typeof matcher !== 'function') throw new Error(`Playwright has no matcher ${given.matcher}.`);
  const values = argumentsOf(given).map(toPlaywright);
  await Reflect.apply(matcher, expectation, [...values, { ...given.options, timeout }]);
}

/** The texts that an assertion expects of the element itself; undefined where it speaks of something else. */
export function assertedTexts(args: unknown): string[] | 'own text' | undefined {
  const { matcher, expected } = fields.parse(args);
  if (matchers[matcher]?.ownText !== true || expected === undefined) return undefined;
  const values = Array.isArray(expected) ? expected : [expected];
  return values.some(isPattern) ? 'own text' : values.filter((value) => typeof value === 'string');
}

function argumentsOf({ name, expected }: ExpectFields): unknown[] {
  return [name, expected].filter((value) => value !== undefined);
}

function toPlaywright(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toPlaywright);
  return isPattern(value) ? toTextOrRegExp(value) : value;
}

function checkSubject(matcher: string, hasTarget: boolean): void {
  const on = matchers[matcher]?.on;
  if (on === 'page' && hasTarget)
    throw new CodegenError('INVALID_INPUT', `${matcher} speaks of the page, not of an element.`, {
      hint: 'Leave out target.',
    });
  if (on === 'locator' && !hasTarget)
    throw new CodegenError('INVALID_INPUT', `${matcher} needs a target.`, {
      hint: "Give a ref of the snapshot or a locator such as getByRole('heading').",
    });
}
