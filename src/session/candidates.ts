import { distance } from 'fastest-levenshtein';
import type { LivePage } from '../browser/live-page.js';
import { roleAndName, type SnapshotView } from '../browser/snapshot.js';
import type { CodegenError } from '../model/errors.js';
import { within } from '../model/within.js';
import { matchesOf } from './targets.js';

/** How many candidates a hint names. */
const candidatesShown = 4;
/** How many matches of an ambiguous target are listed, and the milliseconds to find them. */
const matchesShown = 4;
const matchesMs = 2000;

/** On a miss, the elements that the target may have meant, with their references; empty for any other failure. */
export async function nearestHint(
  current: LivePage,
  error: CodegenError,
  target: string | undefined,
): Promise<string> {
  if (target === undefined || !['TARGET_NOT_FOUND', 'TARGET_AMBIGUOUS'].includes(error.code)) return '';
  const { view = [], shown } = current;
  const candidates = nearestElements(view, shown.get(target) ?? target);
  const nearest = candidates.length === 0 ? '' : `Nearest: ${candidates.join(', ')}.`;
  if (error.code === 'TARGET_NOT_FOUND') return nearest;
  const matches = await within(matchesMs, matchesOf(current, target, matchesShown));
  if (matches === undefined || matches.length === 0) return nearest;
  const refs = new Set(matches.flatMap((match) => nearestElements(view, match).slice(0, 1)));
  return `It matches ${matches.join(', ')}. ${nearest || `Nearest: ${[...refs].join(', ')}.`}`;
}

/**
 * The elements of the page that a target which matched none, or several, most likely means, as
 * `e12 button "Save"`: those whose role and name are nearest to the words of the target.
 */
function nearestElements(view: SnapshotView, target: string): string[] {
  const words = target.match(/[\p{L}\p{N}]+/gu)?.map((word) => word.toLowerCase()) ?? [];
  const wanted = words.filter(
    (word) => !/^(?:getby\w+|name|exact|true|locator|text|filter|hastext|nth|first|page)$/.test(word),
  );
  return view
    .flatMap((line) => {
      const { role, name = '' } = roleAndName(line);
      if (line.ref === undefined || role === undefined || role === 'generic') return [];
      const own = [role, ...(name.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [])];
      const fit = wanted.reduce(
        (sum, word) => sum + Math.max(...own.map((other) => likeness(word, other))),
        0,
      );
      return [
        {
          text: `${line.ref} ${role}${name === '' ? '' : ` ${JSON.stringify(name)}`}`,
          fit: fit - own.length / 100,
        },
      ];
    })
    .filter(({ fit }) => fit > 0.6)
    .sort((one, other) => other.fit - one.fit)
    .slice(0, candidatesShown)
    .map(({ text }) => text);
}

/** From 0 (nothing in common) to 1 (the same). */
function likeness(one: string, other: string): number {
  const close = 1 - distance(one, other) / Math.max(one.length, other.length);
  return close > 0.5 ? close : 0;
}
