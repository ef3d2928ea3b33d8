import { z } from 'zod';
import { elementSnapshot } from '../browser/element-snapshot.js';
import { callIsolated, type InPage } from '../browser/isolated.js';
import type { Pin } from '../browser/pin.js';
import { parseSnapshot, roleAndName } from '../browser/snapshot.js';
import { answerMs } from '../model/within.js';

/** Maximum length of a quoted text. */
const maxTextLength = 60;
/** Describes an element for people, e.g. `button "Buy" near "Green tea"`; texts of the page are quoted. */
export async function describeElement({ id, locator, frame }: Pin): Promise<string> {
  const [snapshot, near] = await Promise.all([
    elementSnapshot(locator, answerMs),
    callIsolated(frame, readNearbyText, { arg: id, schema: z.string() }),
  ]);
  const [line] = parseSnapshot(snapshot);
  const { role = 'element', name } = line === undefined ? {} : roleAndName(line);
  return [role, ...quoted(name), ...(near === '' ? [] : ['near', ...quoted(near)])].join(' ');
}

function quoted(text = ''): string[] {
  if (text === '') return [];
  return [JSON.stringify(text.length > maxTextLength ? `${text.slice(0, maxTextLength)}…` : text)];
}

/** Runs in the page. Returns the first text next to the element, from the nearest ancestor that has one. */
function readNearbyText({ pinned }: InPage, id: string): string {
  const element = pinned(id);
  // A form's field named `parentNode` shadows the form's own.
  const parentOf = (node: Node): unknown => Reflect.get(Node.prototype, 'parentNode', node);
  for (
    let outer = element && parentOf(element);
    element !== undefined && outer instanceof Element;
    outer = parentOf(outer)
  ) {
    const texts = document.createTreeWalker(outer, NodeFilter.SHOW_TEXT, (node) => {
      const parent = parentOf(node);
      const isCode = parent instanceof HTMLScriptElement || parent instanceof HTMLStyleElement;
      const isInner = Node.prototype.contains.call(element, node);
      return isCode || isInner ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT;
    });
    for (let node = texts.nextNode(); node !== null; node = texts.nextNode()) {
      const text = (node.textContent ?? '').slice(0, 1000).replace(/\s+/g, ' ').trim();
      if (/\p{L}/u.test(text)) return text;
    }
  }
  return '';
}
