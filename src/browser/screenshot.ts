import type { Locator, Page } from 'playwright';
import { passwordField } from '../model/secret-forms.js';
import { responseWithin } from '../model/within.js';
import { typedElements } from './typed-secrets.js';

/** Milliseconds for a screenshot of a page that responds. */
const screenshotMs = 30_000;

/** A screenshot of a page or of an element in it, in which password fields and elements that were given a secret are masked. */
export function takeScreenshot(
  page: Page,
  element: Locator | undefined,
  options: { type: 'png' | 'jpeg'; fullPage: boolean; quality?: number },
): Promise<Buffer> {
  const mask = [...page.frames().map((frame) => frame.locator(passwordField)), ...typedElements(page)];
  const { type } = options;
  return responseWithin(
    screenshotMs,
    element === undefined ? page.screenshot({ ...options, mask }) : element.screenshot({ type, mask }),
  );
}

/** Whether a picture of a page would show nothing that a screenshot masks. */
export async function hidesNothing(page: Page): Promise<boolean> {
  const fields = page
    .frames()
    .map((frame) => responseWithin(screenshotMs, frame.locator(passwordField).count()));
  const isWithout = (await Promise.all(fields)).every((count) => count === 0);
  // Looked at last: what was typed meanwhile may be in the picture.
  return isWithout && typedElements(page).length === 0;
}
