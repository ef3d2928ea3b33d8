import { lookup } from 'node:dns/promises';
import { setMaxListeners } from 'node:events';
import { isIP } from 'node:net';
import { isLocalhost } from '../model/loopback.js';
import { Slots } from '../model/slots.js';

/** Concurrent lookups of one session: all sessions share Node's few threads for lookups. */
const maxAtOnce = 2;
const maxWaiting = 1000;

/** DNS lookups of one session. */
export class Lookups {
  readonly #slots = new Slots(maxAtOnce, maxWaiting);
  readonly #running = new Map<string, Promise<string[]>>();
  readonly #closing = new AbortController();

  constructor(private readonly resolve = addressesOf) {
    setMaxListeners(maxWaiting, this.#closing.signal);
  }

  /** The addresses of a host. Concurrent calls for one host share a lookup. */
  async find(host: string): Promise<string[]> {
    if (isIP(host) !== 0) return [host];
    const running =
      this.#running.get(host) ??
      this.#slots
        .run(this.#closing.signal, () => this.resolve(host))
        .finally(() => this.#running.delete(host));
    this.#running.set(host, running);
    return running;
  }

  /** Cancels queued lookups. */
  close(): void {
    this.#closing.abort();
  }
}

/** Browsers don't look up localhost either. */
async function addressesOf(host: string): Promise<string[]> {
  if (isLocalhost(host)) return ['127.0.0.1', '::1'];
  return (await lookup(host, { all: true })).map(({ address }) => address);
}
