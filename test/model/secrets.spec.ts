import assert from 'node:assert/strict';
import { runInNewContext } from 'node:vm';
import { expect, test } from '@playwright/test';
import fc from 'fast-check';
import { literal } from '../../src/codegen/quote.js';
import { createSecrets, type SecretRule } from '../../src/model/secrets.js';

const secretsOf = (
  environment: Record<string, string>,
  rules: SecretRule[] = Object.keys(environment),
): ReturnType<typeof createSecrets> => createSecrets(() => rules, environment);

/** Values as people choose them; a reference must not come about by replacing. */
const value = fc
  .string({ unit: 'grapheme', minLength: 4, maxLength: 40 })
  .filter((text) => !/[{}]/.test(text) && text.trim().length >= 4);

test('whatever the value, no text keeps it, nor one of its encodings', () => {
  const around = fc.string({ unit: 'grapheme' });
  fc.assert(
    fc.property(value, around, around, (secret, before, after) => {
      const { redact, foundIn } = secretsOf({ SECRET: secret });
      const url = encodeURIComponent(secret);
      const form = new URLSearchParams({ q: secret }).toString().slice(2);
      const json = JSON.stringify(secret).slice(1, -1);
      const base64 = Buffer.from(secret).toString('base64');
      for (const told of [
        secret,
        url,
        form,
        url.toLowerCase(),
        json,
        JSON.stringify(json).slice(1, -1),
        base64,
      ]) {
        if (told === url.toLowerCase() && url.replace(/%../g, '') !== told.replace(/%../g, '')) continue;
        const text = `${before}${told}${after}`;
        // Playwright's `expect` would take too long for so many.
        assert(redact(text).includes('{{secret:SECRET}}'));
        assert(foundIn({ deep: [text] }).length > 0);
      }
      // Without the first and the last bytes, which share characters with what stands around.
      const credentials = Buffer.from(`${before}:${secret}${after}`).toString('base64');
      assert(redact(credentials).includes('{{secret:SECRET}}'));
    }),
    { numRuns: 300 },
  );
});

test('a literal means the value of the variable, whatever stands around it', () => {
  const text = fc.string({ unit: 'binary' }).filter((each) => !each.includes('{{'));
  fc.assert(
    fc.property(text, text, value, (before, after, secret) => {
      const source = literal([`${before}{{secret:SOME_NAME}}${after}`]);
      const found: unknown = runInNewContext(source, { process: { env: { SOME_NAME: secret } } });
      return JSON.stringify(found) === JSON.stringify([`${before}${secret}${after}`]);
    }),
    { numRuns: 1000 },
  );
  expect(literal('{{secret:NAME}}')).toBe('process.env.NAME ?? ""');
  // What is no name stays text, and can't become code.
  expect(literal('{{secret:x}}; evil({{secret:}}')).toBe('`${process.env.x}; evil({{secret:}}`');
});

test('where a secret may go, and what stays known of one that is not listed any more', () => {
  const rules: SecretRule[] = [{ name: 'TOKEN', origins: ['https://shop.example'] }, 'OTHER'];
  const { reveal, requireOrigins, redact, redactAll, environment } = secretsOf(
    { TOKEN: 'tok-1234', OTHER: 'other-1' },
    rules,
  );
  const given = { header: 'Bearer {{secret:TOKEN}}', list: ['{{secret:OTHER}}'], count: 1 };
  expect(reveal(given)).toEqual({ header: 'Bearer tok-1234', list: ['other-1'], count: 1 });
  requireOrigins(given, ['https://shop.example']);
  requireOrigins(given, []);
  expect(() => {
    requireOrigins(given, ['https://shop.example', 'http://shop.example']);
  }).toThrow('not for http://shop.example');
  expect(environment()).toEqual({ TOKEN: 'tok-1234', OTHER: 'other-1' });
  rules.splice(0);
  expect(redact('tok-1234 other-1')).toBe('{{secret:TOKEN}} {{secret:OTHER}}');
  expect(redactAll({ a: ['tok-1234'], b: null })).toEqual({ a: ['{{secret:TOKEN}}'], b: null });
  expect(environment()).toEqual({});
});

test('what a cut leaves of a secret, and single lines of it, are redacted', () => {
  const { redact } = secretsOf({
    TOKEN: 'Zebra-4711-Quagga',
    KEY: '-----BEGIN X-----\nMIIEabcdef\n-----END X-----',
  });
  expect(redact('token is Zebra-47')).toBe('token is {{secret:TOKEN}}');
  expect(redact('token is Zebra-47…"')).toBe('token is {{secret:TOKEN}}…"');
  expect(redact('-Quagga is the end')).toBe('{{secret:TOKEN}} is the end');
  expect(redact('Zebra in the middle')).toBe('Zebra in the middle');
  expect(redact('a line: MIIEabcdef')).toBe('a line: {{secret:KEY}}');
  expect(redact('-----BEGIN X-----')).not.toContain('MIIE');
});
