import type { Use } from '../model/use.js';

/** Determines which browser process serves a session. */
export interface BrowserChoice {
  name: 'chromium' | 'firefox' | 'webkit';
  headless: boolean;
  channel: string | null;
  executablePath: string | null;
  /** URLs of running browsers to connect to; empty to launch one. */
  endpoints: readonly string[];
  /** The grant whose sessions it serves: a process has one clipboard and one cache. */
  grant: string;
}

/** The configuration of the browser. */
interface BrowserSettings extends Omit<BrowserChoice, 'endpoints' | 'grant'> {
  endpoint: string | string[] | null;
}

/** The browser for a session: `use` overrides the configuration. */
export function browserChoice(browser: BrowserSettings, grant: string, use: Use = {}): BrowserChoice {
  return {
    name: use.browserName ?? browser.name,
    headless: use.headless ?? browser.headless,
    channel: browser.channel,
    executablePath: browser.executablePath,
    grant,
    endpoints: [browser.endpoint ?? []].flat(),
  };
}
