import type { Frame, Locator, Page } from 'playwright';
import { z } from 'zod';
import { answerMs, responseWithin, within } from '../model/within.js';
import { elementStateSchema, readState } from './element-state.js';
import { callIsolated, newOperationId, operation, type InPage } from './isolated.js';

/** Time-out for an element that already exists, and for child frames, which need not respond. */
const presentMs = 1000;

export const factsSchema = z.strictObject({
  /** Identifies the element across all documents. */
  element: z.string(),
  /** Role and accessible name in the latest snapshot with the element; Playwright stores them on the element. */
  role: z.string().optional(),
  name: z.string().optional(),
  tagName: z.string(),
  attributes: z.array(z.string()),
  /** Whether the element is inside a link, a button or a field. */
  inControl: z.boolean(),
  /** Whether it is in the page's main frame. */
  inMainFrame: z.boolean(),
  /** Whether it has a box that is not beside the page, as that of a closed drawer is. */
  shown: z.boolean(),
  /** Whether its text joins the words of its children without a space, as that of adjacent labels does. */
  glued: z.boolean(),
  state: elementStateSchema,
});

/** The properties of an element when it was pinned. */
type ElementFacts = z.infer<typeof factsSchema>;

/** Identifies one element even if its name, its position or Playwright's refs change. */
export interface Pin {
  id: string;
  /** Matches the element as long as it is in its document. */
  locator: Locator;
  frame: Frame;
  facts: ElementFacts;
  /** The element that shows the text of a wrapper, if only that was looked for by a reference. */
  ofText?: Pin | undefined;
}

/** Pins the element that a locator matches now; undefined if it matches none or several. */
export async function pinNow(
  locator: Locator,
  { frame, limitMs = answerMs }: { frame?: Frame; limitMs?: number } = {},
): Promise<Pin | undefined> {
  const id = newOperationId();
  const facts = await callIsolated(locator, pinOnly, {
    arg: id,
    schema: factsSchema.optional(),
    helpers: factsHelpers,
    limitMs,
    frame,
  });
  if (facts === undefined) return undefined;
  const own = frame ?? (facts.inMainFrame ? undefined : await frameOf(locator)) ?? locator.page().mainFrame();
  return { id, frame: own, locator: own.locator(operation('pinned', id)), facts };
}

/** Pins an element again with its current facts; undefined if it has left its document. */
export function pinAgain({ locator, frame }: Pin): Promise<Pin | undefined> {
  return pinNow(locator, { frame });
}

/** Waits until a locator matches one element, and pins it. Throws Playwright's error if it matches none or several. */
export async function pinSoon(locator: Locator, timeoutMs: number): Promise<Pin> {
  const deadline = performance.now() + timeoutMs;
  // The frame usually exists, so this costs one round trip; otherwise it is awaited below.
  const present = await pinNow(locator, { limitMs: Math.min(timeoutMs / 2, presentMs) }).catch(
    () => undefined,
  );
  if (present !== undefined) return present;
  for (;;) {
    const left = Math.ceil(Math.max(1, deadline - performance.now()));
    await responseWithin(left + answerMs, locator.waitFor({ state: 'attached', timeout: left }));
    const pin = await pinNow(locator);
    if (pin !== undefined) return pin;
  }
}

/**
 * Pins elements by references of the latest snapshot, those in the main frame in one round trip. With a test id attribute,
 * pins the element with a test id that contains the whole text of a wrapper instead of the wrapper.
 */
export async function pinRefs(
  page: Page,
  refs: Iterable<string>,
  testIdAttribute = '',
): Promise<Map<string, Pin>> {
  const unique = [...new Set(refs)];
  const [own, framed] = [
    unique.filter((ref) => ref.startsWith('e')),
    unique.filter((ref) => !ref.startsWith('e')),
  ];
  const [pins, others] = await Promise.all([
    pinInMainFrame(page, own, testIdAttribute),
    Promise.all(framed.map((ref) => within(presentMs, pinNow(page.getByRef(ref))))),
  ]);
  const found = [...own, ...framed].map((ref, index) => [ref, [...pins, ...others][index]] as const);
  return new Map(found.flatMap(([ref, pin]) => (pin === undefined ? [] : [[ref, pin]])));
}

async function pinInMainFrame(
  page: Page,
  refs: readonly string[],
  testIdAttribute: string,
): Promise<(Pin | undefined)[]> {
  const [first, ...others] = refs.map((ref, index) =>
    page.getByRef(ref).locator(operation('tag', String(index))),
  );
  if (first === undefined) return [];
  const ids = refs.map(() => newOperationId());
  const all = others.reduce((locator, other) => locator.or(other), first);
  const facts = await callIsolated(all, pinEach, {
    arg: { ids, testIdAttribute },
    schema: z.array(z.array(factsSchema)),
    helpers: [...factsHelpers, innermost, textHolder],
  });
  const frame = page.mainFrame();
  const pinOf = (id: string, facts: ElementFacts | undefined): Pin | undefined =>
    facts && { id, frame, locator: frame.locator(operation('pinned', id)), facts };
  return ids.map((id, index) => {
    const [own, inner] = facts[index] ?? [];
    const pin = pinOf(id, own);
    return pin && { ...pin, ofText: pinOf(`${id}-text`, inner) };
  });
}

/** Helpers of functions in the page that call `factsOf`. */
export const factsHelpers = [readState, factsOf];

/** Runs in the page. */
function pinOnly({ elements: [element, other], pin, marked }: InPage, id: string): ElementFacts | undefined {
  if (element === undefined || other !== undefined) return undefined;
  return factsOf(element, pin(id, element), marked().includes(element));
}

/** Runs in the page. */
function pinEach(
  { tagged, pin, marked }: InPage,
  { ids, testIdAttribute }: { ids: string[]; testIdAttribute: string },
): ElementFacts[][] {
  return ids.map((id, index) => {
    const [outer, other] = tagged[index] ?? [];
    if (outer === undefined || other !== undefined) return [];
    const element = testIdAttribute === '' ? outer : innermost(outer, testIdAttribute);
    const own = factsOf(element, pin(id, element), marked().includes(element));
    const inner = testIdAttribute === '' && own.role === 'generic' ? textHolder(outer) : outer;
    return inner === outer ? [own] : [own, factsOf(inner, pin(`${id}-text`, inner), false)];
  });
}

/** Runs in the page: the innermost element with a test id around a text, or the outer one if the text has further parts. */
function innermost(outer: Element, testIdAttribute: string): Element {
  let found = outer;
  for (let inner = outer; ;) {
    if (inner.childElementCount === 0) return found;
    const [child, ...others] = Array.from(inner.childNodes).filter(
      (node) => node instanceof Element || node.textContent?.trim() !== '',
    );
    if (!(child instanceof Element) || others.length > 0) return outer;
    inner = child;
    if (Element.prototype.hasAttribute.call(inner, testIdAttribute)) found = inner;
  }
}

/**
 * Runs in the page: the element that shows the text of a wrapper, which Playwright's snapshot merges with it. A wrapper
 * that can be clicked, or edited, is meant itself.
 */
function textHolder(outer: Element): Element {
  const isMeant = getComputedStyle(outer).cursor === 'pointer' || outer.closest('[contenteditable]') !== null;
  for (let found = outer; !isMeant;) {
    const [child, ...others] = Array.from(found.childNodes).filter(
      (node) => node.textContent?.trim() !== '' && !/^(?:style|script|#comment)$/i.test(node.nodeName),
    );
    if (!(child instanceof Element) || others.length > 0) return found;
    if (getComputedStyle(child).pointerEvents === 'none') return found;
    found = child;
  }
  return outer;
}

/** Runs in the page. */
export function factsOf(element: Element, id: string, isHidden: boolean): ElementFacts {
  const shown: unknown = Reflect.get(element, '_ariaRef');
  const textOf = (key: string): string | undefined => {
    const value: unknown = typeof shown === 'object' && shown !== null ? Reflect.get(shown, key) : undefined;
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const maxAttributes = 200;
  // A form's fields named `tagName` or `closest` shadow its own.
  const controls =
    'button, select, input, textarea, a, [role=button], [role=checkbox], [role=radio], [role=link], [contenteditable]';
  let control: Element | null = null;
  for (let inside: Element | null = element; inside !== null && control === null;) {
    control = Element.prototype.closest.call(inside, controls);
    const root: Node = Node.prototype.getRootNode.call(inside);
    inside = root instanceof ShadowRoot ? root.host : null;
  }
  const { width, height, left, right } = Element.prototype.getBoundingClientRect.call(element);
  const state = readState(element, isHidden);
  const maxChildren = 20;
  const texts = Array.from(element.childNodes)
    .slice(0, maxChildren)
    .map((node) => node.textContent ?? '');
  const glued = texts.some((text, index) => /\p{L}$/u.test(text) && /^\p{L}/u.test(texts[index + 1] ?? ''));
  return {
    element: id,
    role: textOf('role'),
    name: textOf('name'),
    tagName: Reflect.get(Element.prototype, 'tagName', element),
    attributes: Element.prototype.getAttributeNames.call(element).slice(0, maxAttributes),
    inControl: control !== null && control !== element,
    inMainFrame: window.top === window,
    shown: state.visible && width > 0 && height > 0 && right > 0 && left < innerWidth,
    glued,
    state,
  };
}

/** The frame that contains a locator's element. */
export async function frameOf(locator: Locator): Promise<Frame | null> {
  const handle = await responseWithin(answerMs, locator.elementHandle({ timeout: answerMs }));
  try {
    return await responseWithin(answerMs, handle.ownerFrame());
  } finally {
    void handle.dispose().catch(() => undefined);
  }
}
