import { distance } from 'fastest-levenshtein';

/** The option most similar to a mistyped word; undefined if none is close. */
export function nearest(word: string, options: readonly string[]): string | undefined {
  const fold = (text: string): string => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
  const ranked = options
    .map((option) => ({ option, away: distance(fold(word), fold(option)) }))
    .sort((one, other) => one.away - other.away);
  const [best] = ranked;
  return best !== undefined && best.away <= Math.max(2, best.option.length / 3) ? best.option : undefined;
}

/** Ends a message about a mistyped word; empty if no option is close. */
export function didYouMean(word: string, options: readonly string[]): string {
  const guess = nearest(word, options);
  return guess === undefined ? '' : `; did you mean "${guess}"?`;
}
