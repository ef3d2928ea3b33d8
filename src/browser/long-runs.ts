import type { Locator, Page } from 'playwright';
import { z } from 'zod';
import { within } from '../model/within.js';
import { callIsolated, type InPage } from './isolated.js';

/** Roughly how many elements a snapshot of a large document visits: one of 20,000 takes seconds. */
const maxElements = 4000;
/** How many children of an element are visited: the largest number that makes the document small enough. */
const runLengths = [200, 100, 50, 20, 10];
/** How many of them are at the end. */
const atEnd = 3;
/** Maximum number of children of an element that are kept because they contain what is sought. */
const maxKept = 100;
/** Time-out of the page, and the time after which `skipRuns` undoes itself. */
const answerMs = 2000;
const expiryMs = 10_000;

/** How many children of an element a snapshot left out. */
interface LeftOut {
  ref: string;
  count: number;
}

const leftOutIn = new WeakMap<Page, LeftOut[]>();

/** What the latest snapshot of a page left out. */
export function leftOut(page: Page): readonly LeftOut[] {
  return leftOutIn.get(page) ?? [];
}

/** Whether a document is too large for a complete snapshot. */
function isLarge(elements: number): boolean {
  return elements > maxElements;
}

/** What the snapshot of a large document must contain. */
export interface Sought {
  element?: Locator | undefined;
  /** Compared case-insensitively, with attributes too. */
  text?: string | undefined;
}

/** Takes snapshots, in a large document without the middle of long runs of siblings. */
export async function withoutLongRuns<Taken>(
  page: Page,
  { elements, element, text = '' }: Sought & { elements: number },
  take: () => Promise<Taken>,
): Promise<Taken> {
  leftOutIn.delete(page);
  if (!isLarge(elements)) return take();
  const frame = page.mainFrame();
  const arg = { maxElements, runLengths, atEnd, expiryMs, maxKept, text };
  const call = { arg, schema: z.null(), frame };
  await within(answerMs, callIsolated(element ?? frame, skipRuns, call));
  try {
    return await take();
  } finally {
    const schema = z.array(z.object({ ref: z.string(), count: z.int() }));
    const found = await within(answerMs, callIsolated(frame, visitAll, { arg: null, schema }));
    leftOutIn.set(page, found ?? []);
  }
}

interface SkipOptions {
  maxElements: number;
  runLengths: number[];
  atEnd: number;
  expiryMs: number;
  maxKept: number;
  text: string;
}

/** Replaces `nextSibling` in Playwright's isolated world, by which its snapshot iterates; the page's own is unchanged. */
function skipRuns(
  { elements }: InPage,
  { maxElements, runLengths, atEnd, expiryMs, maxKept, text }: SkipOptions,
): null {
  const original = Object.getOwnPropertyDescriptor(Node.prototype, 'nextSibling');
  const next: unknown = original && Reflect.get(original, 'get');
  if (original === undefined || typeof next !== 'function' || '_skipped' in Node.prototype) return null;
  const visited = (run: number): number => {
    let count = 0;
    const open: Element[] = [document.documentElement];
    for (let parent = open.pop(); parent !== undefined && count <= maxElements; parent = open.pop()) {
      const { children } = parent;
      for (let index = Math.min(children.length, run) - 1; index >= 0; index--) {
        count++;
        const child = children[index];
        if (child !== undefined) open.push(child);
      }
    }
    return count;
  };
  const sought = elements.slice(0, maxKept);
  /** Small enough to be visited completely. */
  const small = sought.filter((element) => element.getElementsByTagName('*').length <= maxElements);
  const run = runLengths.find((length) => visited(length) <= maxElements) ?? Math.min(...runLengths);
  const bare = (value: string | null): string => (value ?? '').replace(/\s+/g, '').toLowerCase();
  const wanted = bare(text);
  const says = (element: Element): boolean =>
    ['aria-label', 'title', 'alt', 'placeholder'].some((name) =>
      bare(element.getAttribute(name)).includes(wanted),
    ) ||
    ('value' in element && bare(String(element.value)).includes(wanted));
  const isSought = (child: Element): boolean =>
    sought.some((element) => child.contains(element)) ||
    (wanted !== '' &&
      (bare(child.textContent).includes(wanted) ||
        [child, ...Array.from(child.querySelectorAll('[aria-label],[title],[alt],[placeholder],input'))].some(
          says,
        )));
  const expiresAt = performance.now() + expiryMs;
  const passed = new Map<Element, number>();
  const skipped = new Map<Element, number>();
  /** The next child to visit, by the previous one. */
  const jumps = new Map<Node, Element>();
  const skip = (from: Node, { children }: Element): number => {
    const middle = Array.from(children).slice(run - atEnd, -atEnd);
    const kept = middle.filter(isSought).slice(0, maxKept);
    let last = from;
    for (const child of [...kept, ...Array.from(children).slice(-atEnd)].slice(0, kept.length + 1)) {
      jumps.set(last, child);
      last = child;
    }
    return middle.length - kept.length;
  };
  Reflect.defineProperty(Node.prototype, '_skipped', { value: { original, skipped }, configurable: true });
  Reflect.defineProperty(Node.prototype, 'nextSibling', {
    configurable: true,
    get(this: Node): unknown {
      const following: unknown = Reflect.apply(next, this, []);
      const parent = this.parentElement;
      if (parent === null || parent.childElementCount <= run || performance.now() > expiresAt)
        return following;
      if (small.some((element) => element.contains(parent))) return following;
      const jump = jumps.get(this);
      if (jump !== undefined) return jump;
      const before = this.previousSibling === null ? 0 : (passed.get(parent) ?? 0);
      const count = before + (this instanceof Element ? 1 : 0);
      // After the end of the run, so that it is not skipped again.
      passed.set(parent, count === run - atEnd ? run : count);
      if (count !== run - atEnd) return following;
      skipped.set(parent, skip(this, parent));
      return jumps.get(this);
    },
  });
  return null;
}

/** Runs in the page. Undoes `skipRuns`, and returns what was skipped. */
function visitAll(): LeftOut[] {
  const kept: unknown = Reflect.get(Node.prototype, '_skipped');
  if (typeof kept !== 'object' || kept === null) return [];
  const original: unknown = Reflect.get(kept, 'original');
  const skipped: unknown = Reflect.get(kept, 'skipped');
  if (typeof original === 'object' && original !== null)
    Object.defineProperty(Node.prototype, 'nextSibling', original);
  Reflect.deleteProperty(Node.prototype, '_skipped');
  const found: LeftOut[] = [];
  for (const [parent, count] of skipped instanceof Map ? skipped : []) {
    let ref: unknown;
    for (
      let outer: unknown = parent;
      outer instanceof Element && ref === undefined;
      // A form's field named `parentElement` shadows its own.
      outer = Reflect.get(Node.prototype, 'parentElement', outer)
    ) {
      const known: unknown = Reflect.get(outer, '_ariaRef');
      ref = typeof known === 'object' && known !== null ? Reflect.get(known, 'ref') : undefined;
    }
    if (typeof ref === 'string' && typeof count === 'number') found.push({ ref, count });
  }
  return found;
}
