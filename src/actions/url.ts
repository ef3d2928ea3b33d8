import { CodegenError } from '../model/errors.js';
import { isPattern, type Pattern, type TextOrPattern } from '../model/locator.js';
import { globRegex, isGlob } from '../model/glob.js';
import { matchedSchema } from '../model/pattern.js';
import { z } from 'zod';
import { literalParts, seemsReference } from '../model/template.js';
import { parseUrl } from '../model/parse-url.js';

/** Each wildcard or group of a glob multiplies the time that matching takes in the test. */
const maxWildcards = 6;

/** Longer URLs match nothing. */
const maxUrl = 10_000;

/** A URL, a glob or a regular expression. A secret in it, which pages encode, matches anything. */
export const urlPatternSchema = matchedSchema
  .overwrite((url) => (isPattern(url) ? url : literalParts(url).join('**')))
  .refine(
    (url) =>
      isPattern(url) || (url !== '' && isGlob(url) && (url.match(/\*+|\{/g) ?? []).length <= maxWildcards),
    `expected a URL, a glob with at most ${maxWildcards} wildcards and groups, or {"regex", "flags"}`,
  );

/** A URL to open. Its host is sent to DNS and lower-cased by browsers, so it must not contain a secret. */
export const urlSchema = z
  .string()
  .min(1)
  .refine((url) => !seemsReference(hostOf(url)), 'expected a host without {{secret:NAME}}');

function hostOf(url: string): string {
  return parseUrl(url, 'http://base.invalid')?.host ?? '';
}

/** Checks a URL that a page will open: http, https or `about:blank`, or relative if there is a base URL. */
export function checkUrl(url: string, baseURL: string | undefined): string {
  const address = parseUrl(url, baseURL);
  if (address === undefined)
    throw new CodegenError('INVALID_INPUT', `Not a URL: ${JSON.stringify(url)}`, {
      hint: 'Use an absolute URL such as "https://example.com/", or set `use.baseURL` for relative ones.',
    });
  if (address.protocol !== 'http:' && address.protocol !== 'https:' && address.href !== 'about:blank')
    throw new CodegenError('NAVIGATION_BLOCKED', `${address.protocol} URLs are not allowed.`, {
      hint: 'Serve the page over http or https, for example from a local web server.',
    });
  return url;
}

/** The URL as a test writes it: relative if it is on the base URL's origin. */
export function relativeUrl(url: string, baseURL: string | undefined): string {
  const address = parseUrl(url);
  if (baseURL === undefined || address === undefined) return url;
  const base = new URL(baseURL);
  if (address.origin !== base.origin || address.username !== '') return url;
  const relative = address.pathname + address.search + address.hash;
  // Braces belong to globs and references.
  return url.includes('{') ? relative.replaceAll('%7B', '{').replaceAll('%7D', '}') : relative;
}

/** The origin of a URL that a page will open. Throws as `checkUrl` does. */
export function originOfUrl(url: string, baseURL: string | undefined): string {
  return new URL(checkUrl(url, baseURL), baseURL).origin;
}

/** CPU time that one matcher may take within a period. */
const budgetMs = 300;
const periodMs = 3000;

/** Whether a URL matches. Never throws; matches nothing once it has used up its time. */
export type UrlMatcher = (url: { href: string }) => boolean;

/** Matches a URL, a glob or an expression as Playwright does, but in linear time. */
export async function urlMatcher(
  url: TextOrPattern,
  baseURL: string | undefined,
  onExhausted: () => void = () => undefined,
): Promise<UrlMatcher> {
  if (!isPattern(url) && baseURL === undefined && !/^(?:\*|[a-z]+:)/i.test(url))
    throw new CodegenError('INVALID_INPUT', `"${url}" is relative, but the session has no baseURL.`, {
      hint: 'Start it with "**/", or set `use.baseURL`.',
    });
  const { budgeted } = await import('../model/linear.js');
  const pattern = isPattern(url) ? url : { regex: globRegex(url, baseURL) };
  const matches = budgeted(pattern, { budgetMs, periodMs, onExhausted });
  return ({ href }) => href.length <= maxUrl && matches(href);
}

/** Makes the URL of fields relative to the base URL, as in the test. */
export function relativePattern<Fields extends { url: TextOrPattern }>(
  fields: Fields,
  baseURL: string,
): Fields {
  const { url } = fields;
  return isPattern(url) ? fields : { ...fields, url: relativeUrl(url, baseURL) };
}

/** A glob as a regular expression, for APIs that accept no glob; a relative one matches the end of a URL. */
export function globPattern(glob: string): Pattern {
  const source = glob.replace(/\*\*\/|\*+|[{},]|[\\^$.+?()[\]|]/g, (token) => {
    if (token === '**/') return '(?:.*/)?';
    if (token === '{') return '(?:';
    if (token === '}') return ')';
    if (token === ',') return '|';
    if (token.startsWith('*')) return token === '*' ? '[^/]*' : '.*';
    return `\\${token}`;
  });
  return { regex: `${glob.startsWith('/') || glob.startsWith('*') ? '' : '^'}${source}$` };
}
