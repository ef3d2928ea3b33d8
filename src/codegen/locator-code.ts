import {
  isNestedLocator,
  isPattern,
  type LocatorArgument,
  type LocatorCall,
  type LocatorChain,
} from '../model/locator.js';
import { pattern, propertyName, quote } from './quote.js';

/** The source of a locator in the page of that name, e.g. `page.getByRole("button", { name: "Save" })`. */
export function locatorCode(chain: LocatorChain, page = 'page'): string {
  return [page, ...chain.map((call) => callCode(call, page))].join('.');
}

function callCode({ method, args }: LocatorCall, page: string): string {
  return `${method}(${args.map((argument) => argumentCode(argument, page)).join(', ')})`;
}

function argumentCode(argument: LocatorArgument, page: string): string {
  if (typeof argument === 'string') return quote(argument);
  if (typeof argument !== 'object') return String(argument);
  if (isPattern(argument)) return pattern(argument);
  if (isNestedLocator(argument)) return locatorCode(argument.locator, page);
  const entries = Object.entries(argument).map(
    ([name, value]) => `${propertyName(name)}: ${argumentCode(value, page)}`,
  );
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}
