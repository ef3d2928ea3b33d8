import { remoteLaunch, type Endpoint } from './endpoint.js';
import { findBrowser, launchOptions } from './find-browser.js';
import type { BrowserChoice } from './browser-choice.js';
import type { BrowserPool } from './launch.js';

/** How Playwright Test launches, or connects to, a session's browser. */
interface TestLaunch {
  chromium?: ReturnType<typeof launchOptions> | undefined;
  remote?: (Pick<Endpoint, 'kind' | 'url'> & { launch: ReturnType<typeof remoteLaunch> }) | undefined;
  /** Whether the browser runs on this machine and can reach our proxy. */
  isLocal: boolean;
}

export async function testLaunch(pool: BrowserPool, choice: BrowserChoice): Promise<TestLaunch> {
  const endpoint = await pool.endpoint(choice);
  if (endpoint !== undefined) {
    const { kind, url, isLocal } = endpoint;
    return { remote: { kind, url, launch: remoteLaunch(choice) }, isLocal };
  }
  const found = await findBrowser(choice);
  return { chromium: found && launchOptions(found), isLocal: true };
}
