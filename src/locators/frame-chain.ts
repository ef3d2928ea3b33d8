import type { Frame } from 'playwright';
import type { LocatorChain } from '../model/locator.js';
import { isVolatile } from '../model/volatile.js';
import { answerMs, responseWithin } from '../model/within.js';
import { isGenerated } from './brittle.js';
import { toLocator } from './locator-expression.js';

/** The chain from the page into a frame, by name, title, id, source or test id; undefined if only its position identifies a frame. */
export async function frameChain(frame: Frame): Promise<LocatorChain | undefined> {
  const parent = frame.parentFrame();
  if (parent === null) return [];
  const outer = await frameChain(parent);
  if (outer === undefined) return undefined;
  const element = await responseWithin(answerMs, frame.frameElement());
  try {
    for (const attribute of ['name', 'title', 'id', 'src', 'data-testid']) {
      const value = await responseWithin(answerMs, element.getAttribute(attribute));
      if (value === null || value === '' || value.length > 200 || isGenerated(value) || isVolatile(value))
        continue;
      const plain = attribute === 'id' && /^[a-z][\w-]*$/i.test(value) ? [`#${value}`] : [];
      // In a frameset, a frame is a `frame`.
      for (const selector of [
        ...plain,
        ...['iframe', 'frame'].map((tag) => `${tag}[${attribute}=${cssString(value)}]`),
      ]) {
        const frames = toLocator(parent, [{ method: 'locator', args: [selector] }]);
        if ((await responseWithin(answerMs, frames.count())) === 1)
          return [...outer, { method: 'locator', args: [selector] }, { method: 'contentFrame', args: [] }];
      }
    }
    return undefined;
  } finally {
    void element.dispose().catch(() => undefined);
  }
}

/** Quotes a CSS string: https://www.w3.org/TR/cssom-1/#serialize-a-string. */
function cssString(value: string): string {
  const escaped = Array.from(value, (character) => {
    if (character === '"' || character === '\\') return `\\${character}`;
    return character < ' ' || character === '\u007f'
      ? `\\${character.charCodeAt(0).toString(16)} `
      : character;
  });
  return `"${escaped.join('')}"`;
}
