import { isDeepStrictEqual } from 'node:util';
import type { Condition } from '../model/rules.js';

/** Whether a condition holds for every value at its path. What is not there fulfils nothing but `exists: false`. */
export function holdsForAll(condition: Condition, args: unknown): boolean {
  return valuesOf(condition, args).every((value) => compare(condition, value));
}

/** Whether a condition holds for any value at its path. */
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
  return `${path} ${verbs[op]} ${JSON.stringify(value)}`;
}

const verbs: Record<Exclude<Condition['op'], 'exists'>, string> = {
  eq: 'is',
  neq: 'is not',
  in: 'is one of',
  not_in: 'is none of',
  lt: 'is less than',
  lte: 'is at most',
  gt: 'is more than',
  gte: 'is at least',
  regex: 'matches',
  contains: 'contains',
};

function step(value: unknown, name: string): unknown[] {
  if (Array.isArray(value)) {
    const elements: unknown[] = value;
    return /^\d+$/.test(name) ? [elements[Number(name)]] : elements.flatMap((each) => step(each, name));
  }
  return [isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined];
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

function compare({ op, value, matches }: Condition, found: unknown): boolean {
  const isThere = found !== undefined && found !== null;
  if (op === 'exists') return isThere === value;
  if (!isThere) return false;
  const number = typeof found === 'number' && typeof value === 'number' ? found - value : NaN;
  switch (op) {
    case 'eq':
      return isSame(found, value);
    case 'neq':
      return !isSame(found, value);
    case 'in':
      return isOneOf(found, value);
    case 'not_in':
      return !isOneOf(found, value);
    case 'lt':
      return number < 0;
    case 'lte':
      return number <= 0;
    case 'gt':
      return number > 0;
    case 'gte':
      return number >= 0;
    case 'regex':
      return typeof found === 'string' && matches?.(found) === true;
    case 'contains':
      return typeof found === 'string'
        ? typeof value === 'string' && found.includes(value)
        : isOneOf(value, found);
  }
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

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
