import { attach } from '../browser/attach.js';
import type { BrowserChoice } from '../browser/browser-choice.js';
import { endpointAt } from '../browser/endpoint.js';
import { adoptLive, type Live } from '../browser/live.js';
import type { Config } from '../config/schema.js';
import { CodegenError } from '../model/errors.js';
import type { Secrets } from '../model/secrets.js';
import type { Use } from '../model/use.js';
import { settleMs } from './open-browser.js';

/** Options that don't change the person's context, or that only the test uses. */
const allowed = new Set(['browserName', 'headless', 'baseURL', 'testIdAttribute', 'storageState']);

/** Throws INVALID_INPUT if a session has options that can't be applied to a person's browser. */
export function requireAttachable({ use, har }: { use: Use; har?: 'record' | undefined }): void {
  const other = har === undefined ? Object.keys(use).find((name) => !allowed.has(name)) : 'har';
  const isOther = other === undefined && (use.browserName ?? 'chromium') !== 'chromium';
  if (other === undefined && !isOther) return;
  throw new CodegenError(
    'INVALID_INPUT',
    `${other === 'har' ? 'har' : `use.${other ?? 'browserName'}`} can't be applied to the person's browser that sessions open in.`,
    { hint: 'Leave it out, or ask the operator to remove browser.attach from the configuration.' },
  );
}

/** Opens a session in a new tab of a person's browser. */
export async function openAttached(
  context: { config: () => Config; secrets: Secrets },
  url: string,
  { choice, testIdAttribute }: { choice: BrowserChoice; testIdAttribute: string | undefined },
): Promise<{ live: Live; warning: string }> {
  const { config, secrets } = context;
  const adopted = await attach(url, choice);
  const live = await adoptLive(
    { ...adopted, isShared: true },
    {
      actionMs: config().browser.actionTimeoutMs,
      settleMs,
      testIdAttribute,
      maxPages: () => config().browser.maxPagesPerSession,
      rules: () => config().network,
      secrets,
    },
  ).catch(async (error: unknown) => {
    await adopted.release();
    throw error;
  });
  return { live, warning: attachedWarning(url) };
}

function attachedWarning(url: string): string {
  return `This session is a tab of a person's own browser (${endpointAt(url).address}), with its logins; the test starts without them. If it needs one, record saveStorageState once, and start sessions with that file as use.storageState.`;
}
