import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Application } from './application.js';
import { bundle, instrument, readSources } from './instrument.js';
import { installPackages } from './packages.js';
import { serveTexts } from './site.js';

/** What the flow runs through: rows, cells, sorting, filtering, pages, editing, selection, groups and totals. */
const modules = [
  ...['RowManager', 'row/Row', 'cell/Cell'].map((name) => `core/${name}`),
  ...['Sort/Sort', 'Filter/Filter', 'Format/Format', 'Edit/Edit', 'Page/Page', 'SelectRow/SelectRow'].map(
    (name) => `modules/${name}`,
  ),
  ...['ColumnCalcs/ColumnCalcs', 'Validate/Validate', 'GroupRows/GroupRows', 'GroupRows/Group'].map(
    (name) => `modules/${name}`,
  ),
  'modules/Sort/defaults/sorters/number',
  'modules/Filter/defaults/filters',
  'modules/Format/defaults/formatters/money',
  'modules/Format/defaults/formatters/tickCross',
  'modules/Edit/defaults/editors/input',
  'modules/ColumnCalcs/defaults/calculations',
  'modules/Validate/defaults/validators',
].map((name) => `src/js/${name}.js`);

/** A page around the table. It has no mutants. */
const page = `
import { TabulatorFull as Tabulator } from 'tabulator-tables/src/js/builds/esm.js';

const euros = { formatter: 'money', formatterParams: { symbol: '€', precision: 0 } };
const data = [
  ['Ann Lee', 'Sales', 'Oslo', 4100, true], ['Ben Ode', 'Support', 'Bergen', 3200, true],
  ['Cleo Marsh', 'Sales', 'Oslo', 5200, false], ['Dan Wu', 'Research', 'Lund', 6100, true],
  ['Eve Stone', 'Support', 'Lund', 3000, true], ['Finn Berg', 'Sales', 'Bergen', 4700, true],
  ['Gina Roth', 'Research', 'Oslo', 5900, false],
].map(([name, team, city, salary, active], id) => ({ id, name, team, city, salary, active }));
const table = new Tabulator('#table', {
  data, layout: 'fitColumns', height: 420, pagination: true, paginationSize: 5, paginationCounter: 'rows',
  placeholder: 'Nobody matches',
  columns: [
    { formatter: 'rowSelection', hozAlign: 'center', headerSort: false, width: 40 },
    { title: 'Name', field: 'name', editor: 'input', validator: 'required' },
    { title: 'Team', field: 'team', headerFilter: 'input', headerFilterPlaceholder: 'Find a team' },
    { title: 'City', field: 'city', editor: 'input' },
    { title: 'Salary', field: 'salary', sorter: 'number', ...euros, bottomCalc: 'sum', bottomCalcFormatter: 'money', bottomCalcFormatterParams: euros.formatterParams },
    { title: 'Active', field: 'active', formatter: 'tickCross' },
  ],
});
const say = (text) => { document.getElementById('message').textContent = text; };
table.on('cellEdited', (cell) => say(cell.getRow().getData().name + ' now has the ' + cell.getField() + ' ' + cell.getValue() + '.'));
table.on('rowSelectionChanged', (rows) => {
  document.getElementById('selected').textContent = rows.length + ' selected';
  document.getElementById('delete').disabled = rows.length === 0;
});
document.getElementById('delete').onclick = async () => {
  const rows = table.getSelectedRows();
  await Promise.all(rows.map((row) => row.delete()));
  say(rows.length === 1 ? '1 person was removed.' : rows.length + ' people were removed.');
};
document.getElementById('groups').onchange = ({ target }) => table.setGroupBy(target.value);
`;

const document = (style: string): string => `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Staff</title><style>${style}</style>
<body><h1>Staff</h1>
<div><label>Group by <select id="groups"><option value="">nothing</option><option value="team">Team</option></select></label>
<button id="delete" disabled>Remove</button> <span id="selected">0 selected</span></div>
<div id="message"></div><div id="table"></div><script src="/app.js"></script></body></html>`;

const row = (name: string): string => `locator('.tabulator-row').filter({ hasText: '${name}' })`;
const cell = (name: string, field: string): string => `${row(name)}.locator('[tabulator-field="${field}"]')`;
const header = (title: string): string => `getByRole('columnheader', { name: '${title}' })`;
const names = 'locator(\'.tabulator-table [tabulator-field="name"]\')';
const total = 'locator(\'.tabulator-calcs [tabulator-field="salary"]\')';

export const staff: Application = {
  name: 'staff',
  kind: 'tabulator-tables: an administration table',
  title: 'sorts, finds, edits and removes people',
  url: '/',
  sample: 240,
  flow: [
    { action: 'click', target: header('Salary') },
    { action: 'click', target: header('Salary') },
    { action: 'pressSequentially', target: "getByPlaceholder('Find a team')", value: 'sal' },
    { action: 'click', target: `${row('Cleo Marsh')}.getByRole('checkbox')` },
    { action: 'click', target: `${row('Ann Lee')}.getByRole('checkbox')` },
    { action: 'click', target: "getByRole('button', { name: 'Remove' })" },
    { action: 'clear', target: "getByPlaceholder('Find a team')" },
    { action: 'click', target: cell('Finn Berg', 'city') },
    { action: 'fill', target: `${cell('Finn Berg', 'city')}.locator('input')`, value: 'Trondheim' },
    { action: 'press', target: `${cell('Finn Berg', 'city')}.locator('input')`, key: 'Enter' },
    { action: 'selectOption', target: "getByLabel('Group by')", values: 'team' },
    { action: 'click', target: "getByRole('button', { name: 'Next Page' })" },
  ],
  agent: [
    {
      after: 1,
      expect: {
        target: names,
        matcher: 'toHaveText',
        expected: ['Dan Wu', 'Gina Roth', 'Cleo Marsh', 'Finn Berg', 'Ann Lee'],
      },
    },
    {
      after: 2,
      expect: { target: names, matcher: 'toHaveText', expected: ['Cleo Marsh', 'Finn Berg', 'Ann Lee'] },
    },
    { after: 2, expect: { target: total, matcher: 'toHaveText', expected: '€14,000' } },
    { after: 4, expect: { target: "locator('#selected')", matcher: 'toHaveText', expected: '2 selected' } },
    { after: 5, expect: { target: names, matcher: 'toHaveText', expected: ['Finn Berg'] } },
    { after: 6, expect: { target: names, matcher: 'toHaveCount', expected: 5 } },
    { after: 9, expect: { target: cell('Finn Berg', 'city'), matcher: 'toHaveText', expected: 'Trondheim' } },
    {
      after: 10,
      expect: {
        target: "locator('.tabulator-group')",
        matcher: 'toHaveText',
        expected: ['Research(2 items)', 'Sales(1 item)'],
      },
    },
  ],
  async start() {
    const installed = await installPackages('staff', ['tabulator-tables@6.3.1']);
    const folder = path.join(installed, 'tabulator-tables');
    const present = new Set(
      (await readdir(folder, { recursive: true })).map((name) => name.split(path.sep).join('/')),
    );
    const { files, mutants } = await instrument(
      await readSources(
        folder,
        modules.filter((name) => present.has(name)),
      ),
    );
    const script = await bundle(folder, files, {
      stdin: { contents: page.replace('tabulator-tables/', './'), loader: 'js', resolveDir: folder },
    });
    const site = await serveTexts({
      '/index.html': document(await readFile(path.join(folder, 'dist/css/tabulator.min.css'), 'utf8')),
      '/app.js': script,
    });
    return { baseURL: site.url, mutants, close: () => site.close() };
  },
};
