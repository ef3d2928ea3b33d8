import type { LaunchOptions } from 'playwright';
import { messageOf } from '../model/errors.js';
import type { BrowserName } from '../model/use.js';

/** Time-out for a browser to start. */
const startLimitMs = 60_000;

/** Maximum length of a reported launch error. */
const shownLength = 400;

/** Launches a browser in headless mode and closes it. Returns the duration, or why it does not start. */
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
    // Playwright draws a box around its advice.
    return {
      problem: messageOf(error)
        .replace(/[║╔╗╚╝═\s]+/g, ' ')
        .slice(0, shownLength),
    };
  }
}
