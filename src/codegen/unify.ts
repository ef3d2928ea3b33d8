import { parse } from 'acorn';
import { z } from 'zod';
import { value } from '../model/code.js';
import { parseJson, type Json } from '../model/json.js';
import { isTemplate, type Template } from '../model/template.js';
import { Printer } from './printer.js';

const ignored = new Set(['start', 'end', 'raw', 'bigint']);

/** The tree of a statement, without positions; undefined if it is not JavaScript. */
export function treeOf(code: string): unknown {
  try {
    return parse(code, { ecmaVersion: 'latest', allowAwaitOutsideFunction: true }).body;
  } catch {
    return undefined;
  }
}

/** A tree in which literals stand for texts with secrets, so that they can be arguments: their JSON, which no text contains. */
export function withPlaceholders(tree: unknown, templates: readonly Template[]): unknown {
  if (templates.length === 0 || typeof tree !== 'object' || tree === null || tree instanceof RegExp)
    return tree;
  const key = syntaxKey(tree);
  const found = templates.find((each) => key === syntaxKey(expressionOf(each)));
  if (found !== undefined) return { type: 'Literal', value: JSON.stringify(found) };
  if (Array.isArray(tree)) return tree.map((each: unknown) => withPlaceholders(each, templates));
  return Object.fromEntries(
    Object.entries(tree).map(([name, each]) => [name, withPlaceholders(each, templates)]),
  );
}

function expressionOf(template: Template): unknown {
  return programSchema.safeParse(treeOf(new Printer().expression(value(template)))).data?.[0].expression;
}

function syntaxKey(tree: unknown): string {
  return JSON.stringify(tree, (name, each: unknown) => (ignored.has(name) ? undefined : each));
}

/** The text with secrets that a literal stands for. */
export function restored(literal: Json): Json {
  const parsed = typeof literal === 'string' ? parseJson(literal) : undefined;
  return isTemplate(parsed) ? parsed : literal;
}

const programSchema = z.tuple([z.object({ expression: z.unknown() })]);
export const literalSchema = z.object({
  type: z.literal('Literal'),
  value: z.union([z.string(), z.number(), z.boolean()]),
});
const nodeSchema = z.looseObject({ type: z.string().optional(), name: z.unknown().optional() });

/** Whether code of a method is the same as code of a test, with literals for its parameters. */
export function unifies(
  one: unknown,
  other: unknown,
  parameters: ReadonlySet<string>,
  bound: Map<string, Json>,
): boolean {
  if (one instanceof RegExp && other instanceof RegExp) return String(one) === String(other);
  if (typeof one !== 'object' || one === null) return one === other;
  if (typeof other !== 'object' || other === null) return false;
  const { type, name } = Array.isArray(one) ? { type: undefined, name: undefined } : nodeSchema.parse(one);
  const literal = literalSchema.safeParse(other).data?.value;
  if (type === 'Identifier' && typeof name === 'string' && parameters.has(name)) {
    const known = bound.get(name);
    if (literal === undefined || (known !== undefined && textOf(known) !== textOf(literal))) return false;
    bound.set(name, literal);
    return true;
  }
  if (type === 'TemplateLiteral' || type === 'BinaryExpression')
    return typeof literal === 'string' && matchesText(partsOf(one, parameters), literal, bound);
  const [own, theirs] = [one, other].map((each) => Object.entries(each).filter(([key]) => !ignored.has(key)));
  const others = new Map(theirs);
  return (
    own?.length === others.size &&
    own.every(([key, each]) => others.has(key) && unifies(each, others.get(key), parameters, bound))
  );
}

/** A text of literals, and of parameters by their names. */
type TextParts = (string | { name: string })[];

const templateSchema = z.object({
  type: z.literal('TemplateLiteral'),
  quasis: z.array(z.object({ value: z.object({ cooked: z.string() }) })),
  expressions: z.array(z.unknown()),
});
const sumSchema = z.object({
  type: z.literal('BinaryExpression'),
  operator: z.literal('+'),
  left: z.unknown(),
  right: z.unknown(),
});

/** The parts of a text that code puts together; undefined if it contains anything else. */
function partsOf(node: unknown, parameters: ReadonlySet<string>): TextParts | undefined {
  const literal = literalSchema.safeParse(node).data?.value;
  if (literal !== undefined) return [String(literal)];
  const { type, name } = nodeSchema.safeParse(node).data ?? {};
  if (type === 'Identifier') return typeof name === 'string' && parameters.has(name) ? [{ name }] : undefined;
  const sum = sumSchema.safeParse(node).data;
  const template = templateSchema.safeParse(node).data;
  const all =
    sum === undefined
      ? template?.quasis.flatMap(({ value }, index) => [
          [value.cooked],
          ...(index < template.expressions.length ? [partsOf(template.expressions[index], parameters)] : []),
        ])
      : [partsOf(sum.left, parameters), partsOf(sum.right, parameters)];
  return all?.every((each) => each !== undefined) === true ? all.flat() : undefined;
}

function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Whether a text has these parts, of which one parameter at most is not known yet. */
function matchesText(parts: TextParts | undefined, text: string, bound: Map<string, Json>): boolean {
  const known = parts?.map((part) =>
    typeof part === 'object' && bound.has(part.name) ? textOf(bound.get(part.name) ?? null) : part,
  );
  // Numbers are not added, but joined to a text.
  if (known?.some((part) => typeof part === 'string' && part !== '') !== true) return false;
  const open = known.findIndex((part) => typeof part === 'object');
  const texts = known.flatMap((part) => (typeof part === 'string' ? [part] : []));
  if (open === -1) return texts.join('') === text;
  const [start, end, part] = [texts.slice(0, open).join(''), texts.slice(open).join(''), known[open]];
  const isOnly = typeof part === 'object' && texts.length === known.length - 1;
  const isLong = text.length > start.length + end.length;
  if (!isOnly || !isLong || !text.startsWith(start) || !text.endsWith(end)) return false;
  bound.set(part.name, text.slice(start.length, text.length - end.length));
  return true;
}
