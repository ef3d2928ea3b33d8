import { isDeepStrictEqual } from 'node:util';
import { toJson, type Json } from '../model/json.js';
import type { BrowserName, ProjectUse, Use } from '../model/use.js';

/** Playwright Test's defaults. */
export const defaults: ProjectUse = {
  viewport: { width: 1280, height: 720 },
  colorScheme: 'light',
  locale: 'en-US',
  testIdAttribute: 'data-testid',
  isMobile: false,
  hasTouch: false,
  deviceScaleFactor: 1,
  ignoreHTTPSErrors: false,
  offline: false,
};

/**
 * The argument of `test.use`: what a session was recorded with, as far as the project that runs the test does not have
 * it. Whether a window is shown is not the test's to say.
 */
export async function testUse(
  { headless, browserName, device, ...own }: Use,
  recordedIn: BrowserName,
  project: ProjectUse,
): Promise<{ [option: string]: Json }> {
  const described = device === undefined ? {} : await deviceOptions(device);
  const { defaultBrowserType, ...options } = described;
  const given = toJson(own);
  const configured: ProjectUse = { ...defaults, ...project };
  const spreads = Object.entries({ ...options, ...given }).some(
    ([name, value]) => name in options && !isDeepStrictEqual(configured[name], value),
  );
  const inEffect = spreads ? { ...configured, ...described } : configured;
  const browserInEffect = project['browserName'] ?? inEffect['defaultBrowserType'] ?? 'chromium';
  // A project for other browsers than ours keeps its own, unless the session asks for one; a warning says so.
  const isProjects = browserName === undefined && recordedIn === 'chromium' && !spreads;
  const differing = Object.entries(given).filter(
    ([name, value]) => !isDeepStrictEqual(inEffect[name], value),
  );
  return {
    ...(spreads && device !== undefined ? { device } : {}),
    ...(browserInEffect === recordedIn || isProjects ? {} : { browserName: recordedIn }),
    ...Object.fromEntries(differing),
  };
}

/** The options of one of Playwright's devices; none if it is unknown, which is an error when a session starts. */
async function deviceOptions(name: string): Promise<ProjectUse> {
  const { devices } = await import('playwright');
  return toJson(devices[name] ?? {});
}
