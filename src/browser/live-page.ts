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

/** A page of the session, with what the agent knows of it. */
export interface LivePage {
  /** `p1`, `p2`, … in the order of opening. */
  id: string;
  page: Page;
  settling: Settling;
  /** What the agent was shown last; undefined before the first snapshot and after a new document. */
  view: SnapshotView | undefined;
  /** How many documents the page has loaded: two equal numbers mean the same document. */
  document: number;
  /** What every reference of this document looked like when it was shown. */
  shown: Map<string, string>;
  /** The page that opened it. */
  opener: LivePage | undefined;
}

/** What collects the results of an action: pages, downloads, new documents. */
export interface Credit {
  /** Id of the page acted in; the session's first by default. */
  page?: string;
  signals?: Signal[];
  loads?: true;
  leadsTo?: string;
}

/** Id of the page that a session begins with. */
export const firstPage = 'p1';

/** The address of a page, without what changes from visit to visit or may be secret: the query, and a hash that is no path. */
export function addressOf(page: Page, secrets: Secrets): string {
  const { protocol, host, pathname, hash } = urlOf(page);
  const path = /^#!?\//.test(hash) ? (hash.split('?')[0] ?? '') : '';
  return secrets.redact(`${protocol}//${host}${pathname}${path}`);
}

/** What the pages of a session share. */
export interface PageOwner {
  pages: LivePage[];
  /** The page in front of the others; undefined if that is unknown. */
  front: LivePage | undefined;
  /** Collects the pages, downloads and documents that come. */
  credited: Credit | undefined;
  downloads: Downloads;
  log: LiveLog;
  secrets: Secrets;
  bound: BoundSecrets;
}

export interface PageSetup {
  id: string;
  limits: SettleLimits;
  /** Navigations of pages that have not opened yet. */
  opening: ReadonlySet<Request>;
  blocked: BlockedPages;
}

/** Adds a page to the session, and follows its documents, popups and downloads. */
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
