import { writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser, type Page } from '@playwright/test';
import { findBrowser, launchOptions } from '../../src/browser/find-browser.js';
import { expect, test as base } from '../fixtures.js';
import { mutantFlows } from './mutant-flows.js';

/** Milliseconds that an emitted assertion waits on these pages, which answer at once. */
const patienceMs = 700;
const dayMs = 86_400_000;

const test = base.extend<object, { chrome: Browser }>({
  chrome: [
    async ({}, use) => {
      const found = await findBrowser();
      if (found === undefined) throw new Error('No browser: run `npm run browser`.');
      const browser = await chromium.launch(launchOptions(found));
      await use(browser);
      await browser.close();
    },
    { scope: 'worker' },
  ],
});

for (const { page: name, title, actions, mutants } of mutantFlows)
  test(`automatic assertions catch the mutants of ${name}`, async ({ shared, pages, chrome }, testInfo) => {
    await shared.configure({ autoAssert: true });
    const url = `${pages.url}/${name}`;
    const { sessionId } = await shared.start({ title, url, options: { language: 'javascript' } });
    for (const action of actions) expect((await shared.record(sessionId, action)).failed).toBeUndefined();
    const { testCode } = await shared.call('end_codegen_session', { sessionId, dryRun: true });
    const run = await functionOf(testCode, testInfo.outputPath('emitted.mjs'));
    const passes = async (mutant: string, daysAhead = 0): Promise<boolean> => {
      const context = await chrome.newContext();
      const page = await context.newPage();
      page.setDefaultTimeout(5000);
      await page.addInitScript((value) => Reflect.set(globalThis, 'mutant', value), mutant);
      if (daysAhead > 0) await page.clock.setSystemTime(Date.now() + daysAhead * dayMs);
      const isPassed = await run(page).then(
        () => true,
        () => false,
      );
      await context.close();
      return isPassed;
    };
    // The same test passes on other days.
    for (const days of [0, 2, 40]) expect(await passes('none', days), testCode).toBe(true);
    const passed = await Promise.all(mutants.map((mutant) => passes(mutant)));
    expect(
      mutants.filter((_, index) => passed[index]),
      testCode,
    ).toEqual([]);
  });

/** The emitted test as a function of the page. */
async function functionOf(source: string, file: string): Promise<(page: Page) => Promise<unknown>> {
  const run = source
    .replace(/^import .*\n/m, '')
    .replace(/^test\(.*, async \(\{ page \}\) => \{$/m, 'export async function run(page, expect) {')
    .replace(/\}\);\s*$/, '}\n');
  await writeFile(file, run);
  const emitted: unknown = await import(pathToFileURL(file).href);
  const body: unknown = Reflect.get(Object(emitted), 'run');
  if (typeof body !== 'function') throw new Error(`No test in:\n${source}`);
  return async (page) => {
    await Reflect.apply(body, undefined, [page, expect.configure({ timeout: patienceMs })]);
  };
}
