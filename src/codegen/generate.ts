import type { Json } from '../model/json.js';
import { stepTitle, testTitle } from './naming.js';
import { comment, literal, quote } from './quote.js';
import type { GroupData, ImportData, TemplateData } from './template-data.js';
import { render, type Template } from './templates.js';

/** A step as code, in the order of the test. */
export interface Statement {
  /** One or more whole statements. */
  code: string;
  /** Becomes the comment above. */
  note?: string | undefined;
  /** Title of the `test.step` it belongs to; neighbours of one title share it. */
  group?: string | undefined;
  /** The variables that it declares. */
  declares?: readonly string[] | undefined;
  /** What it needs besides Playwright Test. */
  imports?: readonly Import[] | undefined;
  /** Whether it belongs to what stands before it, so that no blank line comes between. */
  follows?: boolean | undefined;
}

/** Something to import. Its names have to be among the reserved ones of `identifiers.ts`. */
export interface Import {
  /** The module, e.g. `node:path`. */
  from: string;
  /** What takes the default export. */
  default?: string | undefined;
  names?: readonly string[] | undefined;
}

/** A page object that the test uses. */
export interface PageObjectUse {
  variable: string;
  className: string;
  /** The module, relative to the spec. */
  from: string;
}

export interface GenerateInput {
  language: 'typescript' | 'javascript';
  template: Template;
  title: string;
  /** Goes to `test.use`; `device` is a name out of Playwright's `devices`. */
  use?: { [option: string]: Json } | undefined;
  body: readonly Statement[];
  /** Those that are made before anything else. */
  pageObjects?: readonly PageObjectUse[] | undefined;
  includeComments: boolean;
}

/** What a statement can use without declaring it. */
const fixtures = ['page', 'context', 'request', 'browser'];

export interface Generated {
  source: string;
  /** Which statement of the body a line belongs to, by line number; the first line has number 1. */
  statements: ReadonlyMap<number, number>;
}

/** A comment that marks where a statement begins, as long as the source is made; notes become comments of the other kind. */
const marker = /^\s*\/\*codegen-statement:(\d+)\*\/$/;

/** Marks the code that follows as one statement, by a number. */
export function marked(number: number, code: string): string[] {
  return [`/*codegen-statement:${number}*/`, code];
}

/**
 * The source of one spec, formatted as Prettier does by default. The same input gives the same text. A template that
 * can't be read, fails, or yields what does not parse is `CONFIG_INVALID`.
 */
export async function generate(input: GenerateInput): Promise<Generated> {
  return unmark(await render(input.template, 'spec', await templateData(input)));
}

/** Takes out the markers and says which lines stood below which. */
export function unmark(text: string): Generated {
  const lines: string[] = [];
  const statements = new Map<number, number>();
  let current: number | undefined;
  for (const line of text.split('\n')) {
    const number = marker.exec(line)?.[1];
    if (number !== undefined) {
      current = Number(number);
      continue;
    }
    lines.push(line);
    if (current !== undefined && line.trim() !== '') statements.set(lines.length, current);
  }
  return { source: lines.join('\n'), statements };
}

async function templateData(input: GenerateInput): Promise<TemplateData> {
  const { language, title, use, body, pageObjects = [], includeComments } = input;
  const { namesIn } = await import('./tokens.js');
  const names = namesIn(body.map(({ code }) => code).join('\n'));
  if (pageObjects.length > 0) names.add('page');
  const used = fixtures.filter((name) => names.has(name));
  const own = [
    'test',
    ...(names.has('expect') ? ['expect'] : []),
    ...(use?.['device'] === undefined ? [] : ['devices']),
  ];
  return {
    language,
    imports: importsOf([
      { from: '@playwright/test', names: own },
      ...pageObjects.map(({ className, from }) => ({ from, names: [className] })),
      ...body.flatMap(({ imports = [] }) => imports),
    ]),
    use: use === undefined || Object.keys(use).length === 0 ? undefined : useCode(use),
    title: quote(testTitle(title)),
    parameters: used.length === 0 ? '' : `{ ${used.join(', ')} }`,
    pageObjects: pageObjects.map(({ variable, className }) => ({ variable, className })),
    groups: await groupsOf(body, includeComments),
  };
}

/** One import for each module: those of Node first, relative ones last. */
function importsOf(imports: readonly Import[]): ImportData[] {
  const modules = new Map<string, { default: string | undefined; names: Set<string> }>();
  for (const { from, default: name, names = [] } of imports) {
    const known = modules.get(from) ?? { default: name, names: new Set<string>() };
    modules.set(from, { default: name ?? known.default, names: new Set([...known.names, ...names]) });
  }
  const rank = (from: string): number => (from.startsWith('node:') ? 0 : from.startsWith('.') ? 2 : 1);
  return [...modules]
    .sort(([one], [other]) => rank(one) - rank(other))
    .map(([from, each]) => ({ from: quote(from), default: each.default, names: [...each.names] }));
}

/** The argument of `test.use`; what is given besides a device wins over it. */
function useCode({ device, ...options }: { [option: string]: Json }): string {
  if (device === undefined) return literal(options);
  return `{ ...devices[${literal(device)}], ${literal(options).slice(1)}`;
}

async function groupsOf(body: readonly Statement[], includeComments: boolean): Promise<GroupData[]> {
  const groups: (GroupData & { end: number; declared: string[] })[] = [];
  let previous: Statement | undefined;
  /** Whether what stands last asserts what was done. */
  let isChecked = false;
  for (const [index, statement] of body.entries()) {
    const { code, note, group, declares = [], follows = false } = statement;
    const lines = includeComments && note !== undefined ? comment(note) : [];
    let current = groups.at(-1);
    if (current === undefined || previous?.group !== group) {
      const title = group === undefined ? undefined : quote(stepTitle(group));
      current = { title, result: undefined, paragraphs: [[]], end: index, declared: [] };
      groups.push(current);
    } else if (lines.length > 0 || (isChecked && !follows && !isAssertion(statement))) {
      current.paragraphs.push([]);
    }
    current.paragraphs.at(-1)?.push(...lines, ...marked(index, code));
    current.declared.push(...declares);
    current.end = index;
    isChecked = isAssertion(statement) || (isChecked && follows);
    previous = statement;
  }
  for (const group of groups) {
    if (group.title === undefined || group.declared.length === 0) continue;
    const { namesIn } = await import('./tokens.js');
    const later = namesIn(
      body
        .slice(group.end + 1)
        .map(({ code }) => code)
        .join('\n'),
    );
    const needed = group.declared.filter((name) => later.has(name));
    if (needed.length === 0) continue;
    group.result = needed.length === 1 ? needed[0] : `{ ${needed.join(', ')} }`;
    group.paragraphs.push([`return ${group.result ?? ''};`]);
  }
  return groups.map(({ end, declared, ...group }) => group);
}

function isAssertion({ code }: Statement): boolean {
  return code.startsWith('await expect');
}
