import type { Browser } from 'playwright';
import { browserNameSchema, type BrowserName } from '../model/use.js';

/** Permissions to read and write the clipboard; Firefox has none. */
export const scriptPermissions: Record<BrowserName, string[]> = {
  chromium: ['clipboard-read', 'clipboard-write'],
  webkit: ['clipboard-read'],
  firefox: [],
};

/** Permissions to write to the clipboard after a click, which headed browsers allow anyway. */
export const copyPermissions: Record<BrowserName, string[]> = {
  chromium: ['clipboard-write'],
  webkit: [],
  firefox: [],
};

export function engineOf(browser: Browser | null): BrowserName {
  return browserNameSchema.catch('chromium').parse(browser?.browserType().name());
}
