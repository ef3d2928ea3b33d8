import {
  isNestedLocator,
  isOptions,
  type LocatorArgument,
  type LocatorCall,
  type LocatorChain,
  type Pattern,
} from '../model/locator.js';
import { lastingPart, type Change } from '../model/volatile.js';

/** What is left open of a locator's texts, the most first. */
const degrees: Change[][] = [['passing', 'record', 'amount'], ['passing', 'record'], ['passing'], []];

/**
 * A locator with what changes from run to run in its texts left open, e.g. `name: /^Cart \(\d+\)$/`, the most open form
 * first; the last is the locator as it stands.
 */
export function formsOf(chain: LocatorChain): LocatorChain[] {
  const forms = degrees.map((changes) => chain.map((call) => opened(call, changes)));
  const codes = forms.map((form) => JSON.stringify(form));
  return forms.filter((_, index) => codes.indexOf(codes[index] ?? '') === index);
}

function opened({ method, args }: LocatorCall, changes: readonly Change[]): LocatorCall {
  const [first, second] = args;
  if (method === 'getByRole' && first !== undefined && isOptions(second)) {
    const { exact, name = '', ...options } = second;
    const open = openText(name, changes, true);
    return open === name ? { method, args } : { method, args: [first, { ...options, name: open }] };
  }
  if (method.startsWith('getBy') && typeof first === 'string' && method !== 'getByRole') {
    const isWhole = method === 'getByTestId' || (isOptions(second) && second['exact'] === true);
    const open = openText(first, changes, isWhole);
    return open === first ? { method, args } : { method, args: [open] };
  }
  if (method === 'filter' && isOptions(first)) {
    const options = Object.entries(first).map(([name, value]): [string, LocatorArgument] => [
      name,
      typeof value === 'object' && isNestedLocator(value)
        ? { locator: value.locator.map((call) => opened(call, changes)) }
        : openText(value, changes, false),
    ]);
    return { method, args: [Object.fromEntries(options)] };
  }
  return { method, args };
}

function openText(text: LocatorArgument, changes: readonly Change[], isWhole: boolean): LocatorArgument {
  const part = typeof text === 'string' ? lastingPart(text, changes) : undefined;
  if (part === undefined) return text;
  return isWhole ? { regex: `^${part.regex}$` } : part;
}

/** Whether a regular expression is what a text becomes where it is left open. */
export function isOpenFormOf({ regex }: Pattern, text: string): boolean {
  return degrees.some((changes) => {
    const part = lastingPart(text, changes)?.regex;
    return part !== undefined && [part, `^${part}$`].includes(regex);
  });
}
