import { expect, test } from '@playwright/test';
import fc from 'fast-check';
import { isLooseFormOf, looseForms } from '../../src/locators/loose-forms.js';
import { z } from 'zod';
import { changesBetween } from '../../src/assertions/changes.js';
import type { Live } from '../../src/browser/live.js';
import { parseSnapshot } from '../../src/browser/snapshot.js';
import { showAll, showChanges } from '../../src/browser/snapshot-changes.js';
import { findLines } from '../../src/browser/snapshot-find.js';
import { testTitle } from '../../src/codegen/naming.js';
import { comment, quote } from '../../src/codegen/quote.js';
import { matches } from '../../src/model/linear.js';
import { Secrets } from '../../src/model/secrets.js';
import { explainFailure } from '../../src/session/failure.js';
import { holdsSecret, isSecretInput } from '../../src/session/secret-like.js';
import { sessionWarnings } from '../../src/session/warnings.js';
import { isVolatile, stablePart } from '../../src/model/volatile.js';

const size = 1_000_000;
/** Milliseconds of CPU time for one text: quadratic time would be minutes. */
const budgetMs = 2000;

/** CPU time of this process: other processes on a busy machine don't count. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const secrets = new Secrets(() => ['PASSWORD'], { PASSWORD: 'correct horse battery staple' });
const all = ['passing', 'record', 'amount'] as const;

const maxBytes = 16_000;
const live = z.custom<Live>().parse({
  secrets,
  lost: () => false,
  pages: [],
  gone: Promise.resolve(),
  takeBlockedPage: () => undefined,
  failure: () => undefined,
});

/** A snapshot of which one line has this text as its name, and as its text. */
function lines(text: string): string {
  return `- main [ref=e1]:\n  - button ${JSON.stringify(text)} [ref=e2]: ${JSON.stringify(text)}`;
}

/** Every function that judges or quotes what a page says. */
const functions: Record<string, (text: string) => unknown> = {
  isVolatile,
  stablePart: (text) => stablePart(text, all),
  looseForms: (text) => looseForms([{ method: 'getByRole', args: ['button', { name: text }] }]),
  isLooseFormOf: (text) => isLooseFormOf({ regex: '^x$' }, text),
  parseSnapshot: (text) => parseSnapshot(`- button ${JSON.stringify(text)} [ref=e1]: ${text}`),
  redact: (text) => secrets.redact(text),
  foundIn: (text) => secrets.foundIn({ text }),
  quote,
  comment,
  testTitle,
  explainFailure: (text) => explainFailure(new Error(text), 'click', live),
  explainAssertion: (text) => explainFailure(new Error(`expect(locator)\n${text}`), 'expect', live),
  sessionWarnings: (text) =>
    sessionWarnings({ use: {}, steps: [{ action: 'goto', args: { url: `http://a.example/${text}` } }] }),
  holdsSecret,
  isSecretInput: (text) => isSecretInput(text, [{ method: 'getByLabel', args: [text] }]),
  showAll: (text) => showAll(lines(text), maxBytes),
  showChanges: (text) => showChanges(parseSnapshot(lines('x')), lines(text), maxBytes),
  findLines: (text) => findLines(lines(text), () => true, maxBytes),
  changesBetween: (text) => changesBetween(parseSnapshot(lines('x')), parseSnapshot(lines(text)), new Set()),
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
  test(`${name} takes 1 MB of any text in time`, async () => {
    test.slow();
    const takesLong = async (unit: string, end: string): Promise<boolean> => {
      const text = unit.repeat(size / unit.length) + end;
      const begun = cpuMs();
      await judge(text);
      return cpuMs() - begun > budgetMs;
    };
    const slow = [];
    for (const unit of units) if (await takesLong(unit, '')) slow.push(unit);
    expect(slow).toEqual([]);
    const parts = fc.array(fc.constantFrom(...units, ...ends, 'monday', 'order', 'items'), {
      minLength: 1,
      maxLength: 3,
    });
    await fc.assert(
      fc.asyncProperty(
        parts,
        fc.constantFrom(...ends),
        async (unit, end) => !(await takesLong(unit.join('') || ' ', end)),
      ),
      { numRuns: 25 },
    );
  });

test('a long text is judged by its beginning', () => {
  expect(isVolatile('7'.repeat(300_000))).toBe(true);
  expect(isVolatile(`${'a b '.repeat(100_000)}14:05`)).toBe(false);
  expect(stablePart(`Updated at 14:05 ${'x'.repeat(2000)}`, all)).toBeUndefined();
});

test('pages of many lines are compared in time', () => {
  const page = (name: (index: number) => string): string =>
    ['- list [ref=e1]:', ...Array.from({ length: 20_000 }, (_, index) => `  - listitem ${name(index)}`)].join(
      '\n',
    );
  const item = (index: number, time: number): string =>
    `"Item ${String.fromCharCode(97 + (index % 26))}${index} at 14:0${time}" [ref=e${index + 2 + 30_000 * time}]`;
  const before = page((index) => item(index, 1));
  const pages = [page((index) => item(index, 2)), page((index) => item(19_999 - index, 1))];
  const begun = cpuMs();
  for (const after of pages) {
    changesBetween(parseSnapshot(before), parseSnapshot(after), new Set());
    showChanges(parseSnapshot(before), after, maxBytes);
    findLines(after, () => true, maxBytes);
  }
  expect(cpuMs() - begun).toBeLessThan(8000);
});
