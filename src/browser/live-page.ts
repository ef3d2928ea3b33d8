import type { Page, Request } from 'playwright';
import type { BoundSecrets } from './bound-secrets.js';
import type { Secrets } from '../model/secrets.js';
import type { Signal } from '../model/step.js';
import type { BlockedPages } from './blocked-pages.js';
import type { Downloads } from './downloads.js';
import { urlOf } from './origin.js';
import type { LiveLog } from './live-log.js';
import { Settling, type SettleLimits } from './settle.js';
import type { SnapshotView } from './snapshot.js';

/** A page of the session, and what the agent knows about it. */
export interface LivePage {
  /** `p1`, `p2`, … in the order of opening. */
  id: string;
  page: Page;
  settling: Settling;
  /** The latest snapshot that the agent saw; undefined after a new document has loaded. */
  view: SnapshotView | undefined;
  /** The number of documents that the page has loaded, which identifies the document. */
  document: number;
  /** The line of each reference in this document when the agent saw it. */
  shown: Map<string, string>;
  /** When a snapshot was last waited for in vain, by `performance.now()`. */
  unreadAt?: number;
  /** The page that opened it. */
  opener: LivePage | undefined;
}

/** Collects what an action caused: pages, downloads, new documents. */
interface Credit {
  /** Id of the page of the action; by default the first one. */
  page?: string;
  signals?: Signal[];
  loads?: true;
  leadsTo?: string;
}

/** Id of a session's first page. */
export const firstPage = 'p1';

/** The URL of a page without its query and a hash that is not a path, which may change or be secret. */
export function addressOf(page: Page, secrets: Secrets): string {
  const { protocol, host, pathname, hash } = urlOf(page);
  const path = /^#!?\//.test(hash) ? (hash.split('?')[0] ?? '') : '';
  return secrets.redact(`${protocol}//${host}${pathname}${path}`);
}

/** What the pages of a session share. */
export interface PageOwner {
  pages: LivePage[];
  /** The page in front; undefined if unknown. */
  front: LivePage | undefined;
  /** Collects what the current action causes. */
  credited: Credit | undefined;
  downloads: Downloads;
  log: LiveLog;
  secrets: Secrets;
  bound: BoundSecrets;
}

interface PageSetup {
  id: string;
  limits: SettleLimits;
  /** Pending navigations of pages that have not opened yet. */
  opening: ReadonlySet<Request>;
  blocked: BlockedPages;
}

/** Adds a page to the session, and tracks its documents, popups and downloads. */
export function addPage(owner: PageOwner, page: Page, setup: PageSetup): LivePage {
  const { id, limits, opening, blocked } = setup;
  const { pages, log, secrets } = owner;
  const entry: LivePage = {
    id,
    page,
    opener: undefined,
    settling: new Settling(page, limits, opening),
    view: undefined,
    document: 0,
    shown: new Map(),
  };
  pages.push(entry);
  const ownCredit = (): Credit | undefined =>
    (owner.credited?.page ?? firstPage) === entry.id ? owner.credited : undefined;
  page.on('domcontentloaded', () => {
    entry.view = undefined;
    entry.document++;
    const credit = ownCredit();
    if (credit !== undefined) credit.loads = true;
    entry.shown.clear();
  });
  page.on('framenavigated', (frame) => {
    if (frame !== page.mainFrame()) return;
    const credit = ownCredit();
    if (credit !== undefined) credit.leadsTo = addressOf(page, secrets);
    if (blocked.refuse(urlOf(frame))) page.goto('about:blank').catch(() => undefined);
  });
  page.on('popup', (popup) => {
    const child = pages.find((each) => each.page === popup);
    if (child === undefined) return;
    child.opener = entry;
    const signal = ownCredit()?.signals?.find((each) => each.type === 'page' && each.page === child.id);
    if (signal !== undefined) signal.type = 'popup';
  });
  page.on('crash', () => {
    log.add({ type: 'crashed', page: entry.id });
  });
  page.on('close', () => {
    pages.splice(pages.indexOf(entry), 1);
    if (owner.front === entry) owner.front = pages.length === 1 ? pages[0] : undefined;
    log.add({ type: 'closed', page: entry.id });
  });
  page.on('download', (download) => {
    if (!owner.downloads.add(download)) return;
    creditSignal(owner, {
      type: 'download',
      suggestedFilename: secrets.conceal(download.suggestedFilename()),
    });
    log.add({ type: 'download', suggestedFilename: log.pageText(download.suggestedFilename()) });
  });
  return entry;
}

export function creditSignal({ credited }: PageOwner, signal: Signal): void {
  if (credited !== undefined) (credited.signals ??= []).push(signal);
}
