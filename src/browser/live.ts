import type { Browser, BrowserContext, BrowserContextOptions, Page, Request } from 'playwright';
import { CodegenError, messageOf } from '../model/errors.js';
import type { Secrets } from '../model/secrets.js';
import { within } from '../model/within.js';
import { openProxy, type ConnectionFailure, type Refused, type SessionProxy } from '../network/proxy.js';
import type { NetworkRules } from '../network/rules.js';
import { BoundSecrets } from './bound-secrets.js';
import { BlockedPages, hasFrame } from './blocked-pages.js';
import { copyPermissions, engineOf } from './clipboard-permissions.js';
import { Downloads } from './downloads.js';
import { Flood } from './flood.js';
import type { HarRecorder } from './har-recorder.js';
import { isRemote } from './endpoint.js';
import { LiveLog } from './live-log.js';
import { addPage, creditSignal, type LivePage, type PageOwner } from './live-page.js';
import { urlOf } from './origin.js';
import { registerEngine } from './isolated.js';
import { PageLimit } from './page-limit.js';
import { watchContext, watchPage } from './settle.js';
import { defaultTestIdAttribute, setTestIdAttribute } from './test-id.js';

/** How a dialog is to be answered. */
export interface PlannedAnswer {
  accept: boolean;
  promptText?: string | undefined;
  /** Whether a page of this origin may get the text; any by default. */
  isFor?: ((origin: string) => boolean) | undefined;
  /** Called with the dialog's message when it was answered. */
  answered(message: string): void;
}

/** The browser side of a session: its context, its pages, and what happens in them. */
export interface Live extends PageOwner {
  /** The page that actions act on. */
  current: LivePage;
  /** The pages that a result last listed, as text. */
  listedPages: string;
  /** Answers to the next dialogs, in order; without one, a dialog is dismissed. */
  answers: PlannedAnswer[];
  /** Opens a page in the context of the current one. */
  open(): Promise<LivePage>;
  /** Opens a page in a context of its own. Throws SESSION_LIMIT, INVALID_INPUT. */
  openContext(options: BrowserContextOptions): Promise<LivePage>;
  /** Gives a page another id, as saved steps call it. */
  rename(entry: LivePage, id: string): void;
  /** The latest page that was blocked by the rules; reported once. */
  takeBlockedPage(): Refused | undefined;
  /** Why a URL can't be loaded; undefined if the network knows no reason. */
  failure(url: string): ConnectionFailure | undefined;
  /** True when the browser process behind the session has exited. */
  lost(): boolean;
  /** Resolves when the browser process has exited before the session was closed. */
  gone: Promise<void>;
  close(): Promise<void>;
}

export interface LiveSetup {
  /** Milliseconds for an action, and for a navigation that it starts to arrive. */
  actionMs: number;
  /** Milliseconds for a document to settle. */
  settleMs: number;
  /** What `getByTestId` reads. */
  testIdAttribute?: string | undefined;
  /** How many pages the session may have open. */
  maxPages: () => number;
  /** The rules of the network, asked at every connection. */
  rules: () => NetworkRules;
  secrets: Secrets;
  /** Records the network. */
  har?: HarRecorder | undefined;
}

/** The error of a call whose browser exited while its session was opening. */
export function browserEnded(): CodegenError {
  return new CodegenError('BROWSER_FAILED', 'The browser exited while the session was starting.', {
    hint: 'Call again; the browser restarts.',
  });
}

/** Milliseconds for a context to close that could not be set up. */
const closingMs = 5000;

type Proxy = Omit<SessionProxy, 'settings'> & { settings: SessionProxy['settings'] | undefined };

const noProxy: Proxy = { settings: undefined, failure: () => undefined, close: () => undefined };

/** Opens a context for one session, with one page in it, whose every connection obeys the rules. */
export async function openLive(
  browser: Browser,
  options: BrowserContextOptions,
  setup: LiveSetup,
): Promise<Live> {
  await registerEngine();
  const log = new LiveLog(setup.secrets);
  const bound = new BoundSecrets(setup.secrets, !isRemote(browser));
  const onRefused = (refused: Refused): void => {
    log.addBlocked(refused);
  };
  // A browser on another machine can't reach this machine's proxies; the configuration then has no rules.
  const proxy = isRemote(browser)
    ? noProxy
    : await openProxy({ rules: () => bound.rules(setup.rules()), onRefused });
  const contexts: BrowserContext[] = [];
  const openContext = opener({ browser, proxy, contexts }, setup);
  try {
    const first = await openContext(options);
    const newPage = (): Promise<Page> => first.newPage();
    return await openFirstPage(first, { ...setup, proxy, log, bound, contexts, openContext, newPage });
  } catch (error) {
    proxy.close();
    await within(closingMs, Promise.all(contexts.map((context) => context.close())));
    if (!browser.isConnected()) throw browserEnded();
    throw rejectedOptions(error);
  }
}

/**
 * Uses a page of a browser that another program started, in which the engine is registered: it and its context stay
 * open. `release` is called when the session ends.
 */
export async function adoptLive(
  { page, failure, release }: { page: Page; failure: Proxy['failure']; release: () => Promise<void> },
  setup: LiveSetup,
): Promise<Live> {
  const context = page.context();
  const browser = context.browser();
  if (browser === null) throw browserEnded();
  const proxy = { ...noProxy, failure };
  const contexts: BrowserContext[] = [];
  await prepareContext(context, setup);
  const live = await openFirstPage(context, {
    ...setup,
    proxy,
    log: new LiveLog(setup.secrets),
    bound: new BoundSecrets(setup.secrets, false),
    contexts,
    openContext: opener({ browser, proxy, contexts }, setup),
    newPage: () => Promise.resolve(page),
  });
  await watchPage(page);
  const close = live.close.bind(live);
  return Object.assign(live, {
    async close() {
      await close();
      await release();
    },
  });
}

/** Opens the contexts of a session, which are noted in `contexts`. */
function opener(
  { browser, proxy, contexts }: { browser: Browser; proxy: Proxy; contexts: BrowserContext[] },
  setup: LiveSetup,
): LiveParts['openContext'] {
  return async (given) => {
    const context = await browser.newContext({
      ...given,
      permissions: [...(given.permissions ?? []), ...copyPermissions[engineOf(browser)]],
      ...(proxy.settings === undefined ? {} : { proxy: proxy.settings }),
    });
    contexts.push(context);
    await prepareContext(context, setup);
    return context;
  };
}

async function prepareContext(
  context: BrowserContext,
  { testIdAttribute = defaultTestIdAttribute, actionMs, har }: LiveSetup,
): Promise<void> {
  await setTestIdAttribute(context, testIdAttribute);
  context.setDefaultTimeout(actionMs);
  har?.watch(context);
  await watchContext(context);
}

function rejectedOptions(error: unknown): CodegenError {
  return new CodegenError(
    'INVALID_INPUT',
    `The browser rejected the options of the context: ${messageOf(error)}`,
    { hint: 'Check `use` against https://playwright.dev/docs/test-use-options.', cause: error },
  );
}

interface LiveParts extends LiveSetup {
  proxy: Proxy;
  log: LiveLog;
  bound: BoundSecrets;
  /** The contexts that were opened. */
  contexts: readonly BrowserContext[];
  openContext: (options: BrowserContextOptions) => Promise<BrowserContext>;
  /** Gives the first page. */
  newPage: () => Promise<Page>;
}

async function openFirstPage(
  first: BrowserContext,
  { proxy, log, bound, contexts, openContext, newPage, actionMs, settleMs, secrets, maxPages }: LiveParts,
): Promise<Live> {
  const owner: PageOwner = {
    pages: [],
    front: undefined,
    credited: undefined,
    downloads: new Downloads(log),
    log,
    secrets,
    bound,
  };
  const blocked = new BlockedPages(log);
  const answers: PlannedAnswer[] = [];
  const pageLimit = new PageLimit(owner, maxPages);
  const openings = new Map<BrowserContext, ReadonlySet<Request>>();
  let opened = 0;
  const watch = (context: BrowserContext): void => {
    log.watch(context, proxy.failure);
    blocked.watch(context, proxy.failure);
    new Flood(context, log);
    answerDialogs(context, answers, log);
    openings.set(context, openingNavigations(context));
  };
  const entryOf = (page: Page): LivePage => {
    const opening = openings.get(page.context()) ?? new Set();
    const limits = { settleMs, navigationMs: actionMs };
    const known = owner.pages.find((entry) => entry.page === page);
    return known ?? addPage(owner, page, { id: `p${++opened}`, limits, opening, blocked });
  };
  const creditPages = (context: BrowserContext): void => {
    context.on('page', (page) => {
      if (pageLimit.refuses(page)) return;
      const entry = entryOf(page);
      creditSignal(owner, { type: 'page', page: entry.id });
      owner.front = entry;
      log.add({ type: 'popup', page: entry.id });
    });
  };
  watch(first);
  const closing = watchClosing(first, proxy);
  const current = entryOf(await newPage());
  owner.front = current;
  creditPages(first);
  const live: Live = Object.assign(owner, {
    current,
    listedPages: JSON.stringify([current.id]),
    answers,
    async open() {
      pageLimit.requireRoom();
      return entryOf(await live.current.page.context().newPage());
    },
    async openContext(options: BrowserContextOptions) {
      pageLimit.requireRoom(contexts.length);
      const context = await openContext(options).catch((error: unknown) => {
        throw rejectedOptions(error);
      });
      watch(context);
      creditPages(context);
      return entryOf(await context.newPage());
    },
    rename(entry: LivePage, id: string) {
      entry.id = id;
      opened = Math.max(opened, Number(id.slice(1)));
    },
    takeBlockedPage: () => blocked.take(),
    failure: proxy.failure,
    lost: () => closing.isLost,
    gone: closing.gone,
    async close() {
      closing.isExpected = true;
      // Also if the context never closes.
      proxy.close();
      await Promise.all(contexts.map((context) => context.close()));
    },
  });
  return live;
}

interface Closing {
  isExpected: boolean;
  isLost: boolean;
  /** Resolves when the context has closed unexpectedly. */
  gone: Promise<void>;
}

function watchClosing(context: BrowserContext, proxy: Proxy): Closing {
  const closing: Closing = {
    isExpected: false,
    isLost: false,
    gone: new Promise((resolve) => {
      context.once('close', () => {
        proxy.close();
        if (closing.isExpected) return;
        closing.isLost = true;
        resolve();
      });
    }),
  };
  return closing;
}

/** Answers each dialog as planned, so that none blocks its page. */
function answerDialogs(context: BrowserContext, answers: PlannedAnswer[], log: LiveLog): void {
  context.on('dialog', (dialog) => {
    const type = dialog.type();
    const planned = answers.shift();
    const { promptText, isFor } = planned ?? {};
    const page = dialog.page();
    const isAllowed = isFor?.(page === null ? 'null' : urlOf(page).origin) ?? true;
    const accept = isAllowed && (planned?.accept ?? type === 'beforeunload');
    const answer = accept ? 'accepted' : 'dismissed';
    log.add({ type: 'dialog', dialog: type, message: log.pageText(dialog.message()), answer });
    const answered = accept ? dialog.accept(type === 'prompt' ? promptText : undefined) : dialog.dismiss();
    answered.catch(() => undefined);
    planned?.answered(dialog.message());
  });
}

/** The navigations under way of pages that have not opened yet. */
function openingNavigations(context: BrowserContext): ReadonlySet<Request> {
  const opening = new Set<Request>();
  context.on('request', (request) => {
    if (request.isNavigationRequest() && request.serviceWorker() === null && !hasFrame(request))
      opening.add(request);
  });
  const finish = (request: Request): void => {
    opening.delete(request);
  };
  context.on('requestfinished', finish);
  context.on('requestfailed', finish);
  return opening;
}
