import {
  isNestedLocator,
  isOptions,
  type LocatorArgument,
  type LocatorCall,
  type LocatorChain,
  type Pattern,
} from '../model/locator.js';
import { stablePart, type Change } from '../model/volatile.js';

/** Which changes the texts of a locator allow, most first. */
const degrees: Change[][] = [['passing', 'record', 'amount'], ['passing', 'record'], ['passing'], []];

/**
 * Forms of a locator in which patterns match what changes from run to run, e.g. `name: /^Cart \(\d+\)$/`, loosest first;
 * the last is the locator itself.
 */
export function looseForms(chain: LocatorChain): LocatorChain[] {
  const forms = degrees.map((changes) => chain.map((call) => loosened(call, changes)));
  const codes = forms.map((form) => JSON.stringify(form));
  return forms.filter((_, index) => codes.indexOf(codes[index] ?? '') === index);
}

function loosened({ method, args }: LocatorCall, changes: readonly Change[]): LocatorCall {
  const [first, second] = args;
  if (method === 'getByRole' && first !== undefined && isOptions(second)) {
    const { exact, name = '', ...options } = second;
    const loose = loosenText(name, changes, true);
    return loose === name ? { method, args } : { method, args: [first, { ...options, name: loose }] };
  }
  if (method.startsWith('getBy') && typeof first === 'string' && method !== 'getByRole') {
    const isWhole = method === 'getByTestId' || (isOptions(second) && second['exact'] === true);
    const loose = loosenText(first, changes, isWhole);
    return loose === first ? { method, args } : { method, args: [loose] };
  }
  if (method === 'filter' && isOptions(first)) {
    const options = Object.entries(first).map(([name, value]): [string, LocatorArgument] => [
      name,
      typeof value === 'object' && isNestedLocator(value)
        ? { locator: value.locator.map((call) => loosened(call, changes)) }
        : loosenText(value, changes, false),
    ]);
    return { method, args: [Object.fromEntries(options)] };
  }
  return { method, args };
}

function loosenText(text: LocatorArgument, changes: readonly Change[], isWhole: boolean): LocatorArgument {
  const part = typeof text === 'string' ? stablePart(text, changes) : undefined;
  if (part === undefined) return text;
  return isWhole ? { regex: `^${part.regex}$` } : part;
}

/** The text with which what a regular expression matches begins. */
const literalHead = /^\^?((?:[^\\.+*?^$()[\]{}|]|\\[^\p{L}\d])*)/u;

/** Whether a regular expression is a loose form of a text. */
export function isLooseFormOf({ regex }: Pattern, text: string): boolean {
  // Most texts begin in another way, and the forms of a text take longer.
  const [, head = ''] = literalHead.exec(regex) ?? [];
  if (!text.startsWith(head.replace(/\\(.)/gs, '$1'))) return false;
  return degrees.some((changes) => {
    const part = stablePart(text, changes)?.regex;
    return part !== undefined && [part, `^${part}$`].includes(regex);
  });
}
