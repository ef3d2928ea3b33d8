import { createNames, elementName, pluralOf, testVariables, variableName } from './identifiers.js';
import type { LocatorChain } from '../model/locator.js';
import { variable, type CodeStep, type Expression, type Statement } from '../model/code.js';
import { emitSteps, locatorOf, type EmittedStep, type LocatorUse } from './emitter.js';
import { Printer } from './printer.js';
import { withoutWords, type Uniques } from './rows.js';

/** Uses from which on a locator has a name, whatever its length. */
const usesAtLeast = 3;
/** Characters of a locator that has a name if it is used twice: its assertions are longer than a line. */
const longLocator = 60;
/** Characters of the locator of a container that has a name. */
const longContainer = 20;

/** A locator, or the container that several locators begin with. */
interface Part {
  chain: LocatorChain;
  uses: LocatorUse[];
}

interface NamingOptions {
  uniques?: Uniques;
  /** Names that no variable may have. */
  taken?: readonly string[];
  nameFor?: (name: string) => string;
  /** The code of locators that get no name. */
  own?: (chain: LocatorChain, use: LocatorUse) => Expression | undefined;
}

/** The code of a session's steps, in which long locators and those that are used often have a name. */
export function emitNamed(
  steps: readonly CodeStep[],
  {
    uniques = {},
    taken = [],
    nameFor = createNames([...testVariables, ...Object.keys(uniques), ...taken]),
    own = () => undefined,
  }: NamingOptions = {},
): EmittedStep[] {
  const groups = steps.map((_, index) =>
    steps.slice(0, index + 1).findLastIndex((step) => step.groupTitle !== undefined),
  );
  const keyOf = (chain: LocatorChain, { index, page }: LocatorUse): string => {
    // What opens a page is in its group; so is what is named in that page. A hook shares no names with the test.
    const group = groups[index] ?? -1;
    const scope = page === 'page' && steps[group]?.hook === undefined ? '' : group;
    return JSON.stringify([page, scope, chain]);
  };
  const used = new Map<string, Part>();
  emitSteps(steps, (chain, use) => {
    const known = own(chain, use);
    if (known !== undefined) return known;
    const key = keyOf(chain, use);
    used.set(key, { chain, uses: [...(used.get(key)?.uses ?? []), use] });
    return locatorOf(chain, use.page);
  });

  const lists = listsIn(steps);
  const names = new Map<string, string>();
  const expressionOf = (chain: LocatorChain, use: LocatorUse, longest = chain.length): Expression => {
    for (let length = longest; length > 0; length--) {
      const name = names.get(keyOf(chain.slice(0, length), use));
      if (name === undefined) continue;
      const rest = chain.slice(length);
      return rest.length === 0 ? variable(name) : { ...locatorOf(rest, use.page), from: variable(name) };
    }
    return locatorOf(chain, use.page);
  };
  const parts = repeatedParts([...used.values()], keyOf);
  for (const { chain, uses } of parts) {
    const [use] = uses;
    if (use === undefined) continue;
    const own = variableName(elementName(withoutWords(chain, uniques)));
    names.set(keyOf(chain, use), nameFor(lists.has(JSON.stringify(chain)) ? pluralOf(own) : own));
  }
  const emitted = emitSteps(steps, (chain, use) => own(chain, use) ?? expressionOf(chain, use), nameFor);
  for (const { chain, uses } of parts) {
    const [use] = uses;
    const name = use && names.get(keyOf(chain, use));
    if (use === undefined || name === undefined) continue;
    const value = expressionOf(chain, use, chain.length - 1);
    const code: Statement = { kind: 'bind', name, value, type: 'Locator' };
    // A group's own variables end with it, so what several use is declared before the first of them.
    const group = groups[use.index] ?? -1;
    const isOutside = group !== -1 && uses.some(({ index }) => groups[index] !== group);
    const place = emitted[isOutside ? group : use.index];
    (isOutside || use.of === 'action' ? place?.names : place?.assertedNames)?.push(code);
  }
  return emitted;
}

/** The locators that get a name: in the order of their first uses, containers before what is in them. */
function repeatedParts(
  used: readonly Part[],
  keyOf: (chain: LocatorChain, use: LocatorUse) => string,
): Part[] {
  /** Locators in the code, given the names found so far: a named one is written once, in its declaration. */
  let written = used.flatMap(({ chain, uses }) => uses.map((use) => ({ chain, use })));
  const isWhole = new Set(used.flatMap(({ chain, uses }) => uses.map((use) => keyOf(chain, use))));
  const longest = Math.max(0, ...used.map(({ chain }) => chain.length));
  const found: Part[] = [];
  for (let length = longest; length > 0; length--) {
    const candidates = new Map<string, Part>();
    for (const { chain, use } of written) {
      if (chain.length < length || !isElement(chain, length)) continue;
      const start = chain.slice(0, length);
      const key = keyOf(start, use);
      const known = candidates.get(key) ?? { chain: start, uses: [] };
      candidates.set(key, { chain: start, uses: [...known.uses, use] });
    }
    for (const [key, part] of candidates) {
      if (!needsName(part, isWhole.has(key))) continue;
      const isPart = ({ chain, use }: (typeof written)[number]): boolean =>
        chain.length >= length && keyOf(chain.slice(0, length), use) === key;
      const uses = used.flatMap(({ chain, uses: all }) => all.filter((use) => isPart({ chain, use })));
      uses.sort((one, other) => one.index - other.index);
      found.push({ chain: part.chain, uses });
      const [first] = uses;
      written = written.filter((each) => !isPart(each));
      if (first !== undefined) written.push({ chain: part.chain, use: first });
    }
  }
  const firstUse = ({ uses: [use] }: Part): number =>
    use === undefined ? 0 : 2 * use.index + (use.of === 'action' ? 0 : 1);
  return found.sort((one, other) => firstUse(one) - firstUse(other) || one.chain.length - other.chain.length);
}

/** Whether the first calls of a chain end at an element, and the next one looks for another in it. */
function isElement(chain: LocatorChain, length: number): boolean {
  const [last, next] = [chain[length - 1], chain[length]];
  if (last === undefined || /^(?:frameLocator|contentFrame)$/.test(last.method)) return false;
  return next === undefined || /^(?:getBy\w+|locator)$/.test(next.method);
}

function needsName({ chain, uses: [use, ...others] }: Part, isWhole: boolean): boolean {
  if (use === undefined) return false;
  const { length } = new Printer().expression(locatorOf(chain, use.page));
  if (others.length + 1 >= usesAtLeast) return isWhole || length >= longContainer;
  return others.length > 0 && length >= longLocator;
}

/** The locators, as JSON, of which an assertion counts the elements or compares a list. */
function listsIn(steps: readonly CodeStep[]): Set<string> {
  const asserted = steps.flatMap((step) => [step, ...(step.assertions ?? [])]);
  return new Set(
    asserted.flatMap(({ locator, args: { matcher, expected } }) => {
      const isList = matcher === 'toHaveCount' ? expected !== 1 : Array.isArray(expected);
      return locator === undefined || !isList || matcher === 'toHaveValues' ? [] : [JSON.stringify(locator)];
    }),
  );
}
