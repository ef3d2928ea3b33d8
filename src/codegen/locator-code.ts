import {
  isNestedLocator,
  isPattern,
  type LocatorArgument,
  type LocatorCall,
  type LocatorChain,
} from '../model/locator.js';
import { pattern, propertyName, quote } from './quote.js';

/** The source of a locator, e.g. `getByRole("button", { name: "Save" })`, to be put after `page.`. */
export function locatorCode(chain: LocatorChain): string {
  return chain.map(callCode).join('.');
}

function callCode({ method, args }: LocatorCall): string {
  return `${method}(${args.map(argumentCode).join(', ')})`;
}

function argumentCode(argument: LocatorArgument): string {
  if (typeof argument === 'string') return quote(argument);
  if (typeof argument !== 'object') return String(argument);
  if (isPattern(argument)) return pattern(argument);
  if (isNestedLocator(argument)) return `page.${locatorCode(argument.locator)}`;
  const entries = Object.entries(argument).map(
    ([name, value]) => `${propertyName(name)}: ${argumentCode(value)}`,
  );
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}
