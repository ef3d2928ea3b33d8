import type { Pin } from '../browser/pin.js';
import { messageOf } from '../model/errors.js';
import type { LocatorChain } from '../model/locator.js';
import { answerMs, responseWithin } from '../model/within.js';
import { frameChain } from './frame-chain.js';
import { parseLocatorExpression } from './locator-expression.js';

/** Playwright's suggestion for an element. */
interface Suggestion {
  /** The chain from the page into the element's frame. */
  frames: LocatorChain;
  /** The locator in the frame; empty if it is unknown. */
  own: LocatorChain;
}

/** The locator that Playwright would suggest for a pinned element. */
export async function suggestionFor(pin: Pin): Promise<Suggestion> {
  const frames = await frameChain(pin.frame);
  const own = frames && (await suggestedInError(pin));
  if (own !== undefined) return { frames: frames ?? [], own };
  const normalized = await responseWithin(answerMs, pin.locator.normalize());
  const whole = parsed(normalized.toString());
  const inFrame = whole.findLastIndex((call) => call.method === 'contentFrame') + 1;
  return { frames: frames ?? whole.slice(0, inFrame), own: whole.slice(inFrame) };
}

/**
 * Provokes Playwright's error about several matches, the first of which is the root, and reads the suggestion from it:
 * one round trip, while `normalize()` takes a dozen.
 */
async function suggestedInError({ locator, frame }: Pin): Promise<LocatorChain | undefined> {
  const both = locator.or(frame.locator(':root'));
  const message = await responseWithin(answerMs, both.getAttribute('lang')).then(() => '', messageOf);
  const line = message.split('\n').find((each) => each.startsWith('    2) '));
  if (line === undefined) return undefined;
  // The last locator in the line: quotes are escaped in its texts, but not in those of the element before it.
  const [, ...parts] = line.split(' aka ');
  return (
    parts.map((_, index) => parsed(parts.slice(index).join(' aka '))).findLast((chain) => chain.length > 0) ??
    []
  );
}

/** Empty if a suggestion contains what Playwright's types reject, e.g. the role `mark`. */
function parsed(expression: string): LocatorChain {
  try {
    return parseLocatorExpression(expression);
  } catch {
    return [];
  }
}
