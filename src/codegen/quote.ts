import { CodegenError, messageOf } from '../model/errors.js';
import type { Pattern } from '../model/locator.js';
import type { Json } from '../model/json.js';
import { isTemplate, secretOf, type Reference, type Template } from '../model/template.js';

/** Characters that are invisible or look like a space: controls, format and bidi characters, lone surrogates. */
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

/** A text as a template literal, indented as what reads it takes away again; a literal if it has one line. */
export function block(given: Json): string {
  const parts = isTemplate(given) ? given.$template : [typeof given === 'string' ? given : ''];
  if (!parts.some((part) => typeof part === 'string' && part.includes('\n'))) return literal(given);
  const text = parts.map((part) =>
    typeof part === 'string' ? part.split('\n').map(templateText).join('\n') : referenceText(part),
  );
  const lines = text.join('').split('\n');
  return `\`\n${lines.map((line) => (line === '' ? '' : `    ${line}`)).join('\n')}\n  \``;
}

/** A text as the content of a template literal. */
function templateText(text: string): string {
  return escape(text, '`').replaceAll('${', '\\${');
}

/** The same for a secret, which comes from the environment when the test runs. */
function referenceText(part: Reference): string {
  return 'secret' in part ? `\${process.env.${part.secret}}` : `\${${referenceCode(part)}}`;
}

function referenceCode(part: Reference): string {
  const code = `process.env.${secretOf(part)} ?? ""`;
  return 'secret' in part ? code : `totp(${code})`;
}

/** A template literal of texts and of expressions in turn, beginning with a text. */
export function template(parts: readonly string[]): string {
  const printed = parts.map((part, index) => (index % 2 === 1 ? `\${${part}}` : templateText(part)));
  return `\`${printed.join('')}\``;
}

/** The code of a string, number, boolean or null that is not its own literal; undefined for all others. */
export type Replacement = (value: string | number | boolean | null) => string | undefined;

/** A JSON value as a literal, on one line; the secrets of its templates become variables of the environment. */
export function literal(value: Json, replacement: Replacement = () => undefined): string {
  const print = (each: Json): string => literal(each, replacement);
  if (Array.isArray(value)) return `[${value.map(print).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    if (isTemplate(value)) return literalTemplate(value, replacement);
    const entries = Object.entries(value).map(([key, item]) => `${propertyName(key)}: ${print(item)}`);
    return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
  }
  const replaced = replacement(value);
  if (replaced !== undefined) return replaced;
  if (typeof value === 'string') return quote(value);
  return Object.is(value, -0) ? '-0' : String(value);
}

function literalTemplate({ $template: parts }: Template, replacement: Replacement): string {
  const [only] = parts;
  if (parts.length === 1 && typeof only === 'object') return referenceCode(only);
  const printed = parts.map((part) => {
    if (typeof part !== 'string') return referenceText(part);
    const replaced = replacement(part);
    return replaced === undefined ? templateText(part) : `\${${replaced}}`;
  });
  return `\`${printed.join('')}\``;
}

/** The name of a property in an object literal. */
export function propertyName(key: string): string {
  // As a plain name, `__proto__` would set the prototype.
  if (key === '__proto__') return '["__proto__"]';
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : quote(key);
}

/**
 * A regular expression as a literal, or as a call of its constructor if TypeScript takes no literal. One that is not
 * valid is `INVALID_INPUT`.
 */
export function pattern({ regex, flags = '' }: Pattern): string {
  let source;
  try {
    // `source` escapes slashes and line ends, and is never empty.
    source = new RegExp(regex, flags).source;
  } catch (error) {
    throw new CodegenError('INVALID_INPUT', messageOf(error), {
      hint: 'Use the source of a JavaScript regular expression, and its flags.',
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
