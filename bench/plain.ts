// Runs statements with plain Playwright in the given order: plain.ts <json of baseURL and statements>. Prints the milliseconds.
import { compileFunction } from 'node:vm';
import { expect } from '@playwright/test';
import { chromium } from 'playwright';
import { z } from 'zod';
import { findBrowser, launchOptions } from '../src/browser/find-browser.js';

const found = await findBrowser();
if (found === undefined) throw new Error('No browser: run `npm run browser`.');
const schema = z.object({ baseURL: z.string(), statements: z.array(z.string()) });
const { baseURL, statements } = schema.parse(JSON.parse(process.argv[2] ?? ''));
const browser = await chromium.launch(launchOptions(found));
const page = await browser.newPage({ baseURL });
const before = performance.now();
for (const statement of statements) {
  process.stderr.write(`\nstatement\n`);
  const run = compileFunction(`return (async () => {\n${statement}\n})();`, ['page', 'expect']);
  await Reflect.apply(run, undefined, [page, expect]);
}
process.stderr.write('\nstatement\n');
console.log(performance.now() - before);
await browser.close();
