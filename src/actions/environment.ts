import { z } from 'zod';
import { copyPermissions, engineOf } from '../browser/clipboard-permissions.js';
import { property, run, value, values, type Expression, type Statement } from '../model/code.js';
import { loginDirectory } from '../model/artifact.js';
import { CodegenError } from '../model/errors.js';
import { matchedSchema } from '../model/pattern.js';
import { geolocationSchema, httpUrl, oneOf, viewportSchema } from '../model/use.js';
import { defineAction } from './action.js';
import { clipboardPermissions } from './clipboard.js';

export const setViewportSize = defineAction({
  name: 'setViewportSize',
  description: 'Resizes the viewport.',
  playwrightNames: true,
  fields: viewportSchema,
  perform: ({ page }, size) => page.setViewportSize(size),
  toCode: (size, { page }) => [run(page, 'setViewportSize', ...values(size))],
});

export const emulateMedia = defineAction({
  name: 'emulateMedia',
  description: 'Emulates media features; null stops emulating one.',
  playwrightNames: true,
  fields: z
    .strictObject({
      media: oneOf('screen', 'print').describe('Media type.'),
      colorScheme: oneOf('light', 'dark', 'no-preference').describe('Value of `prefers-color-scheme`.'),
      reducedMotion: oneOf('reduce', 'no-preference').describe('Value of `prefers-reduced-motion`.'),
      forcedColors: oneOf('active', 'none').describe('Value of `forced-colors`.'),
      contrast: oneOf('more', 'no-preference').describe('Value of `prefers-contrast`.'),
    })
    .refine((features) => Object.keys(features).length > 0, 'expected a media feature'),
  perform: ({ page }, features) => page.emulateMedia(features),
  toCode: (features, { page }) => [run(page, 'emulateMedia', ...values(features))],
});

export const setGeolocation = defineAction({
  name: 'setGeolocation',
  description: 'Sets the geolocation; pages can read it with the permission `geolocation`.',
  playwrightNames: true,
  fields: geolocationSchema,
  perform: ({ page }, position) => page.context().setGeolocation(position),
  toCode: (position, { context }) => [run(context, 'setGeolocation', ...values(position))],
});

const permissionNames = [
  ...['accelerometer', 'ambient-light-sensor', 'background-sync', 'camera', 'clipboard-read'],
  ...['clipboard-write', 'geolocation', 'gyroscope', 'local-fonts', 'local-network-access', 'magnetometer'],
  ...['microphone', 'midi', 'midi-sysex', 'notifications', 'payment-handler', 'screen-wake-lock'],
  ...['storage-access'],
];

export const grantPermissions = defineAction({
  name: 'grantPermissions',
  description: 'Grants permissions to all pages, or to those of one origin.',
  kind: 'passive',
  playwrightNames: true,
  fields: z.strictObject({
    permissions: z
      .array(z.enum(permissionNames))
      .min(1)
      .describe("Playwright's names of permissions; browsers support different ones."),
    origin: httpUrl('origin').optional().describe('The only origin to grant them to.'),
  }),
  async perform({ page, steps }, { permissions, origin }) {
    const context = page.context();
    if (origin === undefined) return context.grantPermissions(permissions);
    const engine = engineOf(context.browser());
    // A separate grant would revoke the origin's access to the clipboard.
    const clipboard = [...copyPermissions[engine], ...clipboardPermissions(steps, engine)];
    return context.grantPermissions([...permissions, ...clipboard], { origin });
  },
  toCode: ({ permissions, ...options }, { context }) => [
    run(context, 'grantPermissions', ...values(permissions, options)),
  ],
});

export const setOffline = defineAction({
  name: 'setOffline',
  description: 'Sets all pages offline, or online again.',
  playwrightNames: true,
  fields: z.strictObject({ offline: z.boolean().describe('Whether the pages are offline.') }),
  perform: ({ page }, { offline }) => page.context().setOffline(offline),
  toCode: ({ offline }, { context }) => [run(context, 'setOffline', ...values(offline))],
});

const cookieSchema = z
  .strictObject({
    name: z.string().min(1),
    value: z.string(),
    url: httpUrl().optional(),
    domain: z.string().min(1).optional(),
    path: z.string().min(1).optional(),
    expires: z.number().optional(),
    httpOnly: z.boolean().optional(),
    secure: z.boolean().optional(),
    sameSite: z.enum(['Strict', 'Lax', 'None']).optional(),
  })
  .refine(
    ({ url, domain, path }) => (url === undefined) === (domain !== undefined && path !== undefined),
    'expected either url, or domain and path',
  );

export const addCookies = defineAction({
  name: 'addCookies',
  description: 'Adds cookies; pages send them with their next request.',
  kind: 'passive',
  playwrightNames: true,
  fields: z.strictObject({
    cookies: z
      .array(cookieSchema)
      .min(1)
      .describe('Cookies as in Playwright: each has name, value, and url, or domain and path.'),
  }),
  async perform({ page, bound, delivery }, { cookies }) {
    for (const { url, domain = '' } of cookies)
      bound.setCookies(url === undefined ? domain : new URL(url).hostname, delivery?.names ?? []);
    await page.context().addCookies(cookies);
  },
  origins: ({ cookies }) =>
    cookies.map(({ url, domain = '', secure = false }) =>
      url === undefined ? `${secure ? 'https' : 'http'}://${domain}` : new URL(url).origin,
    ),
  toCode: ({ cookies }, { context }) => [run(context, 'addCookies', ...values(cookies))],
});

export const clearCookies = defineAction({
  name: 'clearCookies',
  description: 'Removes all cookies, or those that match.',
  kind: 'passive',
  playwrightNames: true,
  fields: z.strictObject({
    name: matchedSchema.optional(),
    domain: matchedSchema.optional(),
    path: matchedSchema.optional(),
  }),
  async perform({ page }, { name, domain, path }) {
    const { isAsExpected } = await import('../model/linear.js');
    const context = page.context();
    for (const cookie of await context.cookies()) {
      const isChosen = isAsExpected(cookie.name, name) && isAsExpected(cookie.domain, domain);
      if (isChosen && isAsExpected(cookie.path, path))
        await context.clearCookies({ name: cookie.name, domain: cookie.domain, path: cookie.path });
    }
  },
  toCode(filter, { context }) {
    const given = Object.entries(filter).map(([name, wanted]) => [name, value(wanted)] as const);
    const args: Expression[] =
      given.length === 0 ? [] : [{ kind: 'record', entries: Object.fromEntries(given) }];
    return [run(context, 'clearCookies', ...args)];
  },
});

const items = z.record(z.string(), z.string());

export const setStorage = defineAction({
  name: 'setStorage',
  description: "Sets items in the page's storage. Reload the page if it reads them only when it loads.",
  kind: 'passive',
  fields: z
    .strictObject({
      local: items.optional().describe('Items of `localStorage`.'),
      session: items.optional().describe('Items of `sessionStorage`.'),
    })
    .refine(
      ({ local = {}, session = {} }) => Object.keys({ ...local, ...session }).length > 0,
      'expected items in local or session',
    ),
  async perform({ page }, { local = {}, session = {} }) {
    if (!/^https?:/.test(page.url()))
      throw new CodegenError('ACTION_FAILED', 'The page has no storage.', {
        hint: 'Open a page of the application with goto first.',
      });
    for (const [name, value] of Object.entries(local)) await page.localStorage.setItem(name, value);
    for (const [name, value] of Object.entries(session)) await page.sessionStorage.setItem(name, value);
  },
  toCode({ local = {}, session = {} }, { page }) {
    const setItems = (storage: string, given: Record<string, string>): Statement[] =>
      Object.entries(given).map((item) => run(property(page, storage), 'setItem', ...values(...item)));
    return [...setItems('localStorage', local), ...setItems('sessionStorage', session)];
  },
});

export const saveStorageState = defineAction({
  name: 'saveStorageState',
  description: 'Saves cookies and local storage to a file for `use.storageState` of other tests.',
  kind: 'passive',
  fields: z.strictObject({
    path: z
      .string()
      .regex(
        /^(?:playwright\/\.auth\/)?[A-Za-z0-9][\w.-]*\.json$/,
        `expected a name such as user.json, in ${loginDirectory}/`,
      )
      .transform((path) => (path.startsWith(`${loginDirectory}/`) ? path : `${loginDirectory}/${path}`))
      .describe(`JSON file in \`${loginDirectory}/\`.`),
  }),
  async perform({ page, files }, { path }) {
    const state = await page.context().storageState();
    await files.save(path, Buffer.from(JSON.stringify(state, null, 2)));
  },
  toCode: ({ path }, { context }) => [run(context, 'storageState', ...values({ path }))],
});
