import type { Response } from 'playwright';
import { within } from '../model/within.js';

/** Types of resources whose bodies Playwright takes from what the browser keeps of them, which is bounded. */
const kept = new Set(['document', 'script', 'stylesheet', 'xhr', 'fetch']);

/** Bytes of another body that may be read, and of one that is compressed, which may become a thousand times larger. */
const maxBytes = 5_000_000;
const maxCompressed = 20_000;

/** Milliseconds for the headers of a response. */
const headersMs = 5000;

/** Whether the browser keeps the body of a response. Playwright requests others again, and reads them whole. */
export async function isKept(response: Response): Promise<boolean> {
  return kept.has(response.request().resourceType()) && !(await isPrefetch(response));
}

/** Whether the body of a response can be read in little memory. */
export async function isReadable(response: Response): Promise<boolean> {
  if (await isPrefetch(response)) return false;
  if (kept.has(response.request().resourceType())) return true;
  const headers = await within(headersMs, response.allHeaders());
  // Without a length, Playwright does not request it again.
  const { 'content-length': length = '0', 'content-encoding': encoding } = headers ?? {};
  return headers !== undefined && Number(length) <= (encoding === undefined ? maxBytes : maxCompressed);
}

async function isPrefetch(response: Response): Promise<boolean> {
  const headers = await within(headersMs, response.request().allHeaders());
  return headers === undefined || 'sec-purpose' in headers;
}
