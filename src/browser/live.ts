import type { Browser, BrowserContext, BrowserContextOptions, Page, Request } from 'playwright';
import { CodegenError } from '../model/errors.js';
import type { Secrets } from '../model/secrets.js';
import { within } from '../model/within.js';
import { openProxy, type ConnectionFailure, type Refused, type SessionProxy } from '../network/proxy.js';
import type { NetworkRules } from '../network/rules.js';
import { onlyOwnPages } from './attach.js';
import { BoundSecrets } from './bound-secrets.js';
import { BlockedPages } from './blocked-pages.js';
import { copyPermissions, engineOf } from './clipboard-permissions.js';
import { closeAll, closingMs, pageIn, rejectedOptions } from './contexts.js';
import { Dialogs } from './dialogs.js';
import { Downloads } from './downloads.js';
import { Flood } from './flood.js';
import type { HarRecorder } from './har-recorder.js';
import { isRemote } from './endpoint.js';
import { LiveLog } from './live-log.js';
import { addPage, creditSignal, type LivePage, type PageOwner } from './live-page.js';
import { requestFrame } from './origin.js';
import { registerEngine } from './isolated.js';
import { PageLimit } from './page-limit.js';
import { watchContext, watchingMs, watchPage } from './settle.js';
import { defaultTestIdAttribute, setTestIdAttribute } from './test-id.js';
import { keepSecrets } from './typed-secrets.js';

/** The browser side of a session: its contexts, its pages, and what happens in them. */
export interface Live extends PageOwner {
  /** The page that actions act on. */
  current: LivePage;
  /** Time-out of an action, unless it has its own. */
  actionMs: number;
  /** The pages that the latest result listed, serialized. */
  listedPages: string;
  dialogs: Dialogs;
  /** Opens a page in the context of the current one. */
  open(): Promise<LivePage>;
  /** Opens a page in a new context. Throws SESSION_LIMIT, INVALID_INPUT. */
  openContext(options: BrowserContextOptions): Promise<LivePage>;
  /** Changes the id of a page to that of saved steps. */
  rename(entry: LivePage, id: string): void;
  /** The latest page that was blocked by the rules; reported once. */
  takeBlockedPage(): Refused | undefined;
  /** Why the proxy could not connect to a URL; undefined if it knows no reason. */
  failure(url: string): ConnectionFailure | undefined;
  /** Whether the session's browser has exited. */
  lost(): boolean;
  /** Resolves when the browser exits before the session is closed. */
  gone: Promise<void>;
  close(): Promise<void>;
}

interface LiveSetup {
  /** Time-out of an action, and of a navigation that it starts. */
  actionMs: number;
  /** Time-out for a document to settle. */
  settleMs: number;
  /** The attribute of `getByTestId`. */
  testIdAttribute?: string | undefined;
  /** Returns how many pages the session may have open. */
  maxPages: () => number;
  /** Returns the network rules; called for every connection. */
  rules: () => NetworkRules;
  secrets: Secrets;
  har?: HarRecorder | undefined;
}

export function browserEnded(): CodegenError {
  return new CodegenError('BROWSER_FAILED', 'The browser exited while the session was starting.', {
    hint: 'Call again; the browser restarts.',
  });
}

type Proxy = Omit<SessionProxy, 'settings'> & { settings: SessionProxy['settings'] | undefined };

const noProxy: Proxy = { settings: undefined, failure: () => undefined, close: () => undefined };

/** Opens a context with one page for a session, whose connections all obey the rules. */
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
  // A browser on another machine can't reach our proxy; the configuration then allows no rules.
  const proxy = isRemote(browser)
    ? noProxy
    : await openProxy({ rules: () => bound.rules(setup.rules()), onRefused });
  const contexts = new Set<BrowserContext>();
  const openContext = opener({ browser, proxy, contexts }, setup);
  try {
    const first = await openContext(options);
    const newPage = (): Promise<Page> => first.newPage();
    return await openFirstPage(first, { ...setup, proxy, log, bound, contexts, openContext, newPage });
  } catch (error) {
    proxy.close();
    await closeAll(contexts);
    if (!browser.isConnected()) throw browserEnded();
    throw rejectedOptions(error);
  }
}

interface Adopted {
  /** A page of a browser that another program launched, with the engine registered. */
  page: Page;
  failure?: Proxy['failure'];
  /** Called when the session ends. */
  release: () => Promise<void>;
  /** Whether its context has pages that don't belong to the session. */
  isShared?: boolean;
}

/** Uses a page of a browser that another program launched; browser and context stay open. */
export async function adoptLive(
  { page, failure = noProxy.failure, release, isShared = false }: Adopted,
  setup: LiveSetup,
): Promise<Live> {
  const context = page.context();
  const browser = context.browser();
  if (browser === null) throw browserEnded();
  const proxy = { ...noProxy, failure };
  const contexts = new Set<BrowserContext>();
  await prepareContext(context, setup, isShared ? page : context);
  const live = await openFirstPage(context, {
    ...setup,
    isShared,
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
      if (isShared) await within(closingMs, Promise.all(live.pages.map((entry) => entry.page.close())));
      await close();
      await release();
    },
  });
}

/** Returns a function that opens contexts and keeps them in `contexts` until they close. */
function opener(
  { browser, proxy, contexts }: { browser: Browser; proxy: Proxy; contexts: Set<BrowserContext> },
  setup: LiveSetup,
): LiveParts['openContext'] {
  return async (given) => {
    const context = await browser.newContext({
      ...given,
      permissions: [...(given.permissions ?? []), ...copyPermissions[engineOf(browser)]],
      ...(proxy.settings === undefined ? {} : { proxy: proxy.settings }),
    });
    contexts.add(context);
    context.once('close', () => contexts.delete(context));
    await prepareContext(context, setup);
    return context;
  };
}

async function prepareContext(
  context: BrowserContext,
  { testIdAttribute = defaultTestIdAttribute, actionMs, har, secrets }: LiveSetup,
  watched: Pick<BrowserContext, 'addInitScript'> = context,
): Promise<void> {
  await setTestIdAttribute(context, testIdAttribute);
  context.setDefaultTimeout(actionMs);
  har?.watch(context);
  keepSecrets(context, secrets);
  await watchContext(watched);
}

interface LiveParts extends LiveSetup {
  proxy: Proxy;
  log: LiveLog;
  bound: BoundSecrets;
  contexts: ReadonlySet<BrowserContext>;
  openContext: (options: BrowserContextOptions) => Promise<BrowserContext>;
  /** Whether the first context has pages that don't belong to the session. */
  isShared?: boolean;
  newPage: () => Promise<Page>;
}

/** Tracks the pages of a session's contexts. */
class LivePages {
  readonly owner: PageOwner;
  readonly dialogs = new Dialogs();
  readonly blocked: BlockedPages;
  readonly limit: PageLimit;
  readonly #openings = new Map<BrowserContext, ReadonlySet<Request>>();
  #opened = 0;

  constructor(
    private readonly first: BrowserContext,
    private readonly parts: LiveParts,
  ) {
    const { log, secrets, bound, maxPages } = parts;
    const downloads = new Downloads(log);
    this.owner = { pages: [], front: undefined, credited: undefined, downloads, log, secrets, bound };
    this.blocked = new BlockedPages(log);
    this.limit = new PageLimit(this.owner, maxPages);
  }

  watch(context: BrowserContext): void {
    const { log, proxy } = this.parts;
    const seen = this.#isShared(context)
      ? onlyOwnPages(context, (page) => this.#known(page) !== undefined)
      : context;
    log.watch(seen, proxy.failure);
    this.blocked.watch(seen, proxy.failure);
    new Flood(seen, log);
    this.dialogs.watch(seen, log);
    this.#openings.set(context, openingNavigations(seen));
  }

  /** Adds the pages that open in a context. */
  credit(context: BrowserContext): void {
    if (!this.#isShared(context))
      context.on('page', (page) => {
        this.#credit(page);
      });
  }

  entryOf(page: Page): LivePage {
    const known = this.#known(page);
    if (known !== undefined) return known;
    // In a shared context, other pages may open that don't belong to the session.
    if (this.#isShared(page.context()))
      page.on('popup', (popup) => {
        this.#credit(popup);
      });
    const opening = this.#openings.get(page.context()) ?? new Set();
    const limits = { settleMs: this.parts.settleMs, navigationMs: this.parts.actionMs };
    return addPage(this.owner, page, { id: `p${++this.#opened}`, limits, opening, blocked: this.blocked });
  }

  rename(entry: LivePage, id: string): void {
    entry.id = id;
    this.#opened = Math.max(this.#opened, Number(id.slice(1)));
  }

  #isShared(context: BrowserContext): boolean {
    return this.parts.isShared === true && context === this.first;
  }

  #known(page: Page): LivePage | undefined {
    return this.owner.pages.find((entry) => entry.page === page);
  }

  #credit(page: Page): void {
    if (this.limit.refuses(page)) return;
    const entry = this.entryOf(page);
    creditSignal(this.owner, { type: 'page', page: entry.id });
    this.owner.front = entry;
    this.parts.log.add({ type: 'popup', page: entry.id });
    // The watcher is not installed in a shared context.
    if (this.#isShared(page.context()))
      void within(
        watchingMs,
        watchContext(page).then(() => watchPage(page)),
      );
  }
}

async function openFirstPage(first: BrowserContext, parts: LiveParts): Promise<Live> {
  const { proxy, contexts, openContext, newPage } = parts;
  const pages = new LivePages(first, parts);
  const { owner, dialogs, blocked, limit } = pages;
  pages.watch(first);
  const closing = watchClosing(first, proxy);
  const current = pages.entryOf(await newPage());
  owner.front = current;
  pages.credit(first);
  const live: Live = Object.assign(owner, {
    current,
    actionMs: parts.actionMs,
    listedPages: JSON.stringify([current.id]),
    dialogs,
    async open() {
      limit.requireRoom();
      return pages.entryOf(await live.current.page.context().newPage());
    },
    async openContext(options: BrowserContextOptions) {
      limit.requireRoom(contexts.size);
      const page = await pageIn(openContext(options), (context) => {
        pages.watch(context);
        pages.credit(context);
      });
      return pages.entryOf(page);
    },
    rename(entry: LivePage, id: string) {
      pages.rename(entry, id);
    },
    takeBlockedPage: () => blocked.take(),
    failure: proxy.failure,
    lost: () => closing.isLost,
    gone: closing.gone,
    async close() {
      closing.isExpected = true;
      // First, since the context may never close.
      proxy.close();
      await Promise.all([...contexts].map((context) => context.close()));
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

/** The pending navigations of pages that have not opened yet. */
function openingNavigations(context: BrowserContext): ReadonlySet<Request> {
  const opening = new Set<Request>();
  context.on('request', (request) => {
    if (!request.isNavigationRequest() || request.serviceWorker() !== null) return;
    if (requestFrame(request) === undefined) opening.add(request);
  });
  const finish = (request: Request): void => {
    opening.delete(request);
  };
  context.on('requestfinished', finish);
  context.on('requestfailed', finish);
  return opening;
}
