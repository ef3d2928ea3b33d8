import type { Browser, BrowserContext, Frame, Locator, Page } from 'playwright';
import { z } from 'zod';
import { elementsShowing } from '../model/secret-forms.js';
import type { Secrets } from '../model/secrets.js';
import { responseWithin, within } from '../model/within.js';
import { answeringFrames, isSilentFrame } from './frames.js';
import { callIsolated, newOperationId, operation, type InPage } from './isolated.js';
import type { Pin } from './pin.js';

/** Browsers and contexts in which a secret was typed, and frames with marked elements; the others need no search. */
const typedIn = new WeakSet<Browser | BrowserContext | Frame>();

/** The secrets of contexts. */
const secretsIn = new WeakMap<BrowserContext, Secrets>();

/** Call before a page of the context opens. */
export function keepSecrets(context: BrowserContext, secrets: Secrets): void {
  secretsIn.set(context, secrets);
}

/** Browsers without windows of this machine: what is selected in one can be pasted in its own pages only. */
const withOwnSelection = new WeakSet<Browser>();

/** Whether a secret was typed in a browser that shares its selection with others, such as that of a desktop. */
let isShared = false;

export function keepSelection(browser: Browser): void {
  withOwnSelection.add(browser);
}

/** Whether a middle click could paste a secret: it pastes what was selected last, in any page that shares the selection. */
export function mayPasteSecret(page: Page): boolean {
  const browser = page.context().browser();
  return browser !== null && withOwnSelection.has(browser) ? typedIn.has(browser) : isShared;
}

/** Time-out for a frame to answer which of its elements contain a secret. */
const answerMs = 2000;
const silentMs = 50;

/** How many characters of an element's text are searched. */
const maxText = 20_000;

/** Marks an element before a secret is typed into it. */
export async function markTyped({ locator, frame }: Pick<Pin, 'locator' | 'frame'>): Promise<void> {
  const context = locator.page().context();
  const browser = context.browser();
  if (browser !== null && withOwnSelection.has(browser)) typedIn.add(browser);
  else isShared = true;
  typedIn.add(context).add(frame);
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

/** The elements of a page that show a secret, by frame: those that are marked, and those whose text or value contains one. */
export async function secretElements(page: Page): Promise<{ frame: Frame; locator: Locator }[]> {
  const marked = typedFrames(page).map((frame) => ({ frame, locator: frame.locator(operation('marked')) }));
  const arg = { values: secretsIn.get(page.context())?.knownValues() ?? [], id: newOperationId() };
  if (arg.values.length === 0) return marked;
  const showing = answeringFrames(page).map(async (frame) => {
    const call = { arg, schema: z.int(), helpers: [elementsShowing], limitMs: answerMs, frame };
    const count = await within(answerMs, callIsolated(frame.locator('*'), pinSecrets, call));
    return Array.from({ length: count ?? 0 }, (_, index) => ({
      frame,
      locator: frame.locator(operation('pinned', `${arg.id}-${index}`)),
    }));
  });
  return [...marked, ...(await Promise.all(showing)).flat()];
}

/**
 * Whether a picture of a page, or of `target`, shows a secret outside of what `masks` hide; both are in the main frame.
 * Every frame's element counts as showing what another frame shows.
 */
export async function showsSecret(page: Page, target?: Locator, masks: Locator[] = []): Promise<boolean> {
  const inside = (locators: Locator[]): Locator | undefined =>
    locators
      .flatMap((each) => [each, each.locator('*')])
      .reduce<Locator | undefined>((all, each) => all?.or(each) ?? each, undefined);
  const [place, hidden] = [target && inside([target]), inside(masks)];
  const counts = (await secretElements(page)).map(async ({ frame, locator }) => {
    const readable = locator.locator('xpath=self::*[not(@type="password")]');
    const isFramed = frame !== page.mainFrame();
    if (isFramed && (await responseWithin(answerMs, readable.count())) === 0) return 0;
    const visible = isFramed ? page.locator('iframe, frame') : readable;
    const shown = place === undefined ? visible : visible.and(place);
    const masked = hidden && within(answerMs, shown.and(hidden).count());
    return (await responseWithin(answerMs, shown.count())) - ((await masked) ?? 0);
  });
  return (await Promise.all(counts)).some((count) => count > 0);
}

/** Runs in the page. Returns how many elements contain one of the values, after it pinned them. */
function pinSecrets({ elements, pin }: InPage, { values, id }: { values: string[]; id: string }): number {
  const maxFound = 200;
  const found = elementsShowing(elements, values).slice(0, maxFound);
  found.forEach((element, index) => pin(`${id}-${index}`, element));
  return found.length;
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
      isMarked: elements.some((element) =>
        marked().some((each) => Node.prototype.contains.call(element, each)),
      ),
      texts: elements.slice(0, 50).flatMap((element) => {
        const value = 'value' in element && typeof element.value === 'string' ? element.value : '';
        // A form's fields named `attributes` or `textContent` shadow its own.
        const names = Element.prototype.getAttributeNames.call(element);
        const attributes = names.map((name) => Element.prototype.getAttribute.call(element, name));
        const text: unknown = Reflect.get(Node.prototype, 'textContent', element);
        return [value, ...attributes, typeof text === 'string' ? text : ''].map((each) =>
          (each ?? '').slice(0, length),
        );
      }),
    }),
    { arg: maxText, schema: lookSchema, frame },
  );
}

/** Whether selected text of a page belongs to marked elements, and the texts that it is part of. */
export async function lookAtSelection(page: Page): Promise<z.infer<typeof lookSchema>[]> {
  if (!typedIn.has(page.context())) return [];
  const looks = answeringFrames(page).map((frame) => {
    const call = { arg: maxText, schema: lookSchema, frame };
    return within(answerMs, callIsolated(frame, readSelection, call));
  });
  return (await Promise.all(looks)).filter((look) => look !== undefined);
}

/** Runs in the page. */
function readSelection({ marked }: InPage, length: number): z.infer<typeof lookSchema> {
  const selection = document.getSelection();
  const isRange = selection?.isCollapsed === false;
  const ends = isRange ? [selection.anchorNode, selection.focusNode] : [];
  // The text of an element within a word, such as `<b>`, is only a part of it.
  const around = ends.flatMap((node) => [node, node?.parentNode, node?.parentNode?.parentNode]);
  let active = document.activeElement;
  while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
  const control = active instanceof HTMLInputElement || active instanceof HTMLTextAreaElement ? active : null;
  const field = control?.selectionStart !== control?.selectionEnd ? control : undefined;
  const isMarked = marked().some((each) => each === field || (isRange && selection.containsNode(each, true)));
  const texts = [field?.value, isRange && selection.toString(), ...around.map((node) => node?.textContent)];
  return { isMarked, texts: texts.map((text) => (text || '').slice(0, length)) };
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
    // A form's field named `parentElement` shadows its own.
    const parentOf = (each: Element): Element | null => Reflect.get(Node.prototype, 'parentElement', each);
    for (let each: Element | null = element; each !== null && chain.length < 10; each = parentOf(each)) {
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
