import type { Browser } from 'playwright';
import { browserNameSchema, type BrowserName } from '../model/use.js';

/** What a script needs to use the clipboard; Firefox knows no such permission. */
export const scriptPermissions: Record<BrowserName, string[]> = {
  chromium: ['clipboard-read', 'clipboard-write'],
  webkit: ['clipboard-read'],
  firefox: [],
};

/** What lets a page fill the clipboard when it is clicked, as it may in a browser that has a window. */
export const copyPermissions: Record<BrowserName, string[]> = {
  chromium: ['clipboard-write'],
  webkit: [],
  firefox: [],
};

/** Which of the browsers it is. */
export function engineOf(browser: Browser | null): BrowserName {
  return browserNameSchema.catch('chromium').parse(browser?.browserType().name());
}
