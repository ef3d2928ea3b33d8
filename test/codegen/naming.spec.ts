import fc from 'fast-check';
import { fileNameFor, titleFor } from '../../src/codegen/naming.js';
import { hostileString } from './hostile.js';
import { runs } from '../runs.js';
import { expect, test } from '../fixtures.js';
import { Rows } from '../rows.js';

const files = new Rows();
for (const [title, name] of [
  ['Log in & pay!', 'log-in-pay'],
  ['Élan à İstanbul, ﬁne ½', 'elan-a-istanbul-fine-1-2'],
  ['注文する 123', '注文する-123'],
  ['한국어 테스트', '한국어-테스트'],
  ['हिन्दी', 'हिन्दी'],
  ['../../etc/passwd', 'etc-passwd'],
  ['.env', 'env'],
  ['CON', 'con-flow'],
  ['node_modules', 'node-modules'],
  ['a'.repeat(59) + ' b', 'a'.repeat(59)],
  ['', 'recorded-flow'],
  ['…\u3164\u200b', 'recorded-flow'],
] as const) {
  files.add(`a file for "${title}" is named ${name}`, () => {
    expect(fileNameFor(title)).toBe(name);
  });
}
test('files are named after titles', () => files.check());

test('a file name is short and holds nothing but letters, digits and dashes', () => {
  fc.assert(
    fc.property(hostileString, (title) => {
      const name = fileNameFor(title);
      return /^[\p{L}\p{N}\p{M}]+(?:-[\p{L}\p{N}\p{M}]+)*$/u.test(name) && Array.from(name).length <= 65;
    }),
    { numRuns: runs(1000) },
  );
});

const titles = new Rows();
for (const [title, shown] of [
  ['  Log\n in\u2028and\0pay ', 'Log in and pay'],
  ['Test that it works', 'that it works'],
  ['test Test', 'recorded flow'],
  ['Testing', 'Testing'],
  ['', 'recorded flow'],
  ['a'.repeat(300), 'a'.repeat(200)],
] as const) {
  titles.add(`a test for ${JSON.stringify(title.slice(0, 40))} is called ${shown.slice(0, 40)}`, () => {
    expect(titleFor('test', title)).toBe(shown);
  });
}
test('titles are shown in one line', () => titles.check());

test('a step loses the word that repeats the function', () => {
  expect(titleFor('step', 'Step 1: test it')).toBe('1: test it');
});
