import { createContext, runInContext } from 'node:vm';
import fc from 'fast-check';
import { replacementOf } from '../../src/codegen/rows.js';
import { literal } from '../../src/codegen/quote.js';
import { expect, test } from '../fixtures.js';
import { Rows } from '../rows.js';
import { hostileString } from './hostile.js';
import { runs } from '../runs.js';

const row = { name: 'Ann', full: 'Ann Lee', count: 3, isMember: true };

const written = new Rows();
for (const [value, code] of [
  ['Ann', 'row.name'],
  ['Ann Lee', 'row.full'],
  ['Hello, Ann!', '`Hello, ${row.name}!`'],
  ['Ann Lee (Ann)', '`${row.full} (${row.name})`'],
  ['Anna', '"Anna"'],
  [3, 'row.count'],
  ['3', 'String(row.count)'],
  ['33', '"33"'],
  [true, 'row.isMember'],
  ['a `b` ${Ann}', '`a \\`b\\` \\${${row.name}}`'],
] as const)
  written.add(`${JSON.stringify(value)} is written as ${code}`, () => {
    expect(literal(value, replacementOf(row))).toBe(code);
  });
test('values of a row are written as expressions of it', () => written.check());

/** One realm for all runs: a new one takes longer than what is run in it. */
const realm = createContext({});

test('the first row reproduces the recorded values', () => {
  fc.assert(
    fc.property(fc.array(hostileString, { minLength: 1, maxLength: 3 }), hostileString, (values, rest) => {
      const data = Object.fromEntries(values.map((value, index) => [`field${index}`, value]));
      const text = [...values, rest].join(' ');
      Object.assign(realm, { row: data });
      return runInContext(literal(text, replacementOf(data)), realm) === text;
    }),
    { numRuns: runs(1000) },
  );
});
