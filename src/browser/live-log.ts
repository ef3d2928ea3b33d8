import type { BrowserContext, Request } from 'playwright';
import { messageOf } from '../model/errors.js';
import { PageText, pageUrl } from '../model/page-text.js';
import type { Secrets } from '../model/secrets.js';
import { describeFailure, type ConnectionFailure, type Refused } from '../network/proxy.js';

/** Something that happened besides the action itself; reported once, in the next result. */
export type LiveEvent =
  | DialogEvent
  | { type: 'popup'; page: string }
  | { type: 'closed'; page: string }
  | { type: 'crashed'; page: string }
  | { type: 'download'; suggestedFilename: PageText }
  | { type: 'console'; level: 'error'; text: PageText }
  /** A value that an action read from the page. */
  | { type: 'result'; action: string; text: PageText }
  /** Something was stopped at a limit of the session. */
  | { type: 'limit'; text: string }
  /** A connection or page that the rules forbid. */
  | { type: 'blocked'; origin: PageText; rule: string };

interface DialogEvent {
  type: 'dialog';
  dialog: string;
  message: PageText;
  answer: 'accepted' | 'dismissed';
}

export interface ConsoleEntry {
  level: string;
  text: PageText;
}

export interface NetworkEntry {
  method: string;
  url: string | PageText;
  /** HTTP status; undefined without a response. */
  status?: number;
  failure?: string;
  /** A JSON request's body. */
  body?: PageText;
  /** Set for images, fonts, styles and media that loaded successfully. */
  isAsset?: true;
}

/** Resource types that say little about the application. */
const assets = new Set(['image', 'font', 'stylesheet', 'media']);

/** Maximum numbers of latest console entries, requests and dialogs. */
const maxEntries = 200;
/** Maximum number of console entries per second; more are dropped. */
const maxPerSecond = 100;
/** Maximum number of events in a result. */
const maxEvents = 20;
/** How many characters of a page's text are read. */
const maxRead = 50_000;
/** Maximum length of a text from the page. */
const maxTextLength = 500;
/** Maximum length of a console error in an event; `console` has more of it. */
const maxEventText = 200;
/** Maximum length of a URL. */
const maxUrl = 2000;

/** What happened in a session's pages, with secrets redacted. */
export class LiveLog {
  readonly console: ConsoleEntry[] = [];
  readonly network: NetworkEntry[] = [];
  readonly dialogs: DialogEvent[] = [];
  /** Responses since the last action began. */
  readonly recent: { method: string; url: string }[] = [];
  #events: LiveEvent[] = [];
  readonly #secrets: Secrets;
  #second = 0;
  #perSecond = 0;

  constructor(secrets: Secrets) {
    this.#secrets = secrets;
  }

  /** Adds an event, unless there are too many already. */
  add(event: LiveEvent): void {
    if (event.type === 'dialog') keep(this.dialogs, event);
    if (this.#events.length < maxEvents) this.#events.push(event);
  }

  /** Adds a value that an action read; never dropped. */
  addResult(action: string, text: string): void {
    this.#events.push({ type: 'result', action, text: new PageText(text) });
  }

  /** Adds a blocked connection or page, once per origin. */
  addBlocked({ origin, rule }: Refused): void {
    const isKnown = this.#events.some((event) => event.type === 'blocked' && event.origin.text === origin);
    if (!isKnown) this.add({ type: 'blocked', origin: new PageText(origin), rule });
  }

  /** Adds that a limit was reached, once per text; never dropped. */
  addLimit(text: string): void {
    const isKnown = this.#events.some((event) => event.type === 'limit' && event.text === text);
    if (!isKnown) this.#events.push({ type: 'limit', text });
  }

  /** Returns and removes the events since the last call. */
  takeEvents(): LiveEvent[] {
    return this.#events.splice(0);
  }

  /** Redacts a text of the page, then cuts it: half a secret would not be found. */
  shorten(text: string, maxLength = maxTextLength): string {
    const redacted = this.#secrets.redact(text.slice(0, maxRead));
    return redacted.length > maxLength ? `${redacted.slice(0, maxLength)}…` : redacted;
  }

  pageText(text: string): PageText {
    return new PageText(this.shorten(text));
  }

  url(text: string): string | PageText {
    return pageUrl(this.shorten(text, maxUrl));
  }

  /** Logs the console messages and requests of a context. */
  watch(context: BrowserContext, failure: (url: string) => ConnectionFailure | undefined): void {
    context.on('console', (message) => {
      this.#addConsole(message.type(), message.text());
    });
    context.on('weberror', (error) => {
      this.#addConsole('error', messageOf(error.error()));
    });
    context.on('response', (response) => {
      const request = response.request();
      keep(this.network, {
        ...this.#request(request),
        status: response.status(),
        ...(response.ok() && assets.has(request.resourceType()) ? { isAsset: true } : {}),
      });
      keep(this.recent, { method: request.method(), url: response.url() });
    });
    context.on('requestfailed', (request) => {
      const reason = failure(request.url());
      keep(this.network, {
        ...this.#request(request),
        failure: reason === undefined ? (request.failure()?.errorText ?? 'failed') : describeFailure(reason),
      });
    });
  }

  #request(request: Request): NetworkEntry {
    const body = request.postData();
    const isJson = body !== null && /\bjson\b/i.test(request.headers()['content-type'] ?? '');
    return {
      method: request.method(),
      url: this.url(request.url()),
      ...(isJson ? { body: this.pageText(body) } : {}),
    };
  }

  #addConsole(level: string, message: string): void {
    const now = performance.now();
    if (now - this.#second > 1000) [this.#second, this.#perSecond] = [now, 0];
    if (++this.#perSecond > maxPerSecond) return;
    const text = this.pageText(message);
    keep(this.console, { level, text });
    if (level === 'error') this.#addError(new PageText(this.shorten(message, maxEventText)));
  }

  /** Adds a console error, once per text. */
  #addError(text: PageText): void {
    const isKnown = this.#events.some((event) => event.type === 'console' && event.text.text === text.text);
    if (!isKnown) this.add({ type: 'console', level: 'error', text });
  }
}

function keep<Entry>(list: Entry[], entry: Entry): void {
  list.push(entry);
  if (list.length > maxEntries) list.shift();
}
