import { expect, test } from '@playwright/test';

test('fills the cart and changes it', async ({ page }) => {
  const card = (name: string) => page.locator('.card').filter({ hasText: name });
  const items = page.locator('.cart .list-group-item');
  const item = (name: string) => items.filter({ hasText: name });
  const checkout = page.locator('.cart').getByRole('button', { name: 'Checkout' });

  await page.goto('/');

  // An option that costs extra changes the price on the card.
  await card('iPad case').getByRole('combobox').selectOption('yellow');
  await expect(card('iPad case')).toContainText('Price: $93.50');

  // The cart lists what was chosen, with price, total and a way to check out.
  await card('iPad case').getByRole('spinbutton').fill('2');
  await card('iPad case').getByRole('button', { name: 'Add to cart' }).click();
  await expect(page.getByRole('heading', { name: 'Shopping cart' })).toBeVisible();
  await expect(item('iPad case')).toContainText(/Color:\s*Yellow\s*Price:\s*\$93\.50\s*Total:\s*\$187\.00/);
  await expect(item('iPad case').getByRole('spinbutton')).toHaveValue('2');
  await expect(checkout).toHaveText('Checkout (Grand total $187.00)');

  await card('Headphones').getByRole('button', { name: 'Add to cart' }).click();
  await expect(item('Headphones')).toContainText(/Price:\s*\$49\.99\s*Total:\s*\$49\.99/);
  await expect(checkout).toHaveText('Checkout (Grand total $236.99)');

  // The same product added twice is one item.
  await card('Backpack').getByRole('combobox').selectOption('large');
  await card('Backpack').getByRole('button', { name: 'Add to cart' }).click();
  await card('Backpack').getByRole('button', { name: 'Add to cart' }).click();
  await expect(items.getByRole('heading')).toHaveText(['Backpack', 'Headphones', 'iPad case']);
  await expect(item('Backpack')).toContainText(/Size:\s*Large\s*Price:\s*\$80\.00\s*Total:\s*\$160\.00/);

  await item('Headphones').getByRole('spinbutton').fill('3');
  await expect(item('Headphones')).toContainText('Total: $149.97');
  await expect(checkout).toHaveText('Checkout (Grand total $496.97)');

  await item('iPad case').getByRole('button', { name: 'Remove' }).click();
  await expect(items.getByRole('heading')).toHaveText(['Backpack', 'Headphones']);
  await expect(checkout).toHaveText('Checkout (Grand total $309.97)');

  // Every price follows the currency.
  await page.getByLabel('Currency').selectOption('EUR');
  await expect(card('iPad case')).toContainText('Price: €82.00');
  await expect(item('Backpack')).toContainText(/Price:\s*€72\.00\s*Total:\s*€144\.00/);
  await expect(checkout).toHaveText('Checkout (Grand total €279.00)');

  await checkout.click();
  await expect(page).toHaveURL('/checkout.html');
  await expect(page.getByRole('heading', { name: 'Checkout' })).toBeVisible();
});
