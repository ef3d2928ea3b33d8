import { readFile } from 'node:fs/promises';
import { expect, refOf, runTests, test } from './fixtures.js';

test('an agent records a flow and gets a test that passes', async ({ server, pages, workspace }) => {
  const started = await server.start({ title: "adds Ann's task", url: `${pages.url}/todo.html` });
  expect(started.snapshot).toContain('[ref=');

  console.log(started.text);
});
