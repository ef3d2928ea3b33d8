import assert from 'node:assert/strict';
import { createContext, runInContext } from 'node:vm';
import fc from 'fast-check';
import { literal } from '../../src/codegen/quote.js';
import { Secrets, type SecretRule } from '../../src/model/secrets.js';
import { parseFields } from '../../src/model/template.js';
import { anyString } from '../codegen/hostile.js';
import { runs } from '../runs.js';
import { expect, test } from '../fixtures.js';

const secretsOf = (
  environment: Record<string, string>,
  rules: SecretRule[] = Object.keys(environment),
): Secrets => new Secrets(() => rules, environment);

/** Every character as `form` writes it. */
const spell = (text: string, form: (character: string, code: number) => string): string =>
  Array.from(text, (character) => form(character, character.codePointAt(0) ?? 0)).join('');
const units = (text: string, form: (hex: string) => string): string =>
  text.replace(/[^]/g, (unit) => form(unit.charCodeAt(0).toString(16).padStart(4, '0')));
const json = (text: string): string => JSON.stringify(text).slice(1, -1);

/** How frameworks, languages and pages write a text. */
const encodings: Record<string, (text: string) => string> = {
  'a URL in a URL': (text) => encodeURIComponent(encodeURIComponent(text)),
  'a URL in HTML in JSON': (text) => json(`<a href="?a&amp;b=${encodeURIComponent(text)}">`),
  'all bytes in a URL': (text) => Buffer.from(text).toString('hex').replace(/../g, '%$&'),
  'entities of HTML': (text) => spell(text, (_, code) => `&#${code};`),
  'hexadecimal entities': (text) => spell(text, (_, code) => `&#x${code.toString(16).toUpperCase()};`),
  'entities of some signs': (text) => text.replace(/[^\w\s]/gu, (sign) => `&#${sign.codePointAt(0) ?? 0};`),
  'JSON of .NET': (text) => units(text, (hex) => `\\u${hex.toUpperCase()}`),
  'escapes of JavaScript': (text) => spell(text, (_, code) => `\\u{${code.toString(16)}}`),
  'escape of JavaScript': (text) =>
    units(text, (hex) => (hex.startsWith('00') ? `%${hex.slice(2)}` : `%u${hex}`)),
  'JSON in JSON in JSON': (text) => json(json(json(text))),
  'JSON in base64': (text) => Buffer.from(JSON.stringify({ password: text })).toString('base64url'),
  'UTF-16 in base64': (text) => Buffer.from(text, 'utf16le').toString('base64'),
  'hexadecimal bytes': (text) => Buffer.from(text).toString('hex'),
  'invisible characters': (text) => spell(text, (character) => `${character}\u00ad`),
  'spaces that do not break': (text) => text.trim().replace(/\s+/g, '\u00a0'),
};

/** Values as people choose them; a reference must not come about by replacing. */
const value = fc
  .string({ unit: 'grapheme', minLength: 4, maxLength: 40 })
  .filter((text) => !/[{}]/.test(text) && text.trim().length >= 4);

test('no text keeps any value or any of its encodings', () => {
  const around = fc.string({ unit: 'grapheme' });
  fc.assert(
    fc.property(value, around, around, (secret, before, after) => {
      const secrets = secretsOf({ SECRET: secret });
      const url = encodeURIComponent(secret);
      const form = new URLSearchParams({ q: secret }).toString().slice(2);
      const base64 = Buffer.from(secret).toString('base64');
      for (const told of [
        secret,
        url,
        form,
        url.toLowerCase(),
        json(secret),
        json(json(secret)),
        base64,
        ...Object.values(encodings).map((encode) => encode(secret)),
      ]) {
        if (told === url.toLowerCase() && url.replace(/%../g, '') !== told.replace(/%../g, '')) continue;
        const text = `${before}${told}${after}`;
        // Playwright's `expect` would take too long for so many.
        assert(secrets.redact(text).includes('{{secret:SECRET}}'));
        assert(secrets.foundIn({ deep: [text] }).length > 0);
      }
      // Without the first and the last bytes, which share characters with what stands around.
      const credentials = Buffer.from(`${before}:${secret}${after}`).toString('base64');
      assert(secrets.redact(credentials).includes('{{secret:SECRET}}'));
    }),
    { numRuns: runs(300) },
  );
});

test("a literal evaluates to the variable's value, whatever text surrounds it", () => {
  const text = anyString().filter((each) => !each.includes('{{'));
  // One realm for all runs: a new one takes longer than what is run in it.
  const realm = createContext({});
  fc.assert(
    fc.property(text, text, value, (before, after, secret) => {
      const source = literal(parseFields({ a: `${before}{{secret:SOME_NAME}}${after}` }));
      Object.assign(realm, { process: { env: { SOME_NAME: secret } } });
      const found: unknown = runInContext(`(${source})`, realm);
      return JSON.stringify(found) === JSON.stringify({ a: `${before}${secret}${after}` });
    }),
    { numRuns: runs(1000) },
  );
  expect(literal(parseFields({ a: '{{secret:NAME}}' }))).toBe('{ a: process.env.NAME ?? "" }');
  // A text that was not parsed stays a text, and what is no name is refused.
  expect(literal('{{secret:x}}')).toBe('"{{secret:x}}"');
  expect(() => parseFields({ a: '{{secret:x}}; evil({{secret:}}' })).toThrow('must have the form');
  expect(() => parseFields({ a: { $template: [{ secret: 'x; evil()' }] } })).toThrow('$template');
});

test('values are found in any encoding, and a part of an encoded one too', () => {
  const secrets = secretsOf({ ODD: 'Pa"ss/w0rd+u&x', NAME: 'P\u00e4ssw\u00f6rd-\u00f1-12' });
  const left = Object.entries(encodings).flatMap(([name, encode]) =>
    ['Pa"ss/w0rd+u&x', 'P\u00e4ssw\u00f6rd-\u00f1-12'].map((value) => [
      name,
      secrets.redact(`before ${encode(value)} after`).replace(/before.*(\{\{secret:\w+\}\}).*after/, '$1'),
    ]),
  );
  expect(left.filter(([, text]) => !/^\{\{secret:\w+\}\}$/.test(text ?? ''))).toEqual([]);
  expect(secrets.redact('P\u00e4ssw\u00f6rd-\u00f1-12'.normalize('NFD'))).toBe('{{secret:NAME}}');
  expect(secrets.redact('q=%2522%252Fw0rd%252Bu%2526x.')).toBe('q=%2522{{secret:ODD}}.');
  expect(secrets.leaksIn('P&auml;, P\\u00e4ssw\\u00F6rd-\\u00F1-12')).toEqual(['NAME']);
});

test('origins of a secret, and a secret that is no longer listed', () => {
  const rules: SecretRule[] = [{ name: 'TOKEN', origins: ['https://shop.example'] }, 'OTHER'];
  const secrets = secretsOf({ TOKEN: 'tok-1234', OTHER: 'other-1' }, rules);
  const given = parseFields({ header: 'Bearer {{secret:TOKEN}}', list: ['{{secret:OTHER}}'], count: 1 });
  expect(secrets.reveal(given)).toEqual({ header: 'Bearer tok-1234', list: ['other-1'], count: 1 });
  secrets.requireOrigins(given, ['https://shop.example']);
  secrets.requireOrigins(given, []);
  expect(() => {
    secrets.requireOrigins(given, ['https://shop.example', 'http://shop.example']);
  }).toThrow('not allowed on http://shop.example');
  expect(secrets.environment()).toEqual({ TOKEN: 'tok-1234', OTHER: 'other-1' });
  rules.splice(0);
  expect(secrets.redact('tok-1234 other-1')).toBe('{{secret:TOKEN}} {{secret:OTHER}}');
  expect(secrets.redactAll({ a: ['tok-1234'], b: null })).toEqual({ a: ['{{secret:TOKEN}}'], b: null });
  expect(secrets.environment()).toEqual({});
});

test('truncated secrets and single lines of secrets are redacted', () => {
  const secrets = secretsOf({
    TOKEN: 'Zebra-4711-Quagga',
    KEY: '-----BEGIN X-----\nMIIEabcdef\n-----END X-----',
  });
  expect(secrets.redact('token is Zebra-47')).toBe('token is {{secret:TOKEN}}');
  expect(secrets.redact('token is Zebra-47…"')).toBe('token is {{secret:TOKEN}}…"');
  expect(secrets.redact('-Quagga is the end')).toBe('{{secret:TOKEN}} is the end');
  expect(secrets.redact('Zebra in the middle')).toBe('Zebra in the middle');
  expect(secrets.redact('a line: MIIEabcdef')).toBe('a line: {{secret:KEY}}');
  expect(secrets.redact('-----BEGIN X-----')).not.toContain('MIIE');
  // In any letter case, and in the middle of a text.
  expect(secrets.redact('http://zebra-4711-quagga.example/')).toBe('http://{{secret:TOKEN}}.example/');
  expect(secrets.redact('<b title="Zebra-47…">')).toBe('<b title="{{secret:TOKEN}}…">');
  expect(secrets.redact('was zebra-4 and 1-QUAGGA')).toBe('was {{secret:TOKEN}} and {{secret:TOKEN}}');
});

test('words that a weak value shares with a page are left alone', () => {
  const secrets = secretsOf({
    WORD: 'password',
    ADDRESS: 'https://shop.example/hook/x1',
    MAIL: 'ann@shop.example',
  });
  expect(secrets.redact('Password and passwords')).toBe('Password and {{secret:WORD}}s');
  expect(secrets.redact('at https://shop.example/ or bob@shop.example')).toBe(
    'at https://shop.example/ or bob@shop.example',
  );
  expect(secrets.foundIn(['Password'])).toEqual([]);
});

test('a value is redacted character by character as well, and a code in groups of digits', () => {
  const secrets = secretsOf({ WORD: 'Zebra-4711', CODE: '954604' });
  for (const shown of ['Z e b r a - 4 7 1 1', 'Z-e-b-r-a---4-7-1-1'])
    expect(secrets.redact(`It is ${shown}.`)).toBe('It is {{secret:WORD}}.');
  for (const shown of ['954 604', '95-46-04', '9 5 4 6 0 4', '954\u00a0604'])
    expect(secrets.redact(`It is ${shown}.`)).toBe('It is {{secret:CODE}}.');
  expect(secrets.redact('954 and 604, 95 4604')).toBe('954 and 604, 95 4604');
});
