import { isDeepStrictEqual } from 'node:util';
import { isRecord } from '../model/json.js';
import type { Condition } from '../model/rules.js';

/** Whether a condition is true for every value at its path. A missing value only meets `exists: false`. */
export function holdsForAll(condition: Condition, args: unknown): boolean {
  return valuesOf(condition, args).every((value) => compare(condition, value));
}

/** Whether a condition is true for any value at its path. */
export function holdsForAny(condition: Condition, args: unknown): boolean {
  return valuesOf(condition, args).some((value) => compare(condition, value));
}

/** The values at a path of the arguments. A list on the way is searched in each of its elements. */
export function valuesAt(path: string, args: unknown): unknown[] {
  const names = [...path.matchAll(/[^.[\]]+/g)].map(([name]) => name).slice(1);
  return names.reduce<unknown[]>((values, name) => values.flatMap((value) => step(value, name)), [args]);
}

/** A condition in words, e.g. `args.file is "a.spec.ts"`. */
export function phrase({ path, op, value }: Condition): string {
  if (op === 'exists') return `${path} is ${value === true ? '' : 'not '}given`;
  return `${path} ${operators[op].verb} ${JSON.stringify(value)}`;
}

interface Operator {
  verb: string;
  /** Whether it is true of a present value. */
  holds: (found: unknown, condition: Condition) => boolean;
}

const operators: Record<Exclude<Condition['op'], 'exists'>, Operator> = {
  eq: { verb: 'is', holds: (found, { value }) => isSame(found, value) },
  neq: { verb: 'is not', holds: (found, { value }) => !isSame(found, value) },
  in: { verb: 'is one of', holds: (found, { value }) => isOneOf(found, value) },
  not_in: { verb: 'is none of', holds: (found, { value }) => !isOneOf(found, value) },
  lt: { verb: 'is less than', holds: (found, { value }) => difference(found, value) < 0 },
  lte: { verb: 'is at most', holds: (found, { value }) => difference(found, value) <= 0 },
  gt: { verb: 'is more than', holds: (found, { value }) => difference(found, value) > 0 },
  gte: { verb: 'is at least', holds: (found, { value }) => difference(found, value) >= 0 },
  regex: {
    verb: 'matches',
    holds: (found, { matches }) => typeof found === 'string' && matches?.(found) === true,
  },
  contains: {
    verb: 'contains',
    holds: (found, { value }) =>
      typeof found === 'string' ? typeof value === 'string' && found.includes(value) : isOneOf(value, found),
  },
};

function step(value: unknown, name: string): unknown[] {
  if (Array.isArray(value)) {
    const elements: unknown[] = value;
    return /^\d+$/.test(name) ? [elements[Number(name)]] : elements.flatMap((each) => step(each, name));
  }
  return [isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined];
}

function elementsOf(found: unknown): unknown[] {
  return Array.isArray(found) ? found : [found];
}

/** An operator for single values compares each element of a list; an absent value counts as one missing value. */
function valuesOf({ path, op, value }: Condition, args: unknown): unknown[] {
  const takesList = op === 'contains' || op === 'exists' || (!isChoice(op) && Array.isArray(value));
  const values = valuesAt(path, args).flatMap((found) => (takesList ? [found] : elementsOf(found)));
  return values.length === 0 ? [undefined] : values;
}

function isChoice(op: Condition['op']): boolean {
  return op === 'in' || op === 'not_in';
}

function compare(condition: Condition, found: unknown): boolean {
  const { op, value } = condition;
  const isThere = found !== undefined && found !== null;
  return op === 'exists' ? isThere === value : isThere && operators[op].holds(found, condition);
}

/** Of two numbers; nothing is less or more than anything else. */
function difference(one: unknown, other: unknown): number {
  return typeof one === 'number' && typeof other === 'number' ? one - other : NaN;
}

/** Single values are equal if their texts are: 5 and "5". */
function isSame(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(textOf(one), textOf(other));
}

function textOf(value: unknown): unknown {
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
}

function isOneOf(one: unknown, list: unknown): boolean {
  return Array.isArray(list) && list.some((each) => isSame(one, each));
}
