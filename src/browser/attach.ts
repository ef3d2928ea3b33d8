import type { BrowserContext, Frame, Page } from 'playwright';
import { z } from 'zod';
import { CodegenError } from '../model/errors.js';
import type { BrowserChoice } from './browser-choice.js';
import { connectTo, endpointAt } from './endpoint.js';
import { addEngine, registerEngine } from './isolated.js';

/**
 * Opens a tab in a browser that a person uses, with their cookies and logins. Its other tabs and its settings stay as
 * they are; `release` disconnects. Throws BROWSER_FAILED.
 */
export async function attach(
  url: string,
  choice: BrowserChoice,
): Promise<{ page: Page; release: () => Promise<void> }> {
  // Registered for all contexts, it could not be added to this one again.
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

/** A context as if it had no pages but those of the session: nothing is known, or answered, of other tabs. */
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

/** The page of an event; undefined for one of a service worker, or of a page that is not open yet. */
function pageOf(given: unknown): Page | undefined {
  const event = eventSchema.parse(given);
  try {
    return event.page?.() ?? event.frame?.().page();
  } catch {
    return undefined;
  }
}
