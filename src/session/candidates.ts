import { distance } from 'fastest-levenshtein';
import { roleAndName, type SnapshotView } from '../browser/snapshot.js';

/** How many candidates a hint names. */
const shown = 4;

/**
 * The elements of the page that a target which matched none, or several, most likely means, as
 * `e12 button "Save"`: those whose role and name are nearest to the words of the target.
 */
export function nearestElements(view: SnapshotView, target: string): string[] {
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
    .slice(0, shown)
    .map(({ text }) => text);
}

/** From 0 (nothing in common) to 1 (the same). */
function likeness(one: string, other: string): number {
  const close = 1 - distance(one, other) / Math.max(one.length, other.length);
  return close > 0.5 ? close : 0;
}
