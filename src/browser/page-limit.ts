import type { Page } from 'playwright';
import { CodegenError } from '../model/errors.js';
import type { PageOwner } from './live-page.js';

/** Pages beyond the limit after which all pages are closed: one of them opens pages without end. */
const maxRefused = 20;

/** Closes the pages that a session may not have. */
export class PageLimit {
  #refused = 0;

  constructor(
    private readonly owner: PageOwner,
    private readonly max: () => number,
  ) {}

  /** Throws SESSION_LIMIT if the session may not have another page, or another context. */
  requireRoom(contexts = 0): void {
    if (Math.max(this.owner.pages.length, contexts) < this.max()) return;
    throw new CodegenError('SESSION_LIMIT', this.#text('No page was opened'), {
      hint: 'Close a page with closePage first.',
    });
  }

  /** Whether a page that has just opened is closed. */
  refuses(page: Page): boolean {
    const { pages, log } = this.owner;
    if (pages.length < this.max() || pages.some((entry) => entry.page === page)) return false;
    log.addLimit(this.#text('A page was closed'));
    // A page opened with `noopener` does not say which page opened it.
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
