import type { BrowserChoice } from '../browser/browser-choice.js';
import type { Config } from '../config/schema.js';
import type { Use } from '../model/use.js';

/** The browser that a session wants; what its `use` does not say is as configured. */
export function browserChoice(browser: Config['browser'], use: Use = {}): BrowserChoice {
  return {
    name: use.browserName ?? browser.name,
    headless: use.headless ?? browser.headless,
    channel: browser.channel,
    executablePath: browser.executablePath,
    endpoints: [browser.endpoint ?? []].flat(),
  };
}
