import { distance } from 'fastest-levenshtein';

/** The option that a mistyped word most likely means; undefined where none is near. */
export function nearest(word: string, options: readonly string[]): string | undefined {
  const fold = (text: string): string => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
  const ranked = options
    .map((option) => ({ option, away: distance(fold(word), fold(option)) }))
    .sort((one, other) => one.away - other.away);
  const [best] = ranked;
  return best !== undefined && best.away <= Math.max(2, best.option.length / 3) ? best.option : undefined;
}
