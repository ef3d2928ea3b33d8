import type { Row } from '../model/emission.js';
import { escapeRegExp } from '../model/text.js';
import { template, type Replacement } from './quote.js';

/**
 * Puts the fields of `row` in the place of the values that the flow was recorded with: `row.name` for a whole value, and
 * in a template literal where a text has it as a word.
 */
export function rowReplacement(row: Row): Replacement {
  const fields = Object.entries(row)
    .map(([field, value]) => ({ field, value, text: String(value) }))
    .filter(({ text }) => text !== '')
    .sort((one, other) => other.text.length - one.text.length);
  if (fields.length === 0) return () => undefined;
  const words = new RegExp(
    `(?<![\\p{L}\\p{N}])(${fields.map(({ text }) => escapeRegExp(text)).join('|')})(?![\\p{L}\\p{N}])`,
    'u',
  );
  return (value) => {
    const exact = fields.find((each) => each.value === value);
    if (exact !== undefined) return `row.${exact.field}`;
    if (typeof value !== 'string') return undefined;
    const parts = value.split(words);
    if (parts.length === 1) return undefined;
    const codes = parts.map((part, index) => {
      const field = index % 2 === 1 ? fields.find(({ text }) => text === part)?.field : undefined;
      return field === undefined ? part : `row.${field}`;
    });
    const [before, code = '', after] = codes;
    return codes.length === 3 && before === '' && after === '' ? `String(${code})` : template(codes);
  };
}
