import type { LocatorChain } from '../model/locator.js';
import { stringsIn } from '../model/text.js';

/** Whether a text in the chain contains one of the given strings, compared as `getByText` does. */
export function mentions(chain: LocatorChain, strings: readonly string[]): boolean {
  const folded = strings.map(fold).filter((text) => text !== '');
  const texts = chain.flatMap((call) =>
    stringsIn(call.method === 'getByRole' ? call.args.slice(1) : call.args),
  );
  return texts.some((text) => folded.some((part) => fold(text).includes(part)));
}

function fold(text: string): string {
  return text.replace(/\s+/g, ' ').trim().toLowerCase();
}
