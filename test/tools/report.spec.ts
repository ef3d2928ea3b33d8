import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from '@playwright/test';
import { z } from 'zod';
import { giveUpSoon } from '../fixtures/give-up-soon.js';
import { expect, test, type Result } from '../fixtures.js';

const hostile = '<img src=x onerror=alert(1)>\'"&\u202e';

function reportOf(result: Result): string | undefined {
  return z.looseObject({ report: z.string().optional() }).parse(result['verification']).report;
}

/** The colour in the middle of the last field for a token, in the pictures of a report. */
async function colours(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    Array.from(document.images, (image) => {
      const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight).getContext('2d');
      canvas?.drawImage(image, 0, 0);
      const [red = 0, green = 0, blue = 0] = canvas?.getImageData(610, 80, 1, 1).data ?? [];
      return red > 200 && green < 60 && blue > 200 ? 'masked' : 'shown';
    }),
  );
}

test('a report shows steps, pictures without secrets, and what failed; it runs nothing', async ({
  shared: server,
  pages,
  page,
}) => {
  test.setTimeout(180_000);
  const { workspace } = server;
  await server.configure({ secrets: ['PASSWORD'] });
  await giveUpSoon(workspace);
  const { sessionId } = await server.start({ title: `Signs in ${hostile}`, url: `${pages.url}/login.html` });
  const landed = await server.record(
    sessionId,
    { action: 'fill', target: 'getByLabel("User")', value: hostile, note: `Who: ${hostile}` },
    { action: 'fill', target: 'getByLabel("Token")', value: '{{secret:PASSWORD}}' },
    { action: 'click', target: 'getByRole("button", { name: "Sign in" })' },
    { action: 'expect', target: 'getByRole("heading")', matcher: 'toHaveText', expected: 'Sign in' },
    {
      action: 'expect',
      matcher: 'toMatchAriaSnapshot',
      target: 'getByRole("heading")',
      expected: '- heading "Signed out"',
    },
  );
  expect(landed.failed).toBeUndefined();
  const end = (args: object) => server.call('end_codegen_session', { sessionId, ...args });
  // Nothing is left of a call that writes nothing.
  expect(reportOf(await end({ verify: 'require', include: ['report'] }))).toBeUndefined();
  await expect(readdir(path.join(workspace, '.codegen/artifacts'))).rejects.toThrow('ENOENT');
  const file = reportOf(await end({ verify: 'report', include: ['report'] }));
  expect(file).toBe(`.codegen/artifacts/report-${sessionId}.html`);

  const absolute = path.join(workspace, file ?? '');
  expect(await readFile(absolute, 'utf8')).not.toContain('correct horse');
  const outside: string[] = [];
  page.on('request', (request) => outside.push(request.url()));
  page.on('dialog', (dialog) => outside.push(dialog.message()));
  await page.goto(pathToFileURL(absolute).href);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(
    `Signs in ${hostile.replace('\u202e', '\\u{202e}')}`,
  );
  const steps = page.getByRole('listitem').filter({ has: page.getByRole('heading', { level: 3 }) });
  await expect(steps).toHaveCount(6);
  await expect(steps.nth(1)).toContainText('Who: <img src=x onerror=alert(1)>');
  await expect(steps.nth(1).getByRole('heading')).toHaveText(/Step 1 \d+\.\d s/);
  await expect(steps.nth(5)).toContainText('Signed out');
  await expect(steps.nth(5).getByText('The page at the failure')).toBeVisible();
  await expect(page.getByText('failed', { exact: true })).toBeVisible();
  // Before each step, and at the end.
  await expect(page.getByRole('img')).toHaveCount(7);
  expect(await colours(page)).toEqual(['shown', 'shown', 'shown', ...Array<string>(4).fill('masked')]);
  const { AxeBuilder } = await import('@axe-core/playwright');
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
  expect(outside.filter((url) => !url.startsWith('file:') && !url.startsWith('data:'))).toEqual([]);
});
