import type { Locator, Page } from 'playwright';
import { responseWithin, within } from '../model/within.js';

/** Pages with overlay handlers. */
const handled = new WeakSet<Page>();

/** Time-out for the handlers to dismiss overlays. */
const dismissMs = 2000;

interface OverlayHandler {
  overlay: Locator;
  click: Locator;
  timeoutMs: number;
  failed: (error: unknown) => void;
}

/** Clicks an element whenever an overlay appears, as the test does; `failed` receives errors. */
export async function handleOverlay(
  page: Page,
  { overlay, click, timeoutMs, failed }: OverlayHandler,
): Promise<void> {
  const dismiss = (): Promise<void> =>
    responseWithin(timeoutMs + dismissMs, click.click({ timeout: timeoutMs })).catch(failed);
  await responseWithin(timeoutMs, page.addLocatorHandler(overlay, dismiss));
  handled.add(page);
}

/** Dismisses overlays, so that none is mistaken for the effect of a step. */
export async function dismissOverlays(page: Page): Promise<void> {
  if (handled.has(page)) await within(dismissMs, page.locator('html').waitFor({ state: 'attached' }));
}
