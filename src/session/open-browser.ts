import type { BrowserContextOptions } from 'playwright';
import { z } from 'zod';
import { contextOptions, type StorageState } from '../browser/context-options.js';
import type { BrowserChoice } from '../browser/browser-choice.js';
import type { BrowserPool } from '../browser/launch.js';
import type { HarRecorder } from '../browser/har-recorder.js';
import { openLive, type Live } from '../browser/live.js';
import type { ClientCertificate } from '../config/schema.js';
import { parseFields } from '../model/template.js';
import type { Secrets } from '../model/secrets.js';
import { useSchema, type Use } from '../model/use.js';
import type { NetworkRules } from '../network/rules.js';

/** Milliseconds for a page to settle after an action. */
export const settleMs = 1000;

interface OpenBrowserOptions {
  browsers: BrowserPool;
  choice: BrowserChoice;
  /** Decided while the browser starts. */
  use: Promise<Use>;
  storageState: Promise<StorageState | undefined>;
  actionMs: number;
  maxPages: () => number;
  rules: () => NetworkRules;
  secrets: Secrets;
  /** With absolute paths. */
  clientCertificates: readonly ClientCertificate[];
  /** Records the network. */
  har: HarRecorder | undefined;
  progress: (message: string) => void;
}

/** Opens the browser side of a session. Retries once if the browser has exited. */
export async function openBrowser(options: OpenBrowserOptions, isRetry = false): Promise<Live> {
  const { browsers, choice, use: decided, storageState: login, secrets, progress, ...setup } = options;
  const [browser, use, storageState] = await Promise.all([browsers.get(choice, progress), decided, login]);
  // Preloads what the first assertion needs.
  void import('playwright/test');
  const context = await contextOptions(useSchema.parse(secrets.reveal(parseFields(use))));
  const certificates = z
    .custom<BrowserContextOptions>()
    .parse(secrets.reveal(parseFields({ clientCertificates: setup.clientCertificates })));
  try {
    const { testIdAttribute } = use;
    return await openLive(
      browser,
      {
        ...context,
        ...(storageState && { storageState }),
        ...(setup.clientCertificates.length > 0 && certificates),
        // A HAR can't answer a service worker.
        ...(setup.har && { serviceWorkers: 'block' }),
      },
      { ...setup, testIdAttribute, settleMs, secrets },
    );
  } catch (error) {
    if (isRetry || browser.isConnected()) throw error;
    return openBrowser(options, true);
  }
}
