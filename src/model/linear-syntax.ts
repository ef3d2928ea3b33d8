import type { Pattern } from './locator.js';
import { escapeRegExp } from './text.js';

/** Each Unicode property takes a millisecond to compile. */
const maxProperties = 20;

export const linearHint = 'Leave out lookahead, backreferences and more than 20 Unicode properties.';

/** One token of a JavaScript regular expression. */
const token =
  /\\(?:0\d|u\{[\da-f]+\}|u[\da-f]{4}|x[\da-f]{2}|p\{[^}]*\}|k<|c[a-z]|[^])|\(\?<?[=!<]?|\[\^?\]?|[^]/giu;
const spaces =
  '\\t-\\r \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}';
const others =
  '\\x{0}-\\x{8}\\x{e}-\\x{1f}!-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}' +
  '\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}';

/** The expression in the syntax of RE2, which matches in linear time; undefined if RE2 does not support it. */
export function linearSource({ regex, flags = '' }: Pattern): string | undefined {
  const parts: string[] = [];
  let inClass = false;
  let properties = 0;
  for (const [part] of regex.matchAll(token)) {
    const isUnicode = flags.includes('u');
    if (part.startsWith('\\')) {
      if (/^\\p/i.test(part) && isUnicode && ++properties > maxProperties) return undefined;
      const escaped = translateEscape(part, inClass, isUnicode);
      if (escaped === undefined) return undefined;
      parts.push(escaped);
    } else if (inClass) {
      inClass = part !== ']';
      parts.push(part.startsWith('[') ? part.replace(/[[^]/g, '\\$&') : part);
      if (part.startsWith('[') && part.endsWith(']')) inClass = false;
    } else if (part === '[]') parts.push('[^\\x{0}-\\x{10ffff}]');
    else if (part === '[^]') parts.push('[\\x{0}-\\x{10ffff}]');
    else if (part.startsWith('[')) {
      inClass = true;
      parts.push(part);
    } else if (part === '.' && !flags.includes('s')) parts.push('[^\\n\\r\\x{2028}\\x{2029}]');
    else if (part === '(?=' || part === '(?!') return undefined;
    else if (part === '(?<') parts.push('(?P<');
    else parts.push(part);
  }
  return parts.join('');
}

function translateEscape(part: string, inClass: boolean, isUnicode: boolean): string | undefined {
  const [, kind = ''] = part;
  const code = /^\\(?:u\{?|x)([\da-f]+)\}?$/i.exec(part)?.[1];
  if (code !== undefined && (isUnicode || !part.includes('{'))) return `\\x{${code}}`;
  if (part === '\\0') return '\\x{0}';
  // Backreferences and octal numbers.
  if (/^\\(?:[1-9k]|0\d)/.test(part)) return undefined;
  if (kind === 'c') return `\\x{${(part.charCodeAt(2) % 32).toString(16)}}`;
  if (kind === 's') return inClass ? spaces : `[${spaces}]`;
  if (kind === 'S') return inClass ? others : `[${others}]`;
  if (kind === 'b' && inClass) return '\\x{8}';
  if (/^[dDwWbBtnrfv]$/.test(kind)) return part;
  if (isUnicode && /^[pP]$/.test(kind)) return part.replace(/\{(?:Script|sc|General_Category|gc)=/, '{');
  // Everything else is literal.
  return inClass
    ? `\\${kind}`.replace(/\\(?=[A-Za-z0-9\u0080-\u{10ffff}])/u, '') + part.slice(2)
    : escapeRegExp(part.slice(1));
}
