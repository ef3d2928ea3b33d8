import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import { ClientRequest, type IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { brotliDecompress, constants, gunzip, inflate } from 'node:zlib';

/** Responses to the requests that run within `limited`. */
class Received {
  /** The latest response's content encoding. */
  encoding = '';
  isTooLarge = false;

  constructor(readonly maxBytes: number) {}

  /** Hides the encoding, since Playwright decompresses a body of any size. */
  watch(response: IncomingMessage): void {
    this.encoding = response.headers['content-encoding']?.toLowerCase() ?? '';
    delete response.headers['content-encoding'];
    let bytes = 0;
    const push = response.push.bind(response);
    response.push = (chunk: Buffer | null, encoding) => {
      bytes += chunk?.length ?? 0;
      if (bytes <= this.maxBytes) return push(chunk, encoding);
      this.isTooLarge = true;
      response.destroy();
      return false;
    };
  }

  /** Decompresses a body; undefined if it is too large. */
  async body(raw: Buffer): Promise<Buffer | undefined> {
    if (raw.length === 0) return raw;
    const maxOutputLength = this.maxBytes;
    // Accepts truncated bodies, as browsers do.
    const zlib = { maxOutputLength, finishFlush: constants.Z_SYNC_FLUSH };
    const brotli = { maxOutputLength, finishFlush: constants.BROTLI_OPERATION_FLUSH };
    try {
      if (/^(?:x-)?gzip$/.test(this.encoding)) return await promisify(gunzip)(raw, zlib);
      if (this.encoding === 'deflate') return await promisify(inflate)(raw, { maxOutputLength });
      if (this.encoding === 'br') return await promisify(brotliDecompress)(raw, brotli);
      return raw;
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }
}

const running = new AsyncLocalStorage<Received>();
let isSubscribed = false;

/**
 * Limits the response bodies of `work`, which sends requests from this process and reads whole bodies into memory. After
 * `maxBytes`, compressed or not, the response is destroyed: `isTooLarge` is set, and `work` fails.
 */
export async function limited<Result>(
  maxBytes: number,
  work: (received: Received) => Promise<Result>,
): Promise<Result> {
  if (!isSubscribed)
    subscribe('http.client.request.start', (message) => {
      const received = running.getStore();
      const request: unknown = Reflect.get(Object(message), 'request');
      if (received === undefined || !(request instanceof ClientRequest)) return;
      request.prependOnceListener('response', (response) => {
        received.watch(response);
      });
    });
  isSubscribed = true;
  const received = new Received(maxBytes);
  return running.run(received, () => work(received));
}
