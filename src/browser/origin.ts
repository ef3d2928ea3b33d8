import type { Frame, Locator, Page, Request } from 'playwright';
import { z } from 'zod';
import { answerMs, within } from '../model/within.js';
import { callIsolated } from './isolated.js';
import { frameOf } from './pin.js';
import { parseUrl } from '../model/parse-url.js';

/** The URL of a page, frame or request; `about:blank` if it never got one, such as a page that became a download. */
export function urlOf(place: Pick<Page, 'url'>): URL {
  return parseUrl(place.url()) ?? new URL('about:blank');
}

/** The origin of the frame that contains an element, or of the page; `null` for none. */
export async function originOf(page: Page, element: Locator | undefined): Promise<string> {
  return ownOrigin((element && (await frameOf(element))) ?? page.mainFrame());
}

/** The origins of a page's frames, each of which can take the focus, and so the keys, from the others at any time. */
export function originsWithKeys(page: Page): Promise<string[]> {
  // The page of an error has no scripts.
  const frames = page.frames().filter((frame) => !frame.url().startsWith('chrome-error:'));
  return Promise.all(frames.map(ownOrigin));
}

/** The origin that a frame reports, which for `about:blank` need not be that of its parent. */
async function ownOrigin(frame: Frame): Promise<string> {
  const call = { arg: undefined, schema: z.string(), frame };
  const reported = await within(
    answerMs,
    callIsolated(frame, () => origin, call),
  );
  return reported ?? new URL(frame.url() || 'about:blank').origin;
}

/** The frame of a request; undefined for a service worker, and for a page that has not opened yet. */
export function requestFrame(request: Request): Frame | undefined {
  try {
    return request.frame();
  } catch {
    return undefined;
  }
}

/** The origin of a frame by its URL; `null` for none. */
export function originOfFrame(given: Frame): string {
  let frame: Frame | null = given;
  // Such a frame, e.g. one with `srcdoc`, gets its content from its parent.
  while (frame !== null && /^(?:about:|$)/.test(frame.url())) frame = frame.parentFrame();
  return frame === null ? 'null' : urlOf(frame).origin;
}
