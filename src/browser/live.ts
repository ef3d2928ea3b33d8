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
import { Downloads } from './downloads.js';
import { Flood } from './flood.js';
import type { HarRecorder } from './har-recorder.js';
import { isRemote } from './endpoint.js';
import { LiveLog } from './live-log.js';
import { addPage, creditSignal, type LivePage, type PageOwner } from './live-page.js';
import { requestFrame, urlOf } from './origin.js';
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
  /** Opens a page in a new context. Throws SESSION_LIMIT, INVALID_INPUT. */
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

/** Milliseconds for the watcher to be put into a page. */
const watchingMs = 5000;
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
  /** A page of a browser that another program started, in which the engine is registered. */
  page: Page;
  failure?: Proxy['failure'];
  /** Called when the session ends. */
  release: () => Promise<void>;
  /** Whether its context has other pages, which are nothing of the session's. */
  isShared?: boolean;
}

/** Uses a page of a browser that another program started, which stays open with its context. */
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

/** Opens the contexts of a session, which are noted in `contexts` until they close. */
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
  { testIdAttribute = defaultTestIdAttribute, actionMs, har }: LiveSetup,
  watched: Pick<BrowserContext, 'addInitScript'> = context,
): Promise<void> {
  await setTestIdAttribute(context, testIdAttribute);
  context.setDefaultTimeout(actionMs);
  har?.watch(context);
  await watchContext(watched);
}

interface LiveParts extends LiveSetup {
  proxy: Proxy;
  log: LiveLog;
  bound: BoundSecrets;
  /** The contexts that are open. */
  contexts: ReadonlySet<BrowserContext>;
  openContext: (options: BrowserContextOptions) => Promise<BrowserContext>;
  /** Whether the first context has other pages, which are nothing of the session's. */
  isShared?: boolean;
  /** Gives the first page. */
  newPage: () => Promise<Page>;
}

/** The pages of a session's contexts as they come, and what happens in them. */
class LivePages {
  readonly owner: PageOwner;
  readonly answers: PlannedAnswer[] = [];
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
    answerDialogs(seen, this.answers, log);
    this.#openings.set(context, openingNavigations(seen));
  }

  /** Adds the pages that will open in a context. */
  credit(context: BrowserContext): void {
    if (!this.#isShared(context))
      context.on('page', (page) => {
        this.#credit(page);
      });
  }

  entryOf(page: Page): LivePage {
    const known = this.#known(page);
    if (known !== undefined) return known;
    // Other pages may open in a shared context at any time.
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
    // A shared context has no watcher.
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
  const { owner, answers, blocked, limit } = pages;
  pages.watch(first);
  const closing = watchClosing(first, proxy);
  const current = pages.entryOf(await newPage());
  owner.front = current;
  pages.credit(first);
  const live: Live = Object.assign(owner, {
    current,
    listedPages: JSON.stringify([current.id]),
    answers,
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
      // Also if the context never closes.
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
