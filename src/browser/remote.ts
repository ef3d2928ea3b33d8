import type { Browser } from 'playwright';
import { CodegenError, messageOf } from '../model/errors.js';
import { connectTo, endpointAt, type Endpoint } from './endpoint.js';
import { within } from '../model/within.js';
import type { BrowserChoice } from './launch.js';

/** Milliseconds for which a host that could not be reached is only tried after the others. */
const avoidedMs = 30_000;
/** Milliseconds for a host to say that it is there. */
const answerMs = 5_000;
/** Milliseconds after which a session that was sent to a host has a context there, or never will. */
const arrivalMs = 30_000;

/** Browsers on other machines, or in other processes of this one, shared by all sessions of a server. */
export interface RemoteBrowsers {
  /**
   * A browser at the endpoint with the fewest sessions of this server; where that can't be reached, at the next.
   * Throws BROWSER_FAILED where none can be.
   */
  get(urls: readonly string[], choice: BrowserChoice): Promise<Browser>;
  /** The endpoint that `get` would take. */
  endpoint(urls: readonly string[], choice: BrowserChoice): Promise<Endpoint>;
  close(): Promise<void>;
}

/** One endpoint. */
interface Host extends Endpoint {
  /** By what was asked of them, in JSON. */
  browsers: Map<string, Promise<Browser>>;
  /** Sessions that are there, and those on their way. */
  sessions: number;
  /** Called with each that arrives, the first that was sent first. */
  arrivals: (() => void)[];
  /** Time of `performance.now()` until which it is avoided. */
  avoidedUntil: number;
}

/** Browsers that are on another machine. */
const elsewhere = new WeakSet<Browser>();

/** Whether a browser runs on another machine, so that it can't reach what listens on this one alone. */
export function isElsewhere(browser: Browser): boolean {
  return elsewhere.has(browser);
}

export function createRemoteBrowsers(): RemoteBrowsers {
  const hosts = new Map<string, Host>();

  function hostAt(url: string): Host {
    const known = hosts.get(url);
    if (known !== undefined) return known;
    const host = { ...endpointAt(url), browsers: new Map(), sessions: 0, arrivals: [], avoidedUntil: 0 };
    hosts.set(url, host);
    return host;
  }

  function connected(host: Host, choice: BrowserChoice): Promise<Browser> {
    const key = JSON.stringify(choice);
    const known = host.browsers.get(key);
    if (known !== undefined) return known;
    const connecting = connectTo(host, choice);
    host.browsers.set(key, connecting);
    const forget = (): boolean => host.browsers.delete(key);
    connecting.then((browser) => {
      if (!host.isHere) elsewhere.add(browser);
      browser.once('disconnected', forget).on('context', (context) => {
        host.arrivals[0]?.();
        host.sessions++;
        context.once('close', () => host.sessions--);
      });
    }, forget);
    return connecting;
  }

  /** The browser at a host, provided that it answers: a machine that is gone may leave its connection open. */
  async function answering(host: Host, choice: BrowserChoice): Promise<Browser> {
    const browser = await connected(host, choice);
    if (await within(answerMs, ask(browser))) return browser;
    throw new CodegenError('BROWSER_FAILED', `The browser host ${host.place} does not answer.`, {
      hint: 'See that its machine is up, and not too busy.',
    });
  }

  /** Goes through the hosts, those with the fewest sessions first, until `use` succeeds with one. */
  async function first<Result>(
    urls: readonly string[],
    use: (host: Host) => Promise<Result>,
  ): Promise<Result> {
    const failures: string[] = [];
    const left = urls.map(hostAt);
    while (left.length > 0) {
      const isAvoided = (host: Host): number => Number(host.avoidedUntil > performance.now());
      left.sort((a, b) => isAvoided(a) - isAvoided(b) || a.sessions - b.sessions);
      const [host] = left.splice(0, 1);
      if (host === undefined) break;
      try {
        return await use(host);
      } catch (error) {
        host.avoidedUntil = performance.now() + avoidedMs;
        if (urls.length === 1) throw error;
        failures.push(messageOf(error));
      }
    }
    throw new CodegenError('BROWSER_FAILED', `None of the browser hosts can be used. ${failures.join(' ')}`, {
      hint: 'See that one of browser.endpoint runs and can be reached; `codegen-session-mcp doctor` tries them.',
    });
  }

  return {
    get: (urls, choice) =>
      first(urls, async (host) => {
        const arrive = seatAt(host);
        try {
          return await answering(host, choice);
        } catch (error) {
          arrive();
          throw error;
        }
      }),

    endpoint: (urls, choice) =>
      first(urls, async (host) => {
        await answering(host, choice);
        return host;
      }),

    async close() {
      const browsers = [...hosts.values()].flatMap((host) => [...host.browsers.values()]);
      await Promise.allSettled(browsers.map(async (connecting) => (await connecting).close()));
    },
  };
}

/** Has a browser answer something; only Chromium can be asked. */
async function ask(browser: Browser): Promise<true> {
  if (browser.browserType().name() !== 'chromium') return true;
  const session = await browser.newBrowserCDPSession();
  await session.send('Browser.getVersion');
  await session.detach();
  return true;
}

/** Counts a session that is on its way to a host, until it arrives or has had its time. */
function seatAt(host: Host): () => void {
  const arrive = (): void => {
    const index = host.arrivals.indexOf(arrive);
    if (index === -1) return;
    host.arrivals.splice(index, 1);
    host.sessions--;
  };
  host.sessions++;
  host.arrivals.push(arrive);
  setTimeout(arrive, arrivalMs).unref();
  return arrive;
}
