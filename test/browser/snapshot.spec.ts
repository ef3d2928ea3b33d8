import { expect, test } from '@playwright/test';
import fc from 'fast-check';
import {
  lineOfRef,
  parseSnapshot,
  refreshRefs,
  roleAndName,
  showChanges,
} from '../../src/browser/snapshot.js';

const list = `- generic [active] [ref=e1]:
  - heading "Fruits" [level=1] [ref=e2]
  - list [ref=e3]:
    - listitem [ref=e4]: Apple
    - listitem [ref=e5]: Pear
    - listitem [ref=e6]: Plum
  - paragraph [ref=e7]: Buy two and get the third one for nothing, today and tomorrow only
  - paragraph [ref=e8]: Prices include taxes and the delivery to your door`;

const changes = (after: string): string => showChanges(parseSnapshot(list), after).text;

test('a changed line is shown under the path down to it, gone before new', () => {
  expect(changes(list.replace('Pear', 'Peach'))).toBe(
    `  - generic [active] [ref=e1]:
    - list [ref=e3]:
-     - listitem [ref=e5]: Pear
+     - listitem [ref=e5]: Peach`,
  );
});

test('lines that came and lines that went are marked', () => {
  const after = list
    .replace('    - listitem [ref=e4]: Apple\n', '')
    .replace('Plum', 'Plum\n    - listitem [ref=e9]: Fig');
  expect(changes(after).split('\n').slice(2)).toEqual([
    '-     - listitem [ref=e4]: Apple',
    '+     - listitem [ref=e9]: Fig',
  ]);
});

test('a page that did not change costs one line, as does one whose focus moved', () => {
  expect(changes(list)).toBe('Unchanged.');
  expect(changes(list.replace(' [active]', '').replace('[ref=e5]', '[active] [ref=e5]'))).toBe('Unchanged.');
});

test('where only references changed, the old ones mean the same elements', () => {
  const after = list.replaceAll(/ref=e([456])/g, 'ref=e1$1');
  const update = showChanges(parseSnapshot(list), after);
  expect(update.text).toContain('Unchanged but for element references');
  expect(lineOfRef(update.view, 'e5')).toMatchObject({ ref: 'e15', text: 'listitem: Pear' });
  const later = showChanges(update.view, after.replaceAll(/ref=e1([456])/g, 'ref=e2$1'));
  expect(lineOfRef(later.view, 'e5')?.ref).toBe('e25');
});

test('an element that stays is never taken for its neighbour that looks the same', () => {
  const rows = (...refs: number[]): string =>
    [
      list,
      ...refs.flatMap((ref) => [`  - row [ref=e${ref}]:`, `    - button "Delete" [ref=e${ref + 1}]`]),
    ].join('\n');
  const update = showChanges(parseSnapshot(rows(20, 30, 40)), rows(30, 40));
  expect(lineOfRef(update.view, 'e21')).toBeUndefined();
  expect(lineOfRef(update.view, 'e31')?.ref).toBe('e31');
  expect(lineOfRef(update.view, 'e41')?.ref).toBe('e41');
});

test('a change of more than half the page is sent whole', () => {
  const after = '- main [ref=e1]:\n  - heading "Elsewhere" [level=1] [ref=e2]';
  expect(showChanges(parseSnapshot(list), after)).toMatchObject({ kind: 'full', text: after });
});

test('a reference that would mean two elements makes the page be sent whole', () => {
  const frame = (...lines: string[]): string => [list, '  - iframe [ref=e9]:', ...lines].join('\n');
  const before = parseSnapshot(frame('    - button "Save" [ref=f1e2]'));
  const moved = showChanges(before, frame('    - button "Save" [ref=f1e5]'));
  const after = frame('    - button "Delete" [ref=f1e2]', '    - button "Save" [ref=f1e5]');
  expect(showChanges(moved.view, after).kind).toBe('full');
});

test('what a page says is never taken for a reference', () => {
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

test('references are refreshed without anything being shown', () => {
  const view = refreshRefs(
    parseSnapshot(list),
    list.replace('e5', 'e50').replace(/ {4}- listitem \[ref=e6\].*\n/, ''),
  );
  expect(lineOfRef(view, 'e5')?.ref).toBe('e50');
  expect(lineOfRef(view, 'e6')).toBeUndefined();
});

test('after any change, every reference shown means the line it was shown with', () => {
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
      const update = showChanges(parseSnapshot(pageOf(before)), pageOf(stable));
      for (const [, ref] of stable)
        if (update.text.includes(`[ref=e${ref}]`))
          expect(lineOfRef(update.view, `e${ref}`)?.ref).toBe(`e${ref}`);
      for (const [text, ref] of before) {
        const line = lineOfRef(update.view, `e${ref}`);
        if (line !== undefined) expect(roleAndName(line).name).toBe(text);
      }
    }),
    { numRuns: 300 },
  );
});
