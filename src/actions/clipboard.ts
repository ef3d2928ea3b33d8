import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright';
import { z } from 'zod';
import { CodegenError } from '../model/errors.js';
import { isPattern } from '../model/locator.js';
import { matches, textOrPatternSchema } from '../model/pattern.js';
import { seemsReference } from '../model/secrets.js';
import type { BrowserName } from '../model/use.js';
import { callCode, defineAction, valueCode } from './action.js';

/** What a page needs to use the clipboard; Firefox knows no such permission. */
const permissions: Record<BrowserName, string[]> = {
  chromium: ['clipboard-read', 'clipboard-write'],
  webkit: ['clipboard-read'],
  firefox: [],
};

/** Milliseconds between two looks at what the clipboard holds. */
const pollMs = 50;

export const writeText = defineAction({
  name: 'clipboard.writeText',
  description: 'Puts a text into the clipboard.',
  target: 'none',
  manner: 'looks',
  familiar: true,
  fields: z.strictObject({ text: z.string().describe('What it is to hold.') }),
  async perform({ page }, { text }) {
    await openClipboard(page);
    await page.evaluate((given) => navigator.clipboard.writeText(given), text);
  },
  emit: ({ text }, page) =>
    `await ${page}.evaluate((text) => navigator.clipboard.writeText(text), ${valueCode(text)});`,
});

export const readText = defineAction({
  name: 'clipboard.readText',
  description: 'Tells what the clipboard holds, in `events`, and asserts it.',
  target: 'none',
  manner: 'looks',
  fields: z.strictObject({
    expected: textOrPatternSchema.optional().describe('What it has to hold; what it holds when left out.'),
  }),
  async perform({ page, actionMs, show, found }, { expected }) {
    await openClipboard(page);
    const read = (): Promise<string> => page.evaluate(() => navigator.clipboard.readText());
    const fits = (text: string): boolean =>
      expected === undefined || (isPattern(expected) ? matches(expected, text) : text === expected);
    const deadline = performance.now() + actionMs;
    let text = await read();
    while (!fits(text) && performance.now() < deadline) {
      await sleep(pollMs);
      text = await read();
    }
    show(text);
    if (!fits(text) || (expected === undefined && seemsReference(text)))
      throw new CodegenError('ACTION_FAILED', 'The clipboard holds another text.', {
        hint: 'Its event tells which; give `expected` accordingly.',
      });
    if (expected === undefined) found({ expected: text });
  },
  emit: ({ expected = '' }, page) => {
    const poll = `expect.poll(() => ${page}.evaluate(() => navigator.clipboard.readText()))`;
    return `await ${callCode(poll, isPattern(expected) ? 'toMatch' : 'toBe', expected)};`;
  },
  origins: () => [],
});

/** The permissions that a test needs which uses the clipboard. */
export function clipboardPermissions(
  actions: readonly { action: string }[],
  browserName: BrowserName = 'chromium',
): string[] {
  const isUsed = actions.some(({ action }) => action === readText.name || action === writeText.name);
  return isUsed ? permissions[browserName] : [];
}

async function openClipboard(page: Page): Promise<void> {
  const engine = page.context().browser()?.browserType().name();
  const needed = Object.entries(permissions).find(([name]) => name === engine)?.[1] ?? [];
  if (needed.length > 0) await page.context().grantPermissions(needed);
  if (!(await page.evaluate(() => window.isSecureContext)))
    throw new CodegenError('ACTION_FAILED', 'The page has no clipboard.', {
      hint: 'Browsers give one to pages of https and of localhost only.',
    });
}
