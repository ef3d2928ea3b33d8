import type { Locator, Page } from 'playwright';
import { CodegenError } from '../model/errors.js';
import { passwordField } from '../model/secret-forms.js';
import { responseWithin } from '../model/within.js';
import { isSilentFrame } from './frames.js';
import { secretElements } from './typed-secrets.js';

/** Time-out of a screenshot, and if a frame does not respond, for which Playwright waits. */
const screenshotMs = 30_000;
const framedMs = 1000;

/** Takes a screenshot of a page or an element; masks password fields and elements that show a secret. */
export async function takeScreenshot(
  page: Page,
  element: Locator | undefined,
  options: { type: 'png' | 'jpeg'; fullPage: boolean; quality?: number },
): Promise<Buffer> {
  const mask = [
    ...page.frames().map((frame) => frame.locator(passwordField)),
    ...(await secretElements(page)).map(({ locator }) => locator),
  ];
  const { type } = options;
  const hasSilentFrame = page.frames().some(isSilentFrame);
  const common = { mask, ...(hasSilentFrame ? { timeout: framedMs } : {}) };
  try {
    return await responseWithin(
      screenshotMs,
      element === undefined
        ? page.screenshot({ ...options, ...common })
        : element.screenshot({ type, ...common }),
    );
  } catch (error) {
    if (!hasSilentFrame) throw error;
    throw new CodegenError(
      'ACTION_FAILED',
      'A frame of the page does not respond, so no screenshot can be taken.',
      { hint: 'The snapshot shows the other frames.', cause: error },
    );
  }
}

/** Whether a page contains nothing that a screenshot must mask. */
export async function hidesNothing(page: Page): Promise<boolean> {
  const fields = page
    .frames()
    .map((frame) => responseWithin(screenshotMs, frame.locator(passwordField).count()));
  const isWithout = (await Promise.all(fields)).every((count) => count === 0);
  // Checked last: something may have been typed in the meantime.
  return isWithout && (await secretElements(page)).length === 0;
}
