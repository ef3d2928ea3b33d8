import { z } from 'zod';
import type { Json } from './json.js';

export const browserNameSchema = z.enum(['chromium', 'firefox', 'webkit']);

/** An http or https URL; `what` says what is expected in its error. */
export function httpUrl(what = 'URL') {
  return z.url({ protocol: /^https?$/, error: `expected an http or https ${what}` });
}

/** A choice that can be null: no emulation. */
export function oneOf<const Choice extends string>(...choices: Choice[]) {
  return z.enum(choices).nullable().optional();
}

export const viewportSchema = z.strictObject({
  width: z.int().positive().describe('In CSS pixels.'),
  height: z.int().positive().describe('In CSS pixels.'),
});

export const geolocationSchema = z.strictObject({
  latitude: z.number().min(-90).max(90).describe('In degrees.'),
  longitude: z.number().min(-180).max(180).describe('In degrees.'),
  accuracy: z.number().min(0).optional().describe('In meters; 0 by default.'),
});

const optionalText = z.string().min(1).optional();

/**
 * The options of Playwright Test's `use` that a session and its test share, as in
 * https://playwright.dev/docs/api/class-testoptions. `storageState` is always a file: cookies don't belong in source.
 */
export const useSchema = z.strictObject({
  browserName: browserNameSchema.optional().describe('Browser engine for the session.'),
  headless: z.boolean().optional().describe('Run without a visible window.'),
  viewport: viewportSchema
    .nullable()
    .optional()
    .describe("Size of the page; null follows the window. Playwright's default is 1280x720."),
  device: optionalText.describe("Name in Playwright's `devices`, e.g. `iPhone 15`."),
  locale: optionalText.describe('Language tag, e.g. `en-GB`.'),
  timezoneId: optionalText.describe('IANA time zone, e.g. `Europe/Rome`.'),
  geolocation: geolocationSchema
    .optional()
    .describe('Position of the device; needs the permission `geolocation`.'),
  permissions: z
    .array(z.string().min(1))
    .optional()
    .describe('Permissions of every page, e.g. `clipboard-read`; none by default.'),
  colorScheme: oneOf('light', 'dark', 'no-preference').describe('Emulated color scheme.'),
  userAgent: optionalText.describe("User agent sent instead of the browser's own."),
  storageState: optionalText.describe('File in the workspace with initial cookies and local storage.'),
  baseURL: httpUrl().optional().describe('Base of relative URLs (http or https).'),
  extraHTTPHeaders: z
    .record(z.string().min(1), z.string())
    .optional()
    .describe('Headers added to every request.'),
  httpCredentials: z
    .strictObject({
      username: z.string().describe('User name.'),
      password: z.string().describe('Password, as `{{secret:NAME}}`.'),
      origin: httpUrl('origin')
        .optional()
        .describe('The only origin that gets them; that of `url` or `baseURL` by default.'),
      send: z
        .enum(['unauthorized', 'always'])
        .optional()
        .describe('When API requests send them: after a 401 (default), or always.'),
    })
    .optional()
    .describe('Credentials of HTTP authentication; write the password as `{{secret:NAME}}`.'),
  ignoreHTTPSErrors: z.boolean().optional().describe('Accept invalid certificates.'),
  testIdAttribute: z
    .string()
    .regex(/^[\w:.-]+$/, 'expected the name of an attribute')
    .optional()
    .describe('Attribute that `getByTestId` uses; `data-testid` by default.'),
  isMobile: z.boolean().optional().describe('Respect the viewport meta tag, as a phone does.'),
  hasTouch: z.boolean().optional().describe('Support touch events.'),
  deviceScaleFactor: z.number().positive().optional().describe('Device pixels per CSS pixel; 1 by default.'),
  offline: z.boolean().optional().describe('Start without a network.'),
});

export type BrowserName = z.infer<typeof browserNameSchema>;
export type Use = z.infer<typeof useSchema>;

/** The options of a project's `use` that are plain data. */
export interface ProjectUse {
  [option: string]: Json;
}
