import { createRequire } from 'node:module';
import type { BrowserType } from '@playwright/test';
import { z } from 'zod';

const playwrightSchema = z.custom<{ chromium: BrowserType }>(
  (value) => typeof value === 'function' && 'chromium' in value,
);

/**
 * Has the copy of Playwright Test that `file` imports connect to the Chromium at `url` instead of starting one: it has
 * no option for that.
 */
export function connectInsteadOfLaunching(url: string, file: string): void {
  const { chromium } = playwrightSchema.parse(createRequire(file)('@playwright/test'));
  chromium.launch = () => chromium.connectOverCDP(url);
}
