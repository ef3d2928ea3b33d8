/** A regular expression as data: `{ regex: 'Order #\\d+', flags: 'i' }`. */
export interface Pattern {
  regex: string;
  flags?: string | undefined;
}

export type TextOrPattern = string | Pattern;

export type LocatorArgument =
  string | number | boolean | Pattern | { locator: LocatorChain } | { [option: string]: LocatorArgument };

/** E.g. `{ method: 'getByRole', args: ['button', { name: 'Save' }] }`. */
export interface LocatorCall {
  method: string;
  args: LocatorArgument[];
}

/** A Playwright locator as data: the calls that create it, starting at the page. */
export type LocatorChain = LocatorCall[];

export function isPattern(value: unknown): value is Pattern {
  return typeof value === 'object' && value !== null && 'regex' in value && typeof value.regex === 'string';
}

export function isNestedLocator(value: LocatorArgument): value is { locator: LocatorChain } {
  return typeof value === 'object' && 'locator' in value && Array.isArray(value.locator);
}

export function isOptions(
  value: LocatorArgument | undefined,
): value is { [option: string]: LocatorArgument } {
  return typeof value === 'object' && !isPattern(value) && !isNestedLocator(value);
}

export function isPositional({ method }: Pick<LocatorCall, 'method'>): boolean {
  return method === 'first' || method === 'last' || method === 'nth';
}
