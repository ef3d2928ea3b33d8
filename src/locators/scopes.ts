import { isOptions, type LocatorArgument, type LocatorCall, type LocatorChain } from '../model/locator.js';
import { escapeRegExp } from '../model/text.js';
import { isVolatile, stablePart } from '../model/volatile.js';
import type { Ancestor } from './ancestors.js';
import { isGenerated, isMeaningfulClass } from './brittle.js';
import { isAriaRole } from './roles.js';

/** Classes of repeated elements. */
export const itemClass = /item|card|row|entry|tile|product|result|post/;

/** Classes of all icons of a font or a library. */
const iconBase = /^\.(?:icons?|fa[bdlrs]?|svg|bi|mdi|glyphicon|lucide|feather|material-icons)$/;

/** Glyphs of icon fonts: private-use characters. */
const glyphs = /\p{Co}+/gu;

/** A keyboard shortcut at the end of a menu item's name: `ctrl-i`, `⌘K`, `Shift + F5`. */
const shortcut =
  /\s+(?:(?:ctrl|control|cmd|command|alt|option|shift|meta|win)\s*[-+]\s*|[⌘⇧⌥⌃]\s*)+(?:[a-z\d]|f\d{1,2}|enter|tab|space|delete|backspace|escape|esc)$/i;

/** The locator with glyphs and keyboard shortcuts removed from its name; empty if the name has neither. */
export function withoutExtras(chain: LocatorChain): LocatorChain[] {
  const last = chain.at(-1);
  const [role, options] = last?.args ?? [];
  if (last?.method !== 'getByRole' || role === undefined || !isOptions(options)) return [];
  const { name, exact, ...others } = options;
  if (typeof name !== 'string') return [];
  const plain = name.replace(glyphs, ' ').replace(/\s+/g, ' ').trim().replace(shortcut, '');
  if (plain === name || !/[\p{L}\p{N}]/u.test(plain)) return [];
  return [[...chain.slice(0, -1), { method: 'getByRole', args: [role, { ...others, name: plain }] }]];
}

/** CSS locators of an element by its id, classes or custom tag. */
export function cssSubjects({ id, classNames, tagName }: Ancestor): LocatorChain[] {
  const selectors = [
    ...(id !== undefined && /^[a-z][\w-]*$/i.test(id) && !isGenerated(id) ? [`#${id}`] : []),
    ...classNames.filter(isMeaningfulClass).map((className) => `.${className}`),
    ...(tagName.includes('-') ? [tagName] : []),
  ];
  return selectors.map((selector) => [{ method: 'locator', args: [selector] }]);
}

/** Filters by an icon in the element, for buttons without a name. */
export function iconFilters({ icons }: Ancestor): LocatorCall[] {
  return icons
    .filter((icon) => !icon.startsWith('.') || (isMeaningfulClass(icon.slice(1)) && !iconBase.test(icon)))
    .map((icon) => {
      const locator: LocatorChain = [{ method: 'locator', args: [icon] }];
      return { method: 'filter', args: [{ has: { locator } }] };
    });
}

/** Locators of an ancestor by test id, role and name, or role and a text in it. */
export function roleScopes({ role, name, testId, texts }: Ancestor): LocatorChain[] {
  const scopes: LocatorChain[] = testId === undefined ? [] : [[{ method: 'getByTestId', args: [testId] }]];
  if (role === undefined || !isAriaRole(role)) return scopes;
  if (name !== undefined) scopes.push([{ method: 'getByRole', args: [role, { name }] }]);
  const byRole: LocatorCall = { method: 'getByRole', args: [role] };
  scopes.push(...filters(texts).map((filter) => [byRole, filter]));
  if (name === undefined && texts.length === 0) scopes.push([byRole]);
  return scopes;
}

/** Locators of a row by the number of its record. */
export function numberScopes({ numbers }: Ancestor): LocatorChain[] {
  return numbers.map((name) => [{ method: 'getByRole', args: ['row', { name }] }]);
}

/** Tags of parts of a page, which a text in them tells apart. */
const partTags = new Set(['section', 'form']);

/**
 * Locators of an ancestor by class or tag, for pages without roles: with a text in it first if it may be one of
 * several items, and last if it is a part of the page, such as `.panel-left`.
 */
export function classScopes({ role, classNames, tagName, texts }: Ancestor): LocatorChain[] {
  if (role !== undefined) return [];
  const classes = classNames.filter(isMeaningfulClass).slice(0, 2);
  const selectors = [...(tagName.includes('-') ? [tagName] : []), ...classes.map((each) => `.${each}`)];
  const withText = (selector: string): LocatorChain[] =>
    filters(texts).map((filter) => [{ method: 'locator', args: [selector] }, filter]);
  return [
    ...selectors.flatMap((selector) => {
      const plain: LocatorChain = [{ method: 'locator', args: [selector] }];
      return itemClass.test(selector) ? [...withText(selector), plain] : [plain, ...withText(selector)];
    }),
    ...(partTags.has(tagName) ? withText(tagName) : []),
  ];
}

/** Ancestors of a text, for elements that only the text beside them identifies. */
export function parentScopes({ texts }: Ancestor): LocatorChain[] {
  const [text] = texts.filter(isStableText);
  if (text === undefined) return [];
  return ['..', '../..', '../../..'].flatMap((up) =>
    [[text, { exact: true }], [text]].map((args): LocatorChain => [
      { method: 'getByText', args },
      { method: 'locator', args: [up] },
    ]),
  );
}

/** Filters by a stable text, which pick one of several elements. */
function filters(texts: readonly string[]): LocatorCall[] {
  return texts.filter(isStableText).flatMap(filtersFor);
}

/** An address is another one elsewhere. */
function isStableText(text: string): boolean {
  return !isVolatile(text) && !isPrice(text) && !/^https?:\/\//.test(text);
}

/** Whether a text is only a price, a count or a size. */
function isPrice(text: string): boolean {
  if (/^\d[\d.,]*\s?\p{L}{1,3}$/u.test(text)) return true;
  return /\d/.test(text) && !/\p{L}{2}/u.test(text) && stablePart(text, ['amount']) === undefined;
}

/** Filters by a text, simplest first. */
function filtersFor(text: string): LocatorCall[] {
  const exactly: LocatorChain = [{ method: 'getByText', args: [text, { exact: true }] }];
  const beginning = { regex: `^\\s*${escapeRegExp(text)}` };
  const options: LocatorArgument[] = [
    { hasText: text },
    { has: { locator: exactly } },
    { hasText: beginning },
  ];
  return options.map((option) => ({ method: 'filter', args: [option] }));
}
