import { createHmac } from 'node:crypto';
import { runInNewContext } from 'node:vm';
import { Secret, TOTP, URI } from 'otpauth';
import { helpersOf } from '../../src/codegen/helpers.js';
import { uniqueWord } from '../../src/model/unique.js';
import { expect, test } from '../fixtures.js';

function call(name: string, argument: string): string {
  const code = helpersOf(new Set([name]), 'javascript').map((helper) => helper.code);
  const result: unknown = runInNewContext(`${code.join('\n')}\n${name}(${JSON.stringify(argument)})`, {
    ...{ createHmac, Buffer, URL, URLSearchParams },
  });
  return String(result);
}

test('the helper of a test computes the codes of otpauth', () => {
  const seed = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
  const url = `otpauth://totp/Shop:ann?secret=${seed}&issuer=Shop`;
  const urls = [url, `${url}&algorithm=SHA256&digits=8`, `${url}&algorithm=SHA512&period=60`];
  for (const given of [seed, 'jbsw y3dp ehpk 3pxp', ...urls]) {
    const expected = (): string => {
      const generator = given.startsWith('otpauth:')
        ? URI.parse(given)
        : new TOTP({ secret: Secret.fromBase32(given.replaceAll(' ', '')) });
      return generator instanceof TOTP ? generator.generate() : '';
    };
    // The period may end in between.
    const before = expected();
    const code = call('totp', given);
    expect([before, expected()]).toContain(code);
    expect(code).toMatch(/^\d{6,8}$/);
  }
});

test('words that are new in every run do not look like ids', () => {
  const words = new Set(Array.from({ length: 200 }, () => call('uniqueWord', '')));
  expect(words.size).toBe(200);
  for (const word of [...words, uniqueWord()]) expect(word).toMatch(/^[b-z]{10}$/);
});
