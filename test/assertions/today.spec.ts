import { showsToday } from '../../src/assertions/today.js';
import { parseSnapshot } from '../../src/browser/snapshot.js';
import { expect, test } from '../fixtures.js';
import { Rows } from '../rows.js';

const rows: [line: string, isToday: boolean][] = [
  ['- generic [ref=e2]: 3 minutes ago', true],
  ['- generic [ref=e2]: Updated just now', true],
  ['- generic [ref=e2]: December 2026', true],
  ['- row "6 7 8 9 10 11 12" [ref=e2]', true],
  ['- row "6 7 9 12 1 4 30" [ref=e2]', false],
  ['- generic [ref=e2]: 3 minutes', false],
  ['- generic [ref=e2]: Founded in December 2019', false],
];
const days = new Rows();
for (const [line, isToday] of rows)
  days.add(`${line} ${isToday ? 'depends' : 'does not depend'} on the day of the run`, () => {
    const before = parseSnapshot('- heading "Home" [ref=e1]');
    const after = parseSnapshot(`- heading "Home" [ref=e1]\n${line}`);
    expect(showsToday(before, after)).toBe(isToday);
    expect(showsToday(after, after)).toBe(false);
  });
test('what depends on the day of the run is told', () => days.check());
