import type { Browser, BrowserType } from 'playwright';
import { CodegenError, messageOf } from '../model/errors.js';
import { isThisMachine } from '../network/address.js';
import type { BrowserChoice } from './browser-choice.js';

/** A browser that another program launched, possibly on another machine. */
export interface Endpoint {
  url: string;
  /** A Playwright server, which launches a browser for each connection, or a running Chromium. */
  kind: 'playwright' | 'cdp';
  /** Protocol and host, without credentials. */
  address: string;
  /** Whether it runs on this machine and can reach the sessions' proxies. */
  isLocal: boolean;
}

/** Time-out for connecting, including the launch of the remote browser. */
const connectMs = 20_000;

/**
 * The endpoint at a URL: `ws:` is a Playwright server, unless it is a debugging URL of Chromium; `http:` and `https:` are
 * Chromium; so is `wss:`, unless its path contains `playwright`.
 */
export function endpointAt(url: string): Endpoint {
  const { protocol, host, hostname, pathname } = new URL(url);
  const parts = pathname.split('/');
  const isPlaywright =
    protocol === 'ws:' ? parts[1] !== 'devtools' : protocol === 'wss:' && parts.includes('playwright');
  return {
    url,
    kind: isPlaywright ? 'playwright' : 'cdp',
    address: `${protocol}//${host}`,
    isLocal: isThisMachine(hostname),
  };
}

/** Launch options for a Playwright server, which ignores those that it does not permit. */
export function remoteLaunch({ channel, executablePath }: BrowserChoice): {
  channel?: string;
  executablePath?: string;
} {
  return {
    ...(channel === null ? {} : { channel }),
    ...(executablePath === null ? {} : { executablePath }),
  };
}

const remoteBrowsers = new WeakSet<Browser>();

export function markRemote(browser: Browser): void {
  remoteBrowsers.add(browser);
}

/** Whether a browser runs on another machine, where it can't reach this machine's loopback addresses. */
export function isRemote(browser: Browser): boolean {
  return remoteBrowsers.has(browser);
}

/** Connects to an endpoint. Throws BROWSER_FAILED. */
export async function connectTo(
  endpoint: Endpoint,
  choice: BrowserChoice,
  { noDefaults = false } = {},
): Promise<Browser> {
  const { url, kind, address } = endpoint;
  const playwright = await import('playwright');
  const type: BrowserType = playwright[choice.name];
  if (kind === 'cdp' && choice.name !== 'chromium')
    throw new CodegenError(
      'BROWSER_FAILED',
      `${address} is a Chromium, but the session needs ${choice.name}.`,
      {
        hint: 'Omit `browserName`, or set browser.endpoint to a Playwright server (ws://).',
      },
    );
  try {
    if (kind === 'cdp') return await type.connectOverCDP(url, { timeout: connectMs, noDefaults });
    const launch = JSON.stringify({ headless: choice.headless, ...remoteLaunch(choice) });
    return await type.connect(url, {
      timeout: connectMs,
      headers: { 'x-playwright-launch-options': launch },
    });
  } catch (error) {
    throw connectionError(endpoint, messageOf(error));
  }
}

function connectionError({ address }: Endpoint, message: string): CodegenError {
  const [theirs, own] = ['server', 'client'].map(
    (end) => new RegExp(`${end} version: v?([\\d.]+)`).exec(message)?.[1],
  );
  if (theirs !== undefined && own !== undefined)
    return new CodegenError(
      'BROWSER_FAILED',
      `The browser host ${address} runs Playwright ${theirs}; this server runs ${own}.`,
      { hint: `Both versions must be equal. Run \`npx playwright@${own} run-server\` there.` },
    );
  const why = message
    .replace(/\b(?:ws|http)s?:\/\/\S+/g, address)
    .split('\n')
    .slice(0, 2)
    .join(' ')
    .slice(0, 300);
  return new CodegenError('BROWSER_FAILED', `Can't connect to the browser host ${address}: ${why}`, {
    hint: 'Check that it runs and is reachable; `codegen-session-mcp doctor` tries it.',
  });
}
