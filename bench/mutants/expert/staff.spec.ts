import { expect, test } from '@playwright/test';

test('sorts, finds, edits and removes people', async ({ page }) => {
  const names = page.locator('.tabulator-table [tabulator-field="name"]');
  const row = (name: string) => page.locator('.tabulator-table .tabulator-row').filter({ hasText: name });
  const total = page.locator('.tabulator-calcs [tabulator-field="salary"]');
  const counter = page.locator('.tabulator-page-counter');
  const salary = page.getByRole('columnheader', { name: 'Salary' });
  const team = page.getByPlaceholder('Find a team');
  const remove = page.getByRole('button', { name: 'Remove' });

  await page.goto('/');
  await expect(names).toHaveText(['Ann Lee', 'Ben Ode', 'Cleo Marsh', 'Dan Wu', 'Eve Stone']);
  await expect(row('Ann Lee').getByRole('gridcell')).toHaveText([
    '',
    'Ann Lee',
    'Sales',
    'Oslo',
    '€4,100',
    '',
  ]);
  await expect(total).toHaveText('€32,200');
  await expect(counter).toHaveText('Showing 1-5 of 7 rows');
  await expect(remove).toBeDisabled();

  // The lowest salary first, then the highest; all pages are sorted.
  await salary.click();
  await expect(names).toHaveText(['Eve Stone', 'Ben Ode', 'Ann Lee', 'Finn Berg', 'Cleo Marsh']);
  await expect(salary).toHaveAttribute('aria-sort', 'ascending');
  await salary.click();
  await expect(names).toHaveText(['Dan Wu', 'Gina Roth', 'Cleo Marsh', 'Finn Berg', 'Ann Lee']);

  // The total and the pages follow the filter.
  await team.pressSequentially('sal');
  await expect(names).toHaveText(['Cleo Marsh', 'Finn Berg', 'Ann Lee']);
  await expect(total).toHaveText('€14,000');
  await expect(counter).toHaveText('Showing 1-3 of 3 rows');

  // Two people are removed.
  await row('Cleo Marsh').getByRole('checkbox').click();
  await row('Ann Lee').getByRole('checkbox').click();
  await expect(page.locator('#selected')).toHaveText('2 selected');
  await remove.click();
  await expect(page.locator('#message')).toHaveText('2 people were removed.');
  await expect(names).toHaveText(['Finn Berg']);
  await expect(total).toHaveText('€4,700');
  await team.clear();
  await expect(names).toHaveText(['Dan Wu', 'Gina Roth', 'Finn Berg', 'Ben Ode', 'Eve Stone']);

  // A cell is edited in place.
  const city = row('Finn Berg').locator('[tabulator-field="city"]');
  await city.click();
  await city.locator('input').fill('Trondheim');
  await city.locator('input').press('Enter');
  await expect(city).toHaveText('Trondheim');
  await expect(page.locator('#message')).toHaveText('Finn Berg now has the city Trondheim.');

  // Groups count their people, on two pages.
  await page.getByLabel('Group by').selectOption('team');
  await expect(page.locator('.tabulator-group')).toHaveText([/Research\s*\(2 items\)/, /Sales\s*\(1 item\)/]);
  await page.getByRole('button', { name: 'Next Page' }).click();
  await expect(page.locator('.tabulator-group').last()).toHaveText(/Support\s*\(2 items\)/);
  await expect(names).toHaveText(['Finn Berg', 'Ben Ode', 'Eve Stone']);
});
