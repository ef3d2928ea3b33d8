import type { Frame, Locator, Page, Request } from 'playwright';
import { frameOf } from './pin.js';

/** The URL of a page, frame or request; `about:blank` if it never got one, such as a page that became a download. */
export function urlOf(place: Pick<Page, 'url'>): URL {
  const url = place.url();
  return new URL(URL.canParse(url) ? url : 'about:blank');
}

/** The origin of the frame that contains an element, or of the page; `null` for none. */
export async function originOf(page: Page, element: Locator | undefined): Promise<string> {
  return originOfFrame((element && (await frameOf(element))) ?? page.mainFrame());
}

/** The frame of a request; undefined for a service worker, and for a page that has not opened yet. */
export function requestFrame(request: Request): Frame | undefined {
  try {
    return request.frame();
  } catch {
    return undefined;
  }
}

/** The origin of a frame; `null` for none. */
export function originOfFrame(given: Frame): string {
  let frame: Frame | null = given;
  // A frame without a URL, such as one with `srcdoc`, gets its content from its parent.
  while (frame !== null && !/^https?:/.test(frame.url())) frame = frame.parentFrame();
  return frame === null ? 'null' : new URL(frame.url()).origin;
}
