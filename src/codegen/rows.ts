import type { Row } from '../model/emission.js';
import { escapeRegExp } from '../model/text.js';
import { template, type Replacement } from './quote.js';

/** Words that are new in every run, by the variables that hold them. */
export type Uniques = Readonly<Record<string, string>>;

/**
 * Replaces the values that the flow was recorded with by variables: `row.name` for a field of a row, which a
 * text has as a word, and the variables of words that are new in every run. A text with more in it becomes a template
 * literal. Undefined without variables.
 */
export function replacementOf(row: Row | undefined, uniques: Uniques = {}): Replacement | undefined {
  const fields = Object.entries(row ?? {}).map(([field, value]) => {
    const text = String(value);
    const form = `(?<![\\p{L}\\p{N}])${escapeRegExp(text)}(?![\\p{L}\\p{N}])`;
    return { code: `row.${field}`, value, text, form };
  });
  const words = Object.entries(uniques).map(([code, text]) => ({ code, value: text, text, form: text }));
  const variables = [...words, ...fields]
    .filter(({ text }) => text !== '')
    .sort((one, other) => other.text.length - one.text.length);
  if (variables.length === 0) return undefined;
  const pattern = new RegExp(`(${variables.map(({ form }) => form).join('|')})`, 'u');
  return (value) => {
    const exact = variables.find((each) => each.value === value);
    if (exact !== undefined) return exact.code;
    if (typeof value !== 'string') return undefined;
    const parts = value.split(pattern);
    if (parts.length === 1) return undefined;
    const codes = parts.map((part, index) => {
      const found = index % 2 === 1 ? variables.find(({ text }) => text === part) : undefined;
      return found?.code ?? part;
    });
    const [before, code = '', after] = codes;
    return codes.length === 3 && before === '' && after === '' ? `String(${code})` : template(codes);
  };
}

/** Whether a value has one of the words in it. */
export function hasWord(value: unknown, uniques: Uniques): boolean {
  const text = JSON.stringify([value]);
  return Object.values(uniques).some((word) => text.includes(word));
}

/** A value in which unique words are replaced by the names of their variables, for naming. */
export function withoutWords<Value>(value: Value, uniques: Uniques): Value;
export function withoutWords(value: unknown, uniques: Uniques): unknown {
  if (!hasWord(value, uniques)) return value;
  let text = JSON.stringify(value);
  for (const [name, word] of Object.entries(uniques)) text = text.replaceAll(word, name);
  const plain: unknown = JSON.parse(text);
  return plain;
}
