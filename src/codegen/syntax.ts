import { parse } from 'acorn';
import { z } from 'zod';

/** Prettier's parser, of whose options none is needed. */
const parserSchema = z.custom<(source: string, options: object) => unknown>(
  (value) => typeof value === 'function',
);

/** The syntax tree of TypeScript or JavaScript. Throws if the source is not valid. */
export async function parseSource(source: string): Promise<unknown> {
  const { parsers } = await import('prettier/plugins/babel');
  return parserSchema.parse(parsers['babel-ts'].parse)(source, {});
}

/** Properties of a syntax tree for positions, comments and formatting. */
const ignored = new Set(
  'start end __contentEnd loc range raw extra comments leadingComments trailingComments innerComments'.split(
    ' ',
  ),
);

/** The key of a property, whether it is quoted or not. */
const keySchema = z
  .union([z.object({ name: z.string() }), z.object({ value: z.union([z.string(), z.number()]) })])
  .transform((key) => String('name' in key ? key.name : key.value));

/** A text that is equal for code that differs only in its format. */
function keyOf(tree: unknown): string {
  return JSON.stringify(tree, (name, value: unknown) => {
    if (ignored.has(name)) return undefined;
    if (name === 'flags' && typeof value === 'string') return Array.from(value).sort().join('');
    return name === 'key' ? (keySchema.safeParse(value).data ?? value) : value;
  });
}

/** The syntax tree of code without positions, for comparing existing code with new code. */
export function syntaxOf(code: string): string {
  try {
    return keyOf(parse(code, { ecmaVersion: 'latest', allowAwaitOutsideFunction: true }));
  } catch {
    // TypeScript that a person wrote.
    return code;
  }
}

const blocksSchema = z.object({
  program: z.object({ body: z.array(z.object({ body: z.array(z.unknown()) })) }),
});
const statementSchema = z.object({
  type: z.enum(['ExpressionStatement', 'VariableDeclaration', 'ReturnStatement']),
  loc: z.object({ start: z.object({ line: z.int() }), end: z.object({ line: z.int() }) }),
});

/**
 * The part of `parts`, which are statements in the order of the source, that each line of the source belongs to, by line
 * number; the first line has number 1.
 */
export async function linesOf(source: string, parts: readonly string[]): Promise<Map<number, number>> {
  const blocks = blocksSchema.parse(await parseSource(parts.map((part) => `{\n${part}\n}`).join('\n')));
  const wanted = blocks.program.body.flatMap(({ body }, part) =>
    body.map((each) => ({ part, key: keyOf(each) })),
  );
  const lines = new Map<number, number>();
  let next = 0;
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const statement = statementSchema.safeParse(node).data;
    const key = statement && keyOf(node);
    const found =
      key === undefined ? -1 : wanted.findIndex((each, index) => index >= next && each.key === key);
    const part = wanted[found]?.part;
    if (statement === undefined || part === undefined) {
      Object.values(node).forEach(visit);
      return;
    }
    next = found + 1;
    for (let { line } = statement.loc.start; line <= statement.loc.end.line; line++) lines.set(line, part);
  };
  visit(await parseSource(source));
  return lines;
}
