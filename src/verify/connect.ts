import { playwrightOf } from './pause.js';

/**
 * Has the copy of Playwright Test that `file` imports connect to the Chromium at `url` instead of starting one: it has
 * no option for that.
 */
export function connectInsteadOfLaunching(url: string, file: string): void {
  const { chromium } = playwrightOf(file);
  chromium.launch = () => chromium.connectOverCDP(url);
}
