import type { BrowserContext, Frame, Locator, Page } from 'playwright';
import { z } from 'zod';
import { within } from '../model/within.js';
import { answeringFrames, isSilentFrame } from './frames.js';
import { callIsolated, operation, type InPage } from './isolated.js';
import type { Pin } from './pin.js';

/** Contexts in which a secret was typed, and frames with marked elements; the others need no search. */
const typedIn = new WeakSet<BrowserContext | Frame>();

/** Time-out for a frame to answer which of its elements contain a secret. */
const answerMs = 2000;
const silentMs = 50;

/** How many characters of an element's text are searched. */
const maxText = 20_000;

/** Marks an element before a secret is typed into it. */
export async function markTyped({ locator, frame }: Pick<Pin, 'locator' | 'frame'>): Promise<void> {
  typedIn.add(locator.page().context()).add(frame);
  await callIsolated(
    locator,
    ({ elements, mark }) => {
      elements.forEach(mark);
    },
    { arg: undefined, schema: z.undefined(), frame },
  );
}

/** Records the texts of a page before a secret is typed. */
export async function noteTexts(page: Page): Promise<void> {
  await inFrames(page, ({ elements, noted }) => {
    for (const [element, text] of shortTexts(elements)) noted.set(element, text);
    return false;
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
      const found = shortTexts(elements).filter(
        ([element, text]) =>
          text !== noted.get(element) && pieces.some((each) => each.includes(text.toLowerCase())),
      );
      for (const [element] of found) mark(element);
      noted.clear();
      return found.length > 0;
    },
    values.map((value) => value.toLowerCase()),
  );
}

/** Runs a function in all frames that answer; it returns whether it has marked elements. */
async function inFrames(
  page: Page,
  run: (inPage: InPage, pieces: string[]) => boolean,
  arg: string[] = [],
): Promise<void> {
  const call = { arg, schema: z.boolean(), helpers: [shortTexts], limitMs: answerMs };
  await Promise.all(
    answeringFrames(page).map(async (frame) => {
      const hasMarked = callIsolated(frame.locator('*'), run, { ...call, frame });
      if ((await within(answerMs, hasMarked)) === true) typedIn.add(frame);
    }),
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

function typedFrames(page: Page): Frame[] {
  return page.frames().filter((frame) => typedIn.has(frame));
}

/** The marked elements of a page, by frame. */
export function typedElements(page: Page): Locator[] {
  return typedFrames(page).map((frame) => frame.locator(operation('marked')));
}

const lookSchema = z.strictObject({ isMarked: z.boolean(), texts: z.array(z.string()) });

/** Whether a locator's elements are or contain marked ones, and their texts, values and attributes. */
export async function lookAtTyped(
  locator: Locator,
  frame?: Frame,
): Promise<z.infer<typeof lookSchema> | undefined> {
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
    { arg: maxText, schema: lookSchema, frame },
  );
}

/** Removes the content of marked elements from a snapshot, and that of all child frames if one of them can't be asked. */
export async function maskTyped(page: Page, snapshot: string): Promise<string> {
  const refs = new Set<string>();
  const found = await Promise.all(
    typedFrames(page).map((frame) => {
      const limitMs = isSilentFrame(frame) ? silentMs : answerMs;
      const call = { arg: undefined, schema: z.array(z.array(z.string())), frame, limitMs };
      return within(limitMs, callIsolated(frame.locator(operation('marked')), refsAround, call));
    }),
  );
  // An element without a line has its text in an ancestor's line.
  for (const chain of found.flatMap((each = []) => each)) {
    const ref = chain.find((each) => snapshot.includes(`[ref=${each}]`));
    if (ref !== undefined) refs.add(ref);
  }
  if (found.includes(undefined))
    for (const [, ref = ''] of snapshot.matchAll(/^ *- iframe.* \[ref=(\w+)\]/gm)) refs.add(ref);
  return refs.size === 0 ? snapshot : withoutTexts(snapshot, refs);
}

/** Runs in the page: the references of elements and of those around them. Playwright's snapshot stores them on elements. */
function refsAround({ elements }: InPage): string[][] {
  return elements.map((element) => {
    const chain: string[] = [];
    for (let each: Element | null = element; each !== null && chain.length < 10; each = each.parentElement) {
      const aria: unknown = Reflect.get(each, '_ariaRef');
      if (typeof aria === 'object' && aria !== null) chain.push(String(Reflect.get(aria, 'ref')));
    }
    return chain;
  });
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
