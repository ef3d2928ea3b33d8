import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright';
import { CodegenError, messageOf } from '../model/errors.js';
import { registerPins } from './pin.js';
import { createSettling, watchContext, type Settling } from './settle.js';
import type { SnapshotView } from './snapshot.js';

/** Something that happened besides what an action did; told once, with the next result. */
export type LiveEvent =
  | { type: 'dialog'; dialog: string; message: string; answer: 'accepted' | 'dismissed' }
  | { type: 'popup'; page: string }
  | { type: 'closed'; page: string }
  | { type: 'crashed'; page: string }
  | { type: 'download'; suggestedFilename: string }
  | { type: 'console'; level: 'error'; text: string };

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
}

export interface Live {
  pages: LivePage[];
  current: LivePage;
  /** Events since they were last taken. */
  takeEvents(): LiveEvent[];
  console: ConsoleEntry[];
  network: NetworkEntry[];
  /** True when the browser process behind the session is gone. */
  lost(): boolean;
  close(): Promise<void>;
}

export interface LiveLimits {
  /** Milliseconds for an action, and for a navigation that it sets going to arrive. */
  actionMs: number;
  /** Milliseconds for a document to settle. */
  settleMs: number;
}

/** Entries of console and network that are kept, the latest ones. */
const kept = 200;
/** Events told in one result. */
const told = 20;
const longestText = 500;

/** Opens a context of its own for one session, with one page in it. */
export async function openLive(
  browser: Browser,
  options: BrowserContextOptions,
  limits: LiveLimits,
): Promise<Live> {
  await registerPins();
  let context: BrowserContext;
  try {
    context = await browser.newContext(options);
  } catch (error) {
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
  const consoleEntries: ConsoleEntry[] = [];
  const network: NetworkEntry[] = [];
  const note = (event: LiveEvent): void => {
    if (events.length < told) events.push(event);
  };
  const keep = <Entry>(list: Entry[], entry: Entry): void => {
    list.push(entry);
    if (list.length > kept) list.shift();
  };
  const shorten = (text: string): string =>
    text.length > longestText ? `${text.slice(0, longestText)}…` : text;

  browser.once('disconnected', () => (lost = true));
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
    const failure = request.failure()?.errorText ?? 'failed';
    keep(network, { method: request.method(), url: shorten(request.url()), failure });
  });
  context.on('dialog', (dialog) => {
    const accept = dialog.type() === 'beforeunload';
    const answer = accept ? 'accepted' : 'dismissed';
    note({ type: 'dialog', dialog: dialog.type(), message: shorten(dialog.message()), answer });
    (accept ? dialog.accept() : dialog.dismiss()).catch(() => undefined);
  });

  const adopt = (page: Page): LivePage => {
    const known = pages.find((entry) => entry.page === page);
    if (known !== undefined) return known;
    const entry: LivePage = {
      id: `p${++opened}`,
      page,
      settling: createSettling(page, { settleMs: limits.settleMs, navigationMs: limits.actionMs }),
      view: undefined,
      document: 0,
      shown: new Map(),
    };
    pages.push(entry);
    page.on('domcontentloaded', () => {
      entry.view = undefined;
      entry.document++;
      entry.shown.clear();
    });
    page.on('crash', () => {
      note({ type: 'crashed', page: entry.id });
    });
    page.on('close', () => {
      pages.splice(pages.indexOf(entry), 1);
      note({ type: 'closed', page: entry.id });
    });
    page.on('download', (download) => {
      note({ type: 'download', suggestedFilename: shorten(download.suggestedFilename()) });
    });
    return entry;
  };
  context.on('page', (page) => {
    if (pages.some((entry) => entry.page === page)) return;
    const entry = adopt(page);
    if (opened > 1) note({ type: 'popup', page: entry.id });
  });

  const current = adopt(await context.newPage());
  return {
    pages,
    current,
    takeEvents() {
      const taken = events;
      events = [];
      return taken;
    },
    console: consoleEntries,
    network,
    lost: () => lost,
    close: () => context.close(),
  };
}
