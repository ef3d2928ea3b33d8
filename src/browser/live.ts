import type { Browser, BrowserContext, BrowserContextOptions, Download, Page, Request } from 'playwright';
import { CodegenError, messageOf } from '../model/errors.js';
import { openProxy, describeFailure, type ConnectionFailure, type Refused } from '../network/proxy.js';
import type { NetworkRules } from '../network/rules.js';
import type { Secrets } from '../model/secrets.js';
import type { Signal, Step } from '../model/step.js';
import { copyPermissions, engineOf } from './clipboard-permissions.js';
import { urlOf } from './origin.js';
import { registerPins } from './pin.js';
import { isElsewhere } from './remote.js';
import { createSettling, watchContext, type Settling } from './settle.js';
import type { SnapshotView } from './snapshot.js';

/** Something that happened besides what an action did; told once, with the next result. */
export type LiveEvent =
  | { type: 'dialog'; dialog: string; message: string; answer: 'accepted' | 'dismissed' }
  | { type: 'popup'; page: string }
  | { type: 'closed'; page: string }
  | { type: 'crashed'; page: string }
  | { type: 'download'; suggestedFilename: string }
  | { type: 'console'; level: 'error'; text: string }
  /** What an action read from the page. */
  | { type: 'result'; action: string; text: string }
  /** Something was not let through to the network, or not shown. */
  | ({ type: 'blocked' } & Refused);

export interface ConsoleEntry {
  level: string;
  text: string;
}

export interface NetworkEntry {
  method: string;
  url: string;
  /** HTTP status; undefined where there was no answer. */
  status?: number;
  failure?: string;
}

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

/** How a dialog is to be answered, and who wants to know. */
export interface PlannedAnswer {
  accept: boolean;
  promptText?: string | undefined;
  /** Called when it was answered, with what it said. */
  answered(message: string): void;
}

export interface Live {
  pages: LivePage[];
  /** The page that actions act on. */
  current: LivePage;
  /** The page that is in front of the others; undefined where nobody knows. */
  front: LivePage | undefined;
  /** The step that is credited with what comes: pages, downloads. */
  credited: Step | undefined;
  /** Answers to the dialogs that come, in order; without one, a dialog is dismissed. */
  answers: PlannedAnswer[];
  /** What is to happen because of the next action. */
  announced: { happened: Promise<void>; missing: string; cancel: () => void; step: Step | undefined }[];
  /** Downloads of the session, the latest last. */
  downloads: Download[];
  /** Opens a page beside the others. */
  open(): Promise<LivePage>;
  /** Gives a page another id, as saved steps call it. */
  rename(entry: LivePage, id: string): void;
  /** Has an event told with the next result. */
  tell(event: LiveEvent): void;
  /** Events since they were last taken. */
  takeEvents(): LiveEvent[];
  console: ConsoleEntry[];
  network: NetworkEntry[];
  /** The latest page that was not opened, since the rules forbid it; told once. */
  takeBlockedPage(): Refused | undefined;
  /** Why nothing comes from a URL; undefined where the network knows no reason. */
  failure: (url: string) => ConnectionFailure | undefined;
  secrets: Secrets;
  /** True when the browser process behind the session is gone. */
  lost(): boolean;
  /** Resolves when the browser process is gone, though the session was not closed. */
  gone: Promise<void>;
  close(): Promise<void>;
}

export interface LiveLimits {
  /** Milliseconds for an action, and for a navigation that it sets going to arrive. */
  actionMs: number;
  /** Milliseconds for a document to settle. */
  settleMs: number;
}

/** Id of the page that a session begins with. */
export const firstPage = 'p1';

/** Entries of console and network that are kept, the latest ones. */
const kept = 200;
/** Events told in one result. */
const told = 20;
const longestText = 500;

/** How Chromium fails a redirect to a file or to a page of its own. */
const unsafeRedirect = 'net::ERR_UNSAFE_REDIRECT';

/** Pages of other kinds are the browser's own, or files. */
const shownProtocols = ['http:', 'https:', 'about:', 'data:', 'blob:', 'chrome-error:'];

/** Whether the frame of a request is known; that of a page which is still to come is not. */
function hasFrame(request: Request): boolean {
  try {
    request.frame();
    return true;
  } catch {
    return false;
  }
}

/** The address of a page, without what changes from visit to visit or may be secret: the query, and a hash that is no path. */
export function addressOf(page: Page): string {
  const { protocol, host, pathname, hash } = urlOf(page);
  return `${protocol}//${host}${pathname}${/^#!?\//.test(hash) ? (hash.split('?')[0] ?? '') : ''}`;
}

/** What a call is told that wanted to open a session in a browser which died meanwhile. */
export function browserEnded(): CodegenError {
  return new CodegenError('BROWSER_FAILED', 'The browser ended while the session was starting.', {
    hint: 'Call again: it is started anew.',
  });
}

const noProxy = { settings: undefined, failure: () => undefined, close: () => undefined };

/** Opens a context of its own for one session, with one page in it, whose every connection keeps to the rules. */
export async function openLive(
  browser: Browser,
  options: BrowserContextOptions,
  limits: LiveLimits,
  rules: () => NetworkRules,
  secrets: Secrets,
): Promise<Live> {
  await registerPins();
  // One on another machine can't reach this machine's proxies; the configuration then has no rules.
  const proxy = isElsewhere(browser) ? noProxy : await openProxy({ rules, onRefused: noteRefused });
  let context: BrowserContext;
  try {
    context = await browser.newContext({
      ...options,
      permissions: [...(options.permissions ?? []), ...copyPermissions[engineOf(browser)]],
      ...(proxy.settings === undefined ? {} : { proxy: proxy.settings }),
    });
  } catch (error) {
    proxy.close();
    if (!browser.isConnected()) throw browserEnded();
    throw new CodegenError(
      'INVALID_INPUT',
      `The browser refused the session's options: ${messageOf(error)}`,
      {
        hint: 'Check `use` against https://playwright.dev/docs/test-use-options.',
        cause: error,
      },
    );
  }
  context.setDefaultTimeout(limits.actionMs);
  await watchContext(context);

  const pages: LivePage[] = [];
  let events: LiveEvent[] = [];
  let opened = 0;
  let lost = false;
  let blockedPage: Refused | undefined;
  const consoleEntries: ConsoleEntry[] = [];
  const network: NetworkEntry[] = [];
  const note = (event: LiveEvent): void => {
    if (events.length < told) events.push(event);
  };
  function noteRefused(refused: Refused): void {
    const isNoted = events.some((event) => event.type === 'blocked' && event.origin === refused.origin);
    if (!isNoted) note({ type: 'blocked', ...refused });
  }
  /** Whether an address is none that pages are shown of; it is told. */
  const refuseUnshown = ({ protocol, href }: URL): boolean => {
    if (shownProtocols.includes(protocol)) return false;
    blockedPage = { origin: shorten(href), rule: `pages of ${protocol} are not opened` };
    noteRefused(blockedPage);
    return true;
  };
  const keep = <Entry>(list: Entry[], entry: Entry): void => {
    list.push(entry);
    if (list.length > kept) list.shift();
  };
  const shorten = (text: string): string => {
    // Before it is cut: half a secret is not found.
    const redacted = secrets.redact(text);
    return redacted.length > longestText ? `${redacted.slice(0, longestText)}…` : redacted;
  };

  let isClosing = false;
  const gone = new Promise<void>((resolve) => {
    context.once('close', () => {
      if (isClosing) return;
      lost = true;
      resolve();
    });
  });
  context.on('console', (message) => {
    const entry = { level: message.type(), text: shorten(message.text()) };
    keep(consoleEntries, entry);
    if (entry.level === 'error') note({ type: 'console', level: 'error', text: entry.text });
  });
  context.on('weberror', (error) => {
    const text = shorten(messageOf(error.error()));
    keep(consoleEntries, { level: 'error', text });
    note({ type: 'console', level: 'error', text });
  });
  context.on('response', (response) => {
    keep(network, {
      method: response.request().method(),
      url: shorten(response.url()),
      status: response.status(),
    });
  });
  context.on('requestfailed', (request) => {
    const reason = proxy.failure(request.url());
    const failure =
      reason === undefined ? (request.failure()?.errorText ?? 'failed') : describeFailure(reason);
    keep(network, { method: request.method(), url: shorten(request.url()), failure });
    const isPage =
      request.isNavigationRequest() && (!hasFrame(request) || request.frame().parentFrame() === null);
    if (isPage && reason !== undefined && 'refused' in reason) blockedPage = reason.refused;
    if (isPage && request.failure()?.errorText === unsafeRedirect) {
      blockedPage = {
        origin: shorten(request.url()),
        rule: 'it redirects to what is no page of the network',
      };
      noteRefused(blockedPage);
    }
    // A browser that lacks such a page shows an error instead; what is aborted, as a link to mail is, shows nothing.
    if (isPage && request.failure()?.errorText !== 'net::ERR_ABORTED') refuseUnshown(urlOf(request));
  });
  context.on('dialog', (dialog) => {
    const type = dialog.type();
    const planned = live.answers.shift();
    const { accept, promptText } = planned ?? { accept: type === 'beforeunload' };
    const answer = accept ? 'accepted' : 'dismissed';
    note({ type: 'dialog', dialog: type, message: shorten(dialog.message()), answer });
    (accept ? dialog.accept(type === 'prompt' ? promptText : undefined) : dialog.dismiss()).catch(
      () => undefined,
    );
    planned?.answered(dialog.message());
  });

  /** Navigations of pages that are not known yet. */
  const unborn = new Set<Request>();
  context.on('request', (request) => {
    if (request.isNavigationRequest() && request.serviceWorker() === null && !hasFrame(request))
      unborn.add(request);
  });
  const born = (request: Request): void => {
    unborn.delete(request);
  };
  context.on('requestfinished', born);
  context.on('requestfailed', born);

  const credit = (signal: Signal): void => {
    if (live.credited !== undefined) (live.credited.signals ??= []).push(signal);
  };

  const adopt = (page: Page): LivePage => {
    const entry: LivePage = {
      id: `p${++opened}`,
      page,
      opener: undefined,
      settling: createSettling(page, { settleMs: limits.settleMs, navigationMs: limits.actionMs }, unborn),
      view: undefined,
      document: 0,
      shown: new Map(),
    };
    pages.push(entry);
    page.on('domcontentloaded', () => {
      entry.view = undefined;
      entry.document++;
      if (live.credited !== undefined && (live.credited.page ?? firstPage) === entry.id)
        live.credited.loads = true;
      entry.shown.clear();
    });
    page.on('framenavigated', (frame) => {
      const { credited } = live;
      if (frame === page.mainFrame() && credited !== undefined && (credited.page ?? firstPage) === entry.id)
        credited.leadsTo = addressOf(page);
    });
    page.on('popup', (popup) => {
      const child = pages.find((each) => each.page === popup);
      if (child === undefined) return;
      child.opener = entry;
      const { credited } = live;
      const signal = credited?.signals?.find((each) => each.type === 'page' && each.page === child.id);
      if (signal !== undefined && (credited?.page ?? firstPage) === entry.id) signal.type = 'popup';
    });
    page.on('framenavigated', (frame) => {
      if (frame === page.mainFrame() && refuseUnshown(urlOf(frame)))
        page.goto('about:blank').catch(() => undefined);
    });
    page.on('crash', () => {
      note({ type: 'crashed', page: entry.id });
    });
    page.on('close', () => {
      pages.splice(pages.indexOf(entry), 1);
      if (live.front === entry) live.front = pages.length === 1 ? pages[0] : undefined;
      note({ type: 'closed', page: entry.id });
    });
    page.on('download', (download) => {
      live.downloads.push(download);
      credit({ type: 'download', suggestedFilename: secrets.redact(download.suggestedFilename()) });
      note({ type: 'download', suggestedFilename: shorten(download.suggestedFilename()) });
    });
    return entry;
  };

  const current = adopt(await context.newPage());
  const live: Live = {
    pages,
    current,
    front: current,
    credited: undefined,
    answers: [],
    announced: [],
    downloads: [],
    async open() {
      const page = await context.newPage();
      return pages.find((entry) => entry.page === page) ?? adopt(page);
    },
    rename(entry, id) {
      entry.id = id;
      opened = Math.max(opened, Number(id.slice(1)));
    },
    tell: (event) => events.push(event),
    takeEvents() {
      const taken = events;
      events = [];
      return taken;
    },
    console: consoleEntries,
    network,
    takeBlockedPage() {
      const taken = blockedPage;
      blockedPage = undefined;
      return taken;
    },
    failure: proxy.failure,
    secrets,
    lost: () => lost,
    gone,
    close() {
      isClosing = true;
      return context.close();
    },
  };
  context.once('close', proxy.close);
  context.on('page', (page) => {
    const entry = pages.find((each) => each.page === page) ?? adopt(page);
    credit({ type: 'page', page: entry.id });
    live.front = entry;
    note({ type: 'popup', page: entry.id });
  });
  return live;
}
