import { contextOptions } from '../browser/context-options.js';
import type { BrowserChoice } from '../browser/browser-choice.js';
import type { BrowserPool } from '../browser/launch.js';
import { openLive, type Live } from '../browser/live.js';
import { parseFields } from '../model/template.js';
import { CodegenError } from '../model/errors.js';
import type { Secrets } from '../model/secrets.js';
import { useSchema, type Use } from '../model/use.js';
import type { NetworkRules } from '../network/rules.js';

/** Milliseconds for a page to settle after an action. */
const settleMs = 1000;

export interface OpenBrowserOptions {
  browsers: BrowserPool;
  choice: BrowserChoice;
  use: Use;
  /** The `use` of the sessions that are open. */
  openUses: readonly Use[];
  workspace: string;
  actionMs: number;
  rules: () => NetworkRules;
  secrets: Secrets;
  progress: (message: string) => void;
}

/** Opens the browser side of a session. A browser that turns out to have exited is replaced once. */
export async function openBrowser(options: OpenBrowserOptions, isRetry = false): Promise<Live> {
  const { browsers, choice, use, openUses, workspace, actionMs, rules, secrets, progress } = options;
  const browser = await browsers.get(choice, progress);
  // Preloads what the first assertion needs.
  void import('playwright/test');
  await setTestIdAttribute(use, openUses);
  const context = await contextOptions(useSchema.parse(secrets.reveal(parseFields(use))), workspace);
  try {
    return await openLive(browser, context, { actionMs, settleMs, rules, secrets });
  } catch (error) {
    if (isRetry || browser.isConnected()) throw error;
    return openBrowser(options, true);
  }
}

/** Playwright has one test id attribute per process, so all open sessions share it. */
async function setTestIdAttribute(use: Use, openUses: readonly Use[]): Promise<void> {
  const attributeOf = ({ testIdAttribute = 'data-testid' }: Use): string => testIdAttribute;
  const attribute = attributeOf(use);
  const other = openUses.map(attributeOf).find((each) => each !== attribute);
  if (other !== undefined)
    throw new CodegenError(
      'INVALID_INPUT',
      `use.testIdAttribute: another open session uses ${other}, and all open sessions share one.`,
      { hint: 'End that session first, or use the same attribute.' },
    );
  const { selectors } = await import('playwright');
  selectors.setTestIdAttribute(attribute);
}
