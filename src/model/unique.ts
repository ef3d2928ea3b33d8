import { randomInt } from 'node:crypto';

/** No vowels, so that it is no real word; no digits, so that it does not look like an id. */
const letters = 'bcdfghjkmnpqrstvwxz';
const length = 10;

export function uniqueWord(): string {
  return Array.from({ length }, () => letters[randomInt(letters.length)]).join('');
}

/** Replaces the unique words of an earlier run in a value by new ones. */
export function withFreshWords<Value>(
  value: Value,
  earlier: Readonly<Record<string, string>>,
): { value: Value; words: Record<string, string> };
export function withFreshWords(
  value: unknown,
  earlier: Readonly<Record<string, string>>,
): { value: unknown; words: Record<string, string> } {
  const words = Object.fromEntries(Object.keys(earlier).map((name) => [name, uniqueWord()]));
  let text = JSON.stringify(value);
  for (const [name, word] of Object.entries(earlier)) text = text.replaceAll(word, words[name] ?? word);
  return { value: JSON.parse(text), words };
}
