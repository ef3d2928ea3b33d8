import { createRequire } from 'node:module';
import fc from 'fast-check';
import { z } from 'zod';
import { urlMatcher, urlPatternSchema } from '../../src/actions/url.js';
import { globRegex, isGlob } from '../../src/model/glob.js';
import { matches } from '../../src/model/linear.js';
import { runs } from '../runs.js';
import { expect, test } from '../fixtures.js';

type UrlMatches = (baseURL: string | undefined, url: string, glob: string) => boolean;

/** What Playwright itself does with a glob. */
const { urlMatches } = z
  .object({
    iso: z.object({ urlMatches: z.custom<UrlMatches>((value) => typeof value === 'function') }),
  })
  .parse(createRequire(import.meta.url)('playwright-core/lib/coreBundle')).iso;

const words = [
  'http:',
  'https:',
  '',
  'shop.example',
  'SHOP.example',
  'a',
  'b.c',
  '..',
  '.',
  'api',
  'x=1&y',
  'é',
];
const glob = fc
  .array(
    fc
      .array(
        fc.constantFrom(...words, '*', '**', '?', '{a,b}', '{', '}', ',', '\\', '\\?', '[a]', '(', '$', '.'),
        {
          maxLength: 3,
        },
      )
      .map((parts) => parts.join('')),
    { minLength: 1, maxLength: 5 },
  )
  .map((parts) => parts.join('/'))
  .filter((text) => text !== '');
const url = fc
  .array(fc.constantFrom('a', 'b.c', 'api', 'x', '?x=1&y', '[a]', ',', 'a,b', ''), { maxLength: 4 })
  .map((parts) => new URL(`http://shop.example/${parts.join('/')}`).href);
const base = fc.constantFrom(
  undefined,
  'http://shop.example/',
  'http://shop.example/a/b',
  'https://other.example',
);

function byPlaywright(pattern: string, baseURL: string | undefined, address: string): boolean | 'invalid' {
  try {
    return urlMatches(baseURL, address, pattern);
  } catch {
    return 'invalid';
  }
}

test('a glob matches what it matches in Playwright', () => {
  fc.assert(
    fc.property(glob, base, url, (pattern, baseURL, address) => {
      const expected = byPlaywright(pattern, baseURL, address);
      if (!isGlob(pattern)) return true;
      return matches({ regex: globRegex(pattern, baseURL) }, address) === expected;
    }),
    { numRuns: runs(5000) },
  );
});

for (const pattern of ['**/*a*b*c*d*e*f*', '{a,aa}'.repeat(40), 'http://shop.example/{a,{b,c}}', '**/{a'])
  test(`the glob ${pattern} is rejected`, () => {
    expect(urlPatternSchema.safeParse(pattern).success).toBe(false);
  });

for (const [pattern, path] of [
  ['**/*a*b*c*d*e*f*', 'abcde'.repeat(2000)],
  [`http://shop.example/${'{a,aa}'.repeat(40)}`, `${'a'.repeat(79)}b`],
  ['**'.padEnd(40, '/**'), '/'.repeat(9000)],
] as const)
  test(`the glob ${pattern} does not hold the event loop`, async () => {
    const matcher = await urlMatcher(pattern, undefined);
    const begun = process.cpuUsage();
    for (let number = 0; number < 20; number++) matcher({ href: `http://shop.example/${path}${number}` });
    const { user, system } = process.cpuUsage(begun);
    expect(user + system).toBeLessThan(600_000);
  });

test('a matcher whose time is used up matches nothing more, and says so once', async () => {
  let told = 0;
  const matcher = await urlMatcher({ regex: '[ab]*a[ab]{400}$' }, undefined, () => told++);
  // CPU time: other processes on a busy machine don't count.
  const begun = process.cpuUsage();
  for (let number = 0; number < 400; number++) matcher({ href: `http://shop.example/${'ab'.repeat(4000)}` });
  const { user, system } = process.cpuUsage(begun);
  expect(user + system).toBeLessThan(1_500_000);
  expect(told).toBe(1);
});
