import { lookup } from 'node:dns/promises';
import { setMaxListeners } from 'node:events';
import { isIP } from 'node:net';
import { isLocalhost } from '../model/loopback.js';
import { Slots } from '../model/slots.js';

/** Names that a session looks up at once: the threads for lookups are few, and all sessions share them. */
const maxAtOnce = 2;
const maxWaiting = 1000;

/** The lookups of names of one session. */
export class Lookups {
  readonly #slots = new Slots(maxAtOnce, maxWaiting);
  readonly #running = new Map<string, Promise<string[]>>();
  readonly #closing = new AbortController();

  constructor(private readonly resolve = addressesOf) {
    setMaxListeners(maxWaiting, this.#closing.signal);
  }

  /** The addresses of a name. Connections that ask for the same name at once share one lookup. */
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

  /** Ends the lookups that wait. */
  close(): void {
    this.#closing.abort();
  }
}

/** As in browsers, localhost is not looked up. */
async function addressesOf(host: string): Promise<string[]> {
  if (isLocalhost(host)) return ['127.0.0.1', '::1'];
  return (await lookup(host, { all: true })).map(({ address }) => address);
}
