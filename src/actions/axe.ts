import type * as axe from '@axe-core/playwright';
import type { Page } from 'playwright';
import { z } from 'zod';
import {
  call,
  expectThat,
  property,
  value,
  variable,
  wait,
  type CodeScope,
  type Expression,
  type Statement,
} from '../model/code.js';
import { CodegenError } from '../model/errors.js';
import type { SessionFiles } from './action.js';

const axePackage = '@axe-core/playwright';

const textOrTexts = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).optional();

export const axeOptions = z
  .strictObject({
    /** Ids of the rules to check, or tags such as `wcag2aa`. */
    rules: textOrTexts,
    tags: textOrTexts,
    /** CSS selectors of the parts to check, and to skip. */
    include: textOrTexts,
    exclude: textOrTexts,
  })
  .refine(
    ({ rules, tags }) => rules === undefined || tags === undefined,
    'axe takes rules or tags, not both',
  );

type AxeOptions = z.infer<typeof axeOptions>;

const axeModule = z.custom<typeof axe>(
  (value) => typeof value === 'object' && value !== null && 'AxeBuilder' in value,
);

function callsOf({ rules, tags, include, exclude }: AxeOptions) {
  const list = (texts: string | string[] = []): string[] => [texts].flat();
  return { rules: list(rules), tags: list(tags), include: list(include), exclude: list(exclude) };
}

/** Checks a page with the workspace's axe package. Throws ACTION_FAILED for violations, or for none if `not`. */
export async function requireAccessible(
  page: Page,
  files: SessionFiles,
  options: AxeOptions,
  not: boolean,
): Promise<void> {
  const module = await files.module(axePackage);
  if (module === undefined)
    throw new CodegenError('INVALID_INPUT', `${axePackage} is not installed in the workspace.`, {
      hint: `Ask the operator for \`npm install --save-dev ${axePackage}\`, or assert with toMatchAriaSnapshot.`,
    });
  const { AxeBuilder } = axeModule.parse(module);
  const { rules, tags, include, exclude } = callsOf(options);
  // Without legacy mode, axe opens a page, which the session would record as a popup.
  const builder = new AxeBuilder({ page }).setLegacyMode(true);
  if (rules.length > 0) builder.withRules(rules);
  if (tags.length > 0) builder.withTags(tags);
  for (const selector of include) builder.include(selector);
  for (const selector of exclude) builder.exclude(selector);
  const { violations } = await builder.analyze();
  if (not ? violations.length > 0 : violations.length === 0) return;
  const found = violations.map(({ id, help, nodes }) => `${id} (${help}; ${nodes.length} elements)`);
  const result = not ? 'axe found no violations.' : `axe found violations: ${found.join(', ')}.`;
  throw new CodegenError('ACTION_FAILED', result, {
    hint: 'Choose the `rules` to check, or `include` and `exclude` parts of the page.',
  });
}

export function axeCode(options: AxeOptions, not: boolean, { page, declare }: CodeScope): Statement[] {
  const results = declare('results');
  const { rules, tags, include, exclude } = callsOf(options);
  let builder: Expression = {
    kind: 'new',
    className: 'AxeBuilder',
    module: { from: axePackage, default: 'AxeBuilder' },
    args: [{ kind: 'record', entries: { page } }],
  };
  if (rules.length > 0) builder = call(builder, 'withRules', value(rules));
  if (tags.length > 0) builder = call(builder, 'withTags', value(tags));
  for (const selector of include) builder = call(builder, 'include', value(selector));
  for (const selector of exclude) builder = call(builder, 'exclude', value(selector));
  return [
    { kind: 'bind', name: results, value: wait(call(builder, 'analyze')) },
    expectThat(property(variable(results), 'violations'), 'toEqual', [value([])], { not }),
  ];
}
