import type { Hook, Import, Statement } from '../model/code.js';
import { type Language, type Row, type TestModule, titleField } from '../model/emission.js';
import { CodegenError } from '../model/errors.js';
import { toJson, type Json } from '../model/json.js';
import type { BaseSpec } from './base-spec.js';
import type { CodeStyle } from './format.js';
import { helpersOf } from './helpers.js';
import { importsOf, testImports } from './imports.js';
import { titleFor } from './naming.js';
import { Printer, uniqueOptions } from './printer.js';
import { comment, literal, quote, template } from './quote.js';
import type { Uniques } from './rows.js';
import { linesOf } from './syntax.js';
import type { FunctionData, GroupData, HookData, TemplateData } from './template-data.js';
import { renderTemplate, type TestTemplate } from './templates.js';

/** Statements that stay together, in the order of the test. */
export interface Chunk {
  code: readonly Statement[];
  /** Becomes the comment above. */
  note?: string | undefined;
  /** Title of the `test.step` it belongs to; neighbours of one title share it. */
  group?: string | undefined;
  /** The hook it belongs to; undefined for the test itself. */
  hook?: HookGroup | undefined;
  /** Whether it belongs to the chunk before, so that no blank line comes between. */
  follows?: boolean | undefined;
}

/** A hook, whose chunks share it. */
export interface HookGroup {
  method: Hook;
  title: string;
}

export interface PageObjectUse {
  variable: string;
  className: string;
  /** The module, relative to the spec. */
  from: string;
  /** Whether it is a function that returns the page object. */
  isFunction?: boolean | undefined;
  /** Whether it is no object, but a function that takes the page and acts. */
  isHelper?: boolean | undefined;
  /** Whether it is the default export of its module, or all that the module exports. */
  isDefault?: boolean;
  isModule?: boolean | undefined;
  /** Whether a fixture of the project gives it. */
  isFixture?: boolean;
}

export interface GenerateInput {
  language: Language;
  template: TestTemplate;
  title: string;
  /** Whether it is a set-up test, whose function is called `setup`. */
  setup?: boolean | undefined;
  /** Title of the `test.describe` around the test. */
  describe?: string | undefined;
  tags?: readonly string[] | undefined;
  annotations?: readonly { type: string; description?: string | undefined }[] | undefined;
  /** The test runs once for each; it was recorded with the values of the first. */
  data?: readonly Row[] | undefined;
  /** The words that are new in every run. */
  uniques?: Uniques | undefined;
  /** Where `test` and `expect` come from, if not from `@playwright/test`. */
  testModule?: TestModule | undefined;
  /** Goes to `test.use`; `device` is a name out of Playwright's `devices`. */
  use?: { [option: string]: Json } | undefined;
  body: readonly Chunk[];
  /** The test's path in the workspace. */
  spec?: string;
  /** Those that are created at the start. */
  pageObjects?: readonly PageObjectUse[] | undefined;
  includeComments: boolean;
  /** How the project writes code; Prettier's defaults without one. */
  style?: CodeStyle | undefined;
  /** The spec into which the body is inserted, instead of a new test. */
  base?: BaseSpec | undefined;
}

/** What a statement can use without declaring it. */
const fixtures = ['page', 'context', 'request', 'browser'];

interface Generated {
  source: string;
  /** Which statement of the body a line belongs to, by line number; the first line has number 1. */
  statements: ReadonlyMap<number, number>;
  /** The same lines, if a run needs other text to run only this test. */
  staged?: string;
}

/**
 * The source of one spec. The same input gives the same text. A template that
 * can't be read, fails, or yields what does not parse is `CONFIG_INVALID`.
 */
export async function generate(input: GenerateInput): Promise<Generated & { files: string[] }> {
  if (input.base !== undefined) return generateInto(input.base, input);
  const { files, texts, ...data } = templateData(input);
  const source = await renderTemplate(input.template, 'spec', data, input.style);
  const statements = await linesOf(source, texts);
  const written = new Set(statements.values());
  const missing = [
    ...(input.body.some(({ hook }, index) => hook !== undefined && !written.has(index)) ? ['hooks'] : []),
    ...(data.helpers.some((code) => !source.includes(/function \w+/.exec(code)?.[0] ?? ''))
      ? ['helpers']
      : []),
  ];
  if (missing.length > 0)
    throw new CodegenError(
      'CONFIG_INVALID',
      `The template ${input.template.name}.eta does not print ${missing.join(' and ')}.`,
      { hint: 'Print them as templates/plain.eta of this package does.' },
    );
  return { source, statements, files };
}

/** Puts the body into a spec that a person wrote, formatted as that is. */
async function generateInto(base: BaseSpec, input: GenerateInput): Promise<Generated & { files: string[] }> {
  const { formatOf } = await import('./base-spec.js');
  const { extendSpec } = await import('./extend-spec.js');
  const { format } = await import('prettier');
  const { depth, test, ...own } = formatOf(base);
  const { tabWidth, useTabs } = own;
  const configured = input.style?.isConfigured === true ? input.style.options : own;
  const style = { ...configured, tabWidth, useTabs };
  const { body: all, variables } = printed(input, test);
  requireInsertable(base, all, variables);
  const body = all.filter(({ hook }) => hook === undefined);
  const names = new Set(body.flatMap(({ printer }) => [...printer.used]));
  if (helpersOf(names, 'typescript').length > 0)
    throw new CodegenError('INVALID_INPUT', `{{totp}} and {{unique}} can't be inserted into ${base.file}.`, {
      hint: 'Remove the steps with these tokens, or record a test of its own.',
    });
  const code = groupsOf(body, input.includeComments)
    .map((group) => groupCode(group, test))
    .join('\n\n');
  const formatAt = async (level: number, given: string): Promise<string> => {
    if (level === 0) return (await format(given, { ...style, parser: 'babel-ts' })).trimEnd();
    const nested = `async () => ${'{\n'.repeat(level)}${given}\n${'}\n'.repeat(level)}`;
    const lines = (await format(nested, { ...style, parser: 'babel-ts' })).trimEnd().split('\n');
    return lines.slice(level, -level).join('\n');
  };
  const text = await formatAt(depth, code);
  const hooks = hooksOf(all, input).map(
    ({ method, title, parameters, groups }) =>
      `${test}.${method}(${title}, async (${parameters}) => {\n${groups.map((group) => groupCode(group, test)).join('\n\n')}\n});`,
  );
  const imports = importsOf(
    body.flatMap(({ printer }) => printer.imports),
    input,
  ).map(({ code }) => code);
  const { source, staged, line } = extendSpec(base, {
    text,
    hooks: hooks.length === 0 ? '' : await formatAt(depth - 1, hooks.join('\n\n')),
    fixtures: fixturesFor(names, input.pageObjects),
    usesExpect: names.has('expect'),
    imports: await Promise.all(
      imports.map(async (each) => (await format(each, { ...style, parser: 'babel-ts' })).trimEnd()),
    ),
    title: (
      await format(quote(titleFor('test', input.title)), { ...style, semi: false, parser: 'babel-ts' })
    ).trim(),
    spec: input.spec ?? base.file,
  });
  const texts = body.map((each) => each.text);
  const inText = await linesOf(`async () => {\n${text}\n}`, texts);
  // The text begins in line 2 of what was parsed, and the chunks of hooks come first.
  const first = all.length - body.length;
  const statements = new Map([...inText].map(([at, statement]) => [at - 2 + line, first + statement]));
  return { source, staged, statements, files: body.flatMap(({ printer }) => printer.files) };
}

/** Throws INVALID_INPUT if a hook of the session can't be put around the test of a spec. */
function requireInsertable(
  base: BaseSpec,
  body: readonly PrintedChunk[],
  variables: ReadonlyMap<string, string>,
): void {
  const hooks = body.flatMap(({ hook }) => hook ?? []);
  if (hooks.length === 0) return;
  const isBefore = hooks.some(({ method }) => method === 'beforeEach');
  if (!isBefore && variables.size === 0) return;
  throw new CodegenError(
    'INVALID_INPUT',
    isBefore
      ? `A beforeEach hook would run before the test of ${base.file}, but its steps were recorded after it.`
      : `The hook uses ${[...variables.keys()].join(', ')} of the test in ${base.file}.`,
    { hint: 'Remove the steps with `hook`, or record a test of its own.' },
  );
}

function hooksOf(body: readonly PrintedChunk[], input: GenerateInput): HookData[] {
  return [...partsOf(body)].flatMap(([hook, chunks]) =>
    hook === undefined
      ? []
      : [{ method: hook.method, title: quote(titleFor('step', hook.title)), ...functionData(chunks, input) }],
  );
}

function groupCode({ title, result, paragraphs }: GroupData, test: string): string {
  const code = paragraphs.map((lines) => lines.join('\n')).join('\n\n');
  if (title === undefined) return code;
  const declared = result === undefined ? '' : `const ${result} = `;
  return `${declared}await ${test}.step(${title}, async () => {\n${code}\n});`;
}

function templateData(input: GenerateInput): TemplateData & { files: string[]; texts: string[] } {
  const { language, title, use, pageObjects = [], data, describe, setup = false } = input;
  const test = setup ? 'setup' : 'test';
  const { body, variables } = printed(input, test);
  const names = new Set(body.flatMap(({ printer }) => [...printer.used]));
  const helpers = helpersOf(names, language);
  const types = language === 'typescript' ? [...variables.values()] : [];
  return {
    language,
    imports: importsOf(
      [
        ...testImports(input.testModule, test, {
          usesExpect: names.has('expect'),
          usesDevices: use?.['device'] !== undefined,
          expectFirst: input.style?.expectFirst,
        }),
        ...playwrightTypes.filter((type) => types.includes(type)).map(typeImport),
        ...pageObjects
          .filter(({ isFixture = false }) => !isFixture)
          .map(({ className, from, isDefault = false, isModule }) =>
            isDefault ? { from, default: className, isModule } : { from, names: [className] },
          ),
        ...body.flatMap(({ printer }) => printer.imports),
        ...helpers.flatMap(({ imports }) => imports),
      ],
      input,
    ),
    use: use === undefined || Object.keys(use).length === 0 ? undefined : useCode(use),
    test,
    title: data === undefined ? quote(titleFor('test', title)) : rowTitle(titleFor('test', title), data),
    details: detailsCode(input),
    describe: describe === undefined ? undefined : quote(titleFor('describe', describe)),
    rows: data === undefined ? undefined : literal([...data]),
    variables: [...variables].map(([name, type]) => declaration(name, type, language)),
    hooks: hooksOf(body, input),
    helpers: helpers.map(({ code }) => code),
    ...functionData(
      body.filter(({ hook }) => hook === undefined),
      input,
    ),
    files: body.flatMap(({ printer }) => printer.files),
    texts: body.map(({ text }) => text),
  };
}

/** Types of Playwright Test that variables may have. */
const playwrightTypes = ['BrowserContext', 'Download', 'Locator', 'Page'];

function declaration(name: string, type: string, language: Language): string {
  if (language === 'typescript') return `let ${name}: ${type};`;
  const imported = playwrightTypes.includes(type) ? `import("@playwright/test").${type}` : type;
  return `/** @type {${imported}} */\nlet ${name};`;
}

function typeImport(type: string): Import {
  return { from: '@playwright/test', names: [`type ${type}`] };
}

/** The chunks as text, and the types of the variables that several functions share. */
function printed(
  input: GenerateInput,
  test: string,
): { body: PrintedChunk[]; variables: Map<string, string> } {
  const variables = uniqueOptions(input.uniques, input.data?.[0]);
  const print = (shared: ReadonlySet<string>): PrintedChunk[] =>
    input.body.map((chunk) => {
      const printer = new Printer(input.spec, { test, ...variables, shared });
      return { ...chunk, printer, text: printer.statements(chunk.code) };
    });
  const body = print(new Set());
  const types = new Map(
    body.flatMap(({ hook, printer }) => {
      const elsewhere = body.filter((other) => other.hook !== hook);
      return [...printer.types].filter(([name]) =>
        elsewhere.some((other) => uses(other, name, input.uniques)),
      );
    }),
  );
  return { body: types.size === 0 ? body : print(new Set(types.keys())), variables: types };
}

/** Whether a chunk uses a variable. Those of words are in the literals that it prints. */
function uses({ printer, text }: PrintedChunk, name: string, uniques: Uniques = {}): boolean {
  return printer.used.has(name) || (name in uniques && text.includes(name));
}

/** The chunks of the test and of each hook. */
function partsOf(body: readonly PrintedChunk[]): Map<HookGroup | undefined, PrintedChunk[]> {
  const parts = new Map<HookGroup | undefined, PrintedChunk[]>();
  for (const chunk of body) parts.set(chunk.hook, [...(parts.get(chunk.hook) ?? []), chunk]);
  return parts;
}

function functionData(
  chunks: readonly PrintedChunk[],
  { pageObjects = [], includeComments }: GenerateInput,
): FunctionData {
  const names = new Set(chunks.flatMap(({ printer }) => [...printer.used]));
  const needed = pageObjects.filter(({ variable }) => names.has(variable));
  const made = needed.filter(({ isFixture = false, isHelper = false }) => !isFixture && !isHelper);
  if (made.length > 0) names.add('page');
  const used = fixturesFor(names, pageObjects);
  return {
    parameters: used.length === 0 ? '' : `{ ${used.join(', ')} }`,
    pageObjects: made.map(({ variable, className, isFunction = false }) => ({
      variable,
      className,
      code: `${isFunction ? '' : 'new '}${className}(page)`,
    })),
    groups: groupsOf(chunks, includeComments),
  };
}

/** The fixtures among the names that code uses. */
function fixturesFor(names: ReadonlySet<string>, pageObjects: readonly PageObjectUse[] = []): string[] {
  const own = pageObjects.filter(({ isFixture = false }) => isFixture).map(({ variable }) => variable);
  return [...own, ...fixtures].filter((name) => names.has(name));
}

interface PrintedChunk extends Chunk {
  text: string;
  /** What the text needs. */
  printer: Printer;
}

/** The title of the test of each row, which ends in a field. */
function rowTitle(title: string, data: readonly Row[]): string {
  return template([`${title}: `, `row.${titleField(data) ?? ''}`, '']);
}

/** The second argument of `test`; undefined for none. */
function detailsCode({ tags, annotations }: GenerateInput): string | undefined {
  if (tags === undefined && annotations === undefined) return undefined;
  return literal(toJson({ tag: tags, annotation: annotations }));
}

/** The argument of `test.use`; what is given besides a device wins over it. */
function useCode({ device, ...options }: { [option: string]: Json }): string {
  if (device === undefined) return literal(options);
  return `{ ...devices[${literal(device)}], ${literal(options).slice(1)}`;
}

function groupsOf(body: readonly PrintedChunk[], includeComments: boolean): GroupData[] {
  const groups: (GroupData & { end: number; declared: string[] })[] = [];
  let previous: Chunk | undefined;
  /** Whether the last chunk asserts what was done. */
  let isChecked = false;
  for (const [index, chunk] of body.entries()) {
    const { text, printer, note, group, follows = false } = chunk;
    const lines = includeComments && note !== undefined ? comment(note) : [];
    let current = groups.at(-1);
    if (current === undefined || previous?.group !== group) {
      const title = group === undefined ? undefined : quote(titleFor('step', group));
      current = { title, result: undefined, paragraphs: [[]], end: index, declared: [] };
      groups.push(current);
    } else if (lines.length > 0 || (isChecked && !follows && !isAssertion(chunk))) {
      current.paragraphs.push([]);
    }
    current.paragraphs.at(-1)?.push(...lines, text);
    current.declared.push(...printer.declared);
    current.end = index;
    isChecked = isAssertion(chunk) || (isChecked && follows);
    previous = chunk;
  }
  return groups.map(({ end, declared, ...group }) => {
    const later = new Set(body.slice(end + 1).flatMap(({ printer }) => [...printer.used]));
    const needed = group.title === undefined ? [] : declared.filter((name) => later.has(name));
    if (needed.length === 0) return group;
    const result = needed.length === 1 ? needed.join() : `{ ${needed.join(', ')} }`;
    return { ...group, result, paragraphs: [...group.paragraphs, [`return ${result};`]] };
  });
}

function isAssertion({ code: [first] }: Chunk): boolean {
  return first?.kind === 'expect' && first.retries !== undefined;
}
