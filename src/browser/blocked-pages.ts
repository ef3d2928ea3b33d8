import type { BrowserContext } from 'playwright';
import type { ConnectionFailure, Refused } from '../network/proxy.js';
import type { LiveLog } from './live-log.js';
import { requestFrame, urlOf } from './origin.js';

/** Chromium's error for a redirect to a file or an internal page. */
const unsafeRedirect = 'net::ERR_UNSAFE_REDIRECT';

/** Other protocols mean files or internal pages of the browser. */
const shownProtocols = ['http:', 'https:', 'about:', 'data:', 'blob:', 'chrome-error:'];

/** Detects pages that the rules forbid. */
export class BlockedPages {
  #latest: Refused | undefined;
  readonly #log: LiveLog;

  constructor(log: LiveLog) {
    this.#log = log;
  }

  /** The latest page that was blocked; reported once. */
  take(): Refused | undefined {
    const taken = this.#latest;
    this.#latest = undefined;
    return taken;
  }

  /** Reports a page whose URL is not allowed. Returns whether it was refused. */
  refuse({ protocol, href }: URL): boolean {
    if (shownProtocols.includes(protocol)) return false;
    this.#add({ origin: this.#log.shorten(href), rule: `${protocol} URLs are not allowed` });
    return true;
  }

  watch(context: BrowserContext, failure: (url: string) => ConnectionFailure | undefined): void {
    context.on('requestfailed', (request) => {
      const isInFrame = (requestFrame(request)?.parentFrame() ?? null) !== null;
      if (isInFrame || !request.isNavigationRequest()) return;
      const reason = failure(request.url());
      if (reason !== undefined && 'refused' in reason) this.#latest = reason.refused;
      const error = request.failure()?.errorText;
      if (error === unsafeRedirect)
        this.#add({
          origin: this.#log.shorten(request.url()),
          rule: 'it redirects to a URL that is not http or https',
        });
      // Other browsers show an error page instead. An aborted request, e.g. for a `mailto:` link, shows nothing.
      if (error !== 'net::ERR_ABORTED') this.refuse(urlOf(request));
    });
  }

  #add(refused: Refused): void {
    this.#latest = refused;
    this.#log.addBlocked(refused);
  }
}
