import type { BrowserContext, Frame, Page } from 'playwright';
import { z } from 'zod';
import { CodegenError } from '../model/errors.js';
import type { BrowserChoice } from './browser-choice.js';
import { connectTo, endpointAt } from './endpoint.js';
import { addEngine, registerEngine } from './isolated.js';

/**
 * Opens a tab in a person's own browser, with its cookies and logins. Leaves other tabs and settings alone; `release`
 * disconnects. Throws BROWSER_FAILED.
 */
export async function attach(
  url: string,
  choice: BrowserChoice,
): Promise<{ page: Page; release: () => Promise<void> }> {
  // After a registration for all contexts, the engine can't be added to this one again.
  await registerEngine();
  const browser = await connectTo(endpointAt(url), choice, { noDefaults: true });
  try {
    const [context] = browser.contexts();
    if (context === undefined) throw noContext(url);
    await addEngine(context);
    return { page: await context.newPage(), release: () => browser.close() };
  } catch (error) {
    await browser.close();
    throw error;
  }
}

function noContext(url: string): CodegenError {
  return new CodegenError(
    'BROWSER_FAILED',
    `The browser at ${endpointAt(url).address} has no open profile.`,
    {
      hint: 'Open a window in it, and call again.',
    },
  );
}

/** A view of a context that emits no events of other tabs than the session's. */
export function onlyOwnPages(context: BrowserContext, isOwn: (page: Page) => boolean): BrowserContext {
  const on = (event: string, listener: (given: unknown) => void): unknown =>
    Reflect.apply(context.on.bind(context), context, [
      event,
      (given: unknown) => {
        const page = pageOf(given);
        if (page !== undefined && isOwn(page)) listener(given);
      },
    ]);
  return new Proxy(context, {
    get: (target, name): unknown => (name === 'on' ? on : Reflect.get(target, name)),
  });
}

const eventSchema = z.custom<{ page?: () => Page | null; frame?: () => Frame }>();

/** The page of an event; undefined for a service worker, or a page that has not opened yet. */
function pageOf(given: unknown): Page | undefined {
  const event = eventSchema.parse(given);
  try {
    return event.page?.() ?? event.frame?.().page();
  } catch {
    return undefined;
  }
}
