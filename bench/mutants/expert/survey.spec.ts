import { expect, test, type Page } from '@playwright/test';

/** Accepts the next dialog; gives its message. */
const nextAlert = (page: Page): Promise<string> =>
  new Promise((resolve) => {
    page.once('dialog', (dialog) => {
      void dialog.accept().then(() => {
        resolve(dialog.message());
      });
    });
  });

test('answers the survey after mistakes', async ({ page }) => {
  const login = page.locator('#login-form');
  const form = page.locator('#form');
  const errors = form.locator('.alert');
  const questions = form.locator('label[for]');
  const submitted = 'Submitted. Check the console to see the answers!';

  await page.goto('/');
  await expect(login.getByRole('heading', { name: 'Log in to MyAwesomeSite' })).toBeVisible();

  // A log-in with two mistakes.
  await login.getByLabel('Email Address').fill('ned');
  await login.getByLabel('Password', { exact: true }).fill('direwolf');
  await expect(login.locator('.alert')).toHaveText(['Please enter a valid email address']);
  await login.getByLabel('Confirm Password').fill('dragon');
  await login.getByRole('button', { name: 'Submit' }).click();
  await expect(login.locator('.alert')).toHaveText([
    'Please enter a valid email address',
    'Confirm Password must match Password',
  ]);

  // The first question is required.
  await form.getByRole('button', { name: 'Next' }).click();
  await expect(errors).toHaveText(['Please enter one of the allowed values']);
  await form.getByText('No', { exact: true }).click();
  await expect(errors).toHaveCount(0);
  await form.getByRole('button', { name: 'Next' }).click();

  // Who has not subscribed gets the form for that.
  await expect(form).toContainText("We don't have a survey for you yet, how about we get you subscribed?");
  await expect(questions).toHaveText(['First Name', 'Last Name', 'Email Address']);
  await form.getByLabel('First Name').fill('Arya');
  await form.getByRole('button', { name: 'Subscribe' }).click();
  await expect(errors).toHaveText([
    'Please enter a value with at least 1 character',
    'Please enter a valid email address',
    'Please accept by clicking the checkbox',
  ]);
  await form.getByLabel('Last Name').fill('Stark');
  await form.getByLabel('Email Address').fill('arya@winterfell.example');
  await form.getByRole('checkbox').check();
  await expect(errors).toHaveCount(0);
  const subscribed = nextAlert(page);
  await form.getByRole('button', { name: 'Subscribe' }).click();
  expect(await subscribed).toBe(submitted);

  // Who has subscribed gives an address, which is checked.
  await page.reload();
  await form.getByText('Yes', { exact: true }).click();
  const address = form.getByLabel('Please enter the email address your account is registered with');
  await expect(address).toBeVisible();
  await form.getByPlaceholder('Email Address').fill('bran');
  await form.getByPlaceholder('Email Address').press('Tab');
  await expect(errors).toHaveText(['Please enter a valid email address']);
  await form.getByPlaceholder('Email Address').fill('bran@winterfell.example');
  await form.getByRole('button', { name: 'Next' }).click();

  // The survey.
  await expect(form).toContainText('Did you even check the console yet? Keep going though!');
  await expect(questions).toHaveText([
    'Gender',
    'How many hours do you spend on a computer weekly?',
    'Which of the following devices do you own?',
  ]);
  await expect(form.getByRole('listitem')).toHaveText([
    ...['0-10 Hours', '11-20 Hours', '21-30 Hours', '31+ Hours'],
    ...['Laptop', 'Desktop Computer', 'Tablet', 'Mobile', 'Smart Watch', 'None'],
  ]);
  await form.getByRole('combobox').selectOption('female');
  await expect(form.getByRole('combobox')).toHaveValue('female');
  await form.getByText('21-30 Hours').click();
  await expect(
    form.getByRole('listitem').filter({ hasText: '21-30 Hours' }).getByRole('radio'),
  ).toBeChecked();
  await form.getByText('Laptop', { exact: true }).click();
  await expect(questions.last()).toHaveText('What is your preferred operation system?');
  await form.getByText('Other', { exact: true }).click();
  await form.getByRole('button', { name: 'Submit' }).click();
  await expect(errors).toHaveText([
    'Please enter a value with at least 1 character',
    'Please enter a value with at least 1 character',
  ]);
  await form.getByLabel('Please name the other OS').fill('Plan 9');
  await form.getByLabel('What do you like about this OS?').fill('Everything is a file');
  await expect(errors).toHaveCount(0);
  const answered = nextAlert(page);
  await form.getByRole('button', { name: 'Submit' }).click();
  expect(await answered).toBe(submitted);
});
