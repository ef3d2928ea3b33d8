import { implies, isStable, isSteady } from '../../src/assertions/check.js';
import { changesBetween } from '../../src/assertions/changes.js';
import { mayMatchIn, templateLocator } from '../../src/assertions/line-matching.js';
import { regionsOf, rowsOf, templateOf } from '../../src/assertions/regions.js';
import { parseSnapshot } from '../../src/browser/snapshot.js';
import { isMeaningfulClass } from '../../src/locators/brittle.js';
import { parseLocatorExpression } from '../../src/locators/locator-expression.js';
import type { Assertion } from '../../src/model/step.js';
import { expect, test } from '../fixtures.js';
import { Rows } from '../rows.js';

const assertion = (locator: string, args: Assertion['args']): Assertion => ({
  locator: parseLocatorExpression(locator),
  args,
});
const names = assertion("locator('.name')", { matcher: 'toHaveText', expected: ['Ann', 'Ben'] });

const implied: { what: string; one: Assertion; other: Assertion; isImplied: boolean }[] = [
  {
    what: 'the number of its items',
    one: names,
    other: assertion("locator('.name')", { matcher: 'toHaveCount', expected: 2 }),
    isImplied: true,
  },
  {
    what: 'the number of its items in another spelling',
    one: assertion("getByRole('main').getByRole('article')", { matcher: 'toHaveText', expected: ['Ann'] }),
    other: assertion("getByRole('article')", { matcher: 'toHaveCount', expected: 1 }),
    isImplied: true,
  },
  {
    what: 'not their number if each is only a part, since there may be more of them',
    one: assertion("getByRole('article')", { matcher: 'toContainText', expected: ['Ann'] }),
    other: assertion("getByRole('article')", { matcher: 'toHaveCount', expected: 1 }),
    isImplied: false,
  },
  {
    what: 'the number of the elements around its items',
    one: names,
    other: assertion("getByRole('article')", { matcher: 'toHaveCount', expected: 2 }),
    isImplied: true,
  },
  {
    what: 'a part of one of its texts',
    one: names,
    other: assertion("locator('.row').getByText('Be')", { matcher: 'toBeVisible' }),
    isImplied: true,
  },
  {
    what: 'no other number of elements',
    one: assertion("getByRole('main').getByRole('article')", { matcher: 'toContainText', expected: ['Ann'] }),
    other: assertion("getByRole('article')", { matcher: 'toHaveCount', expected: 2 }),
    isImplied: false,
  },
  {
    what: 'the title of one item',
    one: names,
    other: assertion("locator('.row').filter({ hasText: 'Editor' }).locator('.name')", {
      matcher: 'toHaveText',
      expected: 'Ben',
    }),
    isImplied: true,
  },
  {
    what: 'an item that shows only a time besides',
    one: names,
    other: assertion("locator('.row').filter({ hasText: 'Ann' })", {
      matcher: 'toMatchAriaSnapshot',
      expected: '- text: /A .+ Ann/',
    }),
    isImplied: true,
  },
  {
    what: 'no amount in an item',
    one: names,
    other: assertion("locator('.row').filter({ hasText: 'Ann' })", {
      matcher: 'toMatchAriaSnapshot',
      expected: '- text: "Ann $9.00"',
    }),
    isImplied: false,
  },
  {
    what: 'no other text',
    one: names,
    other: assertion("locator('.name')", { matcher: 'toContainClass', expected: 'done' }),
    isImplied: false,
  },
];

const implications = new Rows();
for (const { what, one, other, isImplied } of implied)
  implications.add(`the texts of a list imply ${what}`, () => {
    expect(implies(one, other)).toBe(isImplied);
  });
test('the texts of a list imply what is part of it', () => implications.check());

test('the snapshot of an element implies a text of which a part is left open', () => {
  const snapshot = assertion("locator('.done')", {
    matcher: 'toMatchAriaSnapshot',
    expected: '- text: /Thank you! Order #\\d+ was placed\\./',
  });
  const text = assertion('getByText(/Order #\\d+ was placed\\./)', { matcher: 'toBeVisible' });
  expect(implies(snapshot, text)).toBe(true);
});

test('what a class alone finds may have been visible before', () => {
  const view = parseSnapshot('- generic [ref=e1]:\n  - generic [ref=e2]: Done\n  - button "Add" [ref=e3]');
  const may = (locator: string): boolean => mayMatchIn(parseLocatorExpression(locator), view);
  expect(may("locator('.panel')")).toBe(true);
  expect(may("locator('.panel').filter({ hasText: 'Saved' })")).toBe(true);
  expect(may("locator('.panel').getByText('Done')")).toBe(true);
  expect(may("locator('.panel').getByText('Saved')")).toBe(false);
});

test('a class for a state is no name of an element', () => {
  for (const name of [
    'active',
    'plan-selected',
    'task-done',
    'on',
    'menu-is-opening',
    'has-error',
    'nav-collapsed',
  ])
    expect(isMeaningfulClass(name)).toBe(false);
  expect(isMeaningfulClass('plan')).toBe(true);
  const chain = parseLocatorExpression("locator('.plan')");
  expect(isStable(chain, { matcher: 'toContainClass', expected: 'plan-selected' }, [])).toBe(true);
});

test('a tag locates an element only in the locator of a step, or with a filter', () => {
  const messages = parseLocatorExpression("locator('form').filter({ hasText: 'Name' }).locator('.alert')");
  expect(isStable(messages, { matcher: 'toHaveText', expected: ['Enter a name'] }, [])).toBe(true);
  const chain = parseLocatorExpression("getByTestId('city').locator('input')");
  const value = { matcher: 'toHaveValue', expected: 'Oslo' };
  expect([isStable(chain, value, []), isSteady(chain, value, [])]).toEqual([false, true]);
});

test('rows are asserted without the names of the buttons at their end', () => {
  const table = [
    '- table:',
    '  - row "A-1 Acme €5.00 Remind Pay":',
    '    - cell "A-1"',
    '    - cell "Acme"',
    '    - cell "€5.00"',
    '    - cell "Remind Pay":',
    '      - button "Remind"',
    '      - button "Pay"',
    '  - row "A-2 Birch Paid":',
    '    - cell "A-2"',
    '    - cell "Birch Paid"',
  ].join('\n');
  const rows = ['- row /^A-1 Acme €5\\.00/', '- row "A-2 Birch Paid"'];
  expect(rowsOf(table, [true, false], [])).toBe(rows[0]);
  // All rows exclude further ones.
  expect(rowsOf(table, [true, true], [])).toBe(
    ['- table:', '  - /children: equal', ...rows.map((row) => `  ${row}`)].join('\n'),
  );
});

test('a row of controls is asserted by the longest part between them', () => {
  const row = (id: number): string =>
    [
      `  - row "Select row (unchecked) ${id} Ann Desk Toggle open":`,
      '    - checkbox "Select row (unchecked)"',
      ...[String(id), 'Ann', 'Desk'].map((text) => `    - cell "${text}"`),
      '    - checkbox "Toggle"',
      '    - cell "open"',
    ].join('\n');
  const table = ['- table:', ...Array.from({ length: 12 }, (_, index) => row(1000 + index))].join('\n');
  const rows = rowsOf(table, Array<boolean>(12).fill(true), []).split('\n');
  expect(rows).toEqual([0, 1, 2, 3, 4].map((index) => `- row /${1000 + index} Ann Desk/`));
});

test('a row whose name omits what is in it is not asserted by it', () => {
  const day = '    - cell "9 March":\n      - text: "9"';
  const week = (event: string): string => `- grid:\n  - row "8 March 9 March":\n${day}\n${event}`;
  expect(rowsOf(week('      - text: Release'), [true], [])).toBe('');
});

test('a row is judged by its cells: a name and a number in two of them are no date', () => {
  const row = (name: string, ...cells: string[]): string =>
    [`  - row "${name}":`, ...cells.map((cell) => `    - cell "${cell}"`)].join('\n');
  const table = `- table:\n${row('Mary May 1 female', 'Mary May', '1', 'female')}\n${row('Ann May 1 2026', 'Ann', 'May 1 2026')}`;
  expect(rowsOf(table, [true, false], [])).toBe('- row "Mary May 1 female"');
  expect(templateOf(table, ['Mary May', '1', 'female'], [])).toContain('- row "Mary May 1 female"');
  expect(rowsOf(table, [false, true], [])).toBe('');
});

const templates = new Rows();
for (const [template, locator] of [
  ['- row "Type inject"', "getByRole('row', { name: 'Type inject' })"],
  [String.raw`- row /Ann \d+/`, String.raw`getByRole('row', { name: /Ann \d+/ })`],
  [`- 'row "fig: Ann''s"'`, `getByRole('row', { name: "fig: Ann's" })`],
  ['- heading "Orders" [level=2]', "getByRole('heading', { name: 'Orders' })"],
  ['- text: "Nothing found"', "getByText('Nothing found')"],
  ['- status: "Saved"', undefined],
  ['- row "One"\n- row "Two"', undefined],
  ['- text: /a/ /b/', undefined],
] as const)
  templates.add(`the element of the snapshot ${template} is ${locator ?? 'not located by its words'}`, () => {
    expect(templateLocator(template)).toEqual(locator && parseLocatorExpression(locator));
  });
test('the element of a snapshot is located by its words, if it has any', () => templates.check());

test('a row of which little is stable is not asserted', () => {
  const table =
    '- table:\n  - row "12:00 Long Event 14:00 Long Event 16:00 Meeting"\n  - row "12:00 Lunch with Ann"';
  expect(rowsOf(table, [true, true], [])).toBe('- row /.+ Lunch with Ann/');
});

test('a row with a date is identified by its other cells', () => {
  const cells = (...names: string[]): string =>
    [`  - row "${names.join(' ')}":`, ...names.map((name) => `    - cell "${name}"`)].join('\n');
  const table = ['- table:', cells('Ann', '2026-03-01', '$90.00'), cells('2026-03-02', '7')].join('\n');
  expect(rowsOf(table, [true, true], [])).toBe('- row /Ann .+ \\$90\\.00/');
});

for (const [name, isFact] of [
  ['Heading level 1', false],
  ['Save [ctrl-1]', false],
  ['Cart (3)', true],
  ['Pay $9.00', true],
  ['3', false],
  ['1,250.00', true],
] satisfies [string, boolean][])
  test(`a new button "${name}" is ${isFact ? 'a' : 'no'} fact beside texts`, () => {
    const before = '- main [ref=e1]:\n  - generic [ref=e2]:';
    const texts = ['Draft saved by Ann', 'Nothing was sent'].map(
      (text, index) => `    - text: ${text} ${index}`,
    );
    const after = `${before}\n${texts.join('\n')}\n    - button "${name}" [ref=e3]`;
    const [old, now] = [before, after].map((text) => parseSnapshot(text));
    const { changes } = changesBetween(old ?? [], now ?? [], new Set());
    const texts3 = regionsOf(changes, old ?? [], now ?? []).flatMap((region) => region.texts);
    expect(texts3.includes(name)).toBe(isFact);
  });

test('the rows of a list that changed are no region beside the list', () => {
  const rows = (...names: string[]): string[] =>
    names.map((name, index) => `    - row "${name} Open" [ref=e${index + 5}]:\n      - cell "${name}"`);
  const [before = [], after = []] = [rows('Ann', 'Bob', 'Cid'), rows('Gus', 'Dan', 'Eve')].map((lines) =>
    parseSnapshot(['- generic [ref=e1]:', '  - table [ref=e2]:', ...lines].join('\n')),
  );
  const { changes } = changesBetween(before, after, new Set());
  expect(regionsOf(changes, before, after).map(({ ofList }) => ofList)).toEqual(['changed']);
});

test('one of several new items is no region beside the list', () => {
  const items = (...names: string[]): string[] =>
    names.flatMap((name, index) => [
      `    - generic [ref=e${index}3]:`,
      `      - heading "${name}" [level=2] [ref=e${index}4]`,
      `      - paragraph [ref=e${index}5]: All about ${name}.`,
      `      - paragraph [ref=e${index}6]: Written by ${name}'s friend.`,
    ]);
  const view = (...names: string[]): string =>
    ['- main [ref=e1]:', '  - generic [ref=e2]:', ...items(...names)].join('\n');
  const regionsBetween = (before: string, after: string): number => {
    const [old, now] = [parseSnapshot(before), parseSnapshot(after)];
    return regionsOf(changesBetween(old, now, new Set()).changes, old, now).filter(({ lines }) =>
      lines[0]?.ref?.endsWith('3'),
    ).length;
  };
  expect(regionsBetween(view('Ann', 'Bob'), view('Ann', 'Bob', 'Cid'))).toBe(1);
  expect(regionsBetween(view('Ann', 'Bob'), view('Cid', 'Dan'))).toBe(0);
});

test('a header is no row of a list', () => {
  const head = '    - row "Name" [ref=e3]:\n      - columnheader "Name" [ref=e4]\n      - cell [ref=e5]';
  const row = (name: string, ref: string): string =>
    `    - row "${name}" [ref=${ref}]:\n      - cell [ref=${ref}0]: ${name}`;
  const before = '- main [ref=e1]:\n  - text: Staff';
  const after = `- main [ref=e1]:\n  - table [ref=e2]:\n${[head, row('Ann', 'e6'), row('Ben', 'e7')].join('\n')}`;
  const { changes } = changesBetween(parseSnapshot(before), parseSnapshot(after), new Set());
  const lists = changes.flatMap((change) => (change.kind === 'list' ? [change.list.items] : []));
  expect(lists.map(({ length }) => length)).toEqual([2]);
  // The header is among the rows.
  expect(rowsOf(after, [true, true], [])).toBe('- row "Ann"\n- row "Ben"');
});

test('a new term is asserted with its definition', () => {
  const list = ['- term: Team', '- definition: Blue', '- term: Plan', '- definition: Pro'].join('\n');
  expect(templateOf(list, ['Team', 'Blue', 'Plan'], [])).toContain('- definition: "Pro"');
});
