import { expect, test } from '@playwright/test';

test('writes a note and finds it again', async ({ page }) => {
  const editor = page.getByRole('region', { name: 'Editor' });
  const notes = page.getByRole('main').getByRole('heading', { level: 2 });
  const note = (text: string) => page.getByRole('article').filter({ hasText: text });
  const sidebar = page.getByRole('region', { name: 'Sidebar' });

  await page.goto('/');
  await expect(notes).toHaveText(['Garden plan']);

  // A new note, with a tag.
  await page.getByRole('button', { name: 'new tiddler' }).click();
  await expect(editor.locator('input.tc-titlebar')).toHaveValue('New Tiddler');
  await editor.locator('input.tc-titlebar').fill('Watering');
  await editor.getByPlaceholder('tag name').fill('Garden');
  await editor.getByRole('button', { name: 'add' }).first().click();
  await expect(editor.locator('.tc-tag-list-item')).toHaveText(['Garden']);
  await expect(editor.getByPlaceholder('tag name')).toBeEmpty();
  await editor.locator('textarea').fill('Twice a week, the beans first.');
  const saved = page.waitForResponse(
    (response) => response.url().endsWith('/Watering') && response.request().method() === 'PUT',
  );
  await editor.getByRole('button', { name: 'Confirm changes' }).click();
  expect((await saved).ok()).toBe(true);
  await expect(notes).toHaveText(['Watering', 'Garden plan']);
  await expect(note('Twice a week').locator('.tc-tag-label')).toHaveText(['Garden']);
  await expect(note('Twice a week').locator('.tc-tiddler-body')).toHaveText('Twice a week, the beans first.');
  await expect(page).toHaveURL('/#Watering');

  // The search finds it among others.
  await page.getByRole('searchbox').fill('beans');
  await expect(page.getByRole('button', { name: '3 matches' })).toBeVisible();
  await expect(page.locator('.tc-search-results').getByRole('link')).toHaveText([
    'Garden plan',
    'Seed order',
    'Watering',
  ]);
  await page.locator('.tc-search-results').getByRole('link', { name: 'Seed order' }).click();
  await expect(notes).toHaveText(['Seed order', 'Watering', 'Garden plan']);
  await expect(page).toHaveURL('/#Seed%20order');
  await page.getByRole('searchbox').clear();
  await expect(page.locator('.tc-search-results')).toBeHidden();

  // A tag leads to the other notes that have it.
  await note('Two bags').getByText('Shopping', { exact: true }).click();
  await expect(note('Two bags').getByRole('link')).toHaveText(['Shopping', 'Books', 'Seed order']);
  await page.getByRole('link', { name: 'Books' }).click();
  await expect(notes).toHaveText(['Seed order', 'Books', 'Watering', 'Garden plan']);
  await note('along the fence').getByRole('button', { name: 'close' }).click();
  await expect(notes).toHaveText(['Seed order', 'Books', 'Watering']);

  // The latest notes come first.
  await page.getByRole('tab', { name: 'Recent' }).click();
  await expect(sidebar.getByRole('link')).toHaveText(['Watering', 'Books', 'Garden plan', 'Seed order']);

  // A note that is renamed is saved under its new name.
  await note('Twice a week').getByRole('button', { name: 'Edit this tiddler' }).click();
  await editor.locator('input.tc-titlebar').fill('Watering in June');
  await expect(editor).toContainText('Update Watering to Watering in June');
  const renamed = page.waitForResponse(
    (response) => response.url().endsWith('/Watering%20in%20June') && response.request().method() === 'PUT',
  );
  await editor.getByRole('button', { name: 'Confirm changes' }).click();
  expect((await renamed).ok()).toBe(true);
  await expect(notes).toHaveText(['Seed order', 'Books', 'Watering in June']);
  await expect(sidebar.getByRole('link').first()).toHaveText('Watering in June');

  await page.reload();
  await expect(notes).toHaveText(['Watering in June']);
  await expect(page.getByRole('article')).toContainText('Twice a week, the beans first.');
});
