import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { copyPermissions, engineOf, scriptPermissions } from '../browser/clipboard-permissions.js';
import { originOfFrame } from '../browser/origin.js';
import { call, expectThat, property, run, value, values, variable, type Expression } from '../model/code.js';
import { CodegenError } from '../model/errors.js';
import { isPattern } from '../model/locator.js';
import { matchedSchema } from '../model/pattern.js';
import type { Step } from '../model/step.js';
import type { BrowserName } from '../model/use.js';
import { defineAction, type ActionContext } from './action.js';

const pollMs = 50;

export const writeText = defineAction({
  name: 'clipboard.writeText',
  description: 'Writes text to the clipboard.',
  kind: 'passive',
  playwrightNames: true,
  fields: z.strictObject({ text: z.string().describe('The text to write.') }),
  async perform(context, { text }) {
    const { page } = context;
    await openClipboard(context);
    await page.evaluate((given) => navigator.clipboard.writeText(given), text);
  },
  // Any page may read the clipboard.
  origins: () => ['every origin'],
  toCode: ({ text }, { page }) => [
    run(page, 'evaluate', script(['text'], 'writeText', variable('text')), value(text)),
  ],
});

export const readText = defineAction({
  name: 'clipboard.readText',
  verifies: true,
  description: 'Reads the text of the clipboard, reports it in `events` and asserts it.',
  kind: 'passive',
  fields: z.strictObject({
    expected: matchedSchema.optional().describe('The text to expect; by default, the current text.'),
  }),
  async perform(context, { expected }) {
    const { page, actionMs, show, found } = context;
    const { isAsExpected } = await import('../model/linear.js');
    await openClipboard(context);
    const read = (): Promise<string> => page.evaluate(() => navigator.clipboard.readText());
    const deadline = performance.now() + actionMs;
    let text = await read();
    while (!isAsExpected(text, expected) && performance.now() < deadline) {
      await sleep(pollMs);
      text = await read();
    }
    show(text);
    if (!isAsExpected(text, expected))
      throw new CodegenError('ACTION_FAILED', 'The clipboard contains a different text.', {
        hint: 'The event shows the actual text; correct `expected`.',
      });
    if (expected === undefined) found({ expected: text });
  },
  toCode: ({ expected = '' }, { page }) => [
    expectThat(
      call(page, 'evaluate', script([], 'readText')),
      isPattern(expected) ? 'toMatch' : 'toBe',
      values(expected),
      { retries: 'subject' },
    ),
  ],
  origins: () => [],
});

function script(parameters: string[], method: string, ...args: Expression[]): Expression {
  const clipboard = property(variable('navigator'), 'clipboard');
  return { kind: 'function', parameters, body: call(clipboard, method, ...args) };
}

/** The clipboard permissions that a flow needs. */
export function clipboardPermissions(steps: readonly Step[], browserName: BrowserName): string[] {
  const isScripted = steps.some(({ action }) => action === readText.name || action === writeText.name);
  if (isScripted) return scriptPermissions[browserName];
  return steps.some(({ copies }) => copies === true) ? copyPermissions[browserName] : [];
}

/** The origin to which a step grants permissions, if it names one; it then has no others. */
export function grantedOrigin({ action, args: { origin } }: Step): string | undefined {
  return action === 'grantPermissions' && typeof origin === 'string' ? origin : undefined;
}

async function openClipboard({ page, steps, bound }: ActionContext): Promise<void> {
  for (const frame of page.frames()) bound.requirePaste(originOfFrame(frame));
  const context = page.context();
  const permissions = scriptPermissions[engineOf(context.browser())];
  const origins = steps.map(grantedOrigin).filter((origin) => origin !== undefined);
  if (permissions.length > 0)
    for (const options of [{}, ...origins.map((origin) => ({ origin }))])
      await context.grantPermissions(permissions, options);
  if (!(await page.evaluate(() => window.isSecureContext)))
    throw new CodegenError('ACTION_FAILED', 'The page has no clipboard.', {
      hint: 'Browsers provide it only to pages on https and localhost.',
    });
}
