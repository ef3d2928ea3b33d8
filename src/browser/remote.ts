import type { Browser } from 'playwright';
import { CodegenError, messageOf } from '../model/errors.js';
import { within } from '../model/within.js';
import type { BrowserChoice } from './browser-choice.js';
import { connectTo, endpointAt, markRemote, type Endpoint } from './endpoint.js';

/** How long an unreachable host is tried only after the others. */
const penaltyMs = 30_000;
/** Time-out for a host to answer. */
const answerMs = 5_000;
/** Milliseconds after which a session that was assigned to a host has a context there, or has failed. */
const reservationMs = 30_000;

interface Host extends Endpoint {
  /** By `BrowserChoice`, as JSON. */
  browsers: Map<string, Promise<Browser>>;
  /** Open sessions and reservations. */
  sessions: number;
  /** Functions that release a reservation, oldest first; each session that opens calls the first. */
  reservations: (() => void)[];
  /** `performance.now()` until which it is tried last. */
  penaltyUntil: number;
}

/** Browsers that other programs launched, on this machine or others, shared by all sessions. */
export class RemoteBrowsers {
  private readonly hosts = new Map<string, Host>();

  /**
   * Connects to the endpoint with the fewest sessions of this server, or to the next if it can't be reached. Throws
   * BROWSER_FAILED if none can be reached.
   */
  get(choice: BrowserChoice): Promise<Browser> {
    return this.firstThat(choice, async (host) => {
      const release = reserveAt(host);
      try {
        return await answering(host, choice);
      } catch (error) {
        release();
        throw error;
      }
    });
  }

  /** The endpoint that `get` would use. */
  endpoint(choice: BrowserChoice): Promise<Endpoint> {
    return this.firstThat(choice, async (host) => {
      await answering(host, choice);
      return host;
    });
  }

  async close(): Promise<void> {
    const browsers = [...this.hosts.values()].flatMap((host) => [...host.browsers.values()]);
    await Promise.allSettled(browsers.map(async (connecting) => (await connecting).close()));
  }

  private hostAt(url: string): Host {
    const known = this.hosts.get(url);
    if (known !== undefined) return known;
    const host = { ...endpointAt(url), browsers: new Map(), sessions: 0, reservations: [], penaltyUntil: 0 };
    this.hosts.set(url, host);
    return host;
  }

  /** Tries the hosts, those with the fewest sessions first, until `use` succeeds. */
  private async firstThat<Result>(
    { endpoints }: BrowserChoice,
    use: (host: Host) => Promise<Result>,
  ): Promise<Result> {
    const failures: string[] = [];
    const left = endpoints.map((url) => this.hostAt(url));
    while (left.length > 0) {
      const penalty = (host: Host): number => Number(host.penaltyUntil > performance.now());
      left.sort((a, b) => penalty(a) - penalty(b) || a.sessions - b.sessions);
      const host = left.shift();
      if (host === undefined) break;
      try {
        return await use(host);
      } catch (error) {
        host.penaltyUntil = performance.now() + penaltyMs;
        if (endpoints.length === 1) throw error;
        failures.push(messageOf(error));
      }
    }
    throw new CodegenError('BROWSER_FAILED', `No browser host can be used. ${failures.join(' ')}`, {
      hint: 'Check that one of browser.endpoint runs and is reachable; `codegen-session-mcp doctor` tries them.',
    });
  }
}

function connected(host: Host, choice: BrowserChoice): Promise<Browser> {
  const key = JSON.stringify(choice);
  const known = host.browsers.get(key);
  if (known !== undefined) return known;
  const connecting = connectTo(host, choice);
  host.browsers.set(key, connecting);
  const forget = (): boolean => host.browsers.delete(key);
  connecting.then((browser) => {
    if (!host.isLocal) markRemote(browser);
    browser.once('disconnected', forget).on('context', (context) => {
      host.reservations[0]?.();
      host.sessions++;
      context.once('close', () => host.sessions--);
    });
  }, forget);
  return connecting;
}

/** The browser of a host, if it answers: the connection to a lost machine may stay open. */
async function answering(host: Host, choice: BrowserChoice): Promise<Browser> {
  const browser = await connected(host, choice);
  if (await within(answerMs, ping(browser))) return browser;
  throw new CodegenError('BROWSER_FAILED', `The browser host ${host.address} does not answer.`, {
    hint: 'Check that its machine is up and not overloaded.',
  });
}

/** Resolves when a browser answers; only Chromium supports this. */
async function ping(browser: Browser): Promise<true> {
  if (browser.browserType().name() !== 'chromium') return true;
  const session = await browser.newBrowserCDPSession();
  await session.send('Browser.getVersion');
  await session.detach();
  return true;
}

/** Counts a session at a host until its context opens there, or until the time-out. */
function reserveAt(host: Host): () => void {
  const release = (): void => {
    const index = host.reservations.indexOf(release);
    if (index === -1) return;
    host.reservations.splice(index, 1);
    host.sessions--;
  };
  host.sessions++;
  host.reservations.push(release);
  setTimeout(release, reservationMs).unref();
  return release;
}
