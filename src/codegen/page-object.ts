import { z } from 'zod';
import type { CodeStyle } from './format.js';
import { linesOf, parseSource } from './syntax.js';
import type { PageTemplateData, ParameterData } from './template-data.js';
import { renderTemplate, type TestTemplate } from './templates.js';
import type { Language } from '../model/emission.js';

/** A class that represents a page, in its own file. */
export interface PageObject {
  className: string;
  /** Lines of the comment that identifies the page. */
  comment: string[];
  fields: { name: string; code: string }[];
  methods: PageMethod[];
  /** Whether it has a field for the page. */
  keepsPage: boolean;
  /** The user's class that it extends, and the declaration that imports it. */
  base?: { className: string; code: string } | undefined;
}

export interface PageMethod {
  name: string;
  parameters: ParameterData[];
  statements: string[];
}

interface GeneratedPage {
  source: string;
  /** Which statement of which method a line belongs to, by line number; the first line has number 1. */
  statements: ReadonlyMap<number, { method: string; index: number }>;
}

/** The source of a page object. Throws what `generate` throws. */
export async function generatePage(
  template: TestTemplate,
  language: Language,
  { className, comment, fields, methods, keepsPage, base }: PageObject,
  style?: CodeStyle,
): Promise<GeneratedPage> {
  const data: PageTemplateData = {
    language,
    className,
    comment,
    types: [...(fields.length === 0 ? [] : ['Locator']), 'Page'],
    keepsPage,
    base,
    fields,
    methods,
  };
  const source = await renderTemplate(template, 'page', data, style);
  const parts = methods.flatMap(({ name: method, statements }) =>
    statements.map((code, index) => ({ code, place: { method, index } })),
  );
  const lines = await linesOf(
    source,
    parts.map(({ code }) => code),
  );
  const known = [...lines].flatMap(([line, part]) => {
    const place = parts[part]?.place;
    return place === undefined ? [] : [[line, place] as const];
  });
  return { source, statements: new Map(known) };
}

const range = { start: z.number(), end: z.number() };
const identifier = z.object({ type: z.literal('Identifier'), name: z.string() });

const commentSchema = z.object({ ...range, type: z.string(), value: z.string() });

const fieldSchema = z.object({
  type: z.literal('ExpressionStatement'),
  expression: z.object({
    type: z.literal('AssignmentExpression'),
    operator: z.literal('='),
    left: z.object({
      type: z.literal('MemberExpression'),
      computed: z.literal(false),
      object: z.object({ type: z.literal('ThisExpression') }),
      property: identifier,
    }),
    right: z.object({ ...range, type: z.string() }),
  }),
});

const methodSchema = z.object({
  ...range,
  type: z.literal('ClassMethod'),
  kind: z.enum(['constructor', 'method']),
  static: z.literal(false),
  computed: z.literal(false),
  key: identifier,
  params: z.array(
    identifier.extend({ typeAnnotation: z.object({ typeAnnotation: z.object(range) }).nullish() }),
  ),
  body: z.object({ body: z.array(z.looseObject(range)) }),
});

const exportSchema = z.object({
  ...range,
  type: z.literal('ExportNamedDeclaration'),
  declaration: z.object({
    type: z.literal('ClassDeclaration'),
    id: identifier,
    superClass: identifier.nullish(),
    body: z.object({
      body: z.array(z.union([methodSchema, z.object({ type: z.literal('ClassProperty') })])),
    }),
  }),
});

const importSchema = z.object({ ...range, type: z.literal('ImportDeclaration') });

const fileSchema = z.object({
  program: z.object({ body: z.array(z.unknown()) }),
  comments: z.array(commentSchema),
});

/**
 * Reads a page object back from its source, which is the only place where it is kept. Undefined if that is not a
 * class whose constructor sets fields, with methods, and nothing else.
 */
export async function parsePage(source: string): Promise<PageObject | undefined> {
  let tree: z.infer<typeof fileSchema>;
  try {
    tree = fileSchema.parse(await parseSource(source));
  } catch {
    return undefined;
  }
  const [found] = tree.program.body.flatMap((node) => exportSchema.safeParse(node).data ?? []);
  if (found === undefined) return undefined;
  const textOf = ({ start, end }: { start: number; end: number }): string => source.slice(start, end);
  const members = found.declaration.body.body.filter((member) => member.type === 'ClassMethod');
  const maker = members.find(({ kind }) => kind === 'constructor');
  const base = found.declaration.superClass?.name;
  const imported = tree.program.body
    .flatMap((node) => importSchema.safeParse(node).data ?? [])
    .map(textOf)
    .find((code) => base !== undefined && new RegExp(`\\b${base}\\b[^]*\\bfrom\\b`).test(code));
  const isOwn = (statement: { start: number; end: number }): boolean =>
    !textOf(statement).startsWith('super(');
  const fields = (maker?.body.body.filter(isOwn) ?? []).map(
    (statement) => fieldSchema.safeParse(statement).data,
  );
  if (fields.includes(undefined)) return undefined;
  const lines = tree.comments.filter(({ type, end }) => type === 'CommentLine' && end < found.start);
  return {
    className: found.declaration.id.name,
    comment: lines.map(textOf),
    ...(base !== undefined && imported !== undefined && { base: { className: base, code: imported } }),
    keepsPage: fields.some((field) => field?.expression.left.property.name === 'page'),
    fields: fields.flatMap((field) => {
      const { name = 'page' } = field?.expression.left.property ?? {};
      return field === undefined || name === 'page' ? [] : [{ name, code: textOf(field.expression.right) }];
    }),
    methods: members
      .filter(({ kind }) => kind === 'method')
      .map(({ key, params, body, start }) => {
        const above = tree.comments.find(
          (comment) => comment.end <= start && source.slice(comment.end, start).trim() === '',
        );
        const described = new Map(
          [...(above?.value ?? '').matchAll(/@param \{([^}]+)\} (\w+)/g)].map(
            ([, type = '', name = '']) => [name, type] as const,
          ),
        );
        return {
          name: key.name,
          parameters: params.map(({ name, typeAnnotation }) => ({
            name,
            type: typeAnnotation ? textOf(typeAnnotation.typeAnnotation) : (described.get(name) ?? 'string'),
          })),
          statements: body.body.map(textOf),
        };
      }),
  };
}
