import type { BrowserContext, Locator, Page } from 'playwright';
import { z } from 'zod';
import { within } from '../model/within.js';
import { callIsolated, operation, type InPage } from './isolated.js';

/** Contexts in which a secret was typed; the others need no search. */
const typedIn = new WeakSet<BrowserContext>();

/** Time-out for a frame to answer which of its elements contain a secret. */
const answerMs = 2000;

/** How many characters of an element's text are searched. */
const maxText = 20_000;

/** Marks the elements before a secret is typed into them. */
export async function markTyped(element: Locator): Promise<void> {
  typedIn.add(element.page().context());
  await callIsolated(
    element,
    ({ elements, mark }) => {
      elements.forEach(mark);
    },
    { arg: undefined, schema: z.undefined() },
  );
}

/** Records the texts of a page before a secret is typed. */
export async function noteTexts(page: Page): Promise<void> {
  await inFrames(page, ({ elements, noted }) => {
    for (const [element, text] of shortTexts(elements)) noted.set(element, text);
  });
}

/**
 * Marks elements that show a part of one of these values since `noteTexts`: the fields of a one-time code with one digit
 * each, and elements that mirror them.
 */
export async function markPieces(page: Page, values: readonly string[]): Promise<void> {
  await inFrames(
    page,
    ({ elements, noted, mark }, pieces) => {
      for (const [element, text] of shortTexts(elements))
        if (text !== noted.get(element) && pieces.some((each) => each.includes(text.toLowerCase())))
          mark(element);
      noted.clear();
    },
    values.map((value) => value.toLowerCase()),
  );
}

async function inFrames(
  page: Page,
  run: (inPage: InPage, pieces: string[]) => void,
  arg: string[] = [],
): Promise<void> {
  const call = { arg, schema: z.undefined(), helpers: [shortTexts], limitMs: answerMs };
  await Promise.all(
    page.frames().map((frame) => within(answerMs, callIsolated(frame.locator('*'), run, call))),
  );
}

/** Runs in the page. Returns the values of fields and the texts of leaf elements. */
function shortTexts(elements: Element[]): [Element, string][] {
  const maxLength = 200;
  return elements.flatMap((element): [Element, string][] => {
    const isField = 'value' in element && typeof element.value === 'string';
    const own: unknown = isField ? element.value : element.childElementCount === 0 && element.textContent;
    const text = typeof own === 'string' ? own.trim() : '';
    return text !== '' && text.length <= maxLength ? [[element, text]] : [];
  });
}

/** The marked elements of a page, by frame. */
export function typedElements(page: Page): Locator[] {
  if (!typedIn.has(page.context())) return [];
  return page.frames().map((frame) => frame.locator(operation('marked')));
}

const lookSchema = z.strictObject({ isMarked: z.boolean(), texts: z.array(z.string()) });

/** Whether a locator's elements are or contain marked ones, and their texts, values and attributes. */
export async function lookAtTyped(locator: Locator): Promise<z.infer<typeof lookSchema> | undefined> {
  if (!typedIn.has(locator.page().context())) return undefined;
  return callIsolated(
    locator,
    ({ elements, marked }, length) => ({
      isMarked: elements.some((element) => marked().some((each) => element.contains(each))),
      texts: elements.slice(0, 50).flatMap((element) => {
        const value = 'value' in element && typeof element.value === 'string' ? element.value : '';
        const attributes = Array.from(element.attributes, (attribute) => attribute.value);
        return [value, element.textContent, ...attributes].map((text) => text.slice(0, length));
      }),
    }),
    { arg: maxText, schema: lookSchema },
  );
}

/** Removes the content of marked elements from a snapshot. */
export async function maskTyped(page: Page, snapshot: string): Promise<string> {
  const refs = new Set<string>();
  for (const locator of typedElements(page)) {
    const found = callIsolated(
      locator,
      ({ elements }) =>
        elements.map((element) => {
          const chain: string[] = [];
          for (
            let each: Element | null = element;
            each !== null && chain.length < 10;
            each = each.parentElement
          ) {
            // Playwright's snapshot stores the reference on the element.
            const aria: unknown = Reflect.get(each, '_ariaRef');
            if (typeof aria === 'object' && aria !== null) chain.push(String(Reflect.get(aria, 'ref')));
          }
          return chain;
        }),
      { arg: undefined, schema: z.array(z.array(z.string())) },
    );
    // An element without a line has its text in an ancestor's line.
    for (const chain of (await within(answerMs, found)) ?? []) {
      const ref = chain.find((each) => snapshot.includes(`[ref=${each}]`));
      if (ref !== undefined) refs.add(ref);
    }
  }
  return refs.size === 0 ? snapshot : withoutTexts(snapshot, refs);
}

function withoutTexts(snapshot: string, refs: ReadonlySet<string>): string {
  let hidden = Infinity;
  return snapshot
    .split('\n')
    .flatMap((line) => {
      const depth = line.search(/[^ ]/);
      if (depth > hidden) return [];
      hidden = Infinity;
      const [, head, ref = '', rest = ''] = /^(.* \[ref=(\w+)\](?: \[[^\]]*\])*)(.*)$/.exec(line) ?? [];
      if (head === undefined || !refs.has(ref)) return [line];
      hidden = depth;
      return [`${head}${rest === '' ? '' : ': (a secret was typed here)'}`];
    })
    .join('\n');
}
