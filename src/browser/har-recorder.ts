import type { BrowserContext, Request } from 'playwright';
import { artifactBytes } from '../model/artifact.js';
import type { Step } from '../model/step.js';
import { isReadable } from './response-body.js';
import { within } from '../model/within.js';

/** Maximum number of requests per session. */
const maxExchanges = 5000;
/** Time-out for a response body. */
const bodyMs = 5000;

/** A request and its response. */
export interface Exchange {
  /** The latest step when the request was sent. */
  after: Step | undefined;
  method: string;
  url: string;
  postData: string | undefined;
  contentType: string | undefined;
  answer: { status: number; statusText: string; headers: Record<string, string>; body: Buffer } | undefined;
}

/** Records a session's requests in memory, since they may contain secrets. */
export class HarRecorder {
  /** In the order of the requests. */
  readonly exchanges: Exchange[] = [];
  /** URLs of WebSockets, which a HAR can't replay. */
  readonly sockets = new Set<string>();
  /** Whether the recording exceeded the limits. */
  isOver = false;
  /** Returns the latest step. */
  position: () => Step | undefined = () => undefined;
  #bytes = 0;
  readonly #sent = new WeakMap<Request, Exchange>();
  readonly #reading = new Set<Promise<void>>();

  watch(context: BrowserContext): void {
    context.on('request', (request) => {
      if (this.isOver || !/^https?:/.test(request.url())) return;
      const exchange: Exchange = {
        after: this.position(),
        method: request.method(),
        url: request.url(),
        postData: request.postData() ?? undefined,
        contentType: request.headers()['content-type'],
        answer: undefined,
      };
      this.#sent.set(request, exchange);
      this.exchanges.push(exchange);
      this.#count(exchange.url.length + (exchange.postData?.length ?? 0));
    });
    context.on('requestfinished', (request) => {
      const exchange = this.#sent.get(request);
      if (exchange === undefined || this.isOver) return;
      const reading = this.#read(request, exchange).finally(() => this.#reading.delete(reading));
      this.#reading.add(reading);
    });
    context.on('page', (page) => {
      page.on('websocket', (socket) => this.sockets.add(socket.url()));
    });
  }

  /** Waits for pending response bodies. */
  async settled(): Promise<void> {
    await Promise.all(this.#reading);
  }

  async #read(request: Request, exchange: Exchange): Promise<void> {
    const response = await within(bodyMs, request.response());
    // A cached response has the body of an earlier one.
    if (!response || response.status() === 304) return;
    if (!(await isReadable(response))) return;
    const body = await within(
      bodyMs,
      // Redirects have no body.
      response.body().catch(() => Buffer.alloc(0)),
    );
    if (body === undefined) return;
    const [status, statusText, headers] = [response.status(), response.statusText(), response.headers()];
    exchange.answer = { status, statusText, headers, body };
    this.#count(body.length);
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes <= artifactBytes && this.exchanges.length <= maxExchanges) return;
    this.isOver = true;
    this.exchanges.length = 0;
  }
}
