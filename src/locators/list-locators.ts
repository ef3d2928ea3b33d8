import type { Frame } from 'playwright';
import { z } from 'zod';
import { callIsolated, type InPage } from '../browser/isolated.js';
import type { Pin } from '../browser/pin.js';
import type { LocatorChain, TextOrPattern } from '../model/locator.js';
import { toTextOrRegExp } from '../model/pattern.js';
import { isMeaningfulClass } from './brittle.js';
import { taggedBy } from './matches.js';
import { isAriaRole } from './roles.js';

const sharedSchema = z.strictObject({ testId: z.string().optional(), classNames: z.array(z.string()) });

/** Locators that may match all given elements of one frame, by a common role, test id or class. */
async function sharedLocators(
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
    ...(role !== 'generic' && isAriaRole(role) ? [{ method: 'getByRole', args: [role] }] : []),
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
  /** The element and the ancestors that contain only it. */
  const layersOf = (element: Element): Element[] => {
    const outer = element.parentElement;
    return outer?.childElementCount === 1 && others.length > 0 ? [element, ...layersOf(outer)] : [element];
  };
  const valuesOf = (element: Element, name: string): string[] =>
    layersOf(element).flatMap((layer) => attributeOf(layer, name).split(/\s+/));
  const shared = (name: string): string[] =>
    [...new Set(valuesOf(first, name))].filter(
      (value) => value !== '' && others.every((each) => valuesOf(each, name).includes(value)),
    );
  const [testId] = shared(testIdAttribute);
  const isShared = testId !== undefined;
  const classNames = shared('class').filter((name) =>
    /^(?:[a-z]{3,}|[a-z]{2}(?=[-_]+[a-z]{3}))(?:[-_]+[a-z]{2,})*$/.test(name),
  );
  return { ...(isShared ? { testId } : {}), classNames: classNames.slice(0, 4) };
}

/** The items of a list, the titles in them, and the element around them. */
export interface ListPins {
  items: readonly Pin[];
  titles: readonly Pin[];
  role: string;
  titleRole: string;
  around: Pin;
}

/** What an assertion expects of a list: the number of its elements, and their texts or (`isPart`) parts of these. */
export interface ListExpectation {
  count: number;
  texts?: readonly TextOrPattern[];
  isPart?: boolean;
}

/** Finds locators of lists; caches what it reads from the page. */
export class ListLocators {
  private readonly shared = new Map<string, Promise<LocatorChain[]>>();
  private readonly texts = new Map<string, Promise<(string | null)[][]>>();

  constructor(
    private readonly testIdAttribute: string,
    private readonly locate: (pin: Pin, asserted: readonly string[]) => Promise<LocatorChain | undefined>,
  ) {}

  /**
   * Locators that may match the items of a list, or the titles in them if the items have more words, and for which the
   * assertion may be true; the simplest first.
   */
  async *of(list: ListPins, expected: ListExpectation): AsyncGenerator<LocatorChain> {
    const { items, titles, role, titleRole, around } = list;
    const byRole: LocatorChain[] = role === 'generic' ? [] : [[{ method: 'getByRole', args: [role] }]];
    const ofItems = items.length === 0 ? byRole : await this.sharedBy(items, role);
    const ofTitles = titles.length === 0 ? [] : await this.sharedBy(titles, titleRole);
    const inTitles = ofItems.flatMap((item) => ofTitles.map((title) => [...item, ...title]));
    const named = ofTitles.filter((chain) => chain[0]?.method !== 'getByRole');
    const plain = titles.length === 0 ? ofItems : [...named, ...inTitles];
    // Of the only item that is left, only a class of its own says what the others were.
    if (role === 'generic' && items.length === 1) {
      yield* await this.possible(around, titles.length === 0 ? ofItems : named, expected);
      return;
    }
    yield* await this.possible(around, plain, expected);
    const inside = titles.length === 0 ? [...ofItems] : [...ofTitles, ...inTitles, ...ofItems];
    // Without the rows of a table's head and foot, which nobody counts.
    if (role === 'row') inside.push([{ method: 'locator', args: ['tbody tr'] }]);
    const texts = (expected.texts ?? []).filter((text) => typeof text === 'string');
    // Rather by something else than by a text that is asserted.
    for (const asserted of texts.length === 0 ? [[]] : [texts, []]) {
      const outer = await this.locate(around, asserted);
      if (outer === undefined) continue;
      const chains = inside.map((chain) => [...outer, ...chain]);
      yield* await this.possible(around, chains, expected);
    }
  }

  /** The chains for which an expectation may be true; outside the main frame all of them. */
  private async possible(
    { frame, facts }: Pin,
    chains: readonly LocatorChain[],
    { count, texts, isPart = false }: ListExpectation,
  ): Promise<readonly LocatorChain[]> {
    if (!facts.inMainFrame || chains.length === 0) return chains;
    const key = JSON.stringify(chains);
    const known = this.texts.get(key) ?? textsOf(frame, chains);
    this.texts.set(key, known);
    const found = await known;
    return chains.filter((_, index) => {
      const own = found[index] ?? [];
      return own.length === count && own.every((text, at) => mayEqual(text, texts?.[at], isPart));
    });
  }

  private sharedBy(pins: readonly Pin[], role: string): Promise<LocatorChain[]> {
    const key = JSON.stringify([role, ...pins.map(({ id }) => id)]);
    const known = this.shared.get(key) ?? sharedLocators(pins, role, this.testIdAttribute);
    this.shared.set(key, known);
    return known;
  }
}

function mayEqual(text: string | null, wanted: TextOrPattern | undefined, isPart: boolean): boolean {
  if (text === null || wanted === undefined) return true;
  const form = toTextOrRegExp(wanted);
  if (typeof form !== 'string') return form.test(text);
  const words = form.replace(/\s+/g, ' ').trim();
  return isPart ? text.includes(words) : text === words;
}

/** The texts of the elements that each chain matches, in one round trip. */
async function textsOf(frame: Frame, chains: readonly LocatorChain[]): Promise<(string | null)[][]> {
  const schema = z.array(z.array(z.string().nullable()));
  return callIsolated(taggedBy(frame, chains), textsOfTagged, { arg: chains.length, schema, frame });
}

/** Runs in the page. The texts of tagged elements as assertions compare them; null if that is uncertain. */
function textsOfTagged({ tagged }: InPage, count: number): (string | null)[][] {
  const maxText = 2000;
  const isPlain = (element: Element): boolean => {
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_ELEMENT);
    for (let node: Node | null = element; node !== null; node = walker.nextNode()) {
      if (!(node instanceof Element) || node.shadowRoot !== null) return false;
      if (node.matches('script, style, noscript, slot, [type=submit], [type=button]')) return false;
    }
    return true;
  };
  return Array.from({ length: count }, (_, index) =>
    (tagged[index] ?? []).map((element) => {
      const text = String(Reflect.get(Node.prototype, 'textContent', element));
      if (text.length > maxText || !isPlain(element)) return null;
      return text
        .replace(/[\u200b\u00ad]/g, '')
        .replace(/\s+/g, ' ')
        .trim();
    }),
  );
}
