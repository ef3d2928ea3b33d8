import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Locator, Page } from '@playwright/test';
import { configure, expect, refOf } from '../fixtures.js';
import { colourIn, test, violations, type People } from './people.js';

const viewport = { width: 640, height: 480 };

/** A person who has taken over a session, and finds elements in its picture by a copy of its page. */
class Hands {
  readonly surface: Locator;

  constructor(
    readonly page: Page,
    readonly copy: Page,
  ) {
    this.surface = page.getByRole('application');
  }

  static async takeOver({ visitor, person }: People, title: string, url: string): Promise<Hands> {
    const page = await person();
    await page.getByRole('link', { name: title }).click();
    await page.getByRole('button', { name: 'Take over' }).click();
    const copy = await visitor();
    await copy.setViewportSize(viewport);
    await copy.goto(url);
    const hands = new Hands(page, copy);
    await expect(hands.surface).toBeVisible();
    return hands;
  }

  mode(name: 'Control' | 'Record' | 'Pick' | 'Assert'): Promise<void> {
    return this.page.getByRole('button', { name, exact: true }).click();
  }

  async placeOf(find: (copy: Page) => Locator): Promise<{ x: number; y: number }> {
    const [box, shown] = [await find(this.copy).boundingBox(), await this.surface.boundingBox()];
    if (box === null || shown === null) throw new Error('not shown');
    const scale = shown.width / viewport.width;
    return { x: (box.x + box.width / 2) * scale, y: (box.y + box.height / 2) * scale };
  }

  async click(find: (copy: Page) => Locator): Promise<void> {
    await this.surface.click({ position: await this.placeOf(find) });
  }

  /** The colour of the picture in the middle of an element. */
  async colourOf(find: (copy: Page) => Locator): Promise<string> {
    const box = await find(this.copy).boundingBox();
    if (box === null) throw new Error('not shown');
    const [x, y] = [(box.x + box.width / 2) / viewport.width, (box.y + box.height / 2) / viewport.height];
    return colourIn(this.surface.getByRole('img'), x, y);
  }

  async steps(count: number): Promise<void> {
    await expect(this.page.getByRole('region', { name: 'Steps' }).getByRole('listitem')).toHaveCount(count);
  }
}

test.use({
  config: {
    autoAssert: true,
    verify: { mode: 'require', sensitivity: 'off' },
    secrets: ['SHOP_PASSWORD'],
  },
});

test('a flow recorded by hand has the steps and assertions of an agent', async ({ people, pages }) => {
  test.setTimeout(240_000);
  const { agent } = people;
  const url = `${pages.url}/todo.html`;
  const use = { viewport };
  const { sessionId, snapshot } = await agent.start({ title: 'Adds a task', url, use });
  await agent.record(sessionId, {
    action: 'fill',
    target: refOf(snapshot, 'textbox'),
    value: 'Buy tea',
  });
  await agent.record(sessionId, { action: 'press', target: refOf(snapshot, 'textbox'), key: 'Enter' });
  await agent.record(sessionId, { action: 'check', target: "getByRole('checkbox').first()" });
  await agent.record(sessionId, { action: 'click', target: refOf(snapshot, 'link "Completed"') });
  const { code } = await agent.call('get_codegen_session', { sessionId, include: ['code'] });
  await agent.call('clear_codegen_session', { sessionId });

  const byHand = await agent.start({ title: 'Adds a task', url, use });
  const hands = await Hands.takeOver(people, 'Adds a task', url);
  const { page } = hands;
  await hands.mode('Record');
  await hands.click((copy) => copy.getByRole('textbox'));
  await expect(page.getByLabel('Text', { exact: true })).toBeFocused();
  await page.keyboard.type('Buy tea');
  await page.keyboard.press('Enter');
  await hands.steps(2);
  await hands.surface.press('Enter');
  await hands.steps(3);
  await hands.copy.getByRole('textbox').fill('Buy tea');
  await hands.copy.getByRole('textbox').press('Enter');
  await hands.click((copy) => copy.getByRole('checkbox').first());
  await hands.steps(4);
  await hands.click((copy) => copy.getByRole('link', { name: 'Completed' }));
  await hands.steps(5);
  await page.getByRole('button', { name: 'Return control' }).click();
  const recorded = { sessionId: byHand.sessionId, include: ['code'] };
  expect((await agent.call('get_codegen_session', recorded)).code).toBe(code);
  const log = await people.log();
  expect(log).toMatch(/"action":"take over"/);
  expect(log).toMatch(/"action":"record fill"/);
  expect(log).not.toContain('Buy tea');
});

test('a whole test is recorded by hand: login, drag, upload, dialog, popup and frame', async ({
  people,
  pages,
}) => {
  test.setTimeout(240_000);
  const { agent, workspace } = people;
  await writeFile(path.join(workspace, 'photo.txt'), 'smiling');
  const options = { title: 'Joins', url: `${pages.url}/onboarding.html`, use: { viewport } };
  const { sessionId, snapshot } = await agent.start(options);
  const ref = (line: string) => refOf(snapshot, line);
  const { failed } = await agent.record(
    sessionId,
    { action: 'fill', target: ref('textbox "User"'), value: 'Ann' },
    { action: 'fill', target: ref('textbox "Password"'), value: '{{secret:SHOP_PASSWORD}}' },
    { action: 'click', target: ref('button "Sign in"') },
    { action: 'dragTo', target: ref('listitem'), to: ref('list "Done"') },
    { action: 'setInputFiles', target: ref('button "Photo"'), files: ['photo.txt'] },
    { action: 'onDialog', accept: true },
    { action: 'click', target: ref('button "Accept the terms"') },
    { action: 'click', target: ref('button "Subscribe"') },
    { action: 'click', target: ref('button "Open the help"') },
    { action: 'switchPage', page: 'p2' },
    { action: 'click', target: "getByRole('button', { name: 'Chat' })" },
  );
  expect(failed).toBeUndefined();
  const { code } = await agent.call('get_codegen_session', { sessionId, include: ['code'] });
  await agent.call('clear_codegen_session', { sessionId });

  await agent.start(options);
  const hands = await Hands.takeOver(people, options.title, options.url);
  const { page, copy } = hands;
  const record = page.getByRole('button', { name: 'Record', exact: true }).last();
  await hands.mode('Record');
  await hands.click(() => copy.getByLabel('User'));
  await page.getByLabel('Text', { exact: true }).fill('Ann');
  await record.click();
  await hands.steps(2);
  await hands.click(() => copy.getByLabel('Password'));
  await expect(page.getByText('Only secrets of the configuration')).toBeVisible();
  await expect(page.getByRole('textbox', { name: 'Text', exact: true })).toBeHidden();
  await page.getByRole('combobox').selectOption('SHOP_PASSWORD');
  await record.click();
  await hands.steps(3);
  await expect.poll(() => hands.colourOf(() => copy.getByLabel('Password'))).toBe('mask');
  await hands.click(() => copy.getByRole('button', { name: 'Sign in' }));
  await hands.steps(4);
  const [sourcePosition, targetPosition] = [
    await hands.placeOf(() => copy.getByText('Read the handbook')),
    await hands.placeOf(() => copy.getByRole('list', { name: 'Done' })),
  ];
  await hands.surface.dragTo(hands.surface, { sourcePosition, targetPosition });
  await hands.steps(5);
  await copy.getByText('Read the handbook').dragTo(copy.getByRole('list', { name: 'Done' }));
  await hands.click(() => copy.getByLabel('Photo'));
  await page.getByLabel('File, relative to the workspace').fill('photo.txt');
  await record.click();
  await hands.steps(6);
  await hands.click(() => copy.getByRole('button', { name: 'Accept the terms' }));
  await page.getByRole('group', { name: 'Open dialog' }).getByRole('button', { name: 'Accept' }).click();
  await hands.steps(8);
  await hands.click(() => copy.frameLocator('iframe').getByRole('button'));
  await hands.steps(9);
  await hands.click(() => copy.getByRole('button', { name: 'Open the help' }));
  await page.getByRole('button', { name: 'Switch to page p2' }).click();
  await copy.goto(`${pages.url}/frame-button.html?label=Chat`);
  await hands.steps(11);
  await hands.click(() => copy.getByRole('button'));
  await hands.steps(12);
  await page.getByRole('button', { name: 'Return control' }).click();
  await page.getByRole('button', { name: 'End and write the test' }).click();
  await expect(page.getByText('verification: passed')).toBeVisible({ timeout: 60_000 });
  expect(await readFile(path.join(workspace, 'generated-tests/joins.spec.ts'), 'utf8')).toBe(code);

  // The report of the verification, which ran with the secret.
  await page.getByRole('button', { name: 'Show the report' }).click();
  const report = page.frameLocator('iframe');
  await expect(report.getByRole('heading', { name: 'Joins' })).toBeVisible();
  await expect(report.getByRole('heading', { name: 'Step 11' })).toBeVisible();
  await expect(report.getByRole('main')).toHaveCSS('max-width', '960px');
  await expect(report.locator('body')).not.toContainText('correct horse battery');
  await expect(page.getByTitle('Report of the verification')).toHaveAttribute('sandbox', '');
  await page.getByRole('link', { name: 'Tests' }).click();
  const entry = page.getByRole('listitem').filter({ hasText: 'joins.spec.ts' });
  await entry.getByRole('button', { name: 'Show the report' }).click();
  await expect(report.getByRole('heading', { name: 'Joins' })).toBeVisible();
  await entry.getByRole('button', { name: 'Trace' }).click();
  await expect(entry.getByRole('alert')).toContainText('uses secrets, which a trace would show');
});

test('a person answers dialogs and file choosers, recorded and not', async ({ people, pages }) => {
  const { workspace } = people;
  test.setTimeout(120_000);
  await writeFile(path.join(workspace, 'photo.txt'), 'smiling');
  await configure(workspace, {
    autoAssert: true,
    browser: { actionTimeoutMs: 2000 },
    secrets: ['SHOP_PASSWORD'],
  });
  const url = `${pages.url}/dialogs.html`;
  await people.agent.start({ title: 'Answers', url, use: { viewport } });
  const hands = await Hands.takeOver(people, 'Answers', url);
  const { page, copy } = hands;
  const steps = page.getByRole('region', { name: 'Steps' });
  const dialog = page.getByRole('group', { name: 'Open dialog' });

  // In control, nothing is recorded.
  await hands.click(() => copy.getByRole('button', { name: 'Prompt' }));
  await expect(dialog).toContainText('The page has opened a dialog (prompt): ');
  await dialog.getByLabel('Answer').fill('Bea');
  await dialog.getByRole('button', { name: 'Accept' }).click();
  await expect(dialog).toBeHidden();
  await hands.click(() => copy.getByRole('button', { name: 'Password' }));
  await expect(dialog).toContainText('Is {{secret:SHOP_PASSWORD}} your password?');
  await dialog.getByRole('button', { name: 'Dismiss' }).click();
  await expect(dialog).toBeHidden();
  await hands.mode('Assert');
  await hands.click(() => copy.getByRole('status'));
  await page.getByRole('button', { name: 'toHaveText name: Bea' }).click();
  await hands.steps(2);

  // A person may read for longer than an action may take.
  await hands.mode('Record');
  await hands.click(() => copy.getByRole('button', { name: 'Confirm', exact: true }));
  await expect(dialog).toContainText('Delete everything?');
  const since = performance.now();
  expect(await violations(page)).toEqual([]);
  await expect.poll(() => performance.now() - since).toBeGreaterThan(3000);
  await dialog.getByRole('button', { name: 'Dismiss' }).click();
  await hands.steps(4);
  await expect(steps.getByText('.toHaveText("kept")')).toBeVisible();
  await hands.click(() => copy.getByRole('button', { name: 'Prompt' }));
  await dialog.getByLabel('Answer').fill('Cleo');
  await dialog.getByRole('button', { name: 'Accept' }).click();
  await hands.steps(6);
  await expect(steps.getByText('.toHaveText("name: Cleo")')).toBeVisible();
  await page.getByText('Dialogs (4)').click();
  await expect(page.getByText('confirm: Delete everything? (dismissed)')).toBeVisible();

  await page.getByLabel('Address').fill(`${pages.url}/files.html`);
  await page.getByRole('button', { name: 'Go to it' }).click();
  await hands.steps(7);
  await copy.goto(`${pages.url}/files.html`);
  const button = () => copy.getByRole('button', { name: 'Choose a picture' });
  await hands.click(button);
  const file = page.getByLabel('File, relative to the workspace');
  await expect(file).toBeFocused();
  await hands.steps(7);
  expect(await violations(page)).toEqual([]);
  await file.fill('../photo.txt');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert')).toBeVisible();
  await file.fill('photo.txt');
  await page.keyboard.press('Enter');
  await hands.steps(8);
  await expect(steps.getByRole('listitem').last()).toContainText('fileChooser.setFiles(');
  await expect(steps.getByText('.toHaveText("photo.txt: smiling")')).toBeVisible();

  await hands.mode('Control');
  await writeFile(path.join(workspace, 'photo.txt'), 'frowning');
  await hands.click(button);
  await page.getByLabel('The page asks for a file').fill('photo.txt');
  expect(await violations(page)).toEqual([]);
  await page.getByRole('button', { name: 'Choose' }).click();
  await expect(page.getByLabel('The page asks for a file')).toBeHidden();
  await hands.mode('Assert');
  await hands.click(() => copy.getByRole('status'));
  await expect(page.getByRole('button', { name: 'toHaveText photo.txt: frowning' })).toBeVisible();
  const log = await people.log();
  expect(log).toMatch(/"action":"answer dialog",.*"accept":true/);
  expect(log).toMatch(/"action":"choose file",.*"file":"photo\.txt"/);
  expect(log).not.toContain('Cleo');
});

test('picking shows the locator, and asserting offers matchers with current values', async ({
  people,
  pages,
}) => {
  const { agent } = people;
  const tall = { width: viewport.width, height: 1000 };
  await agent.start({ title: 'Looks', url: `${pages.url}/todo.html`, use: { viewport: tall } });
  const hands = await Hands.takeOver(people, 'Looks', `${pages.url}/todo.html`);
  const { page, copy } = hands;
  await copy.setViewportSize(tall);
  await hands.mode('Pick');
  await hands.click((copy) => copy.getByRole('button', { name: 'Clear completed' }));
  await expect(
    page.getByRole('status').getByText('getByRole("button", { name: "Clear completed" })'),
  ).toBeVisible();
  await hands.steps(1);
  await hands.mode('Assert');
  await hands.click((copy) => copy.getByRole('checkbox').first());
  await page.getByRole('button', { name: 'not toBeChecked' }).click();
  await hands.steps(2);
  await hands.click((copy) => copy.getByText('items left'));
  await page.getByRole('button', { name: 'toHaveText 2 items left' }).click();
  await hands.steps(3);
  await expect(page.getByText('.toHaveText("2 items left")')).toBeVisible();

  await hands.mode('Record');
  await page.getByLabel('Address').fill(`${pages.url}/widgets.html`);
  await page.getByRole('button', { name: 'Go to it' }).click();
  await hands.steps(4);
  await copy.goto(`${pages.url}/widgets.html`);
  await hands.mode('Assert');
  const offered = page.getByRole('group', { name: 'Matchers that fit' }).getByRole('button');
  const ofPage = ['toHaveTitle Widgets', `toHaveURL ${pages.url}/widgets.html`];
  const control = ['toBeVisible', 'toBeEnabled', ...ofPage];
  const table: [find: () => Locator, fitting: string[]][] = [
    [
      () => copy.getByRole('button', { name: 'What is it?' }),
      ['toHaveText What is it?', 'toHaveAttribute aria-expanded false', ...control],
    ],
    [
      () => copy.getByRole('button', { name: 'Mute' }),
      ['toHaveText Mute', 'toHaveAttribute aria-pressed false', ...control],
    ],
    [() => copy.getByRole('switch'), ['not toBeChecked', ...control]],
    [() => copy.getByRole('radio').first(), ['toBeChecked', ...control]],
    [
      () => copy.getByRole('tab').first(),
      ['toHaveText Nils Frahm', 'toHaveAttribute aria-selected true', ...control],
    ],
    [() => copy.getByRole('heading', { name: 'Widgets' }), ['toHaveText Widgets', 'toBeVisible', ...ofPage]],
    [() => copy.getByText('Banana'), ['toHaveText Banana', 'toHaveCount 3', 'toBeVisible', ...ofPage]],
    [
      () => copy.getByRole('button', { name: 'Order' }),
      ['toHaveText Order', 'toBeVisible', 'toBeDisabled', ...ofPage],
    ],
    [() => copy.getByRole('combobox', { name: 'Size' }), ['toHaveValue Small', ...control]],
  ];
  for (const [find, fitting] of table) {
    await hands.click(find);
    await expect(offered).toHaveText(fitting);
    expect(await violations(page)).toEqual([]);
  }
  for (const [index, [find, [own = '']]] of table.entries()) {
    await hands.click(find);
    await offered.filter({ hasText: own }).first().click();
    await hands.steps(5 + index);
  }
  // The text of an element is not part of its locator, so that the test can fail.
  const banana = page.getByRole('code').filter({ hasText: '.toHaveText("Banana")' });
  await expect(banana).not.toHaveText(/Banana.*Banana/);
  for (const name of ['toHaveCount 3', 'toHaveTitle Widgets']) {
    await hands.click(() => copy.getByText('Banana'));
    await offered.filter({ hasText: name }).click();
    await expect(offered).toHaveCount(0);
  }
  await hands.steps(15);
});

test('in control, mouse, keyboard and paste go to the page unrecorded, and calls wait until it is given back', async ({
  people,
  pages,
}) => {
  const { agent } = people;
  const { sessionId } = await agent.start({
    title: 'Helps',
    url: `${pages.url}/todo.html`,
    use: { viewport },
  });
  const hands = await Hands.takeOver(people, 'Helps', `${pages.url}/todo.html`);
  const { page } = hands;
  await hands.click((copy) => copy.getByRole('textbox'));
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.evaluate(() => navigator.clipboard.writeText('Buy '));
  await page.keyboard.press('Control+V');
  await page.keyboard.type('t');
  // A key that Playwright does not know.
  await hands.surface.dispatchEvent('keydown', { key: 'ä' });
  await page.keyboard.press('Enter');
  let isAnswered = false;
  const call = agent
    .call('get_codegen_session', { sessionId, include: ['snapshot'] })
    .finally(() => (isAnswered = true));
  await hands.mode('Pick');
  await hands.click((copy) => copy.getByRole('checkbox').first());
  await expect(page.getByRole('status').getByText('getByRole')).toBeVisible();
  expect(isAnswered).toBe(false);
  await page.getByRole('button', { name: 'Return control' }).click();
  expect((await call).snapshot).toContain('Buy tä');
  await hands.steps(1);
  const log = await people.log();
  expect(log).toMatch(/"operator":"local","role":"operator","action":"click by hand","session":"[\w-]+"/);
  expect(log).toMatch(/"action":"release","session":"[\w-]+","inputs":\d+/);
});

test('a person who leaves gives the session back, and nobody else can take it meanwhile', async ({
  people,
  pages,
}) => {
  const { agent } = people;
  const { sessionId } = await agent.start({
    title: 'Waits',
    url: `${pages.url}/todo.html`,
    use: { viewport },
  });
  const hands = await Hands.takeOver(people, 'Waits', `${pages.url}/todo.html`);
  const other = await people.person();
  await other.getByRole('link', { name: 'Waits' }).click();
  await expect(other.getByRole('application')).toBeVisible();
  await hands.page.context().close();
  await other.goto('about:blank');
  const started = performance.now();
  expect((await agent.call('get_codegen_session', { sessionId })).error).toBeUndefined();
  expect(performance.now() - started).toBeLessThan(25_000);
});
