import { playwrightOf } from './pause.js';

/**
 * Makes the copy of Playwright Test that `file` imports connect to the Chromium at `url` instead of launching one.
 * Playwright Test has no option for that.
 */
export function connectInsteadOfLaunching(url: string, file: string): void {
  const { chromium } = playwrightOf(file);
  chromium.launch = () => chromium.connectOverCDP(url);
}
