import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CodegenError, messageOf } from '../model/errors.js';
import type { Json } from '../model/json.js';
import { stepTitle, testTitle } from './naming.js';
import { comment, literal, quote } from './quote.js';

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
}

export interface GenerateInput {
  language: 'typescript' | 'javascript';
  /** `plain`, or the absolute path of an Eta template. */
  template: string;
  title: string;
  /** Goes to `test.use`; `device` is a name out of Playwright's `devices`. */
  use?: { [option: string]: Json } | undefined;
  body: readonly Statement[];
  includeComments: boolean;
}

/** What a template is given, as `it`; all of it is source text. */
interface TemplateData {
  /** Names to import from `@playwright/test`. */
  imports: string[];
  /** The argument of `test.use`, where there is one. */
  use: string | undefined;
  title: string;
  /** The parameter of the test function: the fixtures that its body uses. */
  parameters: string;
  groups: Group[];
}

interface Group {
  /** Title of the `test.step`; undefined for statements outside of any. */
  title: string | undefined;
  /** What takes the variables that later groups use; undefined where they use none. */
  result: string | undefined;
  /** Statements, with their comments, that read as one; a blank line stands between two. */
  paragraphs: string[][];
}

const templates = new URL('../../templates/', import.meta.url);

/** What a statement can use without declaring it. */
const fixtures = ['page', 'context', 'request', 'browser'];

export interface Generated {
  source: string;
  /** Which statement of the body a line belongs to, by line number; the first line has number 1. */
  statements: ReadonlyMap<number, number>;
}

/** A comment that marks where a statement begins, as long as the source is made; notes become comments of the other kind. */
const marker = /^\s*\/\*codegen-statement:(\d+)\*\/$/;

/**
 * The source of one spec, formatted as Prettier does by default. The same input gives the same text. A template that
 * can't be read, fails, or yields what does not parse is `CONFIG_INVALID`.
 */
export async function generate(input: GenerateInput): Promise<Generated> {
  const { language, template } = input;
  const file = template === 'plain' ? fileURLToPath(new URL('plain.eta', templates)) : template;
  const broken = (what: string, cause: unknown) =>
    new CodegenError('CONFIG_INVALID', `The template ${path.basename(file)} ${what}: ${messageOf(cause)}`, {
      hint: `Correct ${file}, or use the template "plain".`,
      cause,
    });
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw broken('can not be read', error);
  });
  const data = await templateData(input);
  const source = await render(text, data).catch((error: unknown) => {
    throw broken('fails', error);
  });
  const { format } = await import('prettier');
  // Babel's parsers print the same as TypeScript's here, in less time.
  const marked = await format(source, { parser: language === 'typescript' ? 'babel-ts' : 'babel' }).catch(
    (error: unknown) => {
      throw broken(`yields what is not ${language}`, error);
    },
  );
  return unmark(marked);
}

/** Takes out the markers and says which lines stood below which. */
function unmark(marked: string): Generated {
  const lines: string[] = [];
  const statements = new Map<number, number>();
  let current: number | undefined;
  for (const line of marked.split('\n')) {
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

async function render(template: string, data: TemplateData): Promise<string> {
  const { Eta } = await import('eta');
  return new Eta({ autoEscape: false, autoTrim: false }).renderString(template, data);
}

async function templateData({ title, use, body, includeComments }: GenerateInput): Promise<TemplateData> {
  const names = await namesIn(body.map(({ code }) => code).join('\n'));
  const used = fixtures.filter((name) => names.has(name));
  return {
    imports: [
      'test',
      ...(names.has('expect') ? ['expect'] : []),
      ...(use?.['device'] === undefined ? [] : ['devices']),
    ],
    use: use === undefined || Object.keys(use).length === 0 ? undefined : useCode(use),
    title: quote(testTitle(title)),
    parameters: used.length === 0 ? '' : `{ ${used.join(', ')} }`,
    groups: await groupsOf(body, includeComments),
  };
}

/** The argument of `test.use`; what is given besides a device wins over it. */
function useCode({ device, ...options }: { [option: string]: Json }): string {
  if (device === undefined) return literal(options);
  return `{ ...devices[${literal(device)}], ${literal(options).slice(1)}`;
}

async function groupsOf(body: readonly Statement[], includeComments: boolean): Promise<Group[]> {
  const groups: (Group & { end: number; declared: string[] })[] = [];
  let previous: Statement | undefined;
  for (const [index, statement] of body.entries()) {
    const { code, note, group, declares = [] } = statement;
    const lines = includeComments && note !== undefined ? comment(note) : [];
    let current = groups.at(-1);
    if (current === undefined || previous?.group !== group) {
      const title = group === undefined ? undefined : quote(stepTitle(group));
      current = { title, result: undefined, paragraphs: [[]], end: index, declared: [] };
      groups.push(current);
    } else if (
      lines.length > 0 ||
      (previous !== undefined && isAssertion(previous) && !isAssertion(statement))
    ) {
      current.paragraphs.push([]);
    }
    current.paragraphs.at(-1)?.push(...lines, `/*codegen-statement:${index}*/`, code);
    current.declared.push(...declares);
    current.end = index;
    previous = statement;
  }
  for (const group of groups) {
    if (group.title === undefined || group.declared.length === 0) continue;
    const later = await namesIn(
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

/** The names that code uses, without those of members. */
async function namesIn(code: string): Promise<Set<string>> {
  const { tokenizer } = await import('acorn');
  const tokens = [...tokenizer(code, { ecmaVersion: 'latest' })].map(({ start, end }) =>
    code.slice(start, end),
  );
  return new Set(tokens.filter((_, index) => tokens[index - 1] !== '.' && tokens[index + 1] !== ':'));
}
