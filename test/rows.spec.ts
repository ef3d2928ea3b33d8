import { expect, test } from './fixtures.js';
import { Rows } from './rows.js';

test('every row that fails is named, and a table without rows fails', async () => {
  const rows = new Rows();
  await expect(rows.check()).rejects.toThrow('There are no rows.');
  rows.add('one and one', () => {
    expect(1 + 1).toBe(3);
  });
  rows.add('nothing', () => undefined);
  rows.add('two and two', () => Promise.reject(new Error('is four')));
  await expect(rows.check()).rejects.toThrow(/^one and one: [^]*toBe[^]*\n\ntwo and two: is four$/);
});
