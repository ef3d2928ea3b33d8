import fc from 'fast-check';

/** Pieces of text that have ended strings, comments, templates, scripts and regular expressions before. */
const pieces = [
  ...['"', "'", '`', '\\', '${x}', '*/', '/*', '//', '/', '\n', '\r', '\r\n', '\t', '\0', '\u2028', '\u2029'],
  ...['</script>', '</SCRIPT', '<!--', ']]>', '\ud800', '\udc00', '\u202e', '\u2066', '\u200b', '\ufeff'],
  ...[
    '\u00a0',
    '\u00ad',
    '\u3164',
    '\u{e0041}',
    '😀',
    '👩‍👩‍👧',
    'é',
    '日本',
    '\\u0041',
    '\\n',
    '__proto__',
    'constructor',
  ],
  ...[
    '@ts-ignore',
    'eslint-disable-next-line',
    '/ <reference path="x" />',
    '# sourceMappingURL=x',
    ' ',
    'a',
    '1',
  ],
];

const codePoint = fc
  .oneof(fc.nat(0x7f), fc.nat(0xffff), fc.nat(0x10ffff))
  .filter((code) => code < 0xd800 || code > 0xdfff)
  .map((code) => String.fromCodePoint(code));

/** Strings of any code points. fast-check's own unit `binary` takes a second of CPU time to build. */
export function anyString(constraints: fc.ArrayConstraints = { maxLength: 10 }): fc.Arbitrary<string> {
  return fc.array(codePoint, constraints).map((characters) => characters.join(''));
}

/** Strings that a page or an agent may come up with. */
export const hostileString = fc.oneof(
  fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((parts) => parts.join('')),
  anyString(),
  fc.array(fc.nat(0xffff), { maxLength: 8 }).map((units) => String.fromCharCode(...units)),
);

const regexPieces = [
  ...[
    'a',
    '1',
    '.',
    '*',
    '+',
    '?',
    '|',
    '^',
    '$',
    '(',
    '(?:',
    '(?=',
    '(?<=',
    '(?<n>',
    ')',
    '[',
    '[^',
    ']',
    '{2}',
  ],
  ...[
    '\\1',
    '\\0',
    '\\01',
    '\\k<n>',
    '\\d',
    '\\p{L}',
    '\\u{41}',
    '\\u0041',
    '\\x4',
    '\\/',
    '\\-',
    '\\"',
    '/',
    '//',
  ],
  ...[
    '*/',
    '\n',
    '\u2028',
    '\u202e',
    '\\\u202e',
    '\\\n',
    '"',
    "'",
    '`',
    '😀',
    '\\😀',
    '\ud800',
    '>>',
    '</script>',
  ],
];

/** Valid regular expressions, few of them harmless. */
export const hostilePattern = fc
  .record({
    regex: fc.array(fc.constantFrom(...regexPieces), { maxLength: 6 }).map((parts) => parts.join('')),
    flags: fc.subarray(['i', 'm', 's', 'u']).map((flags) => flags.join('')),
  })
  .filter(({ regex, flags }) => {
    try {
      return new RegExp(regex, flags) instanceof RegExp;
    } catch {
      return false;
    }
  });
