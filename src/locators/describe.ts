import type { Pin } from '../browser/pin.js';
import { parseSnapshot, roleAndName } from '../browser/snapshot.js';

/** Characters of a page's text that are quoted. */
const longest = 60;

/** What an element looks like to a person, e.g. `button "Buy" near "Green tea"`: what the page says is quoted. */
export async function describeElement({ locator }: Pin): Promise<string> {
  const handle = await locator.elementHandle();
  try {
    const [snapshot, near] = await Promise.all([locator.ariaSnapshot(), handle.evaluate(nearbyText)]);
    const [line] = parseSnapshot(snapshot);
    const { role = 'element', name } = line === undefined ? {} : roleAndName(line);
    return [role, ...quoted(name), ...(near === '' ? [] : ['near', ...quoted(near)])].join(' ');
  } finally {
    await handle.dispose();
  }
}

function quoted(text = ''): string[] {
  return text === '' ? [] : [JSON.stringify(text.length > longest ? `${text.slice(0, longest)}…` : text)];
}

/** Runs in the page: the first words beside the element, from the nearest element around it that has any. */
function nearbyText(element: Element): string {
  for (let outer = element.parentElement; outer !== null; outer = outer.parentElement) {
    const texts = document.createTreeWalker(outer, NodeFilter.SHOW_TEXT, (node) =>
      element.contains(node) || node.parentElement?.closest('script, style')
        ? NodeFilter.FILTER_REJECT
        : NodeFilter.FILTER_ACCEPT,
    );
    for (let node = texts.nextNode(); node !== null; node = texts.nextNode()) {
      const text = (node.textContent ?? '').replace(/\s+/g, ' ').trim();
      if (/\p{L}/u.test(text)) return text;
    }
  }
  return '';
}
