import type { Locator } from 'playwright';
import { z } from 'zod';
import { responseWithin } from '../model/within.js';
import { cutSnapshot } from './snapshot.js';

/** Matches no element. */
const template = '- note /(?!)/';
const failureSchema = z.object({ received: z.object({ value: z.object({ raw: z.string() }) }) });

/**
 * The snapshot of an element as `locator.ariaSnapshot()` returns it, cut, in one round trip instead of seven: a failing
 * assertion reports it. Unlike that method, this keeps the references of the page valid.
 */
export async function elementSnapshot(locator: Locator, limitMs: number): Promise<string> {
  const expect: unknown = Reflect.get(locator, '_expect');
  if (typeof expect !== 'function') throw new TypeError('Playwright has no Locator._expect.');
  const options = { expectedValue: template, isNot: false, timeout: 1 };
  const checked: unknown = Reflect.apply(expect, locator, ['to.match.aria', options]);
  const { received } = failureSchema.parse(await responseWithin(limitMs, Promise.resolve(checked)));
  return cutSnapshot(received.value.raw);
}
