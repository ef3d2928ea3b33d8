import type { Frame, Locator } from 'playwright';
import { z } from 'zod';
import { callIsolated, operation, type InPage } from '../browser/isolated.js';
import { factsHelpers, factsOf, factsSchema, type Pin } from '../browser/pin.js';
import type { LocatorChain } from '../model/locator.js';
import { toLocator } from './locator-expression.js';

/** The elements that some chains match, each tagged with the index of its chain. */
export function taggedBy(frame: Frame, chains: readonly LocatorChain[]): Locator {
  const [first, ...others] = chains.map((chain, index) =>
    toLocator(frame, chain).locator(operation('tag', String(index))),
  );
  return others.reduce((all, other) => all.or(other), first ?? frame.locator(operation('none')));
}

const matchesSchema = z.strictObject({ indexes: z.array(z.int()), facts: factsSchema.optional() });

/**
 * Which chains match exactly the pinned element, or one around it, and the element's current facts, which are undefined
 * if it has left its document. Takes one round trip.
 */
export function matchesOf(
  { id, frame }: Pin,
  chains: readonly LocatorChain[],
  orAround = false,
): Promise<z.infer<typeof matchesSchema>> {
  return callIsolated(taggedBy(frame, chains), findMatches, {
    arg: { id, orAround, count: chains.length },
    schema: matchesSchema,
    helpers: factsHelpers,
    frame,
  });
}

/** Runs in the page. */
function findMatches(
  { tagged, pinned, pin, marked }: InPage,
  { id, orAround, count }: { id: string; orAround: boolean; count: number },
): z.infer<typeof matchesSchema> {
  const element = pinned(id);
  if (element === undefined) return { indexes: [] };
  const indexes: number[] = [];
  for (let index = 0; index < count; index++) {
    const [found, ...others] = tagged[index] ?? [];
    if (found === undefined || others.length > 0) continue;
    if (found === element || (orAround && Node.prototype.contains.call(found, element))) indexes.push(index);
  }
  return { indexes, facts: factsOf(element, pin(id, element), marked().includes(element)) };
}
