import { once } from 'node:events';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import type { BrowserType, Page, Selectors, TestInfo } from '@playwright/test';
import { z } from 'zod';

/** The global function that a paused test calls. */
export const pauseFunction = 'codegenSessionPause';

/** Where a paused test reports; the token authenticates it. */
export const pauseSchema = z.object({
  port: z.int(),
  token: z.string(),
  /** The sessions' selector engine; pages that opened before its registration don't have it. */
  engine: z.object({ name: z.string(), content: z.string() }),
});

interface PlaywrightModule {
  selectors: Selectors;
  chromium: BrowserType;
  firefox: BrowserType;
  webkit: BrowserType;
  test: { info: () => TestInfo };
}

const playwrightSchema = z.custom<PlaywrightModule>(
  (value) => typeof value === 'function' && 'selectors' in value && 'chromium' in value,
);

/** The copy of Playwright Test that a file imports. */
export function playwrightOf(file: string): PlaywrightModule {
  return playwrightSchema.parse(createRequire(file)('@playwright/test'));
}

/** What a paused test reports: its browser's endpoint, and which context and page it uses. */
export const pausedSchema = z.object({
  token: z.string(),
  endpoint: z.string(),
  context: z.int(),
  page: z.int(),
});

/**
 * Lets the tests of this process pause: they share their browser until the connection to the server closes. `file`
 * imports their copy of Playwright Test.
 */
export async function installPause(
  { port, token, engine: { name, content } }: z.infer<typeof pauseSchema>,
  file: string,
): Promise<void> {
  await playwrightOf(file).selectors.register(name, { content }, { contentScript: true });
  Reflect.set(globalThis, pauseFunction, async (page: Page, info: TestInfo): Promise<void> => {
    if (page.isClosed()) throw new Error('The test has closed its page.');
    info.setTimeout(0);
    const context = page.context();
    const browser = context.browser();
    if (browser === null) throw new Error('The page of the test has no browser that can be shared.');
    const { endpoint } = await browser.bind('codegen-session-mcp', { host: '127.0.0.1', port: 0 });
    const socket = connect(port, '127.0.0.1');
    const released = once(socket, 'close');
    const place = { context: browser.contexts().indexOf(context), page: context.pages().indexOf(page) };
    socket.write(`${JSON.stringify({ token, endpoint, ...place })}\n`);
    socket.resume();
    await released;
    // Ends the test here; its fixtures clean up.
    throw new Error('The session has ended.');
  });
}
