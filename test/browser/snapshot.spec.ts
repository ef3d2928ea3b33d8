import fc from 'fast-check';
import { differences, refreshRefs, showAll, showChanges } from '../../src/browser/snapshot-changes.js';
import { findLines } from '../../src/browser/snapshot-find.js';
import { cutSnapshot, lineOfRef, parseSnapshot, partsOf, roleAndName } from '../../src/browser/snapshot.js';
import { runs } from '../runs.js';
import { expect, test } from '../fixtures.js';

const maxBytes = 12_000;

const list = `- generic [active] [ref=e1]:
  - heading "Fruits" [level=1] [ref=e2]
  - list [ref=e3]:
    - listitem [ref=e4]: Apple
    - listitem [ref=e5]: Pear
    - listitem [ref=e6]: Plum
  - paragraph [ref=e7]: Buy two and get the third one for nothing, today and tomorrow only
  - paragraph [ref=e8]: Prices include taxes and the delivery to your door`;

const changes = (after: string): string => showChanges(parseSnapshot(list), after, maxBytes).text;

test('a new row is shown with all of its cells, also with one that equals a removed one', () => {
  const row = (id: number, ...cells: string[]): string[] => [
    `  - row [ref=e${id}]:`,
    ...cells.map((cell, index) => `    - gridcell "${cell}" [ref=e${id + 1 + index}]`),
  ];
  const grid = (...rows: string[][]): string => [list, '- grid [ref=e9]:', ...rows.flat()].join('\n');
  const before = grid(row(10, '1002', 'Cleo', '$48'), row(14, '1003', 'Dan', '$92'));
  const after = grid(row(20, '1078', 'Ann', '$48'));
  expect(showChanges(parseSnapshot(before), after, maxBytes).text).toContain('gridcell "$48" [ref=e23]');
});

test('a changed line is shown under its nearest named ancestor', () => {
  expect(changes(list.replace('Pear', 'Peach'))).toBe(
    `  - list [ref=e3]:
~   - listitem [ref=e5]: Peach`,
  );
});

test('lines that were added and lines that are gone are marked', () => {
  const after = list
    .replace('    - listitem [ref=e4]: Apple\n', '')
    .replace('Plum', 'Plum\n    - listitem [ref=e9]: Fig');
  expect(changes(after).split('\n')).toEqual([
    '  - list [ref=e3]:',
    '-   - listitem: Apple',
    '+   - listitem [ref=e9]: Fig',
  ]);
});

test('a reordering is one line', () => {
  const [apple, plum] = ['    - listitem [ref=e4]: Apple\n', '    - listitem [ref=e6]: Plum\n'];
  const after = list.replace(apple, '').replace(plum, plum + apple);
  expect(changes(after)).toBe('  - list [ref=e3]:\n~   order: e5, e6, e4');
});

test('an element with a new parent is one line', () => {
  const card = '  - listitem [ref=e20]: Ship\n';
  const board = (...[todo = '', done = '']: string[]): string =>
    `${list}\n- list "To do" [ref=e21]:\n  - text: to do\n${todo}- list "Done" [ref=e22]:\n  - text: done\n${done}`;
  expect(showChanges(parseSnapshot(board(card)), board('', card), maxBytes).text).toBe(
    '  - list "Done" [ref=e22]:\n~   - listitem [ref=e20]: Ship (moved here)',
  );
});

test('a wrapper without role, name or text is no change, a named one is one line', () => {
  const wrap = (wrapper: string): string =>
    list.replace(
      / {2}- list \[ref=e3\]:\n(?: {4}.*\n){3}/,
      (block) => `  - ${wrapper}:\n${block.replace(/^/gm, '  ').trimEnd()}\n`,
    );
  expect(changes(wrap('generic [ref=e30]'))).toBe('Unchanged.');
  expect(changes(wrap('region "Shop" [ref=e30]'))).toBe('+ - region "Shop" [ref=e30]:');
});

test('a renamed root does not send the page again', () => {
  const page = (name: string, ref: string): string =>
    [`- application "${name}" [ref=${ref}]:`, ...list.split('\n').map((line) => `  ${line}`)].join('\n');
  expect(
    showChanges(parseSnapshot(page('Editor', 'e90')), page('Editor: modified', 'e91'), maxBytes).text,
  ).toBe('~ - application "Editor: modified" [ref=e91]:');
});

test('the value of a field with a placeholder is on its line', () => {
  const snapshot = '- textbox "Name" [ref=e1]:\n  - /placeholder: Your name\n  - text: each hour';
  const [field, placeholder, ...others] = parseSnapshot(snapshot);
  expect(field).toMatchObject({ raw: '- textbox "Name" [ref=e1]: each hour', ref: 'e1' });
  expect(field && partsOf(field)).toMatchObject({ role: 'textbox', name: 'Name', text: 'each hour' });
  expect([placeholder?.text, ...others]).toEqual(['/placeholder: Your name']);
});

test('wrappers, glyphs, cursors and URLs of named links are left out of what is sent', () => {
  const page = `- generic [ref=e1]:
  - generic [ref=e2] [cursor=pointer]: \ue900
  - generic [ref=e3]:
    - button "\ue900 Save" [ref=e4] [cursor=pointer]
    - button "\ue901" [disabled] [ref=e5]
  - generic [ref=e6]
  - generic [ref=e7] [cursor=pointer]
  - link "Home" [ref=e8] [cursor=pointer]:
    - /url: /home
  - link [ref=e9] [cursor=pointer]:
    - /url: /cart`;
  expect(showAll(page, maxBytes).text).toBe(
    `- generic [ref=e2]
- button "Save" [ref=e4]
- button [disabled] [ref=e5]
- generic [ref=e7]
- link "Home" [ref=e8]
- link [ref=e9]:
  - /url: /cart`,
  );
});

test('rows, cells and wrappers do not repeat what is below them', () => {
  const page = `- table [ref=e1]:
  - rowgroup [ref=e2]:
    - row "Tea 3 Edit" [ref=e3]:
      - cell "Tea" [ref=e4]
      - cell "3 Edit" [ref=e5]:
        - text: "3"
        - button "Edit" [ref=e6]
    - 'row "Total: 5, see note" [ref=e7]':
      - cell "Total: 5" [ref=e8]
- generic "Copy" [ref=e9]:
  - button "Copy" [ref=e10]
- generic "Share" [ref=e11]:
  - button "Send" [ref=e12]
- paragraph [ref=e13]: All prices include taxes and the delivery to your door`;
  expect(showAll(page, maxBytes).text).toBe(
    `- table [ref=e1]:
  - row [ref=e3]:
    - cell "Tea" [ref=e4]
    - cell [ref=e5]:
      - text: "3"
      - button "Edit" [ref=e6]
  - 'row "Total: 5, see note" [ref=e7]':
    - cell "Total: 5" [ref=e8]
- button "Copy" [ref=e10]
- generic "Share" [ref=e11]:
  - button "Send" [ref=e12]
- paragraph [ref=e13]: All prices include taxes and the delivery to your door`,
  );
  expect(
    showChanges(parseSnapshot(page), page.replace('"3"', '"4"').replaceAll('3 Edit', '4 Edit'), maxBytes)
      .text,
  ).toBe(
    `  - table [ref=e1]:
-   - text: "3"
+   - text: "4"`,
  );
});

test('controls do not repeat their names, and texts that are only glyphs and blanks are left out', () => {
  const page = `- button "Save all" [ref=e1] [cursor=pointer]:
  - generic [ref=e2]: \ue900
  - generic [ref=e3]: Save
  - text: all
- link "Cart" [ref=e4]:
  - /url: /cart
  - text: Cart
  - generic [ref=e5]: "3"
- text: "  \ue901 "
- generic: \ue902
- text: Total
- paragraph [ref=e6]: All prices include taxes and the delivery to your door, also on Sundays`;
  const shown = `- button "Save all" [ref=e1]
- link "Cart" [ref=e4]:
  - text: Cart
  - generic [ref=e5]: "3"
- text: Total
- paragraph [ref=e6]: All prices include taxes and the delivery to your door, also on Sundays`;
  expect(showAll(page, maxBytes).text).toBe(shown);
  const after = page.replace('text: all', 'text: all now').replace('Save all', 'Save all now');
  expect(showChanges(parseSnapshot(page), after, maxBytes).text).toBe(
    '- - button "Save all"\n+ - button "Save all now" [ref=e1]',
  );
  expect(differences(parseSnapshot(page), parseSnapshot(page.replace('"3"', '"4"'))).changed).toHaveLength(1);
});

test('of many siblings that are gone the first are named and the others counted', () => {
  const buttons = ['e70', 'e71'].map((ref) => `  - button "Buy" [ref=${ref}]\n`);
  const items = Array.from({ length: 9 }, (_, index) => `  - listitem [ref=e${index + 50}]: Item ${index}\n`);
  const page = (...shown: string[]): string =>
    `${list}\n- list "More" [ref=e40]:\n  - text: ${'more '.repeat(30)}\n${shown.join('')}`;
  expect(showChanges(parseSnapshot(page(...buttons, ...items)), page(), maxBytes).text).toBe(
    `  - list "More" [ref=e40]:
-   - button "Buy" (2 times)
-   - listitem: Item 0
-   - listitem: Item 1
-   - listitem: Item 2
-   - … 6 more`,
  );
});

test('of a long run of like siblings the first and the last are sent, with the number left out', () => {
  const items = Array.from({ length: 40 }, (_, index) => `  - listitem [ref=e${index + 2}]: Item ${index}`);
  expect(
    showAll(['- list [ref=e1]:', ...items].join('\n'), maxBytes)
      .text.split('\n')
      .slice(8),
  ).toEqual(['  - listitem [ref=e9]: Item 7', '  - … 31 more listitem', '  - listitem [ref=e41]: Item 39']);
  const cards = Array.from({ length: 40 }, (_, index) => [
    `  - generic [ref=e${2 * index + 2}]:`,
    `    - text: Item ${index}`,
    `    - button "Buy" [ref=e${2 * index + 3}]`,
  ]).flat();
  expect(
    showAll(['- generic [ref=e1]:', ...cards].join('\n'), maxBytes)
      .text.split('\n')
      .slice(15),
  ).toEqual([
    '- button "Buy" [ref=e17]',
    '- … 31 more like these',
    '- text: Item 39',
    '- button "Buy" [ref=e81]',
  ]);
});

test('a page of 20,000 nodes quickly becomes a bounded answer, with small parts complete', () => {
  const rows = Array.from(
    { length: 5000 },
    (
      _,
      index,
    ) => `    - ${['row', 'listitem', 'option'][index % 3] ?? ''} "R${index}" [ref=e${4 * index + 10}]:
      - cell "${index}" [ref=e${4 * index + 11}]
      - button "Edit" [ref=e${4 * index + 12}]`,
  );
  const page = [
    '- main [ref=e1]:',
    '  - table "Orders" [ref=e2]:',
    ...rows,
    '  - button "Save all" [ref=e3]',
  ];
  const began = process.cpuUsage();
  const { text } = showAll(page.join('\n'), maxBytes);
  const changed = showChanges(
    parseSnapshot(page.join('\n')),
    page.join('\n').replace('"R77"', '"Q77"'),
    maxBytes,
  );
  const { user } = process.cpuUsage(began);
  expect(user).toBeLessThan(2_000_000);
  expect(Buffer.byteLength(text)).toBeLessThan(maxBytes);
  expect(Buffer.byteLength(text)).toBeGreaterThan(maxBytes / 2);
  expect(text).toContain('- button "Save all" [ref=e3]');
  expect(text).toMatch(/… \d+ more lines/);
  expect(changed.text.split('\n')).toHaveLength(2);
});

test('an extremely deep page does no harm', () => {
  const nested = Array.from(
    { length: 5000 },
    (_, depth) => `${'  '.repeat(Math.min(depth, 1000))}- row "Row ${depth}" [ref=e${depth}]:`,
  ).join('\n');
  const began = process.cpuUsage();
  expect(findLines(nested, () => true, maxBytes).count).toBe(5000);
  expect(process.cpuUsage(began).user).toBeLessThan(3_000_000);

  const deep = Array.from(
    { length: 20_000 },
    (_, depth) => `${'  '.repeat(depth % 5000)}- list [ref=e${depth}]:`,
  );
  expect(Buffer.byteLength(showAll(deep.join('\n'), maxBytes).text)).toBeLessThan(maxBytes);
});

test('names of rows in rows are compared with what is below them in little time', () => {
  const page = (name: string): string =>
    Array.from(
      { length: 5000 },
      (_, index) => `${'  '.repeat(index % 200)}- row "w${index} a b ${name}" [ref=e${index}]: a b ${name}`,
    ).join('\n');
  const [before, after] = [parseSnapshot(page('c')), page('d')];
  const times = Array.from({ length: 6 }, () => {
    const began = process.cpuUsage();
    showChanges(before, after, maxBytes);
    return process.cpuUsage(began).user / 1000;
  });
  expect(Math.min(...times), `milliseconds: ${times.join(', ')}`).toBeLessThan(150);
});

test('a page that did not change costs one line, as does one whose focus moved', () => {
  expect(changes(list)).toBe('Unchanged.');
  expect(changes(list.replace(' [active]', '').replace('[ref=e5]', '[active] [ref=e5]'))).toBe('Unchanged.');
});

test('if only references changed, the old ones identify the same elements', () => {
  const after = list.replaceAll(/ref=e([456])/g, 'ref=e1$1');
  const update = showChanges(parseSnapshot(list), after, maxBytes);
  expect(update.text).toBe('Unchanged.');
  expect(lineOfRef(update.view, 'e5')).toMatchObject({ ref: 'e15', text: 'listitem: Pear' });
  const later = showChanges(update.view, after.replaceAll(/ref=e1([456])/g, 'ref=e2$1'), maxBytes);
  expect(lineOfRef(later.view, 'e5')?.ref).toBe('e25');
});

test('an element that stays is never taken for its neighbour that looks the same', () => {
  const rows = (...refs: number[]): string =>
    [
      list,
      ...refs.flatMap((ref) => [`  - row [ref=e${ref}]:`, `    - button "Delete" [ref=e${ref + 1}]`]),
    ].join('\n');
  const update = showChanges(parseSnapshot(rows(20, 30, 40)), rows(30, 40), maxBytes);
  expect(lineOfRef(update.view, 'e21')).toBeUndefined();
  expect(lineOfRef(update.view, 'e31')?.ref).toBe('e31');
  expect(lineOfRef(update.view, 'e41')?.ref).toBe('e41');
});

test('changes larger than the page are sent as the page', () => {
  const after = '- main [ref=e1]:\n  - heading "Elsewhere" [level=1] [ref=e2]';
  expect(showChanges(parseSnapshot(list), after, maxBytes)).toMatchObject({ kind: 'full', text: after });
});

test('an element whose reference now identifies another element is shown with its new reference', () => {
  const frame = (...lines: string[]): string => [list, '  - iframe [ref=e9]:', ...lines].join('\n');
  const before = parseSnapshot(frame('    - button "Save" [ref=f1e2]'));
  const moved = showChanges(before, frame('    - button "Save" [ref=f1e5]'), maxBytes);
  expect(moved.text).toBe('Unchanged.');
  const after = frame('    - button "Delete" [ref=f1e2]', '    - button "Save" [ref=f1e5]');
  const { text, view } = showChanges(moved.view, after, maxBytes);
  expect(text).toBe('  - iframe [ref=e9]:\n+   - button "Delete" [ref=f1e2]\n~   - button "Save" [ref=f1e5]');
  expect(lineOfRef(view, 'f1e2')?.text).toBe('button "Delete"');
});

test('page text is never taken for a reference', () => {
  const hostile = `- button "Pay [ref=e7]" [ref=e1]
- text: "[ref=e8]"
- 'link "a: [ref=e9] ''b''" [ref=e2]':
  - /url: "#[ref=e10]"
- paragraph [ref=e3]: Free [ref=e11]`;
  expect(parseSnapshot(hostile).map(({ ref }) => ref)).toEqual(['e1', undefined, 'e2', undefined, 'e3']);
});

test('role and name are read from a line', () => {
  const [line] = parseSnapshot('- button "Say \\"hi\\"" [pressed] [ref=e1]');
  expect(line && roleAndName(line)).toEqual({ role: 'button', name: 'Say "hi"' });
});

test('references are refreshed without showing anything', () => {
  const view = refreshRefs(
    parseSnapshot(list),
    list.replace('e5', 'e50').replace(/ {4}- listitem \[ref=e6\].*\n/, ''),
  );
  expect(lineOfRef(view, 'e5')?.ref).toBe('e50');
  expect(lineOfRef(view, 'e6')).toBeUndefined();
});

test('after any change, every shown reference identifies its line', () => {
  const pageOf = (rows: [string, number][]): string =>
    ['- list [ref=e0]:', ...rows.map(([text, ref]) => `  - listitem "${text}" [ref=e${ref}]`)].join('\n');
  const rows = fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 1, max: 12 })), {
    selector: ([, ref]) => ref,
    maxLength: 8,
  });
  fc.assert(
    fc.property(rows, rows, (before, after) => {
      // Playwright gives a reference to another role and name never again.
      const stable = after.filter(([text, ref]) =>
        before.every(([old, other]) => other !== ref || old === text),
      );
      const update = showChanges(parseSnapshot(pageOf(before)), pageOf(stable), maxBytes);
      for (const [, ref] of stable)
        if (update.text.includes(`[ref=e${ref}]`))
          expect(lineOfRef(update.view, `e${ref}`)?.ref).toBe(`e${ref}`);
      for (const [text, ref] of before) {
        const line = lineOfRef(update.view, `e${ref}`);
        if (line !== undefined) expect(roleAndName(line).name).toBe(text);
      }
    }),
    { numRuns: runs(300) },
  );
});

test('lines are found in omitted runs, with their context', () => {
  const rows = Array.from({ length: 50 }, (_, index) => [
    `    - row "Order ${index}" [ref=e${3 * index + 10}]:`,
    `      - cell "${index} €" [ref=e${3 * index + 11}]`,
    `      - button "Edit" [ref=e${3 * index + 12}]`,
  ]).flat();
  const page = ['- main [ref=e1]:', '  - table [ref=e2]:', ...rows, '- contentinfo [ref=e3]: Imprint'].join(
    '\n',
  );
  expect(findLines(page, (line) => line.includes('Order 23'), maxBytes)).toMatchObject({
    count: 1,
    text: `- main [ref=e1]:
  - table [ref=e2]:
    - row "Order 22" [ref=e76]:
    - row "Order 23" [ref=e79]:
      - cell "23 €" [ref=e80]
      - button "Edit" [ref=e81]
    - row "Order 24" [ref=e82]:`,
  });
  const all = findLines(page, (line) => line.includes('Edit'), 500);
  expect(all.count).toBe(50);
  expect(Buffer.byteLength(all.text)).toBeLessThan(500);
  expect(findLines(page, () => false, maxBytes)).toMatchObject({ count: 0, text: '' });
});

test('a snapshot is cut at whole lines, and a long line keeps its reference and its quotes', () => {
  const long = 'x"'.repeat(20_000);
  const cut = cutSnapshot(
    `- button ${JSON.stringify(long)} [ref=e1]: ${JSON.stringify(long)}\n- link "A" [ref=e2]`,
  );
  expect(cut.length).toBeLessThan(20_200);
  const [button, link] = parseSnapshot(cut);
  expect(button).toMatchObject({ ref: 'e1' });
  const { name = '', text = '' } = button === undefined ? {} : partsOf(button);
  for (const kept of [name, text]) {
    expect(kept.length).toBeGreaterThan(6000);
    expect(long.startsWith(kept)).toBe(true);
  }
  expect(link).toMatchObject({ ref: 'e2' });
  const many = Array.from({ length: 9000 }, (_, index) => `- link "L" [ref=e${index}]`).join('\n');
  expect(cutSnapshot(many).split('\n')).toHaveLength(5000);
  const wide = Array.from({ length: 400 }, () => `- text: ${'y'.repeat(9000)}`).join('\n');
  for (const line of cutSnapshot(wide).split('\n')) expect(line).toHaveLength(9008);
});

for (const [where, attribute] of [
  ['', ' [aria-hidden]'],
  [', if Playwright has merged the hidden element with its child', ''],
])
  test(`what an open dialog hides is no change, and its references keep working${where}`, () => {
    const shown = (ref: number): string => `- generic [ref=e2]:
  - heading "Packages" [level=1] [ref=e${ref}]
  - button "Sign in" [ref=e${ref + 1}]
  - link "lamp" [ref=e${ref + 2}]
  - img "Ann" [ref=e${ref + 3}]`;
    const known = parseSnapshot(shown(3));
    const hidden = `- generic${attribute} [ref=e2]:
  - heading [level=1] [ref=e7]: Packages
  - button [ref=e8]: Sign in
  - link [ref=e27]:
    - generic [ref=e28]: lamp`;
    const dialog = `- dialog "Sign in" [ref=e9]:
  - textbox "Name" [ref=e10]`;
    const open = showChanges(known, `${hidden}\n${dialog}`, maxBytes);
    expect(open.text).toBe('+ - dialog "Sign in" [ref=e9]:\n+   - textbox "Name" [ref=e10]');
    const counted = shown(3).replace('- heading', '- generic [ref=e11]: "1"\n  - heading');
    const ticked = hidden.replace('- heading', '- generic [ref=e11]: "2"\n  - heading');
    if (attribute === '')
      expect(showChanges(parseSnapshot(counted), `${ticked}\n${dialog}`, maxBytes).text).toContain('"2"');
    const closed = showChanges(open.view, shown(13), maxBytes);
    expect(closed.text).toBe('- - dialog "Sign in": (and 1 lines below)');
    expect(lineOfRef(closed.view, 'e4')?.ref).toBe('e14');
    // A page that stays hidden without a dialog is shown as it is.
    expect(showChanges(closed.view, hidden, maxBytes).text).toBe(showAll(hidden, maxBytes).text);
  });
