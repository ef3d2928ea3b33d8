import { expect, test } from '@playwright/test';
import fc from 'fast-check';
import { isLooseFormOf, looseForms } from '../../src/locators/loose-forms.js';
import { parseSnapshot } from '../../src/browser/snapshot.js';
import { testTitle } from '../../src/codegen/naming.js';
import { comment, quote } from '../../src/codegen/quote.js';
import { matches } from '../../src/model/linear.js';
import { createSecrets } from '../../src/model/secrets.js';
import { isVolatile, lastingPart } from '../../src/model/volatile.js';

const size = 1_000_000;
/** Milliseconds for one text on a busy machine: quadratic time would be minutes. */
const budgetMs = 2000;

const secrets = createSecrets(() => ['PASSWORD'], { PASSWORD: 'correct horse battery staple' });
const all = ['passing', 'record', 'amount'] as const;

/** Every function that judges or quotes what a page says. */
const functions: Record<string, (text: string) => unknown> = {
  isVolatile,
  lastingPart: (text) => lastingPart(text, all),
  looseForms: (text) => looseForms([{ method: 'getByRole', args: ['button', { name: text }] }]),
  isLooseFormOf: (text) => isLooseFormOf({ regex: '^x$' }, text),
  parseSnapshot: (text) => parseSnapshot(`- button ${JSON.stringify(text)} [ref=e1]: ${text}`),
  redact: (text) => secrets.redact(text),
  foundIn: (text) => secrets.foundIn({ text }),
  quote,
  comment,
  testTitle,
  matches: (text) => matches({ regex: '^(?:(?:a|1|\\s)+)+x$', flags: 'i' }, text),
};

/** What repeats in texts that have held expressions before, and what follows it. */
const units = [
  '1',
  '1.',
  '1,1',
  '1:',
  'a1',
  '1a',
  '(1',
  '$1',
  '#1',
  ' ',
  'may ',
  'an ',
  '1 ms',
  '\t',
  '-',
  '.+',
  'e1',
  '"',
  '\\',
];
const ends = ['', 'x', '_', ')', ' €', '!', ' ago'];

for (const [name, judge] of Object.entries(functions))
  test(`${name} takes 1 MB of any text in time`, () => {
    test.slow();
    const takesLong = (unit: string, end: string): boolean => {
      const text = unit.repeat(size / unit.length) + end;
      const begun = performance.now();
      judge(text);
      return performance.now() - begun > budgetMs;
    };
    const slow = units.filter((unit) => takesLong(unit, '') && takesLong(unit, ''));
    expect(slow).toEqual([]);
    const parts = fc.array(fc.constantFrom(...units, ...ends, 'monday', 'order', 'items'), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(parts, fc.constantFrom(...ends), (unit, end) => {
        // Another process may have held this one the first time.
        return !takesLong(unit.join('') || ' ', end) || !takesLong(unit.join('') || ' ', end);
      }),
      { numRuns: 25 },
    );
  });

test('a long text is judged by its beginning', () => {
  expect(isVolatile('7'.repeat(300_000))).toBe(true);
  expect(isVolatile(`${'a b '.repeat(100_000)}14:05`)).toBe(false);
  expect(lastingPart(`Updated at 14:05 ${'x'.repeat(2000)}`, all)).toBeUndefined();
});
