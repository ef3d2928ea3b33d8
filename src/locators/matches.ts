import { z } from 'zod';
import { callIsolated, operation, type InPage } from '../browser/isolated.js';
import type { Pin } from '../browser/pin.js';
import type { LocatorChain } from '../model/locator.js';
import { toLocator } from './locator-expression.js';

/** The chains that match exactly the pinned element, judged in one round trip. */
export async function matchesOf(
  { id, frame }: Pin,
  chains: readonly LocatorChain[],
): Promise<LocatorChain[]> {
  const [first, ...others] = chains.map((chain, index) =>
    toLocator(frame, chain).locator(operation('tag', String(index))),
  );
  if (first === undefined) return [];
  const all = others.reduce((locator, other) => locator.or(other), first);
  const indexes = await callIsolated(all, indexesOfMatches, {
    arg: id,
    schema: z.array(z.int()),
  });
  return indexes.map((index) => chains[index]).filter((chain) => chain !== undefined);
}

/** Runs in the page. */
function indexesOfMatches({ tagged, pinned }: InPage, id: string): number[] {
  const element = pinned(id);
  const matching: number[] = [];
  for (let index = 0; index < tagged.length; index++) {
    const [found, ...others] = tagged[index] ?? [];
    if (found === undefined || element === undefined || others.length > 0) continue;
    if (found === element) matching.push(index);
  }
  return matching;
}
