import type { Locator, Page } from 'playwright';
import { z } from 'zod';
import { expectThat, values } from '../model/code.js';
import { CodegenError, messageOf } from '../model/errors.js';
import { didYouMean } from '../model/nearest.js';
import { isPattern, type TextOrPattern } from '../model/locator.js';
import { textOrPatternSchema, toTextOrRegExp } from '../model/pattern.js';
import type { Step } from '../model/step.js';
import { hideTemplates } from '../model/template.js';
import { defineAction } from './action.js';
import { axeCode, axeOptions, requireAccessible } from './axe.js';
import { boundedSubject, tooLarge } from './bounded-check.js';
import { timeout as timeLimit } from './pointer.js';
import { maskOf, pictureCode, pictureOptions, styleSheetsOf } from './picture.js';
import { relativeUrl } from './url.js';

interface Matcher {
  on: 'locator' | 'page' | 'locator or page';
  /** The schema of `expected`; undefined if the matcher has none. */
  expected?: z.ZodType<Expected>;
  optional?: true;
  /** What `name` is, if the matcher has one. */
  name?: string;
  nameForm?: { form: RegExp; example: string };
  optionalName?: true;
  options?: z.ZodObject;
  /** Checks the text or name of the element, so that the locator must not contain it. */
  ownText?: true;
  /** Works only inside a test. */
  unchecked?: true;
}

type Expected = TextOrPattern | TextOrPattern[] | number | boolean | null;

const text = textOrPatternSchema;
const texts = z.union([text, z.array(text).min(1)], 'expected text, {"regex", "flags"} or a list of them');
const classNames = z.union([z.string(), z.array(z.string()).min(1)], 'expected text or a list of texts');
const property = z.union(
  [z.string(), z.number(), z.boolean(), z.null()],
  'expected text, a number, true, false or null',
);
const flag = z.boolean().optional();
const ignoreCase = z.strictObject({ ignoreCase: flag });
const textOptions = z.strictObject({ ignoreCase: flag, useInnerText: flag });

/** Prevents reading `ownerDocument.cookie`, or private state of frameworks in names with `_`, without `evaluate`. */
const ownProperty =
  /^(?:[a-z]\w*|(?:dataset|style|validity|classList|files)(?:\.(?!constructor)[a-z\d-][\w-]*)+)$/i;

/** https://playwright.dev/docs/api/class-locatorassertions */
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
  toContainClass: { on: 'locator', expected: classNames },
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
    nameForm: { form: ownProperty, example: '"checked" or "dataset.state"' },
    expected: property,
  },
  toHaveRole: { on: 'locator', expected: z.string().min(1) },
  toHaveScreenshot: {
    on: 'locator or page',
    name: 'picture',
    nameForm: { form: /^[\w-]+(?:\.[\w-]+)*\.png$/, example: '"cart.png"' },
    optionalName: true,
    options: pictureOptions,
    unchecked: true,
  },
  toHaveText: { on: 'locator', expected: texts, options: textOptions, ownText: true },
  toHaveTitle: { on: 'page', expected: text },
  toHaveURL: { on: 'page', expected: text, options: ignoreCase },
  toHaveValue: { on: 'locator', expected: text },
  toHaveValues: { on: 'locator', expected: z.array(text) },
  toMatchAriaSnapshot: { on: 'locator or page', expected: z.string().min(1), unchecked: true },
  toPassAxe: { on: 'page', options: axeOptions },
};

const matcherNames = Object.keys(matchers);

const fields = z
  .strictObject({
    matcher: z.string().describe(`One of ${matcherNames.join(', ')}.`),
    expected: z
      .union(
        [text, z.array(text), z.number(), z.boolean(), z.null()],
        'expected text, {"regex", "flags"}, a list of them, a number, true, false or null',
      )
      .optional()
      .describe('The expected value. Instead of text, {"regex", "flags"}; for list assertions, a list.'),
    name: z
      .string()
      .min(1)
      .optional()
      .describe('Attribute, CSS or JavaScript property, if the matcher takes one.'),
    options: z.record(z.string(), z.json()).optional().describe('Options of the matcher, and `timeout`.'),
    not: z.boolean().optional().describe('Asserts the opposite.'),
  })
  .check((check) => {
    const { matcher: matcherName, expected, name, options } = check.value;
    const refuse = (path: string, message: string): void => {
      check.issues.push({ code: 'custom', path: [path], message, input: check.value });
    };
    const matcher = Object.hasOwn(matchers, matcherName) ? matchers[matcherName] : undefined;
    if (matcher === undefined) {
      refuse('matcher', `"${matcherName}" is not a matcher${didYouMean(matcherName, matcherNames)}`);
      return;
    }
    if (matcher.name === undefined && name !== undefined) refuse('name', `${matcherName} takes no name`);
    if (matcher.name !== undefined && name === undefined && matcher.optionalName === undefined)
      refuse('name', `${matcherName} needs the name of the ${matcher.name}`);
    if (name !== undefined && matcher.nameForm?.form.test(name) === false)
      refuse('name', `${matcherName}: expected a name such as ${matcher.nameForm.example}`);
    if (matcher.expected === undefined) {
      if (expected !== undefined) refuse('expected', `${matcherName} takes no expected value`);
    } else if (expected === undefined) {
      if (matcher.optional !== true) refuse('expected', `${matcherName} needs an expected value`);
    } else {
      const problem = tooLarge(expected);
      if (problem !== undefined) refuse('expected', `${matcherName}: ${problem}`);
      for (const issue of matcher.expected.safeParse(expected).error?.issues ?? [])
        refuse('expected', `${matcherName}: ${issue.message.replace(/^Invalid input: /, '')}`);
    }
    if (matcherName === 'toHaveScreenshot' && check.value.not === true)
      refuse('not', `${matcherName} compares with a reference screenshot, so it takes no \`not\``);
    const known = (matcher.options ?? z.strictObject({})).extend(
      matcherName === 'toPassAxe' ? {} : { timeout: timeLimit },
    );
    for (const issue of known.safeParse(options ?? {}).error?.issues ?? [])
      if (issue.code !== 'unrecognized_keys')
        refuse('options', `${matcherName}: ${issue.path.join('.')}: ${issue.message}`);
      else
        for (const key of issue.keys)
          refuse('options', unknownOption(matcherName, key, Object.keys(known.shape)));
  });

type ExpectFields = z.infer<typeof fields>;

function unknownOption(matcher: string, key: string, known: readonly string[]): string {
  const options = known.length === 0 ? 'it takes none' : `options: ${known.join(', ')}`;
  return `${matcher} has no option "${key}"${didYouMean(key, known)} (${options})`;
}

export const expect = defineAction({
  name: 'expect',
  asserts: true,
  verifies: true,
  description:
    'Asserts with a web-first matcher of Playwright; without a target, about the page. Fails if it is not true now.',
  target: 'subject',
  kind: 'passive',
  fields,
  origins: () => [],
  masked: maskOf,
  async perform({ page, files, actionMs }, given, locator) {
    if (given.matcher === 'toPassAxe') {
      checkSubject(given.matcher, locator !== undefined);
      await requireAccessible(page, files, axeOptions.parse(given.options ?? {}), given.not === true);
    } else if (matchers[given.matcher]?.unchecked === true) {
      await Promise.all(styleSheetsOf(given).map((file) => files.readable(file)));
      await checkForm(given, locator, actionMs);
    } else await check(given, locator ?? page, actionMs);
  },
  toCode(given, scope) {
    const { matcher, not = false, options } = given;
    if (matcher === 'toPassAxe') return axeCode(axeOptions.parse(options ?? {}), not, scope);
    let args = values(...argumentsOf(given), options);
    if (matcher === 'toMatchAriaSnapshot')
      args = [{ kind: 'block', text: z.string().parse(given.expected) }, ...values(options)];
    else if (matcher === 'toHaveScreenshot') args = pictureCode(given, scope.mask);
    return [expectThat(scope.subject, matcher, args, { not, retries: 'assertion' })];
  },
  normalize: (given, baseURL) =>
    given.matcher === 'toHaveURL' && typeof given.expected === 'string'
      ? { ...given, expected: relativeUrl(given.expected, baseURL) }
      : given,
});

function fieldsOf(args: Step['args']): ExpectFields {
  return fields.parse(hideTemplates(args));
}

/** Whether only a run of the test can check an assertion. */
export function isUnchecked(args: Step['args']): boolean {
  return matchers[fieldsOf(args).matcher]?.unchecked === true;
}

/** Whether an assertion may take longer than the time-out of an action. */
export function takesLong(args: Step['args']): boolean {
  return fieldsOf(args).matcher === 'toPassAxe';
}

/** Whether an assertion compares screenshots. */
export function isPicture(args: Step['args']): boolean {
  return fieldsOf(args).matcher === 'toHaveScreenshot';
}

/** Checks as much as possible of an assertion that works only inside a test: its element exists, its YAML is valid. */
async function checkForm(
  { matcher, expected, options, not }: ExpectFields,
  locator: Locator | undefined,
  timeout: number,
): Promise<void> {
  if (locator !== undefined && options?.['fullPage'] !== undefined)
    throw new CodegenError('INVALID_INPUT', `${matcher}: fullPage can't be combined with a target.`, {
      hint: 'Leave out target or fullPage.',
    });
  if (matcher === 'toMatchAriaSnapshot') {
    const problem = await yamlProblem(z.string().parse(expected));
    if (problem !== undefined)
      throw new CodegenError('INVALID_INPUT', `${matcher}: ${problem}`, {
        hint: 'Copy lines from the snapshot, without refs: - button "Save".',
      });
  }
  if (not !== true) await locator?.waitFor({ state: 'attached', timeout });
}

/** The problem with a YAML document. Does not look for duplicate keys, which would take quadratic time. */
async function yamlProblem(text: string): Promise<string | undefined> {
  const { parseDocument } = await import('yaml');
  try {
    return parseDocument(text, { uniqueKeys: false }).errors[0]?.message;
  } catch (error) {
    return messageOf(error);
  }
}

/** Resolves when an assertion is true; rejects after the time-out. If it works only inside a test, checks visibility. */
export async function checkAssertion(
  args: unknown,
  subject: Locator | Page,
  timeoutMs: number,
): Promise<void> {
  const given = fields.parse(args);
  if (matchers[given.matcher]?.unchecked !== true) await check(given, subject, timeoutMs);
  else if (!isPage(subject)) await check({ matcher: 'toBeVisible' }, subject, timeoutMs);
}

async function check(given: ExpectFields, subject: Locator | Page, timeout: number): Promise<void> {
  const { expect: playwrightExpect } = await import('playwright/test');
  checkSubject(given.matcher, !isPage(subject));
  const { matcher: name, expected, not = false } = given;
  const bounded =
    expected === undefined ? subject : boundedSubject(subject, { matcher: name, expected, not });
  const expectation = not ? playwrightExpect(bounded).not : playwrightExpect(bounded);
  const matcher: unknown = Reflect.get(expectation, given.matcher);
  if (typeof matcher !== 'function') throw new Error(`Playwright has no matcher ${given.matcher}.`);
  const values = argumentsOf(given).map(toPlaywright);
  await Reflect.apply(matcher, expectation, [...values, { ...given.options, timeout }]);
}

function isPage(subject: Locator | Page): subject is Page {
  return 'goto' in subject;
}

/** The texts that an assertion expects of its element; undefined if it checks something else. */
export function assertedTexts(args: Step['args']): string[] | 'own text' | undefined {
  const { matcher, expected } = fieldsOf(args);
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
    throw new CodegenError('INVALID_INPUT', `${matcher} checks the page, not an element.`, {
      hint: 'Leave out target.',
    });
  if (on === 'locator' && !hasTarget)
    throw new CodegenError('INVALID_INPUT', `${matcher} needs a target.`, {
      hint: "Use a ref from the snapshot, or a locator such as getByRole('heading').",
    });
}
