import type { BrowserContext, Page } from 'playwright';
import { CodegenError, messageOf } from '../model/errors.js';
import { within } from '../model/within.js';

/** Time-out for closing contexts. */
export const closingMs = 5000;

/** Closes contexts; returns even if one of them never closes. */
export async function closeAll(contexts: Iterable<BrowserContext>): Promise<void> {
  await within(closingMs, Promise.all([...contexts].map((context) => context.close())));
}

/** Opens a page in a context; closes the context if that fails. */
export async function pageIn(
  opening: Promise<BrowserContext>,
  watch: (context: BrowserContext) => void,
): Promise<Page> {
  let context: BrowserContext | undefined;
  try {
    context = await opening;
    watch(context);
    return await context.newPage();
  } catch (error) {
    if (context !== undefined) await closeAll([context]);
    throw rejectedOptions(error);
  }
}

export function rejectedOptions(error: unknown): CodegenError {
  return new CodegenError(
    'INVALID_INPUT',
    `The browser rejected the options of the context: ${messageOf(error)}`,
    { hint: 'Check `use` against https://playwright.dev/docs/test-use-options.', cause: error },
  );
}
