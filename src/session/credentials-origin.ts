import { CodegenError } from '../model/errors.js';
import { parseUrl } from '../model/parse-url.js';
import type { Use } from '../model/use.js';

/** Grants the credentials of HTTP authentication to one origin only: any host of a page's pictures may ask for them. */
export function withCredentialsOrigin(use: Use, url?: string): Use {
  const { httpCredentials, baseURL } = use;
  const first = (url === undefined ? undefined : parseUrl(url, baseURL)?.href) ?? baseURL;
  if (httpCredentials === undefined || httpCredentials.origin !== undefined || first === undefined)
    return use;
  return { ...use, httpCredentials: { ...httpCredentials, origin: new URL(first).origin } };
}

/** Throws INVALID_INPUT if credentials would go to any host that asks for them. */
export function requireCredentialsOrigin({ httpCredentials }: Use): void {
  if (httpCredentials === undefined || httpCredentials.origin !== undefined) return;
  throw new CodegenError('INVALID_INPUT', 'use.httpCredentials has no origin.', {
    hint: 'Without one, any host that a page loads from could request them. Set their `origin`, or `url` or `use.baseURL`.',
  });
}
