import { z } from 'zod';
import { call, run, values, variable, wait } from '../model/code.js';
import { checkUrl, originOfUrl, relativeUrl, urlSchema } from './url.js';
import { defineAction } from './action.js';

export const switchPage = defineAction({
  name: 'switchPage',
  switchesPage: true,
  needsNoAssertion: true,
  description: 'Makes another page (popup, tab) the current one and brings it to the front.',
  target: 'none',
  fields: z.strictObject({ page: z.string().min(1).describe('Its id in `pages`, e.g. p2.') }),
  perform: ({ pages }, { page }) => pages.switchTo(page),
  toCode: (_, { page }) => [run(page, 'bringToFront')],
});

export const closePage = defineAction({
  name: 'closePage',
  closesPage: true,
  needsNoAssertion: true,
  description: 'Closes the current page; the one that opened it becomes current.',
  target: 'none',
  fields: z.strictObject({}),
  perform: ({ pages }) => pages.close(),
  toCode: (_, { page }) => [run(page, 'close')],
});

export const newPage = defineAction({
  name: 'newPage',
  description: 'Opens a page beside the others; switchPage makes it the current one.',
  target: 'none',
  opensPage: true,
  fields: z.strictObject({
    url: urlSchema.optional().describe('What it opens; blank when left out.'),
  }),
  playwrightNames: true,
  async perform({ pages, baseURL, navigationMs }, { url }) {
    if (url !== undefined) checkUrl(url, baseURL);
    const page = await pages.open();
    if (url !== undefined) await page.goto(url, { timeout: navigationMs });
  },
  origins: ({ url = 'about:blank' }, baseURL) => [originOfUrl(url, baseURL)],
  normalize: ({ url }, baseURL) => (url === undefined ? {} : { url: relativeUrl(url, baseURL) }),
  toCode({ url }, { opened }) {
    const opening = call(variable('context'), 'newPage');
    if (opened === undefined)
      return [
        url === undefined ? { kind: 'run', value: opening } : run(wait(opening), 'goto', ...values(url)),
      ];
    return [
      { kind: 'bind', name: opened, value: wait(opening), type: 'Page' },
      ...(url === undefined ? [] : [run(variable(opened), 'goto', ...values(url))]),
    ];
  },
});
