import fc from 'fast-check';
import { linearSource } from '../../src/model/linear-syntax.js';
import { budgeted, matches } from '../../src/model/linear.js';
import { matchedSchema } from '../../src/model/pattern.js';
import { runs } from '../runs.js';
import { expect, test } from '../fixtures.js';
import { Rows } from '../rows.js';

/** Parts of expressions whose meaning in JavaScript differs from that in RE2, and a few others. */
const parts = String.raw`a b 1 . \d \w \s \S \b [ab] [^a] [\s\d] [^\S] [\S] [] [^] \/ \- \é é \u0041 \x41 \cA \0 ^ $
  a{2} a{,3} a+? (?:a|b)* (a) (?<n>b) [[a] [a[:alpha:]] [\]] [\b] \z \A \Q [\z] | (?<=a)b [a-c] [\w-] { } ] \1 (?!a) (?=b)`;
const expression = fc
  .record({
    regex: fc
      .array(fc.constantFrom(...parts.split(/\s+/), ' ', '\u00a0', '\n', '\r'), {
        minLength: 1,
        maxLength: 6,
      })
      .map((chosen) => chosen.join('')),
    flags: fc.subarray(['i', 'm', 's', 'u']).map((flags) => flags.join('')),
  })
  .filter((pattern) => matchedSchema.safeParse(pattern).success);
const text = fc
  .array(fc.constantFrom(...Array.from('abcA1 é[:-/zQ}{],'), '\u00a0', '\n', '\u0001', '\b', '\0'), {
    maxLength: 8,
  })
  .map((letters) => letters.join(''));

test('an expression matches what JavaScript matches', () => {
  fc.assert(
    fc.property(expression, text, (pattern, given) => {
      const native = new RegExp(pattern.regex, pattern.flags);
      // Lines of JavaScript end in other characters too.
      return (
        (pattern.flags.includes('m') && /\r/.test(pattern.regex)) ||
        matches(pattern, given) === native.test(given)
      );
    }),
    { numRuns: runs(5000) },
  );
});

const nonlinear = new Rows();
for (const regex of ['a(?=b)', 'a(?!b)', '(a)\\1', '(?<n>a)\\k<n>'])
  nonlinear.add(`${regex} has no linear form and is rejected`, () => {
    expect(linearSource({ regex })).toBeUndefined();
    expect(matchedSchema.safeParse({ regex }).error?.issues[0]?.message).toContain('linear time');
  });
test('an expression without a linear form is rejected', () => nonlinear.check());

const evil: [regex: string, text: string][] = [
  ['^(a+)+$', `${'a'.repeat(1_000_000)}b`],
  ['(x+x+)+y', 'x'.repeat(1_000_000)],
  ['[ab]*a[ab]{500}$', 'ab'.repeat(500_000)],
  ['(?:a|aa){40}b', 'a'.repeat(1_000_000)],
  ['\\p{L}{900}', 'é'.repeat(500_000)],
  ['(.{1,500}x){2}', 'x'.repeat(100_000)],
  ['a', 'b'.repeat(5_000_000)],
];

for (const [regex, long] of evil)
  test(`${regex} does not hold the event loop on ${long.length} characters`, () => {
    const begun = performance.now();
    matches({ regex, flags: 'u' }, long);
    expect(performance.now() - begun).toBeLessThan(400);
  });

test('the budget of many matches is CPU time: a busy machine does not use it up', () => {
  const isExhausted = { value: false };
  const budget = { budgetMs: 100, periodMs: Infinity, onExhausted: () => (isExhausted.value = true) };
  const clock = performance.now.bind(performance);
  let paused = 0;
  performance.now = () => clock() + (paused += 50);
  try {
    const isMatch = budgeted({ regex: '/a/' }, budget);
    expect(Array.from({ length: 20 }, () => isMatch('/a/'))).not.toContain(false);
    const costly = budgeted({ regex: '[ab]*a[ab]{400}$' }, budget);
    for (let times = 0; times < 20; times++) costly('ab'.repeat(2000));
    expect(isExhausted.value).toBe(true);
  } finally {
    performance.now = clock;
  }
});
