import type { Browser, BrowserType } from 'playwright';
import { CodegenError, messageOf } from '../model/errors.js';
import { isThisMachine } from '../network/address.js';
import type { BrowserChoice } from './launch.js';

/** A browser that another program has started, maybe on another machine. */
export interface Endpoint {
  url: string;
  /** A server of Playwright's own, which starts a browser for each connection, or a Chromium that is up. */
  kind: 'playwright' | 'cdp';
  /** Where it is, without credentials. */
  place: string;
  /** Whether it is on this machine, so that the proxies of sessions can be reached from there. */
  isHere: boolean;
}

/** Milliseconds for a connection, with what it takes to start a browser at the other end. */
const connectingMs = 20_000;

/**
 * What is at a URL, as it tells by itself: `ws:` is a Playwright server, unless it is the debugging URL of a Chromium;
 * `http:` and `https:` are a Chromium; so is `wss:`, unless `playwright` is a part of its path.
 */
export function endpointAt(url: string): Endpoint {
  const { protocol, host, hostname, pathname } = new URL(url);
  const parts = pathname.split('/');
  const isPlaywright =
    protocol === 'ws:' ? parts[1] !== 'devtools' : protocol === 'wss:' && parts.includes('playwright');
  return {
    url,
    kind: isPlaywright ? 'playwright' : 'cdp',
    place: `${protocol}//${host}`,
    isHere: isThisMachine(hostname),
  };
}

/** What a Playwright server is asked to start; it leaves out what it does not permit. */
export function remoteLaunch({ channel, executablePath }: BrowserChoice): {
  channel?: string;
  executablePath?: string;
} {
  return {
    ...(channel === null ? {} : { channel }),
    ...(executablePath === null ? {} : { executablePath }),
  };
}

/** Connects to an endpoint. Throws BROWSER_FAILED. */
export async function connectTo(endpoint: Endpoint, choice: BrowserChoice): Promise<Browser> {
  const { url, kind, place } = endpoint;
  const playwright = await import('playwright');
  const type: BrowserType = playwright[choice.name];
  if (kind === 'cdp' && choice.name !== 'chromium')
    throw new CodegenError(
      'BROWSER_FAILED',
      `${place} is a Chromium, and the session wants ${choice.name}.`,
      {
        hint: 'Leave out `browserName`, or name a Playwright server (ws://) as browser.endpoint.',
      },
    );
  try {
    if (kind === 'cdp') return await type.connectOverCDP(url, { timeout: connectingMs });
    const launch = JSON.stringify({ headless: choice.headless, ...remoteLaunch(choice) });
    return await type.connect(url, {
      timeout: connectingMs,
      headers: { 'x-playwright-launch-options': launch },
    });
  } catch (error) {
    throw unconnected(endpoint, messageOf(error));
  }
}

function unconnected({ place }: Endpoint, message: string): CodegenError {
  const [theirs, own] = ['server', 'client'].map(
    (end) => new RegExp(`${end} version: v?([\\d.]+)`).exec(message)?.[1],
  );
  if (theirs !== undefined && own !== undefined)
    return new CodegenError(
      'BROWSER_FAILED',
      `The browser host ${place} runs Playwright ${theirs}, and this server ${own}: they don't understand each other.`,
      { hint: `Run the same version there: \`npx playwright@${own} run-server\`.` },
    );
  const why = message
    .replace(/\b(?:ws|http)s?:\/\/\S+/g, place)
    .split('\n')
    .slice(0, 2)
    .join(' ')
    .slice(0, 300);
  return new CodegenError('BROWSER_FAILED', `The browser host ${place} can't be used: ${why}`, {
    hint: 'See that it runs and can be reached; `codegen-session-mcp doctor` tries it.',
  });
}
