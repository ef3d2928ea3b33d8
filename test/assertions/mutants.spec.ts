import { writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import type { Page } from '@playwright/test';
import { expect, test } from '../fixtures.js';
import { mutantFlows } from './mutant-flows.js';

/** Milliseconds that an emitted assertion waits on these pages, which answer at once. */
const patienceMs = 700;
const dayMs = 86_400_000;

for (const { page: name, title, actions, mutants } of mutantFlows)
  test(`automatic assertions catch the mutants of ${name}`, async ({ shared, pages, browser }, testInfo) => {
    await shared.configure({ autoAssert: true });
    const url = `${pages.url}/${name}`;
    const { sessionId } = await shared.start({ title, url, options: { language: 'javascript' } });
    for (const action of actions) expect((await shared.record(sessionId, action)).failed).toBeUndefined();
    const { testCode } = await shared.call('end_codegen_session', { sessionId, dryRun: true });
    const run = await functionOf(testCode, testInfo.outputPath('emitted.mjs'));
    const passes = (page: Page): Promise<boolean> =>
      run(page).then(
        () => true,
        () => false,
      );
    // The same test passes on other days.
    for (const days of [0, 40]) {
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.clock.setSystemTime(Date.now() + days * dayMs);
      expect(await passes(page), testCode).toBe(true);
      await context.close();
    }
    // A renderer process for each mutant would cost more than its run.
    const left = [...mutants];
    const passed: string[] = [];
    const tryNext = async (page: Page): Promise<void> => {
      const mutant = left.shift();
      if (mutant === undefined) return;
      await page.evaluate((name) => (window.name = name), mutant);
      if (await passes(page)) passed.push(mutant);
      await page.mouse.move(0, 0);
      await tryNext(page);
    };
    const tryMutants = async (): Promise<void> => {
      const context = await browser.newContext();
      context.setDefaultTimeout(5000);
      const page = await context.newPage();
      await page.addInitScript(() => Reflect.set(globalThis, 'mutant', window.name));
      await page.goto(url);
      await tryNext(page);
      await context.close();
    };
    await Promise.all([tryMutants(), tryMutants(), tryMutants()]);
    expect(passed, testCode).toEqual([]);
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
