import type { Locator, Page } from 'playwright';
import { passwordField } from '../model/secret-forms.js';
import { responseWithin } from '../model/within.js';
import { typedElements } from './typed-secrets.js';

/** Time-out of a screenshot. */
const screenshotMs = 30_000;

/** Takes a screenshot of a page or an element; masks password fields and elements with a secret. */
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

/** Whether a page contains nothing that a screenshot must mask. */
export async function hidesNothing(page: Page): Promise<boolean> {
  const fields = page
    .frames()
    .map((frame) => responseWithin(screenshotMs, frame.locator(passwordField).count()));
  const isWithout = (await Promise.all(fields)).every((count) => count === 0);
  // Checked last: something may have been typed in the meantime.
  return isWithout && typedElements(page).length === 0;
}
