import { randomBytes } from 'node:crypto';
import type { BrowserContext, Frame, Locator } from 'playwright';
import { z } from 'zod';
import { answerMs, responseWithin } from '../model/within.js';

/**
 * Name of the selector engine through which functions run in Playwright's isolated world. It can't be guessed, so that no
 * selector from an agent runs code there.
 */
const engine = `codegen-${randomBytes(8).toString('hex')}`;
let registered: Promise<void> | undefined;
let lastId = 0;

/** An id that is unique in this process. */
export function newOperationId(): string {
  return String(++lastId);
}

export function operation(name: 'pinned' | 'tag' | 'none' | 'marked' | 'run', body = ''): string {
  return `${engine}=${name}:${body}`;
}

/** Whether a selector uses only Playwright's public engines; others contain encoded selectors or run code. */
export function isPublicSelector(selector: string): boolean {
  return !selector.includes(engine) && !/internal:[a-z-]+=/i.test(selector);
}

/** What a function that runs in the page receives besides its argument. */
export interface InPage {
  /** The elements of the locator. */
  elements: Element[];
  /** The element of a pin, while it is in its document. */
  pinned: (id: string) => Element | undefined;
  /** Marks an element until its document is unloaded, and returns all that are marked. */
  mark: (element: Element) => void;
  marked: () => Element[];
  /** Texts of elements, kept until the document is unloaded. */
  noted: Map<Element, string>;
  /** Pins an element under an id. Returns a key that identifies it across all documents. */
  pin: (id: string, element: Element) => string;
  /** The elements that this call tagged, by tag. */
  tagged: Element[][];
}

interface IsolatedCall<Arg, Result> {
  arg: Arg;
  /** Validates the page's answer. */
  schema: z.ZodType<Result>;
  /** Function declarations that the function calls; they are sent to the page as well. */
  helpers?: readonly ((...args: never[]) => unknown)[];
  limitMs?: number;
  /** The frame of the locator; the main frame by default. */
  frame?: Frame | undefined;
}

const answerSchema = z.union([
  z.strictObject({ value: z.unknown().optional() }),
  z.strictObject({ error: z.string() }),
]);

/** The engine's name and source, for a process that opens pages for this one. */
export function engineSource(): { name: string; content: string } {
  const content = `(() => { ${String(elementKeeper)}\nreturn (${String(isolatedEngine)})(elementKeeper()); })()`;
  return { name: engine, content };
}

/** Registers the engine; existing contexts don't get it. */
export function registerEngine(): Promise<void> {
  const { name, content } = engineSource();
  registered ??= import('playwright').then(({ selectors }) =>
    selectors.register(name, { content }, { contentScript: true }),
  );
  return registered;
}

const channelSchema = z.custom<{
  registerSelectorEngine: (params: object, options: object) => Promise<unknown>;
}>();

/** Registers the engine in an existing context. */
export async function addEngine(context: BrowserContext): Promise<void> {
  const { name, content: source } = engineSource();
  const channel = channelSchema.parse(Reflect.get(context, '_channel'));
  const selectorEngine = { name, source, contentScript: true };
  await channel.registerSelectorEngine({ selectorEngine }, { signal: undefined, timeout: 0 });
}

/**
 * Calls a function in the page with the elements that a locator matches, in one round trip. It runs in Playwright's
 * isolated world, where the page can't replace globals and prototypes, unlike with `locator.evaluate`. Throws
 * ACTION_FAILED if the page does not respond.
 */
export async function callIsolated<Arg, Result>(
  locator: Locator | Frame,
  run: (page: InPage, arg: Arg) => Result,
  { arg, schema, helpers = [], limitMs = answerMs, frame }: IsolatedCall<Arg, Result>,
): Promise<Result> {
  const source = `(() => { ${helpers.map(String).join('\n')}\nreturn ${String(run)} })()`;
  const parts = [newOperationId(), source, JSON.stringify(arg === undefined ? null : arg)];
  // A quote would start a string in the selector.
  const encoded = parts.map((part) => encodeURIComponent(part).replaceAll("'", '%27'));
  const body = operation('run', encoded.join(':'));
  // Without an element, Playwright would wait for one.
  const target =
    'childFrames' in locator
      ? locator.locator(body)
      : locator.or((frame ?? locator.page()).locator(operation('none'))).locator(body);
  // Playwright's own time-out is longer, so that the error says that the page does not respond.
  const text = await responseWithin(limitMs, target.textContent({ timeout: 2 * limitMs }));
  const answer = answerSchema.parse(JSON.parse(text ?? ''));
  if ('error' in answer) throw new Error(answer.error);
  return schema.parse(answer.value);
}

/** Runs in the page: keeps elements for later calls. */
function elementKeeper(): Pick<InPage, 'pin' | 'pinned' | 'mark' | 'marked' | 'noted'> {
  const pins = new Map<string, WeakRef<Element>>();
  const marks: WeakRef<Element>[] = [];
  const noted = new Map<Element, string>();
  const marked = (): Element[] =>
    marks.flatMap((each) => {
      const element = each.deref();
      return element?.isConnected === true ? [element] : [];
    });
  const mark = (element: Element): void => {
    if (!marked().includes(element)) marks.push(new WeakRef(element));
  };
  const documentId = Math.random().toString(36).slice(2);
  const ids = new WeakMap<Element, string>();
  let lastId = 0;

  const pin = (id: string, element: Element): string => {
    pins.set(id, new WeakRef(element));
    const own = ids.get(element) ?? `${documentId}-${++lastId}`;
    ids.set(element, own);
    return own;
  };

  const pinned = (id: string): Element | undefined => {
    const element = pins.get(id)?.deref();
    return element?.isConnected === true ? element : undefined;
  };

  return { pin, pinned, mark, marked, noted };
}

/**
 * Runs in the page. `pinned:N` matches the element that is pinned under N. `run:CALL` collects the elements that it is
 * evaluated on, and matches one element whose text is the function's answer.
 */
function isolatedEngine(kept: ReturnType<typeof elementKeeper>): { query: unknown; queryAll: unknown } {
  interface Call {
    elements: Element[];
    box: Element;
  }
  const calls = new Map<string, Call>();
  let tagged: Element[][] = [];
  const none = document.createElement('i');
  function answer(elements: Element[], body: string): string {
    try {
      const [, source = '', given = ''] = body.split(':').map(decodeURIComponent);
      const arg: unknown = JSON.parse(given);
      const run: unknown = (0, eval)(`(${source})`);
      if (typeof run !== 'function') throw new TypeError('not a function');
      const value: unknown = Reflect.apply(run, undefined, [{ ...kept, elements, tagged }, arg]);
      return JSON.stringify({ value });
    } catch (error) {
      return JSON.stringify({ error: String(error) });
    } finally {
      calls.delete(body);
      tagged = [];
    }
  }

  function callOf(body: string): Call {
    const known = calls.get(body);
    if (known !== undefined) return known;
    const box = document.createElement('i');
    const call: Call = { elements: [], box };
    let text: string | undefined;
    Object.defineProperty(box, 'textContent', { get: () => (text ??= answer(call.elements, body)) });
    calls.set(body, call);
    return call;
  }

  function queryAll(root: Node, selector: string): Element[] {
    const colon = selector.indexOf(':');
    const [name, body] = [selector.slice(0, colon), selector.slice(colon + 1)];
    if (name === 'none') return [none];
    if (name === 'marked') return kept.marked();
    if (name === 'pinned') {
      const element = kept.pinned(body);
      return element === undefined ? [] : [element];
    }
    const element = root instanceof Element && root !== none ? root : undefined;
    if (name === 'run') {
      const { elements, box } = callOf(body);
      if (element !== undefined) elements.push(element);
      return [box];
    }
    if (element === undefined) return [];
    (tagged[Number(body)] ??= []).push(element);
    return [none];
  }

  return { queryAll, query: (root: Node, selector: string) => queryAll(root, selector)[0] ?? null };
}
