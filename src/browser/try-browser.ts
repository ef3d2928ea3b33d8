import type { LaunchOptions } from 'playwright';
import { messageOf } from '../model/errors.js';
import type { BrowserName } from '../model/use.js';

/** Milliseconds that a browser may take to start. */
const startLimitMs = 60_000;

/** Characters of a failure to start that are repeated. */
const shownLength = 400;

/** Starts a browser headless and closes it. Gives the milliseconds that it took, or why it does not start. */
export async function tryBrowser(
  name: BrowserName,
  options: LaunchOptions,
): Promise<{ milliseconds: number } | { problem: string }> {
  const playwright = await import('playwright');
  const start = performance.now();
  try {
    const browser = await playwright[name].launch({ ...options, timeout: startLimitMs });
    await browser.close();
    return { milliseconds: Math.round(performance.now() - start) };
  } catch (error) {
    // Playwright frames its advice in box-drawing characters.
    return {
      problem: messageOf(error)
        .replace(/[║╔╗╚╝═\s]+/g, ' ')
        .slice(0, shownLength),
    };
  }
}
