import { z } from 'zod';
import { run, values } from '../model/code.js';
import { CodegenError } from '../model/errors.js';
import { defineAction, type Action } from './action.js';
import {
  checkUrl,
  originOfUrl,
  relativePattern,
  relativeUrl,
  urlMatcher,
  urlPatternSchema,
  urlSchema,
} from './url.js';

const noFields = z.strictObject({});

export const goto = defineAction({
  name: 'goto',
  navigates: true,
  opensUrl: true,
  description: 'Opens a URL.',
  fields: z.strictObject({
    url: urlSchema.describe('http(s) URL; relative if the session has a baseURL.'),
    waitUntil: z
      .enum(['load', 'domcontentloaded', 'networkidle', 'commit'])
      .optional()
      .describe('`load` by default, `domcontentloaded` if the load event never fires.'),
  }),
  playwrightNames: true,
  async perform({ page, baseURL, navigationMs, show, found }, { url, waitUntil }) {
    const begin = performance.now();
    const first = waitUntil ?? 'domcontentloaded';
    await page.goto(checkUrl(url, baseURL), { timeout: navigationMs, waitUntil: first });
    if (waitUntil !== undefined) return;
    const loadMs = Math.max(1, navigationMs / 3 - (performance.now() - begin));
    const isLoaded = await page.waitForLoadState('load', { timeout: loadMs }).then(
      () => true,
      () => false,
    );
    if (isLoaded || page.isClosed()) return;
    found({ waitUntil: first });
    show(
      'The page did not finish loading in time, so goto waits for "domcontentloaded", here and in the test.',
    );
  },
  origins: ({ url }, baseURL) => [originOfUrl(url, baseURL)],
  normalize: ({ url, ...options }, baseURL) => ({ ...options, url: relativeUrl(url, baseURL) }),
  toCode: ({ url, ...options }, { page }) => [run(page, 'goto', ...values(url, options))],
});

/** Playwright returns null for another page of the same document, and if there is no page. */
function travelAction(name: 'goBack' | 'goForward', direction: 'back' | 'forward'): Action {
  return defineAction({
    name,
    navigates: true,
    description: `Navigates ${direction} in the history.`,
    fields: noFields,
    async perform({ page, navigationMs }) {
      const before = page.url();
      if ((await page[name]({ timeout: navigationMs })) !== null || page.url() !== before) return;
      throw new CodegenError('ACTION_FAILED', `The history has no page to go ${direction} to.`, {
        hint: 'Open the page with goto.',
      });
    },
    toCode: (_, { page }) => [run(page, name)],
  });
}

export const goBack = travelAction('goBack', 'back');
export const goForward = travelAction('goForward', 'forward');

export const reload = defineAction({
  name: 'reload',
  navigates: true,
  description: 'Reloads the page.',
  fields: noFields,
  async perform({ page, navigationMs }) {
    await page.reload({ timeout: navigationMs });
  },
  toCode: (_, { page }) => [run(page, 'reload')],
});

export const waitForURL = defineAction({
  name: 'waitForURL',
  verifies: true,
  description: 'Waits until the page has this URL.',
  kind: 'passive',
  fields: z.strictObject({ url: urlPatternSchema.describe('URL, glob or regular expression.') }),
  playwrightNames: true,
  async perform({ page, baseURL, navigationMs }, { url }) {
    await page.waitForURL(await urlMatcher(url, baseURL), { timeout: navigationMs });
  },
  origins: () => [],
  normalize: relativePattern,
  toCode: ({ url }, { page }) => [run(page, 'waitForURL', ...values(url))],
});
