import type { Page } from 'playwright';
import { CodegenError } from '../model/errors.js';
import type { PageOwner } from './live-page.js';

/** After this many pages beyond the limit, all are closed, since one of them keeps opening pages. */
const maxRefused = 20;

/** Closes pages beyond the session's limit. */
export class PageLimit {
  #refused = 0;

  constructor(
    private readonly owner: PageOwner,
    private readonly max: () => number,
  ) {}

  /** Throws SESSION_LIMIT if the session may not open another page or context. */
  requireRoom(contexts = 0): void {
    if (Math.max(this.owner.pages.length, contexts) < this.max()) return;
    throw new CodegenError('SESSION_LIMIT', this.#text('No page was opened'), {
      hint: 'Close a page with closePage first.',
    });
  }

  /** Closes a new page beyond the limit. Returns whether it did. */
  refuses(page: Page): boolean {
    const { pages, log } = this.owner;
    if (pages.length < this.max() || pages.some((entry) => entry.page === page)) return false;
    log.addLimit(this.#text('A page was closed'));
    // The opener of a page that was opened with `noopener` is unknown.
    if (++this.#refused > maxRefused) this.#closeAll();
    page.close().catch(() => undefined);
    return true;
  }

  #closeAll(): void {
    this.#refused = 0;
    this.owner.log.addLimit('All pages were closed because one of them kept opening pages.');
    for (const { page } of this.owner.pages) page.close().catch(() => undefined);
  }

  #text(what: string): string {
    return `${what}: browser.maxPagesPerSession is ${this.max()}.`;
  }
}
