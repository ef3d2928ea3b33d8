import type { Site } from '../test/fixtures/serve.js';
import { startPages } from '../test/fixtures/pages-server.js';
import { startPetstore } from '../test/fixtures/petstore.js';
import { petstoreTurns, type Turn } from '../test/demo-flow.js';
import { startNodeRed } from './node-red.js';

/** What an agent does on an application, one turn for each call. */
export interface Flow {
  name: string;
  start: () => Promise<Site>;
  path: string;
  turns: readonly Turn[];
}

const row = (name: string): string => `getByRole('listitem').filter({ hasText: '${name}' })`;

export const todoFlow: Flow = {
  name: 'TodoMVC',
  start: startPages,
  path: '/todo.html',
  turns: [
    (ref) => [
      { action: 'fill', target: ref('textbox'), value: 'Call Ann' },
      { action: 'press', target: ref('textbox'), key: 'Enter' },
    ],
    () => [{ action: 'check', target: `${row('Call Ann')}.getByRole('checkbox')` }],
    () => [{ action: 'dblclick', target: "getByText('Buy milk and bread')" }],
    (ref) => [
      { action: 'fill', target: ref('textbox "Edit"'), value: 'Buy bread' },
      { action: 'press', key: 'Enter' },
    ],
    (ref) => [
      { action: 'click', target: ref('link "Active"') },
      { action: 'click', target: ref('link "All"') },
    ],
    () => [{ action: 'click', target: `${row('Buy milk')}.getByRole('button', { name: 'Delete' })` }],
    (ref) => [{ action: 'click', target: ref('button "Clear completed"') }],
  ],
};

const nodeRedFlow: Flow = {
  name: 'Node-RED',
  start: startNodeRed,
  path: '/',
  turns: [
    () => [
      { action: 'waitFor', target: "getByPlaceholder('filter nodes')", state: 'visible' },
      { action: 'fill', target: "getByPlaceholder('filter nodes')", value: 'inject' },
      { action: 'dragTo', target: '[data-palette-type="inject"]', to: '#red-ui-workspace-chart' },
    ],
    () => [{ action: 'dblclick', target: 'g.red-ui-flow-node-group' }],
    (ref) => [
      { action: 'fill', target: ref('textbox "Name"'), value: 'every minute' },
      { action: 'click', target: '#node-dialog-ok' },
    ],
    (ref) => [{ action: 'click', target: ref('link "Deploy"') }],
    () => [
      { action: 'expect', target: "getByText('Successfully deployed')", matcher: 'toBeVisible' },
      { action: 'fill', target: "getByPlaceholder('Search flows')", value: 'minute' },
    ],
  ],
};

export const flows: readonly Flow[] = [
  { name: 'Swagger UI', start: startPetstore, path: '/', turns: petstoreTurns },
  todoFlow,
  nodeRedFlow,
];
