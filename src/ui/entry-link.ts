import { randomBytes, timingSafeEqual } from 'node:crypto';
import { log } from '../model/log.js';

/**
 * The link that opens the page once, for a server without operators on a loopback address. The key is in the fragment,
 * which browsers do not send. A used link is replaced by a new one.
 */
export class EntryLink {
  private key = newKey();

  constructor(private readonly origin: string) {
    this.announce();
  }

  /** Whether this is the key of the link. If so, it can't be used again. */
  take(key: string): boolean {
    const [given, own] = [Buffer.from(key), Buffer.from(this.key)];
    if (given.length !== own.length || !timingSafeEqual(given, own)) return false;
    this.key = newKey();
    this.announce();
    return true;
  }

  private announce(): void {
    log(`Open the web UI; this link works once: ${this.origin}/#/enter/${this.key}`);
  }
}

function newKey(): string {
  return randomBytes(24).toString('base64url');
}
