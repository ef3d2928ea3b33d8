import { CodegenError, messageOf } from '../model/errors.js';
import type { Pattern } from '../model/locator.js';
import type { Json } from '../model/json.js';
import { splitReferences } from '../model/secrets.js';

/** Whatever a reader can't see or tell from a plain space: controls, format and bidi characters, lone surrogates. */
const invisible = /(?! )[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Default_Ignorable_Code_Point}\p{Z}]/gu;

/** What an inline script can't hold. */
const endOfScript = /<(?=\/script|!--)/gi;

/** Escapes without a meaning unless the flag `u` or a group gives them one: errors to TypeScript, not to browsers. */
const looseEscape = /\\(?:[1-9pk]|0\d|x(?![\da-f]{2})|u(?![\da-f]{4}))/i;

const shortEscapes = new Map([
  ['\b', '\\b'],
  ['\t', '\\t'],
  ['\n', '\\n'],
  ['\v', '\\v'],
  ['\f', '\\f'],
  ['\r', '\\r'],
]);

/** First words of a comment that some tool obeys. */
const directive =
  /^(?:@|(?:eslint|prettier|exported|globals?|istanbul|c8|v8|node:coverage|biome|oxlint|deno)\b)/;

/**
 * A string literal that evaluates to the same string, whatever is in it. Quotes are chosen as Prettier does: double,
 * unless single ones need fewer escapes.
 */
export function quote(value: string): string {
  const mark = value.split('"').length > value.split("'").length ? "'" : '"';
  return `${mark}${escape(value, mark)}${mark}`;
}

function escape(value: string, mark: string): string {
  return value
    .replaceAll('\\', '\\\\')
    .replaceAll(mark, `\\${mark}`)
    .replace(invisible, (found) => shortEscapes.get(found) ?? escapeUnits(found))
    .replace(endOfScript, escapeUnits);
}

/** A text as a template literal, indented as what reads it takes away again; a string literal where it has one line. */
export function block(text: string): string {
  if (!text.includes('\n')) return quoteRevealed(text);
  const lines = text.split('\n').map((line) => (line === '' ? '' : `    ${templateText(line)}`));
  return `\`\n${lines.join('\n')}\n  \``;
}

/** A string that may refer to secrets, which come from the environment when the test runs. */
function quoteRevealed(value: string): string {
  const parts = splitReferences(value);
  const [before, name = '', after] = parts;
  if (parts.length === 1) return quote(value);
  if (parts.length === 3 && before === '' && after === '') return `process.env.${name} ?? ""`;
  return `\`${templateText(value)}\``;
}

/** What stands in a template literal for a text. */
function templateText(text: string): string {
  return splitReferences(text)
    .map((part, index) =>
      index % 2 === 1 ? `\${process.env.${part}}` : escape(part, '`').replaceAll('${', '\\${'),
    )
    .join('');
}

/** A template literal of texts and of expressions in turn, beginning with a text. */
export function template(parts: readonly string[]): string {
  const printed = parts.map((part, index) => (index % 2 === 1 ? `\${${part}}` : templateText(part)));
  return `\`${printed.join('')}\``;
}

/** The code of a string, number, boolean or null that is not its own literal; undefined for all others. */
export type Replacement = (value: string | number | boolean | null) => string | undefined;

/** A JSON value as a literal, on one line; `{{secret:NAME}}` in its strings becomes the variable of that name. */
export function literal(value: Json, replacement: Replacement = () => undefined): string {
  const print = (each: Json): string => literal(each, replacement);
  if (Array.isArray(value)) return `[${value.map(print).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, item]) => `${propertyName(key)}: ${print(item)}`);
    return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
  }
  const replaced = replacement(value);
  if (replaced !== undefined) return replaced;
  if (typeof value === 'string') return quoteRevealed(value);
  return Object.is(value, -0) ? '-0' : String(value);
}

/** The name of a property in an object literal. */
export function propertyName(key: string): string {
  // As a plain name, `__proto__` would set the prototype.
  if (key === '__proto__') return '["__proto__"]';
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : quote(key);
}

/**
 * A regular expression as a literal, or as a call of its constructor where TypeScript takes no literal. One that is not
 * valid is `INVALID_INPUT`.
 */
export function pattern({ regex, flags = '' }: Pattern): string {
  let source;
  try {
    // `source` escapes slashes and line ends, and is never empty.
    source = new RegExp(regex, flags).source;
  } catch (error) {
    throw new CodegenError('INVALID_INPUT', messageOf(error), {
      hint: 'Give the source of a JavaScript regular expression and its flags.',
      cause: error,
    });
  }
  const isLoose = !/[uv]/.test(flags) && looseEscape.test(source.replaceAll('\\\\', ''));
  if (isLoose) return `new RegExp(${quote(source)}${flags && `, ${quote(flags)}`})`;
  const visible = source.replace(/\\?([^])/gu, (pair, last: string) =>
    last.replace(invisible, escapeUnits) === last ? pair : escapeUnits(last),
  );
  return `/${visible}/${flags}`;
}

/** A text as lines of a `//` comment, which it can't leave and no tool takes for a directive. Empty for no text. */
export function comment(text: string): string[] {
  const lines = text.split(/\r\n|[\n\r\u2028\u2029]/).flatMap((line) => {
    const words = line.replace(/\s+/g, ' ').trim();
    return words.match(/.{1,76}(?: |$)|\S+ ?/g) ?? [];
  });
  return lines.map((line) => {
    const visible = line.trimEnd().replace(invisible, escapeUnits);
    return `// ${directive.test(visible) ? 'Note: ' : ''}${visible}`;
  });
}

function escapeUnits(text: string): string {
  return text.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
