import { z } from 'zod';
import { checkUrl, originOfUrl, relativeUrl } from './url.js';
import { callCode, defineAction } from './action.js';

export const switchPage = defineAction({
  name: 'switchPage',
  switchesPage: true,
  needsNoAssertion: true,
  description: 'Makes another page (popup, tab) the current one and brings it to the front.',
  target: 'none',
  fields: z.strictObject({ page: z.string().min(1).describe('Its id in `pages`, e.g. p2.') }),
  perform: ({ pages }, { page }) => pages.switchTo(page),
  emit: (_, page) => `await ${callCode(page, 'bringToFront')};`,
});

export const closePage = defineAction({
  name: 'closePage',
  closesPage: true,
  needsNoAssertion: true,
  description: 'Closes the current page; the one that opened it becomes current.',
  target: 'none',
  fields: z.strictObject({}),
  perform: ({ pages }) => pages.close(),
  emit: (_, page) => `await ${callCode(page, 'close')};`,
});

export const newPage = defineAction({
  name: 'newPage',
  description: 'Opens a page beside the others; switchPage makes it the current one.',
  target: 'none',
  opensPage: true,
  fields: z.strictObject({
    url: z.string().min(1).optional().describe('What it opens; blank when left out.'),
  }),
  playwrightNames: true,
  async perform({ pages, baseURL, navigationMs }, { url }) {
    if (url !== undefined) checkUrl(url, baseURL);
    const page = await pages.open();
    if (url !== undefined) await page.goto(url, { timeout: navigationMs });
  },
  origins: ({ url = 'about:blank' }, baseURL) => [originOfUrl(url, baseURL)],
  normalize: ({ url }, baseURL) => (url === undefined ? {} : { url: relativeUrl(url, baseURL) }),
  emit({ url }, _, { opened }) {
    const opening = 'await context.newPage()';
    if (opened === undefined)
      return url === undefined ? `${opening};` : `await ${callCode(`(${opening})`, 'goto', url)};`;
    return [
      `const ${opened} = ${opening};`,
      ...(url === undefined ? [] : [`await ${callCode(opened, 'goto', url)};`]),
    ].join('\n');
  },
});
