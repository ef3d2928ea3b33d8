import { z } from 'zod';
import { callIsolated, type InPage } from '../browser/isolated.js';
import type { Pin } from '../browser/pin.js';
import type { LocatorChain } from '../model/locator.js';
import { isMeaningfulClass } from './brittle.js';
import { isRole } from './roles.js';

const sharedSchema = z.strictObject({ testId: z.string().optional(), classNames: z.array(z.string()) });

/** Locators that may match all of some elements in one frame, by what they have in common: a role, a test id, a class. */
export async function sharedLocators(
  pins: readonly Pin[],
  role: string,
  testIdAttribute: string,
): Promise<LocatorChain[]> {
  const [first] = pins;
  if (first === undefined) return [];
  const ids = pins.map(({ id }) => id);
  const { testId, classNames } = await callIsolated(first.frame, readShared, {
    arg: { ids, testIdAttribute },
    schema: sharedSchema,
  });
  return [
    ...(testId === undefined ? [] : [{ method: 'getByTestId', args: [testId] }]),
    ...(role !== 'generic' && isRole(role) ? [{ method: 'getByRole', args: [role] }] : []),
    ...classNames.filter(isMeaningfulClass).map((name) => ({ method: 'locator', args: [`.${name}`] })),
  ].map((call) => [call]);
}

/** Runs in the page. */
function readShared(
  { pinned }: InPage,
  { ids, testIdAttribute }: { ids: string[]; testIdAttribute: string },
): z.infer<typeof sharedSchema> {
  const elements = ids.map((id) => pinned(id)).filter((element) => element !== undefined);
  const [first, ...others] = elements;
  const attributeOf = (element: Element, name: string): string =>
    Element.prototype.getAttribute.call(element, name) ?? '';
  if (first === undefined) return { classNames: [] };
  /** The element below those around it that hold nothing else. */
  const layersOf = (element: Element): Element[] => {
    const outer = element.parentElement;
    return outer?.childElementCount === 1 ? [...layersOf(outer), element] : [element];
  };
  const valuesOf = (element: Element, name: string): string[] =>
    layersOf(element).flatMap((layer) => attributeOf(layer, name).split(/\s+/));
  const shared = (name: string): string[] =>
    [...new Set(valuesOf(first, name))].filter(
      (value) => value !== '' && others.every((each) => valuesOf(each, name).includes(value)),
    );
  const [testId] = shared(testIdAttribute);
  const isShared = testId !== undefined;
  const classNames = shared('class').filter((name) => /^[a-z]{3,}(?:[-_]+[a-z]{2,})*$/.test(name));
  return { ...(isShared ? { testId } : {}), classNames: classNames.slice(0, 4) };
}

/** The items of a list, or the titles in them, with the element around them. */
export interface ListPins {
  items: readonly Pin[];
  titles: readonly Pin[];
  role: string;
  titleRole: string;
  around: Pin;
}

/** Locators that may match the items of a list, or the titles in them if the items have more words; the plainest first. */
export async function* listLocators(
  { items, titles, role, titleRole, around }: ListPins,
  testIdAttribute: string,
  locate: (pin: Pin) => Promise<LocatorChain | undefined>,
): AsyncGenerator<LocatorChain> {
  const byRole: LocatorChain[] = role === 'generic' ? [] : [[{ method: 'getByRole', args: [role] }]];
  const ofItems = items.length === 0 ? byRole : await sharedLocators(items, role, testIdAttribute);
  const ofTitles = titles.length === 0 ? [] : await sharedLocators(titles, titleRole, testIdAttribute);
  const inTitles = ofItems.flatMap((item) => ofTitles.map((title) => [...item, ...title]));
  yield* titles.length === 0
    ? ofItems
    : [...ofTitles.filter((chain) => chain[0]?.method !== 'getByRole'), ...inTitles];
  const outer = await locate(around);
  if (outer === undefined) return;
  const inside = titles.length === 0 ? ofItems : [...ofTitles, ...inTitles, ...ofItems];
  yield* inside.map((chain) => [...outer, ...chain]);
}
