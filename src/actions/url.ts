import { CodegenError } from '../model/errors.js';

/** Checks a URL that a page is to open: http, https or `about:blank`, relative where there is a base URL. */
export function checkUrl(url: string, baseURL: string | undefined): string {
  let address: URL;
  try {
    address = new URL(url, baseURL);
  } catch {
    throw new CodegenError('INVALID_INPUT', `"${url.slice(0, 200)}" is not a URL.`, {
      hint: 'Give an absolute URL such as "https://example.com/", or set `use.baseURL` for relative ones.',
    });
  }
  if (address.protocol !== 'http:' && address.protocol !== 'https:' && address.href !== 'about:blank')
    throw new CodegenError('NAVIGATION_BLOCKED', `Pages of ${address.protocol} are not opened.`, {
      hint: 'Serve the page over http or https, e.g. from a local web server.',
    });
  return url;
}

/** The URL as a test says it: relative where it is on the base URL's origin. */
export function relativeUrl(url: string, baseURL: string | undefined): string {
  if (baseURL === undefined || !URL.canParse(url)) return url;
  const address = new URL(url);
  const base = new URL(baseURL);
  if (address.origin !== base.origin || address.username !== '') return url;
  return address.pathname + address.search + address.hash;
}
