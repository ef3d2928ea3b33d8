import { expect } from '../fixtures.js';
import { test, violations } from './people.js';

test.use({ config: { autoAssert: true, verify: { mode: 'require', sensitivity: 'off' } } });

test('a person edits what is recorded, runs the test, and sees which step failed', async ({
  people: { agent, person, log },
  pages,
}) => {
  test.setTimeout(120_000);
  const { sessionId } = await agent.start({ title: 'Shops', url: `${pages.url}/todo.html` });
  const target = "getByRole('textbox')";
  const landed = await agent.record(
    sessionId,
    { action: 'fill', target, value: 'Milk' },
    { action: 'press', target, key: 'Enter' },
    { action: 'click', target: "getByRole('link', { name: 'Active' })" },
    { action: 'expect', target: 'h1', matcher: 'toMatchAriaSnapshot', expected: '- heading "Dones"' },
  );
  expect(landed.failed).toBeUndefined();
  const page = await person();
  await page.getByRole('link', { name: 'Shops' }).click();
  const steps = page.getByRole('region', { name: 'Steps' });
  const list = steps.getByRole('listitem');
  await steps.getByRole('button', { name: 'Edit', exact: true }).click();

  await steps.getByLabel('Title', { exact: true }).fill('Adds milk');
  await steps.getByRole('button', { name: 'Rename title' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Adds milk' })).toBeVisible();
  await steps.getByLabel('Note of step 1', { exact: true }).fill('What to <b>buy</b>');
  await steps.getByRole('button', { name: 'Save note of step 1' }).click();
  await expect(list.nth(1)).toContainText('What to <b>buy</b>');
  const assertion = steps.getByRole('button', { name: 'Remove assertion 0 of step 2' });
  const removed = (await list.nth(2).locator('.assertion code').first().textContent()) ?? '';
  await assertion.click();
  await expect(list.nth(2)).not.toContainText(removed);
  await steps.getByLabel('New group before step 1', { exact: true }).fill('Shopping');
  await steps.getByRole('button', { name: 'Begin new group before step 1' }).click();
  await expect(list.nth(1).getByRole('heading')).toHaveText('Shopping');
  await steps.getByRole('button', { name: 'Remove step 4' }).click();
  await expect(list).toHaveCount(5);
  await steps.getByRole('button', { name: 'Move step 2 up' }).click();
  await expect(list.nth(1)).toContainText('.fill("Milk")');
  // What a step needs stays before it.
  await steps.getByRole('button', { name: 'Move step 1 up' }).click();
  await expect(list.nth(1).getByRole('alert')).toContainText('acts in the document that step 0 opens');
  await steps.getByRole('button', { name: 'Move step 1 down' }).click();
  await expect(list.nth(1).getByRole('heading')).toHaveText('Shopping');

  await page.getByRole('button', { name: 'Show the test' }).click();
  const code = page.getByRole('region', { name: /^The test / });
  await expect(code).toContainText('test("Adds milk"');
  await expect(code).toContainText('await test.step("Shopping"');
  await expect(code).not.toContainText(removed);
  await expect(code.locator('.code-keyword').first()).toHaveText('import');

  await steps.getByRole('button', { name: 'Run the test' }).click();
  const result = page.getByRole('region', { name: 'Result of the run' });
  await expect(result.getByRole('alert')).toContainText('Step 4 failed.', { timeout: 90_000 });
  await expect(result.getByRole('region', { name: 'Why the test failed' })).toContainText('Dones');
  await expect(result.getByRole('img', { name: 'The page at the failure' })).toBeVisible();
  await result.getByText('Snapshot of the page').click();
  await expect(result.getByRole('region', { name: 'Snapshot' })).toContainText('heading "Todos"');
  await expect(list.nth(2).getByRole('img', { name: 'The page before step 2' })).toBeVisible();
  expect(await violations(page)).toEqual([]);

  // An edit of a step that has become another one is refused.
  const stale = await page.evaluate(async (id) => {
    const headers = {
      'X-Codegen-Page': localStorage.getItem('codegen-page-key') ?? '',
      'Content-Type': 'application/json',
    };
    const body = JSON.stringify({ type: 'remove', step: 0, code: 'await page.close();' });
    return (await fetch(`/ui/api/sessions/${id}/edit`, { method: 'POST', headers, body })).text();
  }, sessionId);
  expect(stale).toContain('has changed in the meantime');
  const lines = await log();
  for (const action of [
    'edit title',
    'edit note',
    'edit removeAssertion',
    'edit group',
    'edit move',
    'verify',
  ])
    expect(lines).toContain(`"action":"${action}"`);
});
