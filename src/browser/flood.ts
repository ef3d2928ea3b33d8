import type { BrowserContext, Page } from 'playwright';
import type { LiveLog } from './live-log.js';
import { requestFrame } from './origin.js';

/** Maximum cost of the events in a second; a request costs 1. */
const maxCost = 1000;
const windowMs = 1000;
const costs = { request: 1, frame: 5, console: 3 };

/**
 * Closes pages that emit too many events. All pages of a browser share a connection, so the messages of one page delay
 * those of all others.
 */
export class Flood {
  readonly #seen = new WeakMap<object, { since: number; cost: number }>();

  constructor(
    private readonly context: BrowserContext,
    private readonly log: LiveLog,
  ) {
    context.on('console', (message) => {
      this.#add(message.page(), costs.console);
    });
    context.on('weberror', (error) => {
      this.#add(error.page(), costs.console);
    });
    context.on('request', (request) => {
      this.#add(requestFrame(request)?.page() ?? null, costs.request);
    });
    context.on('page', (page) => {
      this.#watch(page);
    });
  }

  #watch(page: Page): void {
    const addFrame = (): void => {
      this.#add(page, costs.frame);
    };
    const addMessage = (): void => {
      this.#add(page, costs.request);
    };
    page.on('framenavigated', addFrame).on('frameattached', addFrame).on('framedetached', addFrame);
    page.on('worker', addFrame);
    page.on('websocket', (socket) => {
      addFrame();
      socket.on('framesent', addMessage).on('framereceived', addMessage);
    });
  }

  /** Counts an event of a page; `null` means a service worker. */
  #add(page: Page | null, cost: number): void {
    const source = page ?? this.context;
    const now = performance.now();
    let seen = this.#seen.get(source);
    if (seen === undefined || now - seen.since > windowMs) seen = { since: now, cost: 0 };
    this.#seen.set(source, seen);
    const isBelow = seen.cost <= maxCost;
    seen.cost += cost;
    if (!isBelow || seen.cost <= maxCost) return;
    this.log.addLimit('A page was closed: it caused too many events in a second.');
    source.close().catch(() => undefined);
  }
}
