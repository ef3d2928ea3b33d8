import { parseSnapshot, partsOf } from '../../src/browser/snapshot.js';
import { appearances, changesBetween, type PageChange } from '../../src/assertions/changes.js';
import { assertionForms } from '../../src/assertions/forms.js';
import { rankChanges, rankLandmarks } from '../../src/assertions/choose.js';
import { expect, test } from '../fixtures.js';
import { Rows } from '../rows.js';

const page = (...lines: string[]): string =>
  ['- generic [active] [ref=e1]:', ...lines.map((line) => `  ${line}`)].join('\n');

/** What differs between two pages, in short, the heaviest first. */
function found(before: string, after: string, restless: string[] = []): string[] {
  const { changes } = changesBetween(parseSnapshot(before), parseSnapshot(after), new Set(restless));
  return rankChanges(changes).map(describe);
}

function describe(change: PageChange): string {
  const { role, name } = partsOf(change.line);
  const element = name === undefined ? String(role) : `${String(role)} ${name}`;
  switch (change.kind) {
    case 'text':
    case 'value':
      return `${change.kind} of ${element}: ${change.text}`;
    case 'state':
      return `${element} ${change.on ? 'is' : 'is not'} ${change.state}`;
    case 'list':
      return `${change.how} in ${element}: ${change.list.items.map(({ words }) => words).join(', ')}`;
    default:
      return `${change.kind}: ${element}`;
  }
}

/** A date picker like that of jQuery UI. */
const datePicker = [
  '- dialog "Choose a date" [ref=e10]:',
  '  - button "Prev" [ref=e11]',
  '  - generic [ref=e12]: November 2026',
  '  - table [ref=e13]:',
  '    - row "Su Mo Tu We Th Fr Sa" [ref=e14]:',
  '      - columnheader "Su" [ref=e15]',
  ...[1, 8, 15, 22].flatMap((first) => [
    `    - row [ref=e${first * 100}]:`,
    ...[0, 1, 2, 3, 4, 5, 6].map((day) => `      - cell "${first + day}" [ref=e${first * 100 + 10 + day}]`),
  ]),
];

const rows: { what: string; before: string[]; after: string[]; changes: string[] }[] = [
  {
    what: 'no text that begins within a sentence',
    before: [],
    after: [
      '- paragraph [ref=e2]:',
      '  - text: This deletes the whole database with the name',
      '  - code [ref=e3]: books',
      '  - text: . To confirm the deletion, you must enter its name.',
    ],
    changes: ['appeared: text', 'appeared: code'],
  },
  {
    what: 'what a dialog asks to confirm, and no labels of a form in it',
    before: [],
    after: [
      '- dialog "Delete" [ref=e2]:',
      '  - paragraph [ref=e3]: Delete 3 files?',
      '- dialog "Edit" [ref=e4]:',
      '  - generic [ref=e5]: Name of the file',
      '  - textbox "File" [ref=e6]',
    ],
    changes: ['appeared: dialog Delete', 'appeared: dialog Edit', 'appeared: paragraph'],
  },
  {
    what: 'a plain list of which one item is left',
    before: [
      '- generic [ref=e2]:',
      '  - generic [ref=e3]:',
      '    - generic [ref=e4]: Plum',
      '    - button "Remove" [ref=e5]',
      '  - generic [ref=e6]:',
      '    - generic [ref=e7]: Pear',
      '    - button "Remove" [ref=e8]',
    ],
    after: [
      '- generic [ref=e2]:',
      '  - generic [ref=e6]:',
      '    - generic [ref=e7]: Pear',
      '    - button "Remove" [ref=e8]',
    ],
    changes: ['count in generic: Pear'],
  },
  {
    what: 'no line numbers of an editor',
    before: [],
    after: ['- text: "1"', '- generic "Fold" [ref=e2]', '- generic [ref=e3]: "2"', '- generic [ref=e4]: "3"'],
    changes: ['appeared: generic Fold'],
  },
  {
    what: 'the counts of a summary, which are no numbering',
    before: [],
    after: ['- generic [ref=e3]: "1"', '- generic [ref=e4]: "3"', '- generic [ref=e5]: "2"'],
    changes: ['count in generic: 1, 3, 2', 'appeared: generic', 'appeared: generic', 'appeared: generic'],
  },
  {
    what: 'no list of line numbers',
    before: [],
    after: [
      '- generic [ref=e2]:',
      '  - generic [ref=e3]: "1"',
      '  - generic [ref=e4]: "2"',
      '  - generic [ref=e5]: "3"',
    ],
    changes: [],
  },
  {
    what: 'no list of labels with values',
    before: [],
    after: [
      '- generic [ref=e2]:',
      '  - generic [ref=e3]: "connection: keep-alive"',
      '  - generic [ref=e4]: "content-type: application/json"',
      '  - generic [ref=e5]: "server: nginx"',
    ],
    changes: ['appeared: generic', 'appeared: generic', 'appeared: generic'],
  },
  {
    what: 'no list of links to other pages of a list',
    before: ['- list [ref=e2]:', '  - listitem [ref=e3]: Previous', '  - listitem [ref=e4]: "1"'],
    after: [
      '- list [ref=e2]:',
      '  - listitem [ref=e3]: Previous',
      '  - listitem [ref=e4]: "1"',
      '  - listitem [ref=e5]: "2"',
      '  - listitem [ref=e6]: Next',
    ],
    changes: ['appeared: listitem', 'appeared: listitem'],
  },
  {
    what: 'no weeks of a month in which each day is a link',
    before: [],
    after: [
      '- table [ref=e2]:',
      ...[1, 8, 15].flatMap((first) => [
        `  - row [ref=e${first * 100}]:`,
        ...[0, 1, 2, 3, 4, 5, 6].flatMap((day) => [
          `    - cell "${first + day}" [ref=e${first * 100 + 10 + day}]:`,
          `      - link "${first + day}" [ref=e${first * 100 + 20 + day}]`,
        ]),
      ]),
    ],
    changes: [],
  },
  {
    what: 'nothing of a date picker that opened but its name',
    before: ['- textbox "Date" [ref=e90]'],
    after: ['- textbox "Date" [ref=e90]', ...datePicker],
    changes: ['appeared: dialog Choose a date'],
  },
  {
    what: 'a field beside the days of a month',
    before: [],
    after: [
      ...datePicker,
      '  - heading "Booking" [level=2] [ref=e91]',
      '  - textbox "Guests" [ref=e92]: "2"',
    ],
    changes: ['appeared: dialog Choose a date', 'appeared: textbox Guests'],
  },
  {
    what: 'no list of signs for other pages of a list',
    before: ['- list [ref=e2]:', '  - listitem [ref=e3]: "1"'],
    after: ['- list [ref=e2]:', '  - listitem [ref=e3]: "1"', '  - listitem [ref=e5]: »'],
    changes: [],
  },
  {
    what: 'the field of a cell that is edited, and not its row',
    before: [
      '- grid [ref=e2]:',
      '  - row [ref=e3]:',
      '    - gridcell "Ann" [ref=e4]',
      '    - gridcell "Oslo" [ref=e5]',
      '  - row [ref=e6]:',
      '    - gridcell "Bob" [ref=e7]',
      '    - gridcell "Rome" [ref=e8]',
    ],
    after: [
      '- grid [ref=e2]:',
      '  - row [ref=e3]:',
      '    - gridcell [ref=e4]:',
      '      - textbox [ref=e9]: Ann',
      '    - gridcell "Oslo" [ref=e5]',
      '  - row [ref=e6]:',
      '    - gridcell "Bob" [ref=e7]',
      '    - gridcell "Rome" [ref=e8]',
    ],
    changes: ['appeared: textbox'],
  },
  {
    what: 'nothing of a dialog that closes, and what follows it',
    before: ['- generic [ref=e2]:', '  - heading "Add key" [ref=e3]', '  - textbox "Key" [ref=e4]: cart'],
    after: [
      '- generic [aria-hidden] [ref=e2]:',
      '  - heading [ref=e5]: Add key',
      '  - textbox [ref=e6]: cart:2',
      '- status [ref=e7]: Added',
    ],
    changes: ['appeared: status'],
  },
  {
    what: 'the headings of a panel that opened, which is no list',
    before: [],
    after: [
      '- generic [ref=e2]:',
      '  - generic [ref=e3]:',
      '    - heading "Response body" [level=5] [ref=e4]',
      '  - generic [ref=e5]:',
      '    - heading "Response headers" [level=5] [ref=e6]',
    ],
    changes: ['appeared: heading Response body', 'appeared: heading Response headers'],
  },
  {
    what: 'a text that changed, with what it is now',
    before: ['- status [ref=e2]: 2 items'],
    after: ['- status [ref=e2]: "3 items: \\"new\\""'],
    changes: ['text of status: 3 items: "new"'],
  },
  {
    what: 'what announces itself before what is only there',
    before: [],
    after: ['- link "Home" [ref=e2]', '- alert [ref=e3]: Saved', '- heading "Done" [level=1] [ref=e4]'],
    changes: ['appeared: alert', 'appeared: heading Done', 'appeared: link Home'],
  },
  {
    what: 'a dialog once, and not its heading of the same words',
    before: [],
    after: ['- dialog "Delete?" [ref=e2]:', '  - heading "Delete?" [level=2] [ref=e3]'],
    changes: ['appeared: dialog Delete?'],
  },
  {
    what: 'no tabs with other names, but their new order',
    before: [
      '- tablist [ref=e2]:',
      '  - tab "Example" [ref=e3]',
      '  - tab "Schema" [ref=e4]',
      '- tablist [ref=e5]:',
      '  - tab "a.txt" [ref=e6]',
      '  - tab "b.txt" [ref=e7]',
    ],
    after: [
      '- tablist [ref=e2]:',
      '  - tab "Edit" [ref=e3]',
      '  - tab "Schema" [ref=e4]',
      '- tablist [ref=e5]:',
      '  - tab "b.txt" [ref=e7]',
      '  - tab "a.txt" [ref=e6]',
    ],
    changes: ['order in tablist: b.txt, a.txt', 'appeared: tab Edit'],
  },
  {
    what: 'no list of elements that were apart',
    before: [
      '- generic [ref=e2]:',
      '  - listitem [ref=e3]: GET',
      '  - generic [ref=e4]: Details',
      '  - generic [ref=e5]: Body',
      '  - list [ref=e6]:',
      '    - listitem [ref=e7]: POST',
      '    - listitem [ref=e9]: PUT',
    ],
    after: [
      '- generic [ref=e2]:',
      '  - list [ref=e6]:',
      '    - listitem [ref=e3]: GET',
      '    - listitem [ref=e7]: POST',
      '    - listitem [ref=e9]: PUT',
    ],
    changes: [],
  },
  {
    what: 'states of other elements, those that came before those that went',
    before: ['- tab "One" [selected] [ref=e2]', '- tab "Two" [ref=e3]'],
    after: ['- tab "One" [ref=e2]', '- tab "Two" [selected] [ref=e3]'],
    changes: ['tab Two is selected', 'tab One is not selected'],
  },
  {
    what: 'the value of another field',
    before: ['- textbox "Total" [ref=e2]'],
    after: ['- textbox "Total" [ref=e2]: "70"'],
    changes: ['value of textbox Total: 70'],
  },
  {
    what: 'the value of a field that was emptied, if it has a name',
    before: ['- textbox "Name" [ref=e2]: Ada', '- button "More" [ref=e3]: 3', '- textbox [ref=e4]: Bob'],
    after: ['- textbox "Name" [ref=e2]', '- button "More" [ref=e3]', '- textbox [ref=e4]'],
    changes: ['value of textbox Name: '],
  },
  {
    what: 'how many there are where some came or went',
    before: ['- list [ref=e2]:', '  - listitem [ref=e3]: Milk', '  - listitem [ref=e4]: Bread'],
    after: ['- list [ref=e2]:', '  - listitem [ref=e4]: Bread'],
    changes: ['count in list: Bread'],
  },
  {
    what: 'another order, and not what only stands elsewhere',
    before: ['- list [ref=e2]:', '  - listitem [ref=e3]: Milk', '  - listitem [ref=e4]: Bread'],
    after: ['- list [ref=e2]:', '  - listitem [ref=e5]: Bread', '  - listitem [ref=e6]: Milk'],
    changes: ['order in list: Bread, Milk'],
  },
  {
    what: 'where the focus went',
    before: ['- button "Open" [active] [ref=e2]', '- textbox "Name" [ref=e3]'],
    after: ['- button "Open" [ref=e2]', '- textbox "Name" [active] [ref=e3]'],
    changes: ['focus: textbox Name'],
  },
  {
    what: 'nothing of texts that are others in the next run, nor of what says nothing',
    before: ['- status [ref=e2]: Now 10:00', '- button "Saved 1 minute ago" [ref=e3]'],
    after: [
      '- status [ref=e2]: Now 10:01',
      '- button "Saved 2 minutes ago" [ref=e4]',
      '- paragraph [ref=e5]: 10:01',
      '- paragraph [ref=e6]: "***"',
    ],
    changes: [],
  },
  {
    what: 'texts of which a part holds still, and names that count',
    before: ['- link "Cart (2)" [ref=e2]', '- status [ref=e3]'],
    after: [
      '- link "Cart (3)" [ref=e4]',
      '- status [ref=e3]: Saved 10:01',
      '- paragraph [ref=e5]: Due 2026-11-24',
    ],
    changes: ['text of status: Saved 10:01', 'name: link Cart (3)', 'appeared: paragraph'],
  },
  {
    what: 'the value of a field that is gone, which its cell shows as a text',
    before: ['- cell "9" [ref=e2]:', '  - textbox [ref=e3]: "9"'],
    after: ['- cell "9" [ref=e2]'],
    changes: ['appeared: text'],
  },
  {
    what: 'what changed in elements that the page replaced by others',
    before: [
      '- generic [ref=e2]:',
      '  - generic [ref=e3]:',
      '    - generic [ref=e4]: Mails',
      '    - generic [ref=e5]: "On"',
      '  - generic [ref=e6]:',
      '    - generic [ref=e7]: Calls',
      '    - generic [ref=e8]: "Off"',
    ],
    after: [
      '- generic [ref=e2]:',
      '  - generic [ref=e13]:',
      '    - generic [ref=e14]: Mails',
      '    - generic [ref=e15]: "On"',
      '  - generic [ref=e16]:',
      '    - generic [ref=e17]: Calls',
      '    - generic [ref=e18]: "On"',
    ],
    changes: ['text of generic: On'],
  },
  {
    what: 'the titles of messages, not initials and times',
    before: [
      '- generic [ref=e2]:',
      '  - generic [ref=e3]:',
      '    - generic [ref=e4]: M',
      '    - generic [ref=e5]: Hello all',
    ],
    after: [
      '- generic [ref=e2]:',
      '  - generic [ref=e3]:',
      '    - generic [ref=e4]: M',
      '    - generic [ref=e5]: Hello all',
      '  - generic [ref=e6]:',
      '    - generic [ref=e7]: T',
      '    - generic [ref=e8]: Lunch at noon',
    ],
    changes: ['count in generic: Hello all, Lunch at noon', 'appeared: generic', 'appeared: generic'],
  },
  {
    what: 'links beside each other, which are a list',
    before: ['- paragraph [ref=e2]'],
    after: [
      '- paragraph [ref=e2]:',
      '  - link "Plan" [ref=e3]',
      '  - separator [ref=e4]',
      '  - link "Seeds" [ref=e5]',
      '  - link "Tools" [ref=e6]',
      '- paragraph [ref=e7]:',
      '  - link "A" [ref=e8]',
      '  - text: or',
      '  - link "B" [ref=e9]',
      '  - link "C" [ref=e10]',
    ],
    changes: [
      'count in paragraph: Plan, Seeds, Tools',
      'appeared: text',
      ...['Plan', 'Seeds', 'Tools', 'A', 'B', 'C'].map((name) => `appeared: link ${name}`),
    ],
  },
  {
    what: 'no pieces of the label of a new checkbox',
    before: ['- generic [ref=e2]'],
    after: [
      '- generic [ref=e2]:',
      '  - checkbox "Rename A to B in all notes" [ref=e3]',
      '  - text: Rename',
      '  - strong [ref=e4]: A to B',
      '  - text: in all notes',
      '  - strong [ref=e5]: Renamed',
    ],
    changes: ['appeared: strong', 'appeared: checkbox Rename A to B in all notes'],
  },
  {
    what: 'no days of a month',
    before: ['- generic [ref=e2]'],
    after: [
      '- generic [ref=e2]:',
      ...Array.from({ length: 30 }, (_, index) => `  - generic [ref=e${index + 3}]: "${index + 1}"`),
    ],
    changes: [],
  },
  {
    what: 'no list of fields with their labels',
    before: [
      '- generic [ref=e2]:',
      ...['From', 'To', 'Via'].flatMap((label, index) => [
        `  - generic [ref=e1${index}]:`,
        `    - generic [ref=e2${index}]: ${label}`,
        `    - textbox "Date" [ref=e3${index}]`,
      ]),
    ],
    after: [
      '- generic [ref=e2]:',
      ...['From', 'To'].flatMap((label, index) => [
        `  - generic [ref=e1${index}]:`,
        `    - generic [ref=e2${index}]: ${label}`,
        `    - textbox "Date" [ref=e3${index}]`,
      ]),
    ],
    changes: [],
  },
  {
    what: 'no address of a page',
    before: [],
    after: ['- generic [ref=e2]: http://127.0.0.1:8080/api/pets?status=available'],
    changes: [],
  },
  {
    what: 'no part of what a new button is called',
    before: ['- button "GET /pets" [ref=e2]:', '  - generic [ref=e3]: GET'],
    after: ['- button "POST /orders" [ref=e2]:', '  - generic [ref=e3]: POST'],
    changes: [],
  },
  {
    what: 'no list of elements whose titles are at different places',
    before: ['- generic [ref=e2]'],
    after: [
      '- generic [ref=e2]:',
      '  - generic [ref=e3]:',
      '    - link "pets" [ref=e4]',
      '  - generic [ref=e5]:',
      '    - link [ref=e6]:',
      '      - generic [ref=e7]: Status',
    ],
    changes: ['appeared: generic', 'appeared: link pets'],
  },
  {
    what: 'no row of a table in which only a field changed',
    before: [
      '- table [ref=e2]:',
      '  - row "Fig 7" [ref=e3]:',
      '    - cell "7" [ref=e4]:',
      '      - textbox [ref=e5]: "7"',
    ],
    after: [
      '- table [ref=e2]:',
      '  - row "Fig 9" [ref=e3]:',
      '    - cell "9" [ref=e4]:',
      '      - textbox [ref=e5]: "9"',
    ],
    changes: ['value of textbox: 9'],
  },
  {
    what: 'no row of a form whose select has other options',
    before: [
      '- table [ref=e2]:',
      '  - row "Status" [ref=e3]:',
      '    - cell "Status" [ref=e4]:',
      '      - combobox [disabled] [ref=e5]',
    ],
    after: [
      '- table [ref=e2]:',
      '  - row "Status --" [ref=e3]:',
      '    - cell "Status --" [ref=e4]:',
      '      - combobox [ref=e5]:',
      '        - option "--" [selected]',
    ],
    changes: ['count in combobox: --', 'combobox is not disabled'],
  },
];

const changesFound = new Rows();
for (const { what, before, after, changes } of rows)
  changesFound.add(`finds ${what}`, () => {
    expect(found(page(...before), page(...after))).toEqual(changes);
  });
test('changes between two snapshots are found', () => changesFound.check());

test('self-changing elements are left out, with their content', () => {
  const before = page('- generic [ref=e2]:', '  - text: tick 1', '- status [ref=e3]: none');
  const after = page('- generic [ref=e2]:', '  - text: tick 2', '- status [ref=e3]: one');
  expect(found(before, after)).toContain('appeared: text');
  expect(found(before, after, ['e2'])).toEqual(['text of status: one']);
});

test('a text between two buttons that only has another number is a count', () => {
  const pager = (text: string): string =>
    page('- navigation "Pages" [ref=e2]:', '  - button "Back" [ref=e3]', `  - text: ${text}`);
  const counts = (text: string): (boolean | undefined)[] =>
    changesBetween(parseSnapshot(pager('Page 1 of 3')), parseSnapshot(pager(text)), new Set()).changes.map(
      (change) => change.kind === 'appeared' && change.isRecount,
    );
  expect(counts('Page 2 of 3')).toEqual([true]);
  expect(counts('Chapter 2')).toEqual([false]);
});

test('a text with a keyboard shortcut is left out, which has other names on other systems', () => {
  const before = page('- paragraph [ref=e2]: Press Shift + F5 to reload');
  const after = page(
    '- paragraph [ref=e2]: Press Cmd-R to reload',
    '- generic [ref=e3]: Debug messages ctrl-g d',
    '- button "Save ctrl-s" [ref=e4]',
    '- status [ref=e5]: Alternative - shifted',
  );
  expect(found(before, after)).toEqual(['appeared: status', 'appeared: button Save ctrl-s']);
});

test("a page has changed if more than a field's state has", () => {
  const changed = (before: string, after: string): boolean =>
    changesBetween(parseSnapshot(before), parseSnapshot(after), new Set()).changedPage;
  const box = (state: string): string => page(`- checkbox "A"${state} [ref=e2]`);
  expect(changed(box(''), box(''))).toBe(false);
  expect(changed(box(''), box(' [checked]'))).toBe(false);
  expect(changed(box(''), page('- checkbox "A" [checked] [ref=e2]', '- alert [ref=e3]: Yes'))).toBe(true);
  expect(changed(page('- button "A" [ref=e2]'), page('- button "A" [expanded] [ref=e2]'))).toBe(true);
});

test('a list of dates has no assertion', () => {
  const dated = page(
    '- list [ref=e2]:',
    '  - listitem [ref=e3]: 1st May 2026',
    '  - listitem [ref=e4]: 2nd May 2026',
  );
  const { changes } = changesBetween(parseSnapshot(page('- list [ref=e2]')), parseSnapshot(dated), new Set());
  const lists = changes.filter(({ kind }) => kind === 'list');
  expect(lists.map((change) => assertionForms(change, []))).toEqual([[]]);
  expect(lists.flatMap((change) => assertionForms(change, ['1st May 2026', '2nd May 2026']))).toHaveLength(2);
});

test('a document is identified by its heading first', () => {
  const view = parseSnapshot(
    page(
      '- link "Home" [ref=e2]',
      '- heading "News" [level=2] [ref=e3]',
      '- heading "Site" [level=1] [ref=e4]',
    ),
  );
  expect(rankLandmarks(appearances(view)).map(({ change }) => describe(change))[0]).toBe(
    'appeared: heading Site',
  );
});
