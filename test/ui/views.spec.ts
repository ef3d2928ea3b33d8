import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Page } from '@playwright/test';
import { configure, expect } from '../fixtures.js';
import { colourIn, test, violations } from './people.js';

const viewport = { width: 640, height: 480 };

test('a person watches a session: its steps as they land, its picture, its test, and ends it', async ({
  people: { agent, person, workspace, log },
  pages,
}) => {
  const page = await person();
  const { sessionId } = await agent.start({ title: 'Adds <b>milk</b>', url: `${pages.url}/todo.html` });
  await expect(page.getByRole('img', { name: 'The page of Adds <b>milk</b>' })).toBeVisible();
  await page.getByRole('link', { name: 'Adds <b>milk</b>' }).click();
  await expect(page.getByRole('heading', { name: 'Adds <b>milk</b>', level: 1 })).toBeVisible();
  const picture = page.getByRole('img', { name: 'The live page of' });
  await expect(picture).toBeVisible();
  const before = await picture.getAttribute('src');

  const steps = page.getByRole('region', { name: 'Steps' });
  await expect(steps.getByRole('listitem')).toHaveCount(1);
  const target = "getByRole('textbox')";
  const { failed } = await agent.record(sessionId, {
    action: 'fill',
    target,
    value: 'Milk',
    note: 'What to buy',
  });
  expect(failed).toBeUndefined();
  await expect(steps.getByText('.fill("Milk")')).toBeVisible();
  await expect(steps.getByText('What to buy')).toBeVisible();
  await expect.poll(() => picture.getAttribute('src')).not.toBe(before);
  for (const step of [0, 1])
    await expect(
      steps
        .getByRole('listitem')
        .nth(step)
        .getByRole('img', { name: `The page after step ${step}` }),
    ).toBeVisible();

  await page.getByRole('button', { name: 'Show the test' }).click();
  const code = page.getByRole('region', { name: 'The test ', exact: false });
  await expect(code).toContainText('test("Adds <b>milk</b>"');
  await expect(page.getByRole('region', { name: 'Changes to the file' })).toContainText('+++ ');
  expect(await violations(page)).toEqual([]);

  await page.getByRole('button', { name: 'End and write the test' }).click();
  await expect(page.getByText('ended')).toBeVisible();
  const written = await readFile(path.join(workspace, 'generated-tests/adds-b-milk-b.spec.ts'), 'utf8');
  expect(written).toBe(await code.textContent());
  // The line is written after the test.
  await expect.poll(log).toMatch(/"operator":"local".*"action":"end".*adds-b-milk-b\.spec\.ts/);

  // Once more, from the list.
  await page.getByRole('link', { name: 'Sessions' }).click();
  await page.getByRole('button', { name: 'Resume: Adds <b>milk</b>' }).click();
  await expect(page.getByText('open', { exact: true })).toBeVisible();
  await expect(steps.getByText('.fill("Milk")')).toBeVisible();
  await expect.poll(log).toMatch(/"action":"resume".*"resumed":"/);
  await page.getByRole('link', { name: 'Sessions' }).click();
  await page.getByRole('button', { name: 'Clear: Adds <b>milk</b>' }).click();
  await page.getByRole('button', { name: 'Yes, discard its steps: Adds <b>milk</b>' }).click();
  await expect(page.getByRole('listitem')).toHaveCount(1);
  expect(await violations(page)).toEqual([]);
});

test('thumbnails follow the page, and mask what a picture must not show', async ({
  people: { agent, person, visitor },
  pages,
}) => {
  const options = { title: 'Lands', url: `${pages.url}/landing.html`, use: { viewport } };
  const { sessionId } = await agent.start(options);
  const page = await person();
  const thumbnail = page.getByRole('img', { name: 'The page of Lands' });
  await expect(thumbnail).toBeVisible();
  await agent.record(sessionId, { action: 'goto', url: `${pages.url}/login.html` });
  const { left, top } = await passwordPlace(await visitor(), `${pages.url}/login.html`);
  await expect.poll(() => colourIn(thumbnail, left, top), { timeout: 15_000 }).toBe('mask');
  await page.getByRole('link', { name: 'Lands' }).click();
  const ofStep = page.getByRole('img', { name: 'The page after step 1' });
  await expect(ofStep).toBeVisible();
  expect(await colourIn(ofStep, left, top)).toBe('mask');
});

test.describe('after the idle timeout', () => {
  test.use({ config: { browser: { idleTimeoutMs: 1500 } } });

  test('an unfinished session is resumed from the list', async ({ people: { agent, person }, pages }) => {
    const { sessionId } = await agent.start({ title: 'Idles', url: `${pages.url}/todo.html` });
    await agent.record(sessionId, { action: 'fill', target: "getByRole('textbox')", value: 'Milk' });
    const page = await person();
    await page.getByRole('button', { name: 'Resume: Idles' }).click();
    await expect(page).toHaveURL(/#\/sessions\/(?!$)/);
    expect(page.url()).not.toContain(sessionId);
    await expect(page.getByRole('region', { name: 'Steps' }).getByText('.fill("Milk")')).toBeVisible();
  });
});

/** The middle of the password field of a page, as parts of its width and height. */
async function passwordPlace(page: Page, url: string): Promise<{ left: number; top: number }> {
  await page.setViewportSize(viewport);
  await page.goto(url);
  const { x, y, width, height } = (await page.getByLabel('Password').boundingBox()) ?? {
    x: 0,
    y: 0,
    width: 0,
    height: 0,
  };
  return { left: (x + width / 2) / 640, top: (y + height / 2) / 480 };
}

test("a session without steps says why it can't be ended", async ({ people: { agent, person } }) => {
  await agent.start({ title: 'Empty' });
  const page = await person();
  await page.getByRole('link', { name: 'Empty' }).click();
  await expect(page.getByText('Nothing is recorded yet.')).toBeVisible();
  await expect(page.getByRole('button', { name: 'End and write the test' })).toBeHidden();
  await page.goto(`${page.url()}x`);
  await expect(page.getByRole('alert')).toContainText('There is no session');
});

test('a person sees exactly what would be written, and approves it once or declines it', async ({
  people: { agent, person, workspace, log },
  pages,
}) => {
  await configure(workspace, {
    policy: {
      version: '1',
      default: 'allow',
      tools: { end_codegen_session: { action: 'require_approval', reason: 'Tests are reviewed.' } },
    },
  });
  const page = await person();
  await page.getByRole('link', { name: 'Approvals' }).click();
  await expect(page.getByText('No call is pending approval.')).toBeVisible();
  const { sessionId } = await agent.start({ title: 'Lands', url: `${pages.url}/landing.html` });
  const end = () => agent.call('end_codegen_session', { sessionId });

  expect((await end()).error?.code).toBe('APPROVAL_REQUIRED');
  const request = page.getByRole('listitem').filter({ hasText: 'pending' });
  await expect(request).toContainText('Tests are reviewed.');
  await expect(request.getByRole('region')).toContainText('+test("Lands"');
  await request.getByLabel('Reason to decline').fill('Wrong title');
  expect(await violations(page)).toEqual([]);
  await request.getByRole('button', { name: 'Decline' }).click();
  await expect(page.getByText('declined')).toBeVisible();
  expect((await end()).error).toMatchObject({ code: 'POLICY_DENIED', message: /Wrong title/ });

  await agent.record(sessionId, { action: 'reload' });
  expect((await end()).error?.code).toBe('APPROVAL_REQUIRED');
  await page.getByRole('button', { name: 'Approve once' }).click();
  await expect(page.getByText('approved', { exact: true })).toBeVisible();
  expect((await end()).error).toBeUndefined();
  await expect(page.getByText('used', { exact: true })).toBeVisible();
  expect(await log()).toMatch(
    /"operator":"local".*"action":"approve","approval":"\w+","tool":"end_codegen_session"/,
  );
});

test('a person reads and filters the log, with decisions of a dry run, and verifies its chain', async ({
  alone: { agent, person, workspace },
}) => {
  const clear_codegen_session = { action: 'deny', enforce: false };
  await configure(workspace, {
    policy: { version: '1', default: 'allow', tools: { clear_codegen_session } },
  });
  await agent.call('get_codegen_session');
  await agent.call('clear_codegen_session', { sessionId: 'none' });
  const page = await person();
  await page.getByRole('link', { name: 'Activity' }).click();
  const rows = page.getByRole('row');
  await expect(rows.filter({ hasText: 'SESSION_NOT_FOUND' })).toHaveCount(1);
  await page.getByLabel('Filter').fill('get_codegen allowed');
  await expect(rows).toHaveCount(2);
  await page.getByLabel('Filter').fill('');
  await page.getByLabel('Only decisions of dry runs').check();
  await expect(rows).toHaveCount(2);
  await expect(rows.last()).toContainText('Dry run: would be denied by tools.clear_codegen_session.action');
  await page.getByLabel('Only decisions of dry runs').uncheck();
  // The filter applies to lines that come later.
  await page.getByLabel('Tool').selectOption('get_codegen_session');
  await page.getByLabel('Decision', { exact: true }).selectOption('allowed');
  await page.getByLabel('Time').selectOption('last 10 minutes');
  await expect(rows).toHaveCount(2);
  const { sessionId } = await agent.start({ title: 'Logs' });
  await agent.call('get_codegen_session', { sessionId });
  await expect(rows).toHaveCount(3);
  await page.getByLabel('Session').selectOption(sessionId);
  await expect(rows).toHaveCount(2);
  await page.getByLabel('Grant').selectOption({ index: 1 });
  await expect(rows).toHaveCount(2);
  await page.getByLabel('Tool').selectOption('clear_codegen_session');
  await expect(page.getByText('No lines match.')).toBeVisible();
  await page.getByRole('button', { name: 'Verify the chain' }).click();
  await expect(page.getByText('The chain is intact')).toBeVisible();
  expect(await violations(page)).toEqual([]);

  const file = path.join(workspace, '.codegen/audit.jsonl');
  await writeFile(file, (await readFile(file, 'utf8')).replace('get_codegen_session', 'end_codegen_session'));
  await page.getByRole('button', { name: 'Verify the chain' }).click();
  await expect(page.getByText(/was altered/).first()).toBeVisible();
});

test('an operator edits a policy that has a file of its own, and sees the change before it is saved', async ({
  people: { agent, person, workspace, log },
}) => {
  const file = path.join(workspace, 'policy.json');
  const comment = '// Reviewed by Ann.\n';
  await writeFile(file, `${comment}{ "version": "1", "default": "allow" }\n`, { mode: 0o640 });
  await configure(workspace, { policy: 'policy.json' });
  await agent.call('get_codegen_session');
  const page = await person();
  await page.getByRole('link', { name: 'Policy' }).click();
  await page.getByRole('button', { name: 'Edit policy.json' }).click();
  const text = page.getByLabel('Text of policy.json');
  const change = page.getByRole('region', { name: 'Changes to policy.json' });
  const save = page.getByRole('button', { name: 'Save' });

  await text.fill('{ "version": "1", "defaults": "deny" }');
  await page.getByRole('button', { name: 'Show the change' }).click();
  await expect(page.getByRole('alert')).toContainText('defaults');
  await expect(save).toBeHidden();
  const changed = `${comment}{ "version": "1", "default": "allow", "hide": ["get_*"] }\n`;
  await text.fill(changed);
  await page.getByRole('button', { name: 'Show the change' }).click();
  await expect(change).toContainText('+{ "version": "1", "default": "allow", "hide": ["get_*"] }');
  expect(await violations(page)).toEqual([]);

  // Somebody else is faster.
  await writeFile(file, `${comment}{ "version": "1", "default": "deny" }\n`);
  await save.click();
  await expect(page.getByRole('alert')).toContainText('The file has changed in the meantime.');
  await page.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('button', { name: 'Edit policy.json' }).click();
  await text.fill(changed);
  await page.getByRole('button', { name: 'Show the change' }).click();
  await save.click();
  await expect(page.getByText('The policy is in effect.')).toBeVisible();
  await expect(page.getByRole('listitem').filter({ hasText: 'get_codegen_session' })).toContainText('hidden');
  expect(await readFile(file, 'utf8')).toBe(changed);
  expect((await stat(file)).mode & 0o777).toBe(0o640);
  expect((await agent.call('get_codegen_session')).error?.code).toBe('POLICY_DENIED');
  expect(await log()).toMatch(
    /"operator":"local","role":"operator","action":"edit policy","policyOf":"\w+","file"/,
  );
  expect(await log()).toMatch(/"action":"edit policy".*"error":"REFUSED"/);
});

test('a policy that is part of the configuration is not edited in the web UI', async ({
  people: { person, workspace },
}) => {
  const page = await person();
  await page.getByRole('link', { name: 'Policy' }).click();
  await expect(page.getByText('This policy is part of the configuration.')).toBeVisible();
  const answer = page.waitForResponse('**/policy/save');
  await page.evaluate(async () => {
    const body = JSON.stringify({ grant: 'agent', text: '{ "version": "1" }', hash: '' });
    const headers = {
      'Content-Type': 'application/json',
      'X-Codegen-Page': localStorage.getItem('codegen-page-key') ?? '',
    };
    await fetch('/ui/api/policy/save', { method: 'POST', headers, body });
  });
  expect((await answer).status()).toBe(404);
  expect(await readFile(path.join(workspace, 'codegen.config.json'), 'utf8')).not.toContain('"version"');
});

test('a person reads the policy in plain words, sees how full its limits are, and tries a call', async ({
  people: { agent, person, workspace },
}) => {
  await configure(workspace, {
    policy: {
      version: '1',
      default: 'allow',
      tools: {
        get_codegen_session: { rate_limit: { max: 10, window: 'hour' } },
        clear_codegen_session: { action: 'deny', reason: 'Nobody clears.' },
      },
    },
  });
  await agent.call('get_codegen_session');
  const page = await person();
  await page.getByRole('link', { name: 'Policy' }).click();
  const tool = page.getByRole('listitem').filter({ hasText: 'clear_codegen_session' });
  await expect(tool).toContainText('denied');
  await expect(tool).toContainText('write');
  await expect(page.getByRole('meter', { name: 'get_codegen_session: 1 of 10' })).toBeVisible();
  await expect(page.getByText('get_codegen_session: 1 of 10').getByRole('time')).not.toBeEmpty();
  await page.getByLabel('Tool', { exact: true }).selectOption('clear_codegen_session');
  await page.getByRole('button', { name: 'Try', exact: true }).click();
  await expect(page.getByText('Nobody clears.').last()).toBeVisible();
  await expect(page.getByRole('status')).toContainText('denied by tools.clear_codegen_session');
  await page.getByLabel('Arguments').fill('{');
  await page.getByRole('button', { name: 'Try', exact: true }).click();
  await expect(page.getByRole('alert')).toContainText('Enter the arguments as JSON.');
  expect(await violations(page)).toEqual([]);
});

test("a person sees how a test was verified, runs it, reads why it failed, and opens Playwright's report", async ({
  people: { agent, person, visitor, workspace, log },
  pages,
}) => {
  await configure(workspace, {
    secrets: ['SHOP_PASSWORD'],
    verify: { mode: 'require', sensitivity: 'full' },
  });
  const url = `${pages.url}/login.html`;
  const { sessionId } = await agent.start({ title: 'Lands', url, use: { viewport } });
  const target = "getByLabel('User')";
  await agent.record(
    sessionId,
    { action: 'fill', target, value: 'Ann' },
    { action: 'expect', target, matcher: 'toHaveValue', expected: 'Ann' },
  );
  const { filePath } = await agent.call('end_codegen_session', { sessionId });
  const page = await person();
  await page.getByRole('link', { name: 'Tests' }).click();
  const entry = page.getByRole('listitem').filter({ hasText: 'generated-tests/lands.spec.ts' });
  await expect(entry).toContainText('passed, 1 of 1 runs. Steps left out in turn: 2. It failed without 2');
  await expect(entry).not.toContainText('edited since');
  const code = await readFile(filePath, 'utf8');
  await writeFile(
    filePath,
    code.replace(/\}\);\s*$/, "  throw new Error('<b>one</b> ' + process['env'].SHOP_PASSWORD);\n});\n"),
  );
  await expect(entry).toContainText('edited since it was written');
  await entry.getByRole('button', { name: 'Run 5 times' }).click();
  await expect(entry.getByText('0 passed, 1 failed')).toBeVisible({ timeout: 60_000 });
  const why = entry.getByRole('region', { name: 'Why Lands failed' });
  await expect(why).toContainText('<b>one</b> {{secret:SHOP_PASSWORD}}');
  const picture = entry.getByRole('img', { name: 'The page when Lands failed' });
  await expect(picture).toBeVisible();
  const { left, top } = await passwordPlace(await visitor(), url);
  expect(await colourIn(picture, left, top)).toBe('mask');
  await entry.getByText('Snapshot of the page at the failure').click();
  await expect(entry.getByRole('region', { name: 'Snapshot' })).toContainText('heading "Sign in"');
  expect(await violations(page)).toEqual([]);
  await expect.poll(log).toContain('"action":"run"');

  await entry.getByRole('button', { name: 'Trace' }).click();
  const link = entry.getByRole('link', { name: 'Playwright’s report' });
  await expect(link).toBeVisible({ timeout: 60_000 });
  await expect.poll(log).toContain('"action":"trace","file":"generated-tests/lands.spec.ts"');
  const opening = page.waitForEvent('popup');
  await link.click();
  const report = await opening;
  await report.getByRole('link', { name: 'Lands' }).first().click();
  // What is run for a trace has no secrets, wherever it reads them.
  await expect(report.getByText('<b>one</b> undefined').first()).toBeVisible();
  await report.getByRole('link', { name: 'View Trace' }).first().click();
  await expect(report.getByText('login.html').first()).toBeVisible();
  const other = new URL(report.url());
  other.pathname = other.pathname.replace(/[0-9a-f]/, 'g');
  expect((await fetch(other)).status).toBe(404);
});

test('works from 400 px, in dark and light, and by the keyboard alone', async ({
  people: { agent, person },
  pages,
}) => {
  const title = `Narrow ${'title'.repeat(30)}`;
  const { sessionId } = await agent.start({ title, url: `${pages.url}/todo.html` });
  const fill = { action: 'fill', target: "getByRole('textbox')" };
  await agent.record(sessionId, { ...fill, value: 'long'.repeat(2500), note: 'note'.repeat(400) });
  const page = await person();
  await page.setViewportSize({ width: 400, height: 700 });
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    for (const view of ['Sessions', 'Approvals', 'Tests', 'Activity', 'Policy']) {
      await page.getByRole('link', { name: view }).click();
      await expect(page.getByRole('heading', { name: view, level: 1 })).toBeVisible();
      await expect(page.getByText('Loading…')).toBeHidden();
      expect(await violations(page), `${view} ${colorScheme}`).toEqual([]);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(width, view).toBeLessThanOrEqual(400);
    }
  }
  await page.goto('about:blank');
  await page.goBack();
  await expect(page.getByRole('heading', { name: 'Policy', level: 1 })).toBeVisible();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to the content' })).toBeFocused();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Sessions' })).toBeFocused();
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: 'Narrow' }).press('Enter');
  await expect(page.getByRole('heading', { name: 'Narrow', level: 1 })).toBeVisible();
  await expect(page.getByRole('img', { name: 'The live page of' })).toBeVisible();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await violations(page), `session ${colorScheme}`).toEqual([]);
  }
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(width).toBeLessThanOrEqual(400);
});
