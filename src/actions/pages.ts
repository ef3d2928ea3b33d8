import { z } from 'zod';
import { call, run, value, values, variable, wait, type Expression, type Statement } from '../model/code.js';
import { useSchema } from '../model/use.js';
import { seemsReference } from '../model/template.js';
import { checkUrl, originOfUrl, relativeUrl, urlSchema } from './url.js';
import { defineAction } from './action.js';

export const switchPage = defineAction({
  name: 'switchPage',
  switchesPage: true,
  needsNoAssertion: true,
  description: 'Makes another page (popup, tab) current and brings it to the front.',
  fields: z.strictObject({ page: z.string().min(1).describe('Its id in `pages`, e.g. p2.') }),
  perform: ({ pages }, { page }) => pages.switchTo(page),
  toCode: (_, { page }) => [run(page, 'bringToFront')],
});

export const closePage = defineAction({
  name: 'closePage',
  closesPage: true,
  needsNoAssertion: true,
  description: 'Closes the current page; its opener becomes current.',
  fields: z.strictObject({}),
  perform: ({ pages }) => pages.close(),
  toCode: (_, { page }) => [run(page, 'close')],
});

export const newPage = defineAction({
  name: 'newPage',
  description: 'Opens another page; switchPage makes it current.',
  opensPage: true,
  fields: z.strictObject({ url: urlSchema.optional().describe('URL to open; blank by default.') }),
  playwrightNames: true,
  async perform({ pages, baseURL, navigationMs }, { url }) {
    if (url !== undefined) checkUrl(url, baseURL);
    const page = await pages.open();
    if (url !== undefined) await page.goto(url, { timeout: navigationMs });
  },
  origins: ({ url = 'about:blank' }, baseURL) => [originOfUrl(url, baseURL)],
  normalize: ({ url }, baseURL) => (url === undefined ? {} : { url: relativeUrl(url, baseURL) }),
  toCode({ url }, { opened, context }) {
    const opening = call(context, 'newPage');
    const open = (page: Expression): Statement[] =>
      url === undefined ? [] : [run(page, 'goto', ...values(url))];
    if (opened !== undefined)
      return [{ kind: 'bind', name: opened, value: wait(opening), type: 'Page' }, ...open(variable(opened))];
    return url === undefined ? [{ kind: 'run', value: opening }] : open(wait(opening));
  },
});

/** Options of another user; the browser, base URL and test ids are those of the session. */
const contextUse = useSchema
  .omit({ browserName: true, headless: true, baseURL: true, testIdAttribute: true })
  .extend({ storageState: useSchema.shape.storageState.nullable() })
  .refine(({ httpCredentials: given }) => given === undefined || given.origin !== undefined, {
    error: 'expected an origin, the only one to grant them to',
    path: ['httpCredentials', 'origin'],
  });

export const newContext = defineAction({
  name: 'newContext',
  description:
    'Opens a page for another user, with its own cookies and storage; switchPage makes it current.',
  opensPage: true,
  opensContext: true,
  fields: z.strictObject({
    name: z
      .string()
      .min(1)
      .max(50)
      .refine((name) => !seemsReference(name), 'expected a name')
      .describe('Name of the user, e.g. `admin`; variables of the test are named after it.'),
    use: contextUse
      .optional()
      .describe('Options as in `use` of the session, whose values are the defaults, except for its login.'),
  }),
  async perform({ pages }, { use = {} }) {
    await pages.openContext(use);
  },
  // Headers and credentials may be sent to any origin.
  origins: () => ['every origin'],
  toCode({ use: { device, ...options } = {} }, { opened, openedContext }) {
    const entries = Object.entries(options).map(([name, given]): [string, Expression] => [
      name,
      given === null && name === 'storageState' ? variable('undefined') : value(given),
    ]);
    const record: Expression = { kind: 'record', entries: Object.fromEntries(entries), device };
    const args = entries.length === 0 && device === undefined ? [] : [record];
    const context = openedContext ?? 'context';
    const page = call(variable(context), 'newPage');
    const created = wait(call(variable('browser'), 'newContext', ...args));
    return [
      { kind: 'bind', name: context, value: created, type: 'BrowserContext' },
      opened === undefined
        ? { kind: 'run', value: page }
        : { kind: 'bind', name: opened, value: wait(page), type: 'Page' },
    ];
  },
});
