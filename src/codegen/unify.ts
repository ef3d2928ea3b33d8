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
  if (type === 'Identifier' && typeof name === 'string' && parameters.has(name)) {
    const given = literalSchema.safeParse(other).data?.value;
    if (given === undefined || (bound.has(name) && bound.get(name) !== given)) return false;
    bound.set(name, given);
    return true;
  }
  const [own, theirs] = [one, other].map((each) => Object.entries(each).filter(([key]) => !ignored.has(key)));
  const others = new Map(theirs);
  return (
    own?.length === others.size &&
    own.every(([key, each]) => others.has(key) && unifies(each, others.get(key), parameters, bound))
  );
}
